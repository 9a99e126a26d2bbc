"""What a night needs, looked at by day: each part with ok, warn or fail, and what to do. It only reads.

What can be known only by trying (deleting, importing) is not tried: it is listed as something to ask.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from trialdesk.config import Config
from trialdesk.envelopes.filing import held, prove_codes, read_filed
from trialdesk.envelopes.register import prove_blind, read_register
from trialdesk.errors import OK, OK_WITH_WARNINGS, SanityFailed, TrialError
from trialdesk.followup.calendars import lost
from trialdesk.followup.keys import keys
from trialdesk.instruments.fitness import prove_fit
from trialdesk.memory.opening import recalled
from trialdesk.nightly.machines import connected
from trialdesk.nightly.run import scope_of
from trialdesk.notices import post
from trialdesk.redcap.gateway import Gateway, open_gateway
from trialdesk.redcap.patience import Patience
from trialdesk.redcap.snapshot import columns, requested
from trialdesk.redcap.tokens import Role

Verdict = Literal["ok", "warn", "fail"]
ROLES: tuple[Role, ...] = ("trial", "register")
ROOM = 2**30
"""Bytes that ought to be free where runs are kept."""
SKEW = 120.0
"""Seconds by which two clocks may differ."""
ASK = (
    "may the token of the night delete or rename records, or export identifiers? It need not",
    "may it import into call plan, release fields and register? It has to",
    "which REDCap user has no role? Personal rights are seen in User Rights alone",
)


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, how it stands, and what it says; `code` is the exit code it would end a night with."""

    what: str
    verdict: Verdict
    said: str
    code: int = OK


def examine(config: Config, lock: Path) -> tuple[Check, ...]:
    """Every part in turn; one that fails stops only what needs it.

    Args:
        config: The trial.
        lock: requirements.lock of this checkout.
    """
    found = [*_machine(config, lock), *_folders(config), *_mail(config), *among_machines(config)]
    gateways: dict[Role, Gateway] = {}
    for role in ROLES:
        one, gateway = _token(config, role)
        found.append(one)
        if gateway:
            gateways[role] = gateway
    if trial := gateways.get("trial"):
        found += [
            _clock(trial),
            _tried("codes", lambda: prove_codes(config, trial), "the project offers the codes that were frozen"),
            _tried("project", lambda: prove_fit(config, trial), "every field, event and code of the configuration"),
            rights(trial),
        ]
    if register := gateways.get("register"):
        found += [
            _tried("concealment", lambda: prove_blind(register), "the token sees no card, no log and no users"),
            _manifests(config, register),
        ]
    return tuple(found)


def ending(found: tuple[Check, ...]) -> int:
    """The exit code: that of the first part that fails, 10 for warnings, else 0."""
    failed = [one.code for one in found if one.verdict == "fail"]
    return failed[0] if failed else OK_WITH_WARNINGS if any(one.verdict == "warn" for one in found) else OK


def _tried(what: str, look: Callable[[], object], fine: str) -> Check:
    try:
        look()
    except TrialError as error:
        return Check(what, "fail", str(error), error.exit_code)
    return Check(what, "ok", fine)


def _machine(config: Config, lock: Path) -> Iterator[Check]:
    yield Check("Python", "ok", sys.version.split()[0])
    other = [name for name, wanted in locked(lock).items() if _installed(name) not in {"", *wanted}]
    said = f"{len(other)} package(s) are others than in {lock.name}: {', '.join(other[:5])}; run make again"
    yield Check("packages", "warn", said) if other else Check("packages", "ok", f"as in {lock.name}")
    now = datetime.now(config.trial.zone)
    yield Check("time zone", "ok", f"{config.trial.time_zone}, now {now:%Y-%m-%d %H:%M}")


def locked(lock: Path) -> Mapping[str, frozenset[str]]:
    """Package to its versions in a lock: more than one where it has another for another Python."""
    try:
        lines = lock.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pinned: dict[str, frozenset[str]] = {}
    for line in lines:
        name, found, version = line.split(" ")[0].partition("==")
        if found and name[:1].isalnum():
            pinned[name] = pinned.get(name, frozenset()) | {version}
    return pinned


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _folders(config: Config) -> Iterator[Check]:
    for name, folder in (("reports", config.reports), ("state", config.state)):
        place = next(path for path in (folder, *folder.parents) if path.exists())
        free = shutil.disk_usage(place).free
        said = f"{folder}: {free / ROOM:.1f} GB free"
        yield Check(name, "ok", said) if free >= ROOM else Check(name, "warn", f"{said}; make room for the runs")
    night = recalled(config.state, scope_of(config)).night
    yield Check("memory", "ok", f"last published run {night.run}") if night else Check("memory", "warn", "no run yet")
    yield _calls_key(config)
    sealed = len(config.sealed_for)
    yield (
        Check("keys", "ok", f"the closed report is sealed for {sealed}")
        if sealed
        else Check("keys", "warn", "nobody has an age key for the closed report; recipients: {profile: closed, age: …}")
    )


