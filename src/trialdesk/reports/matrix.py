"""The sheet Contacts: every patient by every contact that all arms have, as letters that are words below."""

from __future__ import annotations

from collections.abc import Mapping

from trialdesk.facts.cohort import share
from trialdesk.facts.deriving import Facts
from trialdesk.facts.figures import Figures, done_of
from trialdesk.facts.tracks import Stand, TimePoint, Track, shared
from trialdesk.workbook import Block, Column, Line, SheetTable, Tone, Value

TOTALS, LETTERS = "Totals", "Letters"
# Letter, what it means, and its colour.
SIGNS: Mapping[Stand, tuple[str, str, Tone]] = {
    "in window": ("D", "done in its window", "good"),
    "early": ("E", "done before its window", "warning"),
    "late": ("L", "done after its window", "warning"),
    "done": ("d", "done, without a date", "warning"),
    "missed": ("M", "missed", "alarm"),
    "late, open": ("V", "behind: days of grace run", "warning"),
    "open": ("O", "open: window runs", "plain"),
    "not due": ("·", "not due yet", "quiet"),
    "died": ("S", "stopped: has died", "quiet"),
    "withdrawn": ("W", "withdrawn", "quiet"),
    "lost": ("X", "lost to follow-up", "quiet"),
    "ended": ("C", "completed or to verify", "quiet"),
}
_NARROW = 8


def contacts(facts: Facts, whole: Figures) -> SheetTable:
    """A row for each randomised patient, longest gap last; then every contact's totals, and the letters in words."""
    rules = shared(facts.config)
    columns = (
        Column("Record", width=24), Column("Site", width=_NARROW),
        *(Column(rule.code, width=_NARROW) for rule in rules), Column("Made", "number", _NARROW),
        Column("Longest gap, days", "number", 12), Column("Weeks", "number", _NARROW),
    )  # fmt: skip
    lines = tuple(_patient(track, [rule.code for rule in rules]) for track in whole.tracks)
    about = (
        f"{len(whole.tracks)} randomised patients, {whole.days // 7} patient-weeks; {whole.in_window} of "
        f"{whole.expected} expected contacts made in their window. Contacts after a procedure are not in this report."
    )
    totals = Block(TOTALS, _total_columns(), tuple(map(_total, whole.points)), "The trial has no contacts.")
    letters = Block(
        LETTERS,
        (Column("Meaning", width=24), Column("Sign", width=_NARROW)),
        tuple(Line((words, sign), tones={1: tone}) for sign, words, tone in SIGNS.values()),
    )
    empty = "No patient is randomised yet."
    return SheetTable("Contacts", "Contacts", about, columns, lines, keys=2, empty=empty, more=(totals, letters))


def _patient(track: Track, codes: list[str]) -> Line:
    signs = [SIGNS[track.stands.get(code, "not due")] for code in codes]
    tones: dict[int, Tone] = {number: tone for number, (_, _, tone) in enumerate(signs, 2)}
    values: tuple[Value, ...] = (
        track.record,
        track.site,
        *(sign for sign, _, _ in signs),
        done_of(track),
        track.gap,
        round(track.days / 7, 1),
    )
    return Line(values, tones=tones)


def _total_columns() -> tuple[Column, ...]:
    titles = ("Due", "Made", "In time", "Early", "Late", "Missed", "Behind", "Open", "Not due")
    return (Column("Contact", width=24), *(Column(title, "number", _NARROW) for title in titles),
            Column("In time %", "percent", _NARROW))  # fmt: skip


def _total(point: TimePoint) -> Line:
    n = point.counts
    values = (
        point.rule.label, point.expected, point.done, n["in window"], n["early"], n["late"], n["missed"],
        n["late, open"], n["open"], n["not due"], share(n["in window"], point.expected),
    )  # fmt: skip
    return Line(values, "strong" if point.rule.primary else "plain")
