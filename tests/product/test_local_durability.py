"""What the local server has acknowledged survives its sudden death, and nothing is half there."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import requests

pytestmark = pytest.mark.requirement("RCP-02")

SCRIPT = Path(__file__).parents[2] / "scripts" / "local_redcap.py"
ROWS = 40


class Server:
    """A server process on a database file."""

    def __init__(self, db: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, SCRIPT, "serve", "--db", db], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().removeprefix("listening on ").strip()

    def kill(self) -> None:
        """The process dies at once, without a chance to finish anything."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def post(url: str, **body: Any) -> requests.Response:
    return requests.post(url, data={"format": "json", "returnFormat": "json", **body}, timeout=30)


def importing(url: str, token: str, lane: int, first: int, acknowledged: list[int]) -> None:
    """One client that imports batch after batch until the server is gone; it notes what was acknowledged."""
    for batch in range(first, first + 10_000):
        rows = [{"record_id": f"{lane}-{batch}-{n}", "note": str(batch), "n": str(n)} for n in range(ROWS)]
        try:
            answer = post(url, token=token, content="record", data=json.dumps(rows))
        except requests.exceptions.RequestException:
            return
        if answer.status_code == 200 and answer.json() == {"count": ROWS}:
            acknowledged.append(batch)


def test_a_killed_server_keeps_whole_imports_only(tmp_path: Path) -> None:
    """Killed with -9 under load, three times over: all acknowledged batches are there, every batch is whole."""
    db = tmp_path / "r.db"
    server = Server(db)
    super_token = Path(f"{db}.super-token").read_text(encoding="ascii").strip()
    item = json.dumps([{"project_title": "Crash", "purpose": 0, "record_autonumbering_enabled": 0}])
    token = post(server.url, token=super_token, content="project", data=item).text
    fields = [
        {"field_name": name, "form_name": "f", "field_type": "text", "field_label": name}
        for name in ("record_id", "note", "n")
    ]
    assert post(server.url, token=token, content="metadata", data=json.dumps(fields)).text == "3"
    acknowledged: dict[int, list[int]] = {lane: [] for lane in range(3)}
    for turn in range(3):
        lanes = [
            threading.Thread(target=importing, args=(server.url, token, lane, turn * 10_000, acknowledged[lane]))
            for lane in acknowledged
        ]
        for lane in lanes:
            lane.start()
        time.sleep(0.25 + 0.05 * turn)
        server.kill()
        for lane in lanes:
            lane.join()
        server = Server(db)
    rows = post(server.url, token=token, content="record").json()
    server.kill()
    found: dict[tuple[int, int], int] = {}
    for row in rows:
        client, batch, number = map(int, row["record_id"].split("-"))
        assert (row["note"], row["n"], row["f_complete"]) == (str(batch), str(number), "0")
        found[client, batch] = found.get((client, batch), 0) + 1
    assert set(found.values()) == {ROWS}
    kept = {(client, batch) for client, batches in acknowledged.items() for batch in batches}
    assert len(kept) > 3
    assert kept <= set(found)
    assert len(set(found) - kept) <= 3 * len(acknowledged)
