"""The ledger of before there was a memory: every readable line becomes a run, and the file stands aside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from trialdesk.memory.store import Memory
from trialdesk.memory.values import Night, Run, Scope
from trialdesk.model import Tally

LEDGER = "ledger.jsonl"


def migrate(ledger: Path, memory: Memory) -> str | None:
    """The lines of a ledger are runs of the memory, damaged ones counted; None when there is no ledger.

    A torn line, a blank one or foreign bytes are no reason to stop: what was published still stands in its folder.
    """
    if not ledger.is_file():
        return None
    taken = damaged = 0
    for line in ledger.read_bytes().splitlines():
        if not line.strip():
            continue
        try:
            scope, run, night = _entry(json.loads(line.decode("utf-8")))
        except (ValueError, TypeError, KeyError, AttributeError):
            damaged += 1
            continue
        memory.take_in(scope, run, night)
        taken += 1
    aside = ledger.with_name(f"{ledger.name}.migrated")
    ledger.replace(aside)
    lost = f", {damaged} damaged line(s) left out" if damaged else ""
    return f"{taken} run(s) of {ledger.name} are in the memory{lost}; the file is now {aside.name}"


def _entry(stored: dict[str, Any]) -> tuple[Scope, Run, Night | None]:
    tally = Tally(**stored["tally"]) if stored.get("tally") else None
    accepted = (str(stored["accepted_drop"]),) if stored.get("accepted_drop") else ()
    stage = str(stored["status"]).removeprefix("failed in ")
    run = Run(
        str(stored["run"]),
        str(stored["day"]),
        "published" if tally else "failed",
        "" if tally else stage,
        int(stored["exit_code"]),
        accepted,
        str(stored.get("reason", "")),
    )
    night = Night(run.run, run.day, tally) if tally else None
    return Scope(str(stored["trial"]), str(stored["url"])), run, night
