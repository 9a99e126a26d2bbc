"""Nights as they are typed: several trials in one folder, and nothing of any patient in what is printed or watched.

Canaries stand in every text of every patient: none sings in a log, an error, a message, the name of a file, a command
line or an environment, and no secret does.
The search has a positive control: it finds the same canaries where they may stand, in REDCap itself.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from threading import Event, Thread

import pytest
from ruamel.yaml import YAML

from frozen import trial_dictionary
from played import Played, played
from postbox import DATA, Box, receiving, words
from redcap_local.administration import opened
from redcap_local.faults import Fault, set_fault
from redcap_rules.record import Row
from trialdesk.redcap.gateway import open_gateway
from trialdesk.redcap.snapshot import pull

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 23)
NOBODYS = "A" * 32
CANARY = "Kanariefugl Ærø 010203-4567"
DICTIONARY = trial_dictionary()


@dataclass
class Cage:
    """The trial with its canaries, and what every run has let out."""

    trial: Played
    box: Box
    said: list[str] = field(default_factory=list)
    processes: dict[int, str] = field(default_factory=dict)

    def night(self, *words: str) -> int:
        """One run of the trial; returns its exit code."""
        return self.type(*words, "--once", "--config", str(self.trial.stage.config_file)).returncode

    def type(self, *words: str) -> subprocess.CompletedProcess[str]:
        """As cron starts it: no terminal, everything it prints is kept. Tokens of the environment are nobody's."""
        with (
            subprocess.Popen(
                [sys.executable, "scripts/nightly_sync.py", *words],
                cwd=ROOT,
                env={**os.environ, **({"TRIALDESK_TRIAL_TOKEN": NOBODYS} if "--trials" in words else {})},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            ) as started,
            watching(started.pid, self.processes),
        ):
            try:
                if "--serve" in words:
                    wait_for(Path(words[-1]).with_name("reports").joinpath("heartbeat.json").exists)
                    started.terminate()
                out, err = started.communicate(timeout=120)
            finally:
                started.kill()
        self.said += [out, err]
        return subprocess.CompletedProcess(words, started.returncode, out, err)


