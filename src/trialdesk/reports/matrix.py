"""The sheet Contacts: every patient by every contact that all arms have, as letters that are words below."""

from __future__ import annotations

from collections.abc import Mapping

from trialdesk.facts.cohort import share
from trialdesk.facts.deriving import Facts
from trialdesk.facts.figures import Figures, done_of
from trialdesk.facts.tracks import Stand, TimePoint, Track, shared
from trialdesk.workbook import Block, Column, Line, SheetTable, Tone, Value

LETTERS, NOBODY = "Letters", "No patient is randomised yet."
# Letter, what it means, and its colour.
SIGNS: Mapping[Stand, tuple[str, str, Tone]] = {
    "in window": ("D", "done in window", "good"),
    "early": ("E", "early", "warning"),
    "late": ("L", "late", "warning"),
    "done": ("d", "done, no date", "warning"),
    "missed": ("M", "missed", "alarm"),
    "late, open": ("V", "behind, in grace", "warning"),
    "open": ("O", "open", "plain"),
    "not due": ("·", "not due", "quiet"),
    "died": ("S", "died", "quiet"),
    "withdrawn": ("W", "withdrawn", "quiet"),
    "lost": ("X", "lost", "quiet"),
    "ended": ("C", "ended", "quiet"),
}
_NARROW = 8


def contacts(facts: Facts, whole: Figures) -> tuple[SheetTable, SheetTable]:
    """A row for each randomised patient, longest gap last; and every contact's totals with the letters in words."""
    rules = shared(facts.config)
    columns = (
        Column("Record", width=24), Column("Site", width=_NARROW),
        *(Column(rule.code, width=_NARROW) for rule in rules), Column("Made", "number", _NARROW),
        Column("Longest gap, days", "number", 12), Column("Weeks", "number", _NARROW),
    )  # fmt: skip
    lines = tuple(_patient(track, [rule.code for rule in rules]) for track in whole.tracks if track.record)
    about = (
        f"{len(whole.tracks)} randomised patients, {whole.days // 7} patient-weeks; {whole.in_window} of "
        f"{whole.expected} expected contacts made in their window. Contacts after a procedure are not in this report."
    )
    told = ", ".join(f"{sign} {words}" for sign, words, _ in SIGNS.values())
    matrix = SheetTable("Contacts", "Contacts", told, columns, lines, keys=2, empty=NOBODY)
    letters = Block(
        LETTERS,
        (Column("Meaning", width=30), Column("Sign", width=12)),
        tuple(Line((words, sign), tones={1: tone}) for sign, words, tone in SIGNS.values()),
    )
    counted = tuple(map(_total, whole.points))
    totals = SheetTable(
        "Contact totals", "Contacts by time point", about, _total_columns(), counted, empty=NOBODY, more=(letters,)
    )
    return matrix, totals


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
    titles = ("Expected", "Made", "In window", "Early", "Late", "Missed", "Behind", "Open", "Not due")
    return (Column("Contact", width=30), *(Column(title, "number", 12) for title in titles),
            Column("In window %", "percent", 12))  # fmt: skip


def _total(point: TimePoint) -> Line:
    n = point.counts
    values = (
        point.rule.label, point.expected, point.done, n["in window"], n["early"], n["late"], n["missed"],
        n["late, open"], n["open"], n["not due"], share(n["in window"], point.expected),
    )  # fmt: skip
    return Line(values, "strong" if point.rule.primary else "plain")
