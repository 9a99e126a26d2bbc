"""What a night costs as a trial grows: the rehearsal's own patients, thousands of them, pulled over HTTP.

The patients are written by the rehearsal's script and imported in bulk (a release is two marks, not a conversation):
preparing 2 000 takes a few minutes, and the database stays in the folder to be used again. Then the nightly run is
started as a person starts it, in a process of its own: once, to write back what is due, and then as often as asked,
when nothing is written. Measured are the run's own processor time and memory, beside the wall clock with the server's
part in it.

    .venv/bin/python benchmarks/night.py 100 500 2000
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

sys.path[:0] = ["src", "scripts"]

from redcap_local.server import running
from rehearsal.cast import ORDINARY, OWN
from rehearsal.day import Cards, make_envelopes, send_envelopes, tell_story
from rehearsal.play import play
from rehearsal.script import PartOf, Script
from rehearsal.stage import BEFORE, Stage, fresh_folder, set_stage, write_files
from rehearsal.story import Story
from trialdesk.config import load
from trialdesk.envelopes.register import RECORD_ID, read_register
from trialdesk.model import Pile
from trialdesk.redcap.gateway import open_gateway

DATABASE, READY, DAY = "redcap.sqlite", "ready", date(2026, 11, 26)
BATCH = 500
A_STORY = 2_000
"""So many patients the rehearsal's 14 months hold, since envelopes are opened one an hour; more take longer."""


class Bulk:
    """What sites and coordinator write, gathered by record and place, to be imported at once."""

    def __init__(self, stage: Stage, story: Story, cards: Cards) -> None:
        self.config, self.story = stage.config, story
        self.cards = {made.envelope.id: made.card for table in cards.tables for made in table.allocations}
        received = [one for one in read_register(open_gateway(stage.config, "packer")) if one.status == "received"]
        self.piles: dict[Pile, list[str]] = {}
        for one in received:
            self.piles.setdefault(one.pile, []).append(one.id)
        self.rows: dict[tuple[str, ...], dict[str, str]] = {}
        self.released: list[dict[str, str]] = []
        self.pile_of = {life.record: life.pile for life in story.lives}

    def import_records(self, to_import: list[dict[str, str]]) -> None:
        """Rows of one place become one row."""
        places = (self.story.setting.dictionary.record_id, "redcap_event_name", "redcap_repeat_instrument",
                  "redcap_repeat_instance")  # fmt: skip
        for row in to_import:
            self.rows.setdefault(tuple(row.get(name, "") for name in places), {}).update(row)

    def release(self, record: str, at: datetime) -> str:
        """The lowest received envelope, marked in the record and in the register."""
        envelope = self.piles[self.pile_of[record]].pop(0)
        facts, stamp = self.config.facts, at.strftime("%Y-%m-%d %H:%M")
        record_id = self.story.setting.dictionary.record_id
        for place, value in ((facts.released_envelope, envelope), (facts.released_at, stamp)):
            self.import_records([{record_id: record, "redcap_event_name": place.event, place.field: value}])
        mark = {RECORD_ID: envelope, "env_status": "released", "env_record": record, "env_released_at": stamp}
        self.released.append(mark)
        return envelope

    def open(self, envelope: str) -> tuple[str, str]:
        """Arm and card code."""
        card = self.cards[envelope]
        return card.arm, card.code


def prepare(folder: Path, patients: int) -> None:
    """Both projects stand in the folder's database with so many patients."""
    with running(fresh_folder(folder) / DATABASE) as server:
        files = write_files(Path("config.yaml"), folder, server.url, DAY)
        config = files[0].read_text(encoding="utf-8")
        config = config.replace(str(Path("reports").resolve()), "reports")
        opened = DAY - BEFORE, DAY - BEFORE * _stories(patients)
        files[0].write_text(config.replace(*map(str, opened)), encoding="utf-8")
        stage = set_stage(files, server, folder / DATABASE, lambda plan: plan.digest)
        fill(stage, patients, DAY, told)
        (folder / READY).write_text(server.url, encoding="utf-8")


