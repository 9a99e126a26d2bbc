"""A script on a tether: it runs as by itself, and ends when the process that holds the other end is gone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.requirement("NGT-07")

SCRIPT = """
import os, signal, sys, time

def ended(*_):
    os.write(1, b"cleared up\\n")  # it may come while the line below is still being flushed
    sys.exit(3)

signal.signal(signal.SIGTERM, ended)
print(__name__, sys.argv[1], flush=True)
if sys.argv[1] == "stay":
    time.sleep(60)
sys.exit(7)
"""


@pytest.mark.parametrize(("word", "said", "code"), [("go", "", 7), ("stay", "cleared up\n", 3)])
def test_a_script_ends_by_itself_or_with_whoever_started_it(tmp_path: Path, word: str, said: str, code: int) -> None:
    """Told as by SIGTERM, so that it takes back what it began."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    words = [sys.executable, "-m", "trialdesk.nightly.tether", str(script), word]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == f"__main__ {word}\n"
        if word == "stay":
            process.stdin.close()
        assert process.stdout.read() == said
        assert process.wait(30) == code
