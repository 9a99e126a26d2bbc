"""Words for people: every instrument and event has its own, and nothing else has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from trialdesk.instruments.checks.subject import Subject
from trialdesk.instruments.fault import Fault
from trialdesk.instruments.folder import LABELS
from trialdesk.instruments.labels import EVENT, INSTRUMENT


def labels(subject: Subject) -> Iterator[Fault]:
    """Words for what is not there, two things called the same, and what has no words."""
    known = {INSTRUMENT: subject.dictionary.forms, EVENT: tuple(event.name for event in subject.design.events)}
    rows = subject.folder.tables[LABELS]
    times = Counter((row["kind"], row["label"].casefold()) for _, row in rows)
    for number, row in rows:
        kind, name, label = row["kind"], row["name"], row["label"]
        if kind not in known:
            yield Fault(LABELS, number, "kind", "label", f"{kind!r} is no kind", f"write {INSTRUMENT} or {EVENT}")
        elif name not in known[kind]:
            yield Fault(LABELS, number, "name", "label", f"there is no {kind} {name!r}", "correct it or delete the row")
        elif not label:
            yield Fault(LABELS, number, "label", "label", f"{kind} {name} has no words", "write them", "warning")
        elif times[kind, label.casefold()] > 1:
            what = f"{times[kind, label.casefold()]} rows call their {kind} {label!r}"
            yield Fault(LABELS, number, "label", "label", what, "tell them apart", "warning")
    named = {(row["kind"], row["name"]) for _, row in rows}
    missing = [(kind, name) for kind, names in known.items() for name in names if (kind, name) not in named]
    if missing and not rows:
        what = f"no words for {len(missing)} instruments and events; people read their unique names"
        yield Fault(LABELS, 1, "", "label", what, "write the file with the columns kind, name, label", "warning")
        return
    for kind, name in missing:
        yield Fault(LABELS, 1, "name", "label", f"the {kind} {name} has no words", "add a row", "warning")
