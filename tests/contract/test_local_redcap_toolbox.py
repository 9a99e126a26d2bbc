"""redcap-toolbox, command-line tools on PyCap, against the local server."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("redcap_toolbox")


def test_a_project_can_be_downloaded(clinic: Any, tmp_path: Path) -> None:
    """Its CSV holds what was imported."""
    clinic.admin.put({"record_id": "1", "name": "Åse"})
    target = tmp_path / "out.csv"
    environment = {**os.environ, "REDCAP_API_URL": clinic.admin.url, "REDCAP_API_TOKEN": clinic.admin.token}
    command = [sys.executable, "-m", "redcap_toolbox.download_redcap", str(target)]
    subprocess.run(command, env=environment, check=True, timeout=60)
    with target.open(encoding="utf-8", newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == ["Åse"]
