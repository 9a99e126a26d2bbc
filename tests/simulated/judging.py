"""What has to be true after every night of a simulated trial, held against what people did and not against the desk."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import ZipFile

from simulated.mistakes import Planted
from simulated.nights import Night
from simulated.world import PLACE, World
from trialdesk.allocation.cards import merkle_root
from trialdesk.allocation.versions import read_manifests
from trialdesk.envelopes.filing import ids_of
from trialdesk.model import Envelope
from trialdesk.nightly.publish import LATEST
from trialdesk.redcap.snapshot import Snapshot
from trialdesk.reports.delivery import MONITOR
from trialdesk.workbook import Link, SheetTable

_ON_THE_WAY = ("made", "packed", "dispatched", "received", "released", "opened")
_GONE = frozenset({"void", "lost", "returned"})
_CARD = re.compile(r"(?<![0-9A-Z])[0-9A-Z]{4}-?[0-9A-Z]{4}-?[0-9A-Z]{4}(?![0-9A-Z])")


@dataclass
class Judge:
    """Holds every night against what is true; `wrong` says what is not.

    `proved` are the commitments that were found to fit the manifests.
    """

    world: World
    planted: list[Planted]
    before: dict[str, Envelope] = field(default_factory=dict)
    proved: dict[str, str] = field(default_factory=dict)
    named: Counter[str] = field(default_factory=Counter)
    closed: Counter[str] = field(default_factory=Counter)

    def wrong(self, night: Night) -> list[str]:
        """Everything that is wrong, a line each."""
        found = [
            *self._patients(night),
            *self._values(night.facts.snapshot),
            *self._envelopes(night.facts.cards.register),
            *self._manifests(night.facts.cards.register),
            *self._tables(night),
            *self._mistakes(night),
        ]
        self.before = {envelope.id: envelope for envelope in night.facts.cards.register}
        self.world.ledger.changed.clear()
        return found

    def last(self) -> Iterator[str]:
        """What no night has said."""
        for one in self.planted:
            if not one.named:
                yield f"{one.record}: {one.kind} was never named by {' or '.join(one.rules)}"

    def _patients(self, night: Night) -> Iterator[str]:
        """No patient is lost: all who were entered are there, and all who opened an envelope are counted."""
        facts, ledger = night.facts, self.world.ledger
        there, entered = {one.record for one in facts.patients}, ledger.entered.keys()
        if there != entered:
            yield f"patients {sorted(there ^ entered)} are in REDCap or with the desk, not in both"
        ref = self.world.stage.config.facts.opened_on
        opened = {record for record in entered if ledger.value(record, ref.event, ref.field)}
        counted = {member.patient.record for member in facts.cohort.members if member.randomised}
        if opened != counted:
            yield f"{sorted(opened ^ counted)}: randomised, and not counted, or the other way round"
        planned = {entry.contact.record for entry in facts.schedule.entries}
        if lacking := counted - planned:
            yield f"{sorted(lacking)}: randomised, and nobody is to call"

    def _values(self, snapshot: Snapshot) -> Iterator[str]:
        """What was entered since the last night is in the pull, to the last value."""
        hidden = {name for field in snapshot.dictionary.fields if field.identifier for name in field.columns}
        for record in sorted(self.world.ledger.changed & self.world.ledger.entered.keys()):
            held = {
                (row.event, row.instrument, str(row.instance or "")): row.values
                for row in snapshot.rows.get(record, ())
            }
            for place, values in self.world.ledger.entered[record].items():
                there = held.get(place, {})
                for name, value in values.items():
                    if name in hidden or name == PLACE[0] or ("___" in name and value == "0"):
                        continue
                    if there.get(name, "") != value:
                        yield f"{record}: {name} at {' '.join(place)} is not what was entered"

    def _envelopes(self, register: Iterable[Envelope]) -> Iterator[str]:
        """No envelope twice, at most one open release, statuses that can follow one another and fit their record."""
        facts, ledger = self.world.stage.config.facts, self.world.ledger
        used, waiting = Counter[str](), []
        for one in register:
            earlier = self.before.get(one.id)
            if earlier and not _may_follow(earlier, one):
                yield f"{one.id}: was {earlier.status} for {earlier.record or 'nobody'}, is {one.status}"
            if (one.status in ("released", "opened")) != bool(one.record):
                yield f"{one.id}: is {one.status} for {one.record or 'nobody'}"
            if one.status == "opened":
                used[one.record] += 1
                if one.opened_on is None or one.record not in ledger.entered:
                    yield f"{one.id}: is opened without a day, or for {one.record}, whom nobody entered"
            typed = ledger.entered.get(one.record, {}).get((facts.arm.event, "", ""), {})
            if one.status == "released" and not any(typed.get(ref.field) for ref in (facts.arm, facts.envelope)):
                waiting.append(one.id)
        if len(waiting) > 1:
            yield f"two releases are open: {waiting}"
        yield from (f"{record}: {number} envelopes are opened for it" for record, number in used.items() if number > 1)

    def _manifests(self, register: Iterable[Envelope]) -> Iterator[str]:
        """The register holds exactly what the packer made, with the commitments of its roots."""
        shown = {one.id: one.commitment for one in register}
        if shown == self.proved:
            return
        manifests = read_manifests(self.world.stage.config.path(self.world.stage.config.folders.tables))
        made = [name for manifest in manifests for name in ids_of(manifest)]
        if sorted(made) != sorted(shown):
            yield f"register and manifests differ by {sorted({*made} ^ shown.keys())[:5]}"
            return
        for manifest in manifests:
            if merkle_root({name: shown[name] for name in ids_of(manifest)}) != manifest.merkle_root:
                yield f"version {manifest.version} has another root in the register"
                return
        self.proved = shown

    def _tables(self, night: Night) -> Iterator[str]:
        """No card code stands in any table or file, and no arm in the monitor's."""
        cards = {made.card.code for table in self.world.cards.tables for made in table.allocations}
        for name, book in night.laid.items():
            texts = [text for sheet in book.sheets for text in _texts(sheet)]
            if any(code.replace("-", "") in cards for code in _CARD.findall("\n".join(texts))):
                yield f"{name}: shows a card code"
            if name == MONITOR and (shown := _armed(texts, [arm.name for arm in self.world.stage.config.arms])):
                yield f"{name}: shows an arm: {shown}"
        if night.whole:
            latest = (self.world.stage.config.reports / LATEST).resolve()
            for path in sorted(path for path in latest.rglob("*") if path.is_file()):
                if any(code.replace("-", "") in cards for text in _contents(path) for code in _CARD.findall(text)):
                    yield f"{path.name}: the file holds a card code"

    def _mistakes(self, night: Night) -> Iterator[str]:
        """Every mistake is named in time, and is not any more the night after it was put right."""
        findings, today = night.facts.findings, self.world.today
        over = []
        for one in self.planted:
            found = one.found(findings)
            if found and not one.named:
                one.named = True
                self.named[one.kind] += 1
            elif not one.named and today > one.by:
                yield f"{one.record}: {one.kind}, not named by {' or '.join(one.rules)} until {one.by}"
                over.append(one)
            if one.mended is not None and today > one.mended and one.named:
                over.append(one)
                if found:
                    yield f"{one.record}: {one.kind}, put right on {one.mended} and still named"
                else:
                    self.closed[one.kind] += 1
        for one in over:
            self.planted.remove(one)


