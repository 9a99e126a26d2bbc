"""The consistency rules of the instruments, evaluated over a pull (instruments.md 8)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from redcap_rules.dictionary import Dictionary
from redcap_rules.logic import Expression, LogicError, evaluate, is_true, parse, references
from redcap_rules.record import RecordView, Row
from trialdesk.config import Config
from trialdesk.errors import InstrumentError
from trialdesk.instruments.treatment import treatment_columns, treatment_events, treatment_fields
from trialdesk.model import Finding, Severity
from trialdesk.redcap.holding import held, tick_columns
from trialdesk.redcap.snapshot import Snapshot

RULES = "dq_rules.csv"
CLASSES = "dq_classes.csv"
UNWORDED = "Something about an envelope: see the coordinator's envelope lists"

_NOWHERE = Row("", "", "", 0, {})


@dataclass(frozen=True, slots=True)
class RuleClass:
    """How a rule is treated: `deviation` is a code of the protocol ("" for none).

    `open` says of a rule that has no logic of its own whether open reports may list it; a rule with logic is judged
    by what it refers to. A rule that is the `same_as` one about envelopes is left out where that one is found in the
    record, `unless` this logic says that there is more to it. `wording` is what open reports say of a rule about
    envelopes, whose own texts hold envelope numbers.
    """

    severity: Severity = "warning"
    deviation: str = ""
    open: bool = False
    same_as: str = ""
    unless: Expression | None = None
    wording: str = UNWORDED


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. It is evaluated wherever one of its `columns` holds data, or once a record if there are none.

    `treatment` is true when the rule refers to anything that tells an arm.
    """

    id: str
    text: str
    logic: Expression
    columns: frozenset[str]
    treatment: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a trial, the classes of these and of the rules written in code, and where treatment is recorded.

    `treatment_events` are the events that exist only because a procedure was done.
    """

    rules: tuple[Rule, ...]
    classes: Mapping[str, RuleClass]
    treatment_events: frozenset[str] = frozenset()

    def class_of(self, rule: str) -> RuleClass:
        """The class of a rule; a warning without deviation, for closed reports, if it has none."""
        return self.classes.get(rule, RuleClass())

    def arm_free(self, finding: Finding) -> bool:
        """Whether a finding tells nothing of the treatment: neither by its rule nor by the event it stands in."""
        rule = next((rule for rule in self.rules if rule.id == finding.rule), None)
        free = self.class_of(finding.rule).open if rule is None else not rule.treatment
        return free and finding.where.partition(" ")[0] not in self.treatment_events


@dataclass(frozen=True, slots=True)
class FindingList:
    """What a report says is to be looked at: `listed` in every profile as it is, the rest as the closed one says it.

    Open profiles show of `treatment` how many there are at each site, all rules and arms together, and of `envelopes`
    no envelope number: beside the arms a site knows it would tell places of its lists.
    """

    listed: tuple[Finding, ...] = ()
    envelopes: tuple[Finding, ...] = ()
    treatment: tuple[Finding, ...] = ()
    classes: Mapping[str, RuleClass] = field(default_factory=dict)

    @property
    def every(self) -> tuple[Finding, ...]:
        """All of them, sorted, in full words."""
        return tuple(sorted((*self.listed, *self.envelopes, *self.treatment)))

    @property
    def plain(self) -> tuple[Finding, ...]:
        """What open profiles list, sorted."""
        worded = {replace(one, text=self.class_of(one.rule).wording) for one in self.envelopes}
        return tuple(sorted({*self.listed, *worded}))

    def class_of(self, rule: str) -> RuleClass:
        """The class of a rule, or the usual one."""
        return self.classes.get(rule, RuleClass())


def read_rules(folder: Path, dictionary: Dictionary, config: Config) -> Rules:
    """The rules in `dq_rules.csv` with the classes in `dq_classes.csv`, which may be missing.

    The first word of a rule's name is its id. The columns of the classes are rule, severity (error or warning),
    deviation, open (y: open reports may list this rule, which has no logic of its own), same_as, unless, wording.

    Raises:
        InstrumentError: the file of rules is missing, or a rule can't be read, stands twice or names a field that the
            project lacks; one line each. A trial without rules has the file with its header alone.
    """
    if not (folder / RULES).is_file():
        raise InstrumentError(f"{folder / RULES}: no such file, so nothing would be checked; see folders.instruments")
    treatment = treatment_fields(dictionary, config)
    secret = treatment_columns(dictionary, config)
    rules: list[Rule] = []
    problems: list[str] = []
    for number, row in enumerate(_table(folder / RULES), 2):
        name, _, text = (row.get("rule_name") or "").strip().partition(" ")
        try:
            logic = parse(row.get("rule_logic") or "")
            rules.append(_rule(name, text.strip(), logic, dictionary, treatment, secret))
        except (LogicError, KeyError) as error:
            what = str(error) if isinstance(error, LogicError) else f"there is no field {error} in the project"
            problems.append(f"{RULES}:{number}: {name}: {what}; correct the rule or push the instruments")
        if not name or any(rule.id == name for rule in rules[:-1]):
            problems.append(f"{RULES}:{number}: {name or 'a rule without name'}: give every rule an id of its own")
    classes: dict[str, RuleClass] = {}
    for number, row in enumerate(_table(folder / CLASSES), 2):
        try:
            classes[row["rule"]] = _class(row)
        except LogicError as error:
            problems.append(f"{CLASSES}:{number}: {row['rule']}: unless: {error}; correct it")
    if problems:
        raise InstrumentError("\n".join(problems))
    return Rules(tuple(rules), classes, treatment_events(config))


def check(rules: Rules, snapshot: Snapshot, config: Config, today: date) -> tuple[Finding, ...]:
    """Every place in which a rule is true, sorted.

    Args:
        rules: The rules of the trial.
        snapshot: One pull.
        config: The trial; says which field holds the site.
        today: What `today` in a rule stands for.
    """
    ticks = tick_columns(snapshot.dictionary)
    found: list[Finding] = []
    for record in snapshot.records:
        view = snapshot.view(record)
        rows = [(row, held(row.values, ticks)) for row in view.rows]
        site = view.value(config.facts.site.field, config.facts.site.event)
        for rule in rules.rules:
            severity = rules.class_of(rule.id).severity
            for row in _places(rule, rows):
                if _fires(rule, view, row, today):
                    found.append(Finding(rule.id, site, record, _where(row), severity, rule.text))
    return tuple(sorted(found))


def told_once(
    findings: Iterable[Finding], envelopes: Iterable[Finding], rules: Rules, snapshot: Snapshot
) -> Iterator[Finding]:
    """The findings without those that only say what a finding about envelopes says of the same record."""
    told = {(one.rule, one.record) for one in envelopes}
    for one in findings:
        kind = rules.class_of(one.rule)
        more = kind.unless is not None and is_true(evaluate(kind.unless, snapshot.view(one.record)))
        if more or (kind.same_as, one.record) not in told:
            yield one


def sort_out(
    findings: Iterable[Finding], rules: Rules, gaps: Iterable[Finding] = (), envelopes: Iterable[Finding] = ()
) -> FindingList:
    """The findings as reports list them, sorted, each once.

    Args:
        findings: Those of the rules, in files or in code; what is not known to be arm-free goes to `treatment`.
        rules: Say which findings are.
        gaps: Findings about the order of recruitment; they name no arm and may be listed everywhere.
        envelopes: Findings about envelopes; they name no arm, but envelopes.
    """
    every = set(findings)
    free = {finding for finding in every if rules.arm_free(finding)}
    return FindingList(
        listed=tuple(sorted(free | set(gaps))),
        envelopes=tuple(sorted(set(envelopes))),
        treatment=tuple(sorted(every - free)),
        classes=rules.classes,
    )


def _table(path: Path) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from csv.DictReader(file)
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InstrumentError(f"{path}: can't be read ({type(error).__name__}); it has to be CSV in UTF-8") from None


def _class(row: Mapping[str, str]) -> RuleClass:
    severity: Severity = "error" if row.get("severity") == "error" else "warning"
    unless = parse(row["unless"]) if row.get("unless") else None
    deviation, same_as = row.get("deviation") or "", row.get("same_as") or ""
    return RuleClass(severity, deviation, row.get("open") == "y", same_as, unless, row.get("wording") or UNWORDED)


def _rule(
    name: str, text: str, logic: Expression, dictionary: Dictionary, treatment: frozenset[str], secret: frozenset[str]
) -> Rule:
    used = references(logic)
    homes = [(dictionary.form_of(reference.field), reference.event) for reference in used]
    here = {form for form, event in homes if not event}
    reveals = any(reference.field in treatment for reference in used)
    columns = {column for form in here for field in dictionary.form(form) for column in field.columns}
    # Where a rule is evaluated must not depend on the treatment either, or its findings would (blinding.py).
    return Rule(
        name, text, logic, frozenset(columns - {dictionary.record_id} - (set() if reveals else secret)), reveals
    )


def _places(rule: Rule, rows: Iterable[tuple[Row, frozenset[str]]]) -> Iterator[Row]:
    if not rule.columns:
        yield _NOWHERE
    for row, columns in rows:
        if not rule.columns.isdisjoint(columns):
            yield row


def _fires(rule: Rule, view: RecordView, row: Row, today: date) -> bool:
    value = evaluate(rule.logic, view, event=row.event, instrument=row.instrument, instance=row.instance, today=today)
    return is_true(value)


def _where(row: Row) -> str:
    return f"{row.event} {row.instrument} {row.instance}".strip() if row.instance else row.event
