"""Data quality rules: written, executed over the records a user sees, and told row by row (C.4.18.1300)."""

from __future__ import annotations

from dataclasses import replace

from redcap_local.messages import ApiError, Confidence, Message
from redcap_local.pages import discrepancies
from redcap_local.pages.discrepancies import Outcome
from redcap_local.pages.visit import Answer, Moved, NoSuchPlace, Shown, Visit
from redcap_local.storage import quality
from redcap_local.storage.quality import QualityRule
from redcap_rules.logic import LogicError

PLACE = "DataQuality/index.php"
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
            wanted = [rule for rule in there if visit.text("rule") in {"", str(rule.id)}]
            return _page(there, {rule.id: discrepancies.execute(visit, rule) for rule in wanted}, ())
        case other:
            raise NoSuchPlace(f"there is no action {other[:40]!r}")
    return Moved(visit.addresses.room(PLACE))


def refused(visit: Visit, fault: ApiError) -> Shown:
    """The page again, with the reason."""
    return replace(show(visit, tuple(fault.text.splitlines())), status=fault.status)


def _page(rules: list[QualityRule], outcomes: dict[int, Outcome], faults: tuple[str, ...]) -> Shown:
    return Shown("quality.html.j2", {"rules": rules, "outcomes": outcomes, "faults": faults})


def _new_rule(visit: Visit) -> QualityRule:
    name, logic = visit.text("name"), visit.text("logic")
    if not name:
        raise ApiError(Message("A rule needs a name.", Confidence.UNKNOWN, 400))
    try:
        discrepancies.readable(visit.project, logic)
    except LogicError as fault:
        raise ApiError(Message(UNREADABLE.format(fault.message), Confidence.UNKNOWN, 400)) from None
    return QualityRule(0, name, logic, live=bool(visit.text("live")))
