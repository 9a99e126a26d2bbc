"""The search for cycles is off while a large request is read, and on again whichever request ends first."""

from __future__ import annotations

import gc
from contextlib import ExitStack

import pytest

from redcap_local.collecting import put_off


def test_it_is_on_again_after_the_last_of_several() -> None:
    """Two requests at once, in either order of their ends; an error ends one too."""
    first, second = ExitStack(), ExitStack()
    first.enter_context(put_off())
    second.enter_context(put_off())
    first.close()
    assert not gc.isenabled()
    second.close()
    assert gc.isenabled()
    with pytest.raises(ValueError, match="x"), put_off():
        raise ValueError("x")
    assert gc.isenabled()


def test_who_has_switched_it_off_finds_it_off() -> None:
    """It is not ours to switch on."""
    gc.disable()
    try:
        with put_off():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
