"""How fast the local REDCap stores and gives back this trial, and how that grows with the number of patients.

Each size gets a server process of its own. Stored cells are values that are not blank; shown cells are all cells of
a flat export. Memory is the highest resident size of the server process.

    python benchmarks/local_redcap.py 100 1000 10000
"""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import requests
import typer

from redcap_rules.dictionary import Dictionary, Field, join, read_dictionary, to_api

ROOT = Path(__file__).parents[1]
TRIAL = ROOT / "instruments" / "trial"
SCRIPT = ROOT / "scripts" / "local_redcap.py"
BATCH = 20
SAMPLES: dict[str, Callable[[random.Random], str]] = {
    "integer": lambda chance: str(chance.randrange(1, 60)),
    "number": lambda chance: f"{chance.uniform(1, 60):.1f}",
    "number_1dp": lambda chance: f"{chance.uniform(1, 60):.1f}",
    "number_2dp": lambda chance: f"{chance.uniform(1, 60):.2f}",
    "time": lambda chance: f"{chance.randrange(24):02}:{chance.randrange(60):02}",
    "": lambda chance: f"text {chance.randrange(1000)}",
}


def table(name: str) -> list[dict[str, str]]:
    """The rows of a CSV file of the trial."""
    with (TRIAL / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def dictionary() -> Dictionary:
    """The trial's dictionary, one CSV per instrument."""
    paths = sorted(TRIAL.glob("[0-9]*.csv"))
    return join(read_dictionary(path.read_text(encoding="utf-8-sig"), path.name) for path in paths)


def value(field: Field, chance: random.Random) -> str:
    """A valid value of a field, '' for what is not typed in."""
    if field.options:
        return chance.choice(field.options).code
    if field.kind == "slider":
        return str(chance.randrange(101))
    if field.kind not in {"text", "notes"}:
        return ""
    if field.validation.startswith("date"):
        day = f"2026-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"
        return day + {"date": "", "datetime": " 10:10"}.get(field.validation.rpartition("_")[0], " 10:10:10")
    sample = SAMPLES.get(field.validation)
    return sample(chance) if sample else ""


def filled(fields: tuple[Field, ...], record_id: str, chance: random.Random) -> dict[str, str]:
    """Values for every field of a form."""
    row: dict[str, str] = {}
    for field in fields:
        if field.kind == "checkbox":
            row.update({column: chance.choice("01") for column in field.columns})
        elif field.name != record_id:
            row[field.name] = value(field, chance)
    return {name: text for name, text in row.items() if text}


def patient(number: int, forms: Dictionary, chance: random.Random) -> Iterator[dict[str, str]]:
    """The rows of one patient: every form of every event, one instance of what repeats."""
    repeating = {(row["event_name"], row["form_name"]) for row in table("repeating.csv")}
    events: dict[str, list[str]] = {}
    for row in table("mapping.csv"):
        events.setdefault(row["unique_event_name"], []).append(row["form"])
    for event, names in events.items():
        base = {forms.record_id: str(number), "redcap_event_name": event}
        row = dict(base)
        for form in names:
            values = {**filled(forms.form(form), forms.record_id, chance), forms.status_field(form): "2"}
            if (event, form) in repeating:
                yield {**base, "redcap_repeat_instrument": form, "redcap_repeat_instance": "1", **values}
            else:
                row.update(values)
        yield row


@contextmanager
def server(folder: Path) -> Iterator[tuple[str, str, int]]:
    """Address, super token and process id of a server of its own."""
    db = folder / "redcap.db"
    process = subprocess.Popen([sys.executable, SCRIPT, "serve", "--db", db], stdout=subprocess.PIPE, text=True)
    if process.stdout is None:
        raise RuntimeError
    url = process.stdout.readline().removeprefix("listening on ").strip()
    token = Path(f"{db}.super-token").read_text(encoding="ascii").strip()
    try:
        yield url, token, process.pid
    finally:
        process.terminate()
        process.wait()


def peak_memory(pid: int) -> int:
    """The highest resident size of a process so far, in MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) // 1024


def post(url: str, **body: Any) -> requests.Response:
    """The answer to a request that must succeed."""
    response = requests.post(url, data={"format": "json", "returnFormat": "json", **body}, timeout=3600, stream=True)
    if response.status_code != 200:
        raise RuntimeError(response.text[:500])
    return response


def furnish(url: str, super_token: str, forms: Dictionary) -> str:
    """The token of a project with the trial's structure."""
    item = {"project_title": "Trial", "purpose": 0, "is_longitudinal": 1, "record_autonumbering_enabled": 0}
    token = post(url, token=super_token, content="project", data=json.dumps([item])).text
    post(url, token=token, content="metadata", data=json.dumps(to_api(forms)))
    events = [{**row, "unique_event_name": ""} for row in table("events.csv")]
    post(url, token=token, content="event", action="import", override=1, data=json.dumps(events))
    post(url, token=token, content="formEventMapping", data=json.dumps(table("mapping.csv")))
    post(url, token=token, content="repeatingFormsEvents", data=json.dumps(table("repeating.csv")))
    return token


def measure(size: int) -> dict[str, float]:
    """Rates and memory for one number of patients."""
    forms, chance = dictionary(), random.Random(1)
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as (url, super_token, pid):
        token = furnish(url, super_token, forms)
        cells, rows, spent = 0, 0, 0.0
        for first in range(1, size + 1, BATCH):
            batch = [row for n in range(first, min(first + BATCH, size + 1)) for row in patient(n, forms, chance)]
            cells += sum(map(len, batch))
            rows += len(batch)
            data = json.dumps(batch)
            begin = time.perf_counter()
            post(url, token=token, content="record", data=data)
            spent += time.perf_counter() - begin
        result = {"records/s in": size / spent, "cells/s in": cells / spent, "MB after import": peak_memory(pid)}
        columns = sum(len(field.columns) for field in forms.fields) + len(forms.forms) + 3
        for form, kind in (("json", "flat"), ("csv", "flat"), ("csv", "eav")):
            begin = time.perf_counter()
            for _ in post(url, token=token, content="record", format=form, type=kind).iter_content(1 << 20):
                pass
            spent = time.perf_counter() - begin
            result[f"stored/s {form} {kind}"] = cells / spent
            if kind == "flat":
                result[f"shown/s {form} {kind}"] = rows * columns / spent
        result["MB after export"] = peak_memory(pid)
    return result


def main(sizes: Annotated[list[int] | None, typer.Argument(help="Numbers of patients.")] = None) -> None:
    """Print a table: one line per figure, one column per size."""
    wanted = sizes or [100, 1000, 10_000]
    results = [measure(size) for size in wanted]
    typer.echo(f"{'':24}" + "".join(f"{f'{size} patients':>18}" for size in wanted))
    for name in results[0]:
        typer.echo(f"{name:24}" + "".join(f"{result[name]:18,.0f}" for result in results))


if __name__ == "__main__":
    typer.run(main)
