"""A form filled in, field by field, as a person in front of it would."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from redcap_rules.dictionary import Field
from redcap_rules.names import status_field
from rehearsal.sheets import COMPLETE, Sheet
from rehearsal.wishes import Wishes
from rehearsal.writing import Scene, by_chance, ticked, write


def fill(
    scene: Scene, form: str, given: Mapping[str, Any], wished: Wishes, status: str = COMPLETE, *, alone: bool = False
) -> Sheet:
    """The form as it stands in the chart afterwards: what branching shows is answered, all else left blank.

    Args:
        scene: Where and when.
        form: The instrument.
        given: Column, field or pattern to its value or rule; goes before everything.
        wished: What the configuration asks for; goes before the script.
        status: The form status it gets.
        alone: Whether nothing but what is given is written.
    """
    setting, place = scene.setting, scene.place
    wanted = {name: value for (event, name), value in wished.items() if event in ("", place.event)}
    entered: dict[str, str] = {}
    for field in setting.enterable(form):
        if alone and not setting.rule(place, field.name, given)[0]:
            continue
        branching = setting.branching.get(field.name)
        if branching is not None and not scene.chart.holds(branching, place):
            continue
        values = _answer(scene, field, (given, wanted, setting.script.values))
        scene.chart.write(place, values)
        entered |= values
    scene.chart.write(place, {status_field(form): status})
    return Sheet(scene.on, place.event, form, entered, status, place.instance)


def _answer(scene: Scene, field: Field, sources: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    for source in sources:
        said, rule = scene.setting.rule(scene.place, field.name, source)
        if said:
            return write(scene, field, rule)
        ticks = {column: source[column] for column in field.columns if column in source}
        if ticks:  # a condition asks for options of a checkbox one by one
            return ticked(field, []) | ticks
    return by_chance(scene, field) if field.required or field.kind == "checkbox" else {}