def _calls_key(config: Config) -> Check:
    """Whether the file is there that the names in the calendars are made with, and is that of the last run."""
    path = config.path(config.calls.key)
    if not path.exists():
        return Check("calls' key", "warn", f"{path}: not there; a run makes it, and calendars are to be taken in anew")
    try:
        own = keys(path)
    except TrialError as error:
        return Check("calls' key", "fail", str(error), error.exit_code)
    if lost(own, recalled(config.state, scope_of(config)).calendar):
        return Check("calls' key", "warn", f"{path}: is another than the last run's; delete the calendars, import anew")
    return Check("calls' key", "ok", f"{path}; keep a copy where the tokens are")


def _mail(config: Config) -> Iterator[Check]:
    """Whether the mail server can be used; nothing is sent."""
    if config.mail is None:
        yield Check("mail", "warn", "no mail: nobody is told of a night that fails; docs/nightly.md says how")
        return
    try:
        with post.connected(config, config.mail):
            yield Check("mail", "ok", f"{config.mail.host} takes mail over TLS, its certificate is verified")
    except TrialError as error:
        yield Check("mail", "fail", str(error), error.exit_code)


def among_machines(config: Config) -> Iterator[Check]:
    """Whether the server can be used that keeps two machines from one trial, and how the last run it lists ended."""
    if config.machines is None:
        return
    try:
        with connected(config, config.machines) as session:
            yield Check("machines", "ok", f"{session.where}; {session.last() or 'no run yet'}")
    except TrialError as error:
        yield Check("machines", "fail", str(error), error.exit_code)


def _token(config: Config, role: Role) -> tuple[Check, Gateway | None]:
    """Whether the token of a role is there and is that of a project."""
    try:
        gateway = open_gateway(config, role, Patience(2, total=30))
        project, server = gateway.project(), gateway.version()
    except TrialError as error:
        return Check(f"token {role}", "fail", str(error), error.exit_code), None
    where = "production" if project.get("in_production") == "1" else "development"
    return Check(f"token {role}", "ok", f"project {project.get('project_id')}, {where}, REDCap {server}"), gateway


def rights(trial: Gateway) -> Check:
    """Whether a night is shown all it asks for, of one record; identifiers are not asked for here either."""
    try:
        dictionary = trial.dictionary()
        record_id, asked = dictionary.record_id, requested(dictionary)
        one = trial.ids(record_id)[:1]
        shown = trial.columns_shown(record_id, asked)
        grouped = not one or trial.records(record_id, [], records=one, groups=True).has_groups
    except TrialError as error:
        return Check("rights trial", "fail", str(error), error.exit_code)
    if not one:
        return Check("rights trial", "warn", "no record yet, so what the token is shown is not known")
    hidden = sorted({column for name in asked for column in columns(dictionary, name)} - shown)
    if hidden or not grouped:
        said = f"REDCap hides {len(hidden)} column(s) ({', '.join(hidden[:5])})" if hidden else "sits in a group"
        todo = "the token's user needs full export rights on every form (identifiers removed) and no data access group"
        return Check("rights trial", "fail", f"{said}; {todo}", SanityFailed.exit_code)
    return Check("rights trial", "ok", "the token is shown every field that is asked for, and all data access groups")


def _clock(gateway: Gateway) -> Check:
    try:
        off = gateway.clock_offset()
    except TrialError as error:
        return Check("clock", "fail", str(error), error.exit_code)
    if off is None:
        return Check("clock", "warn", "the server tells no time")
    said = f"the server's clock is {abs(off):.0f} s {'ahead' if off > 0 else 'behind'}"
    return Check("clock", "ok" if abs(off) <= SKEW else "warn", said if abs(off) <= SKEW else f"{said}; set this one")


def _manifests(config: Config, register: Gateway) -> Check:
    try:
        found = held(read_filed(config), read_register(register))
    except TrialError as error:
        return Check("manifests", "fail", str(error), error.exit_code)
    if found.wrong:
        said = (
            f"{len(found.lacking)} filed envelope(s) missing, version(s) differing: {list(found.differing) or 'none'}"
        )
        return Check("manifests", "fail", f"{said}, {found.filed} manifest(s) filed; ask the packer", 45)
    if found.unfiled or not found.filed:
        return Check("manifests", "warn", f"{found.filed} filed, {len(found.unfiled)} envelope(s) of none; file it")
    return Check("manifests", "ok", f"{found.filed} filed, the register holds exactly their envelopes")