def _may_follow(earlier: Envelope, now: Envelope) -> bool:
    """Whether an envelope that was so may be so a night later: forward, or taken back, or gone; opened is for ever."""
    if earlier.status == "opened":
        return (now.status, now.record) == ("opened", earlier.record)
    if earlier.status in _GONE:
        return now.status == earlier.status
    if now.status in _GONE or (earlier.status, now.status) == ("released", "received"):
        return True
    return _ON_THE_WAY.index(now.status) >= _ON_THE_WAY.index(earlier.status)


def _texts(sheet: SheetTable) -> Iterator[str]:
    yield from (sheet.name, sheet.title, *sheet.about)
    for block in sheet.tables:
        yield block.title
        yield from (column.title for column in block.columns)
        for line in block.lines:
            yield from (value.text if isinstance(value, Link) else str(value) for value in line.values if value)


def _armed(texts: Iterable[str], names: Iterable[str]) -> str:
    """A text that is an arm's name, or a list that begins with one."""
    arms = {*names}
    return next((text for text in texts if text.split(":")[0].strip() in arms), "")


def _contents(path: Path) -> Iterator[str]:
    if path.suffix == ".xlsx":
        with ZipFile(path) as book:
            yield from (book.read(name).decode("utf-8", "replace") for name in book.namelist())
    else:
        yield path.read_bytes().decode("latin-1")
