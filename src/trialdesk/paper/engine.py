"""One template and its values become the bytes of a PDF; the same values give the same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from trialdesk.errors import ConfigError

TEMPLATES = ("labels", "cards", "shipment", "log", "accountability", "crf")


def pdf(template: str, told: Mapping[str, Any], own: Path | None = None) -> bytes:
    """The pages of a template.

    Fonts are those the program brings, embedded in the file, so that a page looks the same on every machine; no date
    and no name of a file goes into it.

    Args:
        template: One of TEMPLATES.
        told: What the template is given, as `told` in it.
        own: A typst file to use in its place.

    Raises:
        ConfigError: a template of one's own can't be read or does not compile.
    """
    import typst

    try:
        source = own.read_bytes() if own else files(__package__).joinpath(f"{template}.typ").read_bytes()
    except OSError as error:
        raise ConfigError(f"{own}: can't be read ({error.strerror}); name a typst template") from None
    try:
        made = typst.compile(source, sys_inputs={"told": json.dumps(told)}, ignore_system_fonts=True)
    except typst.TypstError as error:
        if own is None:
            raise
        # what a template says may quote what is printed: only the kind of its mistake is told
        first = str(error).splitlines()[0] if str(error) else "unknown mistake"
        raise ConfigError(f"{own}: does not compile: {first[:120]}") from None
    return bytes(made)
