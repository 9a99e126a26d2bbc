"""Python's search for cycles, put off while a large request is read.

What a request is made of has no cycles, and lies in memory until its end. With millions of values each search takes
seconds in which nobody else is answered.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_lock = Lock()
_waiting: list[bool] = []
"""For every block that is open: whether the search was on when the first of them began."""


@contextmanager
def put_off() -> Iterator[None]:
    """No search until the block ends, or that of another thread if it ends later."""
    with _lock:
        _waiting.append(_waiting[0] if _waiting else gc.isenabled())
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            if _waiting.pop() and not _waiting:
                gc.enable()
