"""Applying a plan: exactly its changes, in the order REDCap accepts, and read back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from trialdesk.config import Config
from trialdesk.errors import PlanRefused, TrialError, WriteBackFailed
from trialdesk.instruments.change import PARTS, Part, Plan
from trialdesk.instruments.checks import errors_in
from trialdesk.instruments.compare import compare
from trialdesk.instruments.design import (
    Design,
    arm_rows,
    event_rows,
    group_rows,
    mapping_rows,
    repeating_rows,
)
from trialdesk.instruments.folder import ProjectName, read_design
from trialdesk.instruments.live import live_design
from trialdesk.instruments.plan import make_plan
from trialdesk.instruments.roles import LABEL, role_row
from trialdesk.redcap.gateway import Gateway

Confirm = Callable[[Plan], str]
_ANY_TIME: tuple[Part, ...] = ("group", "role")  # what REDCap takes of a project in production too


def push(
    config: Config,
    project: ProjectName,
    gateway: Gateway,
    confirm: Confirm = lambda plan: plan.digest,
    *,
    force: bool = False,
    language: str = "",
) -> Plan:
    """The project is what its folder says; the plan that was applied is returned.

    Args:
        config: The configuration.
        project: Which of the two projects.
        gateway: A gateway whose token may design it (trial: role trial, register: role packer).
        confirm: Shown the plan; answers with the digest of the plan that may be applied.
        force: Goes on over the brakes.
        language: That of the words; "" for those of the files themselves.

    Raises:
        PlanRefused: the digest is another one, a brake holds, or the project is in production.
        WriteBackFailed: REDCap does not hold what was written.
    """
    desired = read_design(config, project, language)
    plan = make_plan(project, desired, gateway, errors_in(config, project))
    digest = confirm(plan)
    if digest != plan.digest:
        raise PlanRefused(
            f"{project}: the plan is now {plan.digest}, not {digest or 'none'}; read it with `plan` again"
        )
    apply(plan, desired, gateway, force=force)
    return plan


def apply(plan: Plan, desired: Design, gateway: Gateway, *, force: bool = False) -> None:
    """The live project differs from `desired` in nothing; only what the plan names was changed.

    Raises:
        PlanRefused: a brake holds or the project is in production; nothing was changed.
        WriteBackFailed: REDCap does not hold what was written.
        TrialError: REDCap failed on the way; the message says what was done and what was not.
    """
    if plan.empty:
        return
    _refuse(plan, force)
    parts = [part for part in PARTS if plan.of(part)]
    for number, part in enumerate(parts):
        try:
            _WRITERS[part](plan, desired, gateway)
        except TrialError as error:
            raise type(error)(f"{error}\n{_progress(parts, number)}") from None
    rest = compare(desired, live_design(gateway, groups=desired.groups is not None, roles=desired.roles is not None))
    if rest:
        named = ", ".join(f"{c.part} {c.name} {c.attribute}".strip() for c in rest[:3])
        raise WriteBackFailed(f"{len(rest)} difference(s) left after applying ({named}); read `plan` again")


def _refuse(plan: Plan, force: bool) -> None:
    if plan.in_production and any(change.part not in _ANY_TIME for change in plan.changes):
        raise PlanRefused(
            "the project is in production, where REDCap takes no changes from its API; "
            "`plan --draft FOLDER` writes the dictionary for draft mode and the steps to do by hand"
        )
    if plan.brakes and not force:
        raise PlanRefused(f"{'; '.join(plan.brakes)}; nothing was changed; add --force to accept")


def _progress(parts: list[Part], failed: int) -> str:
    done, left = ", ".join(parts[:failed]) or "nothing", ", ".join(parts[failed:])
    return f"done: {done}; not done: {left}; run `plan` again and apply what is left"


def _write_settings(plan: Plan, _desired: Design, gateway: Gateway) -> None:
    gateway.write_settings({change.name: change.after for change in plan.of("settings")})


def _write_metadata(_plan: Plan, desired: Design, gateway: Gateway) -> None:
    count = gateway.write_dictionary(desired.dictionary)
    if count != len(desired.dictionary.fields):
        raise WriteBackFailed(f"REDCap took {count} of {len(desired.dictionary.fields)} fields")


def _write_arms(plan: Plan, desired: Design, gateway: Gateway) -> None:
    named = {change.name for change in plan.of("arm")}
    gateway.write_arms(arm_rows(tuple(arm for arm in desired.arms if arm.number in named)))


def _write_events(plan: Plan, desired: Design, gateway: Gateway) -> None:
    created = {change.name for change in plan.of("event", "create")}
    updated = {change.name for change in plan.of("event", "update")}
    # events a classic project kept out of sight are back once it is longitudinal again
    before = _event_names(gateway)
    new = tuple(event for event in desired.events if event.name in created - before)
    old = tuple(event for event in desired.events if event.name in updated | (created & before))
    if new or old:
        gateway.write_events(event_rows(old) + event_rows(new, new=True))
    gone = {change.name for change in plan.of("event", "delete")}
    there = _event_names(gateway)
    wrong = sorted((created | updated) - there) or sorted(there - {event.name for event in desired.events} - gone)
    if wrong:
        raise WriteBackFailed(f"after writing the events REDCap's are not those of the plan ({', '.join(wrong[:3])})")
    if gone & there:
        gateway.delete_events(sorted(gone & there))


def _event_names(gateway: Gateway) -> set[str]:
    return {event.name for event in live_design(gateway, groups=False, roles=False).events}


def _write_mapping(_plan: Plan, desired: Design, gateway: Gateway) -> None:
    gateway.write_mapping(mapping_rows(desired))


def _write_repeating(_plan: Plan, desired: Design, gateway: Gateway) -> None:
    gateway.write_repeating(repeating_rows(desired))


def _write_groups(plan: Plan, _desired: Design, gateway: Gateway) -> None:
    gateway.write_groups(group_rows(tuple(change.name for change in plan.of("group", "create"))))


def _write_roles(plan: Plan, desired: Design, gateway: Gateway) -> None:
    named = {change.name for change in plan.of("role")}
    live = {row[LABEL]: row for row in gateway.roles()}
    gateway.write_roles(
        [role_row(role, live.get(role.label, {})) for role in desired.roles or () if role.label in named]
    )


_WRITERS: Mapping[Part, Callable[[Plan, Design, Gateway], None]] = {
    "settings": _write_settings,
    "metadata": _write_metadata,
    "arm": _write_arms,
    "event": _write_events,
    "mapping": _write_mapping,
    "repeating": _write_repeating,
    "group": _write_groups,
    "role": _write_roles,
}
