"""The difference between two designs as small changes; what they risk is weighed in `stakes.py`."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from redcap_rules.choices import parse_choices
from redcap_rules.dictionary import Dictionary, Field
from trialdesk.instruments.change import Change, Part
from trialdesk.instruments.design import Design, Event, Repeat
from trialdesk.instruments.roles import OFF, SWITCHES, told, words

LICENSED_MARK = "LICENSED-TEXT"
# In the order of the dictionary's columns.
ATTRIBUTES = (
    "form", "section", "kind", "label", "choices", "note", "validation", "minimum", "maximum", "identifier",
    "branching", "required", "alignment", "question", "matrix", "ranking", "annotation",
)  # fmt: skip
_WORDED = frozenset({"label", "choices", "note", "section"})


def compare(desired: Design, live: Design) -> tuple[Change, ...]:
    """The changes that make `live` into `desired`, in the order they are applied; () when nothing differs."""
    return (
        *_settings(desired, live),
        *_metadata(desired.dictionary, live.dictionary),
        *_arms(desired, live),
        *_events(desired, live),
        *_mapping(desired, live),
        *_repeating(desired, live),
        *_groups(desired, live),
        *_roles(desired, live),
    )


def surplus_groups(desired: Design, live: Design) -> tuple[str, ...]:
    """Live data access groups that the files do not name; REDCap deletes one only when nobody is in it."""
    return tuple(sorted(set(live.groups or ()) - set(desired.groups or ()))) if desired.groups is not None else ()


def surplus_roles(desired: Design, live: Design) -> tuple[str, ...]:
    """Live roles that the file does not name, or that share their label with another: a label stands for one role."""
    if desired.roles is None:
        return ()
    ours = {role.label for role in desired.roles}
    times = Counter(role.label for role in live.roles or ())
    return tuple(sorted(label for label in times if label not in ours or times[label] > 1))


def shown(field: Field, attribute: str) -> str:
    """An attribute as text that is equal when REDCap would store the same; licensed wording as a fingerprint."""
    value = getattr(field, attribute)
    if isinstance(value, bool):
        return "y" if value else ""
    text = "\n".join(line.rstrip() for line in str(value).replace("\r\n", "\n").strip().split("\n"))
    if attribute == "choices" and field.kind in ("radio", "dropdown", "checkbox"):
        text = " | ".join(f"{choice.code}, {choice.label}" for choice in parse_choices(text))
    if attribute == "choices" and field.kind in ("yesno", "truefalse"):
        return ""  # REDCap answers with the fixed choices in some versions and with none in others
    if text and attribute in _WORDED and LICENSED_MARK in field.annotation:
        return f"licensed wording {hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return text


def _settings(desired: Design, live: Design) -> Iterator[Change]:
    if desired.longitudinal != live.longitudinal:
        yield Change(
            "settings", "update", "is_longitudinal", "", str(int(live.longitudinal)), str(int(desired.longitudinal))
        )


def _metadata(desired: Dictionary, live: Dictionary) -> Iterator[Change]:
    moved = _moved([f.name for f in desired.fields], [f.name for f in live.fields])
    here, there = _neighbours(desired), _neighbours(live)
    for field in desired.fields:
        if field.name not in live:
            yield Change("metadata", "create", field.name, after=_facts(field))
            continue
        old = live.get(field.name)
        for attribute in ATTRIBUTES:
            before, after = shown(old, attribute), shown(field, attribute)
            if before != after:
                yield Change("metadata", "update", field.name, attribute, before, after)
        if field.name in moved:
            yield Change("metadata", "move", field.name, "order", there[field.name], here[field.name])
    for field in live.fields:
        if field.name not in desired:
            yield Change("metadata", "delete", field.name, before=_facts(field))


def _facts(field: Field) -> str:
    facts = {attribute: shown(field, attribute) for attribute in ATTRIBUTES}
    return json.dumps({name: value for name, value in facts.items() if value}, ensure_ascii=False)


def _moved(wanted: Sequence[str], live: Sequence[str]) -> frozenset[str]:
    """The fewest common names that have to move: those outside a longest rising run of live positions."""
    place = {name: number for number, name in enumerate(live)}
    common = [name for name in wanted if name in place]
    tails: list[int] = []  # the lowest live position that ends a run of each length
    ends: list[int] = []  # the index into `common` of that end
    before: list[int] = []  # for each name the index of the one before it in its run
    for index, name in enumerate(common):
        length = bisect_left(tails, place[name])
        before.append(ends[length - 1] if length else -1)
        if length == len(tails):
            tails.append(place[name])
            ends.append(index)
        else:
            tails[length], ends[length] = place[name], index
    kept = set()
    index = ends[-1] if ends else -1
    while index >= 0:
        kept.add(common[index])
        index = before[index]
    return frozenset(common) - kept


def _neighbours(dictionary: Dictionary) -> Mapping[str, str]:
    names = [field.name for field in dictionary.fields]
    return {
        name: f"after {previous}" if previous else "first" for previous, name in zip(["", *names], names, strict=False)
    }


def _arms(desired: Design, live: Design) -> Iterator[Change]:
    known = {arm.number: arm.name for arm in live.arms}
    for arm in desired.arms:
        if arm.number not in known:
            yield Change("arm", "create", arm.number, after=arm.name)
        elif arm.name and arm.name != known[arm.number]:
            yield Change("arm", "update", arm.number, "name", known[arm.number], arm.name)


_EVENT_ATTRIBUTES = ("label", "arm", "day", "before", "after", "custom_label")


def _events(desired: Design, live: Design) -> Iterator[Change]:
    if not desired.longitudinal:
        return
    old = {event.name: event for event in live.events}
    for event in desired.events:
        if event.name not in old:
            yield Change("event", "create", event.name, after=_event_facts(event))
            continue
        for attribute in _EVENT_ATTRIBUTES:
            before, after = _number(getattr(old[event.name], attribute)), _number(getattr(event, attribute))
            hidden = attribute in ("day", "before", "after") and not before
            if before != after and not hidden:
                yield Change("event", "update", event.name, attribute, before, after)
    wanted = {event.name for event in desired.events}
    for event in live.events:
        if event.name not in wanted:
            yield Change("event", "delete", event.name, before=_event_facts(event))


def _event_facts(event: Event) -> str:
    facts = {attribute: getattr(event, attribute) for attribute in _EVENT_ATTRIBUTES}
    return json.dumps({name: value for name, value in facts.items() if value}, ensure_ascii=False)


def _number(text: str) -> str:
    """An offset without a needless decimal part: servers write 7 or 7.0."""
    return text.removesuffix(".0")


def _mapping(desired: Design, live: Design) -> Iterator[Change]:
    gone = {event.name for event in live.events} - {event.name for event in desired.events}
    old, new = set(live.mapping), set(desired.mapping)
    for slot in desired.mapping:
        if slot not in old:
            yield Change("mapping", "create", f"{slot.event} {slot.form}")
    for slot in live.mapping:
        # an event that goes takes its forms with it, and so does a form
        if slot not in new and slot.event not in gone and slot.form in desired.dictionary.forms:
            yield Change("mapping", "delete", f"{slot.event} {slot.form}")


def _repeating(desired: Design, live: Design) -> Iterator[Change]:
    yield from _texts("repeating", _repeats(desired.repeating), _repeats(live.repeating))


def _repeats(repeats: Sequence[Repeat]) -> dict[str, str]:
    return {f"{repeat.event} {repeat.form}".strip(): repeat.label for repeat in repeats}


def _texts(part: Part, new: Mapping[str, str], old: Mapping[str, str]) -> Iterator[Change]:
    for name, label in new.items():
        if name not in old:
            yield Change(part, "create", name, after=label)
        elif label != old[name]:
            yield Change(part, "update", name, "label", old[name], label)
    for name in old:
        if name not in new:
            yield Change(part, "delete", name, before=old[name])


def _groups(desired: Design, live: Design) -> Iterator[Change]:
    for label in desired.groups or ():
        if label not in (live.groups or ()):
            yield Change("group", "create", label)


def _roles(desired: Design, live: Design) -> Iterator[Change]:
    if desired.roles is None or live.roles is None:
        return
    old = {role.label: words(role) for role in live.roles}
    for role in desired.roles:
        if role.label not in old:
            yield Change("role", "create", role.label, after=told(role))
            continue
        was, wanted = old[role.label], words(role)
        # a right the server does not show is one its version or its modules do not have; a form it lacks is new
        for right in (*(r for r in SWITCHES if r in was), *(r for r in wanted if r not in SWITCHES)):
            before, after = was.get(right, ""), wanted.get(right, OFF)
            if before != after:
                yield Change("role", "update", role.label, right, before, after)
