"""Which requirements a change touches: named in the changes, or met or proved in a file that is other than before."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from trialdesk.validation.judging import Traced

_ID = re.compile(r"\b[A-Z]{3}-[0-9]{2}\b")


def named(text: str) -> frozenset[str]:
    """The ids that stand in a text."""
    return frozenset(_ID.findall(text))


def touched(traced: Sequence[Traced], files: Collection[str], words: str) -> tuple[tuple[Traced, str], ...]:
    """The requirements to look at again, each with the reason.

    Args:
        traced: All requirements.
        files: What is other than before, as paths from the top.
        words: What was added to the changes.
    """
    ids = named(words)
    found = []
    for one in traced:
        met = [file for place in one.requirement.design for file in sorted(files) if _within(file, place)]
        proved = [file for file in one.files if file in files]
        why = [
            *(["named in CHANGELOG.md"] if one.requirement.id in ids else []),
            *([f"test changed: {', '.join(proved)}"] if proved else []),
            *([f"met in: {', '.join(met[:3])}"] if met and one.requirement.risk == "H" else []),
        ]
        if why:
            found.append((one, "; ".join(why)))
    return tuple(found)


def _within(file: str, place: str) -> bool:
    path = place.split(" ", maxsplit=1)[0]
    return file == path or file.startswith(f"{path}/")
