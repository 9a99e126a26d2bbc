"""A past run made again from its kept snapshot, and held against what was published then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from trialdesk.config import Config
from trialdesk.errors import OutputFailed
from trialdesk.facts.deriving import past
from trialdesk.nightly.pack import Making, books, build, found_in
from trialdesk.nightly.publish import building
from trialdesk.nightly.run import seen_of
from trialdesk.nightly.sealed import Sealed, open_sealed, program
from trialdesk.nightly.stages import Stages
from trialdesk.redcap.observing import moves, own_places

FOLDER = "rebuilt"


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Where the run stands again, and each workbook with whether it is what was published.

    `differing` says in words what else is another than then, which may be why; `lacking` that a record was taken out of
    the snapshot, so that it can't be the whole run whatever its workbooks show.
    """

    folder: Path
    day: date
    same: Mapping[str, bool]
    differing: tuple[str, ...]
    lacking: bool = False

    @property
    def equal(self) -> bool:
        """Whether this is the run that was published."""
        return not self.lacking and all(self.same.values())


def rebuild(config: Config, run: str, identity: str) -> Rebuilt:
    """The run's files stand in `folders.state`, rebuilt, whole; nothing else is changed.

    Args:
        config: The trial, as it is configured now.
        run: The name of the run.
        identity: The text of an age identity that the snapshot is sealed for.

    Raises:
        ConfigError: there is no snapshot, or the folder is there already.
        TableError: it does not open with this identity.
        OutputFailed: the files can't be written.
    """
    sealed = open_sealed(config, run, identity)
    kept, remembered = sealed.kept, sealed.remembered
    seen = seen_of(kept.pull, kept.removals, config, remembered)
    own = own_places(config, kept.pull.snapshot.dictionary)
    moved = moves(remembered.night, seen, kept.removals, own)
    found = found_in(kept, past(config, kept.pull.snapshot, remembered, moved), config, sealed.day)
    final = config.state / FOLDER / run
    if final.exists():
        raise OutputFailed(f"{final}: is there already; look at it, or delete it and run again")
    with building(final.parent, run) as folder:
        making = Making(None, (), Stages(lambda _: None), folder, run, kept.at)
        made = build(making, found, books(found, making.lost), "").summary.files
        try:
            folder.rename(final)
        except OSError as error:
            raise OutputFailed(f"{final}: can't be written ({error.strerror}); check its rights") from None
    same = {name: made.get(name) == digest for name, digest in sealed.files.items()}
    return Rebuilt(final, sealed.day, same, tuple(_differing(config, sealed)), bool(sealed.removed))


def _differing(config: Config, sealed: Sealed) -> Iterator[str]:
    for day in sealed.removed:
        yield f"a record was taken out of the snapshot on {day}: as a whole it can't be what was published"
    if program() != sealed.code:
        yield "the program is another than then"
    if config.digest != sealed.settings:
        yield "the configuration is another than then"
