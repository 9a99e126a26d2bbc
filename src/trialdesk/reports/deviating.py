"""The sheet Deviations: what rules find and what sites report, by code of the protocol and by site."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from trialdesk.facts.deriving import Facts
from trialdesk.facts.figures import Figures, OpenFinding
from trialdesk.facts.logged import Reported, categories
from trialdesk.reports.profiles import Profile
from trialdesk.workbook import Block, Column, Line, SheetTable, Tone, Value

GRADES = "By grade"


def deviations(
    facts: Facts, whole: Figures, here: Mapping[str, Figures], reader: Profile
) -> tuple[SheetTable, SheetTable]:
    """Counts by code, below it by grade with the rate of every site; and every one that is reported or found by a rule.

    Those of treatment are one number.

    Args:
        facts: What was derived.
        whole: The counts of the whole trial.
        here: Those of every site by its code.
        reader: Who reads it.
    """
    sites = [site.code for site in reader.sites]
    codes = _codes(facts, whole)
    columns = (
        Column("Code", width=46), Column("Found by rules", "number", 10), Column("Reported", "number", 10),
        *(Column(code, "number", 8) for code in sites),
    )  # fmt: skip
    rate = whole.a_hundred_days(whole.deviating)
    new, since = sum(one.new for one in whole.automatic), _since(facts)
    apart = "" if rate is None else f"; {rate:.2f} for 100 patient-days"
    reported, found_since = len(whole.deviations.listed), sum(map(since, whole.deviations.listed))
    about = (
        f"{len(whole.automatic)} found by rules, {new} of them new since the last issue; {reported} reported, "
        f"{found_since} new{apart}. {whole.deviations.unlisted} more are reported: of treatment, or without a code."
    )
    lines = tuple(_code(code, whole, sites) for code in codes)
    empty = "The protocol names no codes."
    by_code = SheetTable(
        "Deviations",
        "Deviations of the protocol",
        about,
        columns,
        lines,
        empty=empty,
        more=(_grades(facts, whole, here, sites),),
    )
    told = (_reported(one, new=since(one)) for one in whole.deviations.listed)
    rows = (*told, *(_found(one, facts) for one in whole.automatic))
    every = tuple(sorted(rows, key=lambda line: str(line.values[:2])))
    how = "Reported by the site, with its grade; or found by a rule, with the day since when."
    return by_code, SheetTable("Deviations listed", "Deviations one by one", how, _COLUMNS, every, keys=2)


def _grades(facts: Facts, whole: Figures, here: Mapping[str, Figures], sites: list[str]) -> Block:
    """The reported ones by the grade the site gives them; what rules find has none, and counts in the rate alone."""
    columns = (
        Column("Grade", width=46), Column("Reported", "number", 10), *(Column(code, "number", 8) for code in sites),
    )  # fmt: skip
    log, dictionary = facts.config.logs.deviations, facts.snapshot.dictionary
    graded = log.grade if log and log.grade in dictionary else None
    known = [option.label for option in dictionary.get(graded).options] if graded else []
    lines = []
    for grade in (*known, ""):
        at = Counter(one.site for one in whole.deviations.listed if one.grade == grade)
        values: tuple[Value, ...] = (grade or "No grade", at.total(), *(at[site] for site in sites))
        lines.append(Line(values, tones={number: "quiet" for number, value in enumerate(values) if value == 0}))
    rates = [one.a_hundred_days(one.deviating) for one in (whole, *(here[site] for site in sites))]
    told = ("Reported and found by rules, for 100 patient-days", *(None if r is None else round(r, 2) for r in rates))
    return Block(GRADES, columns, (*lines, Line(told, "strong")))


def _codes(facts: Facts, whole: Figures) -> list[str]:
    """The codes every arm can have, as the dictionary words them, and those of rules it does not know."""
    words = categories(facts.config, facts.snapshot.dictionary, facts.common.telling).get("deviations", ())
    rest = {one.deviation for one in whole.automatic if not any(w.startswith(one.deviation) for w in words)}
    return [*words, *sorted(rest)]


def _code(code: str, whole: Figures, sites: list[str]) -> Line:
    found = [one.finding.site for one in whole.automatic if code.startswith(one.deviation)]
    reported = [one.site for one in whole.deviations.listed if one.code == code]
    at = Counter([*found, *reported])
    values: tuple[Value, ...] = (code, len(found), len(reported), *(at[site] for site in sites))
    tones: dict[int, Tone] = {number: "quiet" for number, value in enumerate(values) if value == 0}
    return Line(values, tones=tones)


_COLUMNS = (
    Column("Code", width=8), Column("Record", width=12), Column("Site", width=8), Column("What", width=66),
    Column("Told by", width=10), Column("Grade", width=8), Column("Study day", "number", 8),
    Column("Days to found", "number", 10), Column("Since", "date", 12), Column("New", width=8),
)  # fmt: skip


def _since(facts: Facts) -> Callable[[Reported], bool]:
    """Whether a reported deviation was found after the day of the last issue; none is while no report is issued."""
    issued = facts.common.past.remembered.issued
    return lambda one: bool(issued and one.known and one.known > issued[-1].on)


def _reported(one: Reported, *, new: bool) -> Line:
    code, _, what = one.code.partition(" ")
    told = (one.grade, one.study_day, one.days, one.known, "new" if new else None)
    return Line((code, one.record, one.site, what, "site", *told), tones={0: "strong"})


def _found(one: OpenFinding, facts: Facts) -> Line:
    finding = one.finding
    place = facts.common.labels.place(finding.where, numbered=False)
    text = f"{finding.text} ({place})" if place else finding.text
    new = "new" if one.new else None
    values = (one.deviation, finding.record, finding.site, text, finding.rule, None, None, None, one.since, new)
    return Line(values, "quiet" if one.accepted else "plain", {} if one.accepted else {0: "strong"})
