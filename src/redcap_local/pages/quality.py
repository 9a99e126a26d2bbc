"""Data quality rules: written, executed over the records a user sees, and told row by row (C.4.18.1300)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from redcap_local.messages import ApiError, Confidence, Message
from redcap_local.pages import discrepancies
from redcap_local.pages.discrepancies import Outcome
from redcap_local.pages.own_rules import OWN_RULES, execute_own
from redcap_local.pages.visit import Answer, Moved, NoSuchPlace, Shown, Visit
from redcap_local.storage import quality
from redcap_local.storage.quality import QualityRule
from redcap_rules.logic import LogicError

PLACE = "DataQuality/index.php"
ALL_OWN, ALL_CUSTOM = "own", "custom"
UNREADABLE = "The logic cannot be read: {}."


def show(visit: Visit, faults: tuple[str, ...] = ()) -> Shown:
    """The rules of the project."""
    return _page(quality.rules(visit.call.connection, visit.project.id), {}, faults)


def change(visit: Visit) -> Answer:
    """A rule is added or deleted, or the rules are executed."""
    connection, project = visit.call.connection, visit.project
    match visit.text("action"):
        case "add":
            visit.needs("data_quality_create")
            quality.insert(connection, project.id, _new_rule(visit))
        case "delete":
            visit.needs("data_quality_create")
            quality.delete(connection, project.id, visit.number("rule", 0))
        case "execute":
            visit.needs("data_quality_execute")
            there = quality.rules(connection, project.id)
            return _page(there, dict(_outcomes(visit, there)), ())
        case other:
            raise NoSuchPlace(f"there is no action {other[:40]!r}")
    return Moved(visit.addresses.room(PLACE))


def refused(visit: Visit, fault: ApiError) -> Shown:
    """The page again, with the reason."""
    return replace(show(visit, tuple(fault.text.splitlines())), status=fault.status)


def _outcomes(visit: Visit, rules: list[QualityRule]) -> Iterator[tuple[str, Outcome]]:
    """What executing gave by letter or id: all rules of REDCap or of the project, or the one that is named."""
    wanted = visit.text("rule")
    for own in OWN_RULES.values():
        if wanted in {ALL_OWN, own.letter}:
            yield own.letter, execute_own(visit, own)
    for rule in rules:
        if wanted in {ALL_CUSTOM, str(rule.id)}:
            yield str(rule.id), discrepancies.execute(visit, rule)


def _page(rules: list[QualityRule], outcomes: Mapping[str, Outcome], faults: tuple[str, ...]) -> Shown:
    listed = {"rules": rules, "own_rules": OWN_RULES.values(), "all_own": ALL_OWN, "all_custom": ALL_CUSTOM}
    return Shown("quality.html.j2", {**listed, "outcomes": outcomes, "faults": faults})


def _new_rule(visit: Visit) -> QualityRule:
    name, logic = visit.text("name"), visit.text("logic")
    if not name:
        raise ApiError(Message("A rule needs a name.", Confidence.UNKNOWN, 400))
    try:
        discrepancies.readable(visit.project, logic)
    except LogicError as fault:
        raise ApiError(Message(UNREADABLE.format(fault.message), Confidence.UNKNOWN, 400)) from None
    return QualityRule(0, name, logic, live=bool(visit.text("live")))
