"""A script that ends with whoever started it, by whatever death: `python -m trialdesk.nightly.tether SCRIPT WORDS…`.

Its standard input is a pipe whose other end the starter holds and never writes to.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from threading import Thread


def follow() -> None:
    """When the pipe ends, this process is told to end, as a person would tell it."""
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def main(words: list[str]) -> None:
    """The script has run, with its words, as if it had been started by itself."""
    Thread(target=follow, daemon=True).start()
    sys.argv = words
    runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
