"""The live project written as an instruments folder, so that an existing project comes under control."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from redcap_rules.dictionary import Dictionary, Field, write_dictionary
from trialdesk.errors import OutputFailed
from trialdesk.instruments.checks.licensed import is_neutral
from trialdesk.instruments.design import Design, mapping_rows, repeating_rows
from trialdesk.instruments.folder import ARMS, EVENTS, GROUPS, MAPPING, REPEATING
from trialdesk.instruments.overlay import answers, licence
from trialdesk.instruments.roles import ROLES, csv_rows

Rows = Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Pulled:
    """Files by name: what may enter the repository, and the wording that may not."""

    files: Mapping[str, str]
    wording: Mapping[str, str]


def pulled(design: Design, language: str) -> Pulled:
    """The files of a design; licensed wording is taken out of the dictionary and put into overlays.

    Args:
        design: What the live project holds.
        language: Of the wording, for the names of the overlays.
    """
    neutral = Dictionary(tuple(_neutral(field) for field in design.dictionary.fields))
    width = max(2, len(str(len(neutral.forms))))
    files = {
        f"{number:0{width}}_{form}.csv": write_dictionary(Dictionary(neutral.form(form)))
        for number, form in enumerate(neutral.forms, start=1)
    }
    if design.longitudinal:
        files[ARMS] = _csv([{"arm_num": arm.number, "name": arm.name} for arm in design.arms])
        files[EVENTS] = _csv(list(_events(design)))
        files[MAPPING] = _csv(mapping_rows(design))
    if design.repeating:
        files[REPEATING] = _csv(repeating_rows(design))
    if design.groups:
        files[GROUPS] = _csv([{"data_access_group_name": label} for label in design.groups])
    if design.roles:
        files[ROLES] = _csv(csv_rows(design.roles))
    wording = {f"{form}.{language}.csv": _csv(rows) for form, rows in _wording(design.dictionary, neutral, language)}
    return Pulled({name: text for name, text in files.items() if text}, wording)


def write_pulled(files: Pulled, folder: Path, overlay: Path) -> tuple[Path, ...]:
    """The files stand in the empty `folder`, and the wording in `overlay`; wording that was there already is returned.

    Raises:
        OutputFailed: the folder holds files, or can't be written.
    """
    kept = tuple(overlay / name for name in files.wording if (overlay / name).exists())
    try:
        if folder.exists() and any(folder.iterdir()):
            raise OutputFailed(f"{folder} is not empty; name a new folder, compare, and move the files yourself")
        for place, part in ((folder, files.files), (overlay, files.wording)):
            for name, text in part.items():
                place.mkdir(parents=True, exist_ok=True)
                if not (place / name).exists():
                    (place / name).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise OutputFailed(f"{folder}: can't be written ({type(error).__name__})") from None
    return kept


def _events(design: Design) -> Iterator[dict[str, str]]:
    shown = any(event.day for event in design.events)
    for event in design.events:
        offsets = {"day_offset": event.day, "offset_min": event.before, "offset_max": event.after}
        yield {
            "event_name": event.label,
            "arm_num": event.arm,
            **(offsets if shown else {}),
            "unique_event_name": event.name,
            "custom_event_label": event.custom_label,
        }


def _neutral(field: Field) -> Field:
    name = licence(field)
    if not name:
        return field
    item = (re.findall(r"\d+", field.name) or ["1"])[-1]
    label = field.label if is_neutral(field) else f"{name.upper().replace('_', '-')} item {item}"
    choices = field.choices
    if not all(re.fullmatch(r"\d*|Level \d+", text) for text in answers(field)):
        choices = (
            "" if field.kind == "slider" else " | ".join(f"{option.code}, {option.code}" for option in field.options)
        )
    return replace(field, label=label, choices=choices, note="")


def _wording(live: Dictionary, neutral: Dictionary, language: str) -> Iterator[tuple[str, Rows]]:
    for form in live.forms:
        rows = []
        for field in live.form(form):
            bare = neutral.get(field.name)
            if field != bare:
                differing = {
                    attribute: getattr(field, attribute)
                    for attribute in ("label", "choices", "note")
                    if getattr(field, attribute) != getattr(bare, attribute)
                }
                texts = {
                    f"{attribute}_{language}": differing.get(attribute, "")
                    for attribute in ("label", "choices", "note")
                }
                rows.append(
                    {"field_name": field.name, **texts, "source_version": "", "licence_ref": "", "date_received": ""}
                )
        if rows:
            yield form, rows


def _csv(rows: Rows) -> str:
    if not rows:
        return ""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