def fill(stage: Stage, patients: int, day: date, told: Callable[[str], Callable[[int, int], None]]) -> None:
    """Both projects of a stage hold so many patients, as they are on that day."""
    stage = replace(stage, script=_longer(stage.script, patients))
    story = tell_story(stage, 1, patients, day)
    cards, _ = make_envelopes(stage, story, day)
    send_envelopes(stage, story)
    bulk = Bulk(stage, story, cards)
    play(story, lambda _: bulk, bulk.release, bulk.open, told("written"))
    stage.packer_project().import_records(bulk.released)
    by_site: dict[str, list[dict[str, str]]] = {}
    site_of = {life.record: life.site for life in story.lives}
    for place, row in bulk.rows.items():
        by_site.setdefault(site_of[place[0]], []).append(row)
    done = 0
    for site, rows in by_site.items():
        project = stage.project_of(site)
        for start in range(0, len(rows), BATCH):
            project.import_records(rows[start : start + BATCH])
            done += len(rows[start : start + BATCH])
            told("imported")(done, len(bulk.rows))


def _stories(patients: int) -> int:
    """How many times as long as the rehearsal's own story so many patients take."""
    return -(-patients // A_STORY)


def _longer(script: Script, patients: int) -> Script:
    """The script with as many more months as the patients need."""
    opened = OWN[ORDINARY].age
    age = opened[0] * _stories(patients), opened[1]
    common = [name for name, part in OWN.items() if part.age == opened]
    parts = {name: script.parts.get(name, PartOf()).model_copy(update={"age": age}) for name in common}
    return script.model_copy(update={"parts": {**script.parts, **parts}})


def told(what: str):
    """Says how far it is, on one line."""

    def say(done: int, of: int) -> None:
        if done % 100 == 0 or done == of:
            print(f"\r{what} {done} of {of}   ", end="\n" if done == of else "", file=sys.stderr, flush=True)

    return say


def serving(folder: Path, config: str = "config.yaml") -> subprocess.Popen[str]:
    """The local REDCap of the folder, in a process of its own, at the address the configuration names."""
    port = (folder / READY).read_text(encoding="utf-8").rpartition(":")[2].split("/")[0]
    command = ["scripts/local_redcap.py", "serve", "--db", str(folder / DATABASE), "--port", port]
    server = subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    trial = open_gateway(load(folder / config), "trial")
    for _ in range(100):
        try:
            trial.version()
        except Exception:  # noqa: BLE001  (not up yet)
            time.sleep(0.1)
            continue
        return server
    raise SystemExit(f"{folder}: the server does not come up; is port {port} taken?")


def night(folder: Path) -> Mapping[str, float]:
    """One run: its processor seconds, its wall clock, its largest memory in MB, and the seconds of each stage."""
    begun = time.monotonic()
    command = ["scripts/nightly_sync.py", "--once", "--today", str(DAY), "--config", str(folder / "config.yaml")]
    # as on a machine in use, where the program is compiled once and not every night
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL, env=usual)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - begun
    how = json.loads((folder / "reports" / "latest" / "run.json").read_text(encoding="utf-8"))
    seconds = {one["stage"]: one["seconds"] for one in how["stages"]}
    cpu = used.ru_utime + used.ru_stime
    return {"exit": os.waitstatus_to_exitcode(status), "cpu": cpu, "wall": wall, "MB": used.ru_maxrss / 1024, **seconds}


def main(
    sizes: Annotated[list[int], typer.Argument(help="Numbers of patients screened.")],
    folder: Annotated[Path, typer.Option(help="Where databases are kept.")] = Path("night-benchmark"),
    nights: Annotated[int, typer.Option(help="How many nights that write nothing; the fastest counts.")] = 1,
) -> None:
    """A line for each size."""
    logging.getLogger("waitress").setLevel(logging.ERROR)
    folder.mkdir(exist_ok=True)
    for size in sizes:
        home = folder / str(size)
        if not (home / READY).exists():
            prepare(home, size)
        server = serving(home)
        try:
            first = night(home)
            quiet = min((night(home) for _ in range(nights)), key=lambda one: one["cpu"])
        finally:
            server.terminate()
            server.wait()
        for name, one in (("first", first), ("quiet", quiet)):
            print(f"{size} {name}: " + " · ".join(f"{what} {value:.1f}" for what, value in one.items()), flush=True)


if __name__ == "__main__":
    typer.run(main)