def wait_for(true: Callable[[], object], seconds: float = 90.0) -> None:
    """It has become true; an error when it does not."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@contextmanager
def watching(first: int, seen: dict[int, str]) -> Iterator[None]:
    """Every process that the first one starts, and itself: number to words of the command line and environment."""
    over = Event()

    def look() -> None:
        while not over.wait(0.02):
            family = {first}
            for stat in sorted(Path("/proc").glob("[0-9]*/stat"), key=lambda path: int(path.parent.name)):
                with suppress(OSError):
                    number, parent = int(stat.parent.name), int(stat.read_text().rpartition(")")[2].split()[1])
                    if number in family or parent in family:
                        family.add(number)
                        told = b"\n".join((stat.with_name(name)).read_bytes() for name in ("cmdline", "environ"))
                        seen[number] = told.replace(b"\0", b"\n").decode(errors="replace")

    thread = Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture(scope="module")
def cage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cage]:
    with played(tmp_path_factory.mktemp("hygiene"), 4, TODAY) as trial, receiving() as box:
        with_mail(trial.stage.config_file, box)
        record_id = DICTIONARY.record_id
        snapshot = pull(open_gateway(trial.stage.config, "trial"))
        texts = {f.name for f in DICTIONARY.fields if f.kind in ("text", "notes") and not f.validation}
        own = {ref.field for _, ref in trial.stage.config.call_plan or ()}
        facts = trial.stage.config.facts
        own |= {record_id, facts.envelope.field, facts.card_code.field, facts.released_envelope.field}
        for record, rows in snapshot.rows.items():
            site = next(site for site in trial.stage.site_tokens if record.startswith(site))
            sung = [
                {record_id: record, **_place(row), **dict.fromkeys(sorted((row.values.keys() & texts) - own), CANARY)}
                for row in rows
            ]
            trial.stage.project_of(site).import_records([row for row in sung if CANARY in row.values()])
        yield Cage(trial, box)


def with_mail(file: Path, box: Box) -> None:
    """Everybody is told by mail; and the long-running form has its time behind it."""
    yaml = YAML()
    settings = yaml.load(file.read_text(encoding="utf-8"))
    settings["mail"] = {"host": "localhost", "port": box.port, "sender": "desk@example.org"}
    settings["mail"] |= {"ca_file": str(DATA / "certificate.pem"), "digest": datetime.now().isoweekday()}
    readers = ("coordinator", "monitor", "site:ODE", "closed")
    settings["recipients"] = [{"profile": one, "email": f"{one.replace(':', '.')}@example.org"} for one in readers]
    settings["nightly"] = {"at": "00:00"}
    with file.open("w", encoding="utf-8") as stream:
        yaml.dump(settings, stream)


def _place(row: Row) -> dict[str, str]:
    more = {"redcap_repeat_instrument": row.instrument, "redcap_repeat_instance": str(row.instance)}
    return {"redcap_event_name": row.event, **(more if row.instance else {})}


def secrets(cage: Cage) -> Iterator[tuple[str, str]]:
    """Everything that must not get out, with what it is: canaries, tokens, cards, records, envelopes."""
    yield from (("canary", word) for word in ("Kanariefugl", "010203-4567"))
    lines = (cage.trial.stage.config_file.parent / "tokens.env").read_text(encoding="utf-8").splitlines()
    yield from (("token", line.partition("=")[2]) for line in lines)
    yield from (("age identity", cage.trial.stage.identity.read_text(encoding="utf-8").strip()) for _ in "1")
    for table in cage.trial.cards.tables:
        for made in table.allocations:
            yield "card code", made.card.code
            yield "envelope", made.envelope.id
    yield from (("record", record) for record in pull(open_gateway(cage.trial.stage.config, "trial")).rows)


def found(cage: Cage, text: str) -> set[str]:
    """What stands in a text, by what it is; never the thing itself."""
    return {what for what, word in secrets(cage) if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text)}


def test_a_trial_that_fails_takes_no_other_with_it(cage: Cage, tmp_path: Path) -> None:
    """One in order, one whose token is refused, one without a token file; each by itself, and the worst counts."""
    home, trials = cage.trial.stage.config_file.parent, tmp_path / "trials"
    trials.mkdir()
    (trials / "good").symlink_to(home, target_is_directory=True)
    for name in ("bare", "refused"):
        shutil.copytree(home, trials / name, ignore=shutil.ignore_patterns("*.sqlite*", "reports"))
        file = trials / name / "config.yaml"
        file.write_text(re.sub("  reports: .*", "  reports: reports", file.read_text(encoding="utf-8")))
    tokens = trials / "refused" / "tokens.env"
    tokens.write_text(re.sub("(TRIALDESK_TRIAL_TOKEN)=.*", rf"\1={'C' * 32}", tokens.read_text(encoding="utf-8")))
    (trials / "bare" / "tokens.env").unlink()
    with opened(home / "redcap.sqlite") as database:
        set_fault(database, Fault("html", times=1, content="record"))
    ended = cage.type("--trials", str(trials), "--jobs", "2")
    lines = [line.split() for line in ended.stdout.splitlines()]
    assert [(line[0], line[1]) for line in lines[:3]] == [("bare", "20"), ("good", "10"), ("refused", "31")], ended
    assert (ended.returncode, lines[3][-1]) == (20, "20")
    assert "no token for trial" in ended.stderr
    assert (cage.trial.stage.config.reports / "latest" / "summary.json").exists()
    assert not (trials / "bare" / "reports" / "latest").exists()


def test_nothing_of_any_patient_is_in_what_a_night_prints_or_leaves_for_watchers(cage: Cage) -> None:
    """The nights above, one the sanity gate stops, which names records to a terminal alone, and one taken up again."""
    config = cage.trial.stage.config
    assert cage.night("--today", "2020-01-01") == 40
    assert cage.night("--resume") in {0, 10, 45}
    latest = config.reports / "latest"
    watched = [latest / "summary.json", latest / "run.json", config.state / "heartbeat.json"]
    everything = "\n".join([*cage.said, *(path.read_text(encoding="utf-8") for path in watched)])
    assert len(everything) > 1_000
    assert found(cage, everything) == set()
    names = "\n".join(str(path.relative_to(config.reports)) for path in config.reports.rglob("*"))
    assert found(cage, names) == set()


def test_nothing_of_any_patient_is_in_a_message(cage: Cage) -> None:
    """The night that failed, that the nights are in order again, and the week: to everybody, as they went out."""
    told = {str(message["To"]) for message in cage.box.messages}
    assert told == {"coordinator@example.org", "monitor@example.org", "site.ODE@example.org", "closed@example.org"}
    assert len(cage.box.messages) >= 6
    sent = "\n".join(part for one in cage.box.messages for part in (words(one), *map(str, one.values())))
    assert found(cage, sent) == set()
    assert found(cage, f"{sent} {CANARY}") == {"canary"}


def test_no_secret_is_in_a_command_line_or_in_the_environment_of_a_process(cage: Cage, tmp_path: Path) -> None:
    """One that stays up, one that starts others, and all that they start, as any user of the machine may list them."""
    if not Path("/proc/self/environ").exists():
        pytest.skip("NOT TESTED: the processes of this system can't be listed in /proc")
    stays_up, file = tmp_path / "config.yaml", cage.trial.stage.config_file
    stays_up.write_text(re.sub("  reports: .*", f"  reports: {tmp_path / 'reports'}", file.read_text(encoding="utf-8")))
    for link in ("instruments", "tokens.env", "randomization_tables"):
        (tmp_path / link).symlink_to(file.with_name(link))
    assert cage.type("--serve", "--config", str(stays_up)).returncode == 130
    families = [text for text in cage.processes.values() if "nightly_sync.py" in text]
    assert sum("--serve" in text for text in families) == 1
    assert sum("--trials" in text for text in families) == 1
    started = [text for text in families if "--once" in text and "trials/" in text]
    assert {re.findall("trials/([a-z]+)", text)[0] for text in started} == {"bare", "good", "refused"}
    assert found(cage, "\n".join(cage.processes.values())) == set()
    # a token that somebody gives in the environment is seen in it, so the search can find one; it goes no further
    assert [text for text in families if NOBODYS in text] == [text for text in families if "--trials" in text]


def test_the_search_finds_what_is_there(cage: Cage) -> None:
    """The canaries are in REDCap, records and envelopes in the coordinator's page, and all are told apart."""
    rows = pull(open_gateway(cage.trial.stage.config, "trial")).rows
    stored = "\n".join(value for part in rows.values() for row in part for value in row.values.values())
    assert {"canary", "card code"} <= found(cage, stored.replace("-", "")) | found(cage, stored)
    page = (cage.trial.stage.config.reports / "latest" / "coordinator" / "index.html").read_text(encoding="utf-8")
    assert "record" in found(cage, page)
