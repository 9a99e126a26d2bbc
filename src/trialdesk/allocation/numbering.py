"""Envelope numbers: `ODE-K2F-003-4` = site, stratum, running number, check character (ISO 7064 MOD 37,36)."""

from __future__ import annotations

import re

from stdnum.iso7064 import mod_37_36

from trialdesk.model import Pile

TEST = "TEST"
_SHAPE = re.compile(r"([A-Z0-9]+)-([A-Z0-9]+)-(\d{3,})-([A-Z0-9])", re.ASCII)
_INSIDE = re.compile(rf"(?<!{TEST} )(?<![A-Z0-9-]){_SHAPE.pattern}(?![A-Z0-9-])", re.ASCII)
_DASHES = str.maketrans("\u2010\u2011\u2012\u2013\u2014\u2212", "------")


def envelope_id(pile: Pile, number: int) -> str:
    """The number printed on the `number`-th envelope of a pile, counted from 1.

    >>> envelope_id(Pile("ODE", "K2F"), 3)
    'ODE-K2F-003-4'
    """
    check = mod_37_36.calc_check_digit(f"{pile.site}{pile.stratum}{number:03d}")
    return f"{pile}-{number:03d}-{check}"


def parse_envelope_id(text: str) -> tuple[Pile, int]:
    """The pile and running number of an envelope number.

    Raises:
        ValueError: The text is not an envelope number, or its check character does not fit.
    """
    found = _SHAPE.fullmatch(text)
    if not found:
        msg = f"{text!r} is not an envelope number like ODE-K2F-003-4"
        raise ValueError(msg)
    pile, number = Pile(found[1], found[2]), int(found[3])
    if number < 1 or envelope_id(pile, number) != text:
        msg = f"{text!r}: the check character does not fit; one character is misread"
        raise ValueError(msg)
    return pile, number


def tidy_envelope_id(typed: str, domain: str = "prod") -> str:
    """An envelope number as people type it, in the spelling of the register: capitals, plain dashes, no spaces.

    In a rehearsal (domain `dev`) the word TEST may stand before it, as it is printed.

    >>> tidy_envelope_id(" ode-k2f–003-4 ")
    'ODE-K2F-003-4'
    >>> tidy_envelope_id("TEST ODE-K2F-003-4", "dev")
    'ODE-K2F-003-4'
    """
    tidy = "".join(typed.upper().translate(_DASHES).split())
    return tidy.removeprefix(TEST) if domain == "dev" else tidy


def printed(text: str, domain: str) -> str:
    """A text as people read it: in a rehearsal every envelope number in it is marked as one, once.

    >>> printed("ODE-K2F-003-4 was opened before ODE-K2F-002-6", "dev")
    'TEST ODE-K2F-003-4 was opened before TEST ODE-K2F-002-6'
    >>> printed("ODE-K2F-003-4", "prod")
    'ODE-K2F-003-4'
    """
    return _INSIDE.sub(lambda found: f"{TEST} {found[0]}", text) if domain == "dev" else text
