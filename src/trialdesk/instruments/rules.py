"""The consistency rules of the instruments, with how each is treated (reference/instruments.md 8): read once, here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from redcap_rules.dictionary import Dictionary
from redcap_rules.logic import Expression, LogicError, parse, references
from trialdesk.config import Config
from trialdesk.errors import InstrumentError
from trialdesk.instruments.fault import Fault, refuse
from trialdesk.instruments.folder import CLASSES, QUALITY, STRUCTURE
from trialdesk.instruments.table import Numbered, read_table
from trialdesk.instruments.treatment import Telling, telling
from trialdesk.model import Finding, Severity

UNWORDED = "Something about an envelope: see the coordinator's envelope lists"
_SEVERITIES: Mapping[str, Severity] = {"error": "error", "warning": "warning", "": "warning"}


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
    """The rules of a trial, the classes of these and of the rules written in code, and what tells an arm."""

    rules: tuple[Rule, ...] = ()
    classes: Mapping[str, RuleClass] = field(default_factory=dict)
    telling: Telling = field(default_factory=Telling)

    def class_of(self, rule: str) -> RuleClass:
        """The class of a rule; a warning without deviation, for closed reports, if it has none."""
        return self.classes.get(rule, RuleClass())

    def arm_free(self, finding: Finding) -> bool:
        """Whether a finding tells nothing of the treatment: neither by its rule, nor by its field, nor by its event."""
        rule = next((rule for rule in self.rules if rule.id == finding.rule), None)
        free = self.class_of(finding.rule).open if rule is None else not rule.treatment
        told = finding.field in self.telling.fields or finding.where.partition(" ")[0] in self.telling.events
        return free and not told


def read_rules(
    folder: Path, dictionary: Dictionary, config: Config, own: Mapping[str, RuleClass] | None = None
) -> Rules:
    """The rules in `dq_rules.csv` with the classes in `dq_classes.csv`, which may be missing.

    The first word of a rule's name is its id. The columns of the classes are rule, severity (error or warning),
    deviation, open (y: open reports may list this rule, which has no logic of its own), same_as, unless, wording.

    Args:
        folder: Where the trial's instruments are.
        dictionary: That of the live project.
        config: The trial; says what tells the treatment.
        own: The classes of the rules written in code; a line of the file changes what it names of them.

    Raises:
        InstrumentError: the file of rules is missing, or a rule can't be read, stands twice or names a field that the
            project lacks; one line each. A trial without rules has the file with its header alone.
    """
    if not (folder / QUALITY).is_file():
        raise InstrumentError(f"{folder / QUALITY}: no such file, so nothing would be checked; see folders.instruments")
    faults: list[Fault] = []
    rows, classed = (read_table(folder / name, STRUCTURE[name], faults) for name in (QUALITY, CLASSES))
    faults += double_ids(rows)
    secret = telling(dictionary, config)
    rules = _rules(rows, dictionary, secret, faults)
    classes = read_classes(classed, faults, own or {})
    refuse(faults)
    return Rules(rules, classes, secret)


def double_ids(rows: Numbered) -> Iterator[Fault]:
    """The rules whose id is missing or stands twice."""
    seen: set[str] = set()
    for number, row in rows:
        name = rule_id(row)
        if not name or name in seen:
            what = f"{name or 'a rule without name'} is not the id of this rule alone"
            yield Fault(QUALITY, number, "rule_name", "rule", what, "give every rule an id of its own")
        seen.add(name)


def read_classes(rows: Numbered, faults: list[Fault], own: Mapping[str, RuleClass]) -> Mapping[str, RuleClass]:
    """The classes by rule, those of `own` where no row changes them; what can't be read is a fault."""
    classes = dict(own)
    for number, row in rows:
        if row["severity"] not in _SEVERITIES:
            what = f"{row['rule']}: {row['severity']!r} is no severity"
            faults.append(Fault(CLASSES, number, "severity", "rule", what, "write error or warning"))
            continue
        try:
            classes[row["rule"]] = _class(row, own.get(row["rule"], RuleClass()))
        except LogicError as error:
            faults.append(Fault(CLASSES, number, "unless", "rule", f"{row['rule']}: {error}", "correct the formula"))
    return classes


def rule_id(row: Mapping[str, str]) -> str:
    """The first word of a rule's name."""
    return row["rule_name"].partition(" ")[0]


def _rules(rows: Numbered, dictionary: Dictionary, secret: Telling, faults: list[Fault]) -> tuple[Rule, ...]:
    found: list[Rule] = []
    for number, row in rows:
        try:
            found.append(_rule(row, dictionary, secret))
        except (LogicError, KeyError) as error:
            why = str(error) if isinstance(error, LogicError) else f"there is no field {error} in the project"
            what = f"{rule_id(row)}: {why}"
            faults.append(Fault(QUALITY, number, "rule_logic", "rule", what, "correct it or push the instruments"))
    return tuple(found)


def _rule(row: Mapping[str, str], dictionary: Dictionary, secret: Telling) -> Rule:
    logic = parse(row["rule_logic"])
    used = references(logic)
    homes = [(dictionary.form_of(reference.field), reference.event) for reference in used]
    here = {form for form, event in homes if not event}
    reveals = any(reference.field in secret.fields or reference.event in secret.events for reference in used)
    columns = {column for form in here for field in dictionary.form(form) for column in field.columns}
    # Where a rule is evaluated must not depend on the treatment either, or its findings would (worlds.py).
    shown = columns - {dictionary.record_id} - (set() if reveals else secret.columns)
    return Rule(rule_id(row), row["rule_name"].partition(" ")[2].strip(), logic, frozenset(shown), reveals)


def _class(row: Mapping[str, str], own: RuleClass) -> RuleClass:
    unless, listed = row.get("unless"), row.get("open")
    return RuleClass(
        _SEVERITIES[row["severity"]],
        row.get("deviation") or own.deviation,
        listed == "y" if listed else own.open,
        row.get("same_as") or own.same_as,
        parse(unless) if unless else own.unless,
        row.get("wording") or own.wording,
    )
