"""How a field is filled in: the kinds of value a script may name, and what chance chooses where it names none.

A text is written as it is, and a list means one of its members, twice as likely when it stands there twice. A text
that begins with `=` is a REDCap formula worked out in place, and null leaves the field blank. Everything else is a
mapping with one of `KINDS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fnmatch import fnmatchcase
from random import Random
from typing import TYPE_CHECKING, Any

from redcap_rules.choices import checkbox_column
from redcap_rules.dictionary import Field
from redcap_rules.logic import number_text, parse
from rehearsal.cast import roles
from rehearsal.chart import Chart, Page
from rehearsal.script import FILE, Script

if TYPE_CHECKING:
    from rehearsal.setting import Setting
    from trialdesk.config import Config
    from trialdesk.instruments.design import Design

Values = dict[str, str]

_TEXTS = {"time": "10:30", "time_hh_mm_ss": "10:30:00", "email": "nobody@example.org"}
_INVENTED = "Invented"
_FULL = 100
_OWN_DAYS = ("screened", "consented", "assessed", "baseline", "opened", "left")


@dataclass(frozen=True, slots=True)
class Logged:
    """A form that was filled in because something happened on a day."""

    form: str
    on: date
    values: Mapping[str, str]


@dataclass(frozen=True)
class Scene:
    """Everything a value may depend on while one form is filled in.

    `burden` is how much the patient suffers, 0–100. `since` is the contact before this one, and `told` what the
    patient's part or turn says of itself.
    """

    setting: Setting
    dice: Random
    chart: Chart
    place: Page
    on: date
    stratum: str
    days: Mapping[str, date | None]
    burden: float = 0
    since: date | None = None
    log: tuple[Logged, ...] = ()
    told: Mapping[str, str] | None = None

    def happens(self, percent: int) -> bool:
        """True in that many of a hundred throws."""
        return self.dice.randrange(_FULL) < percent

    def within(self, span: Any) -> int:
        """A whole number of a range, or the number itself."""
        return self.dice.randint(*span) if isinstance(span, list | tuple) else int(span)


def write(scene: Scene, field: Field, rule: Any) -> Values:
    """The export columns of a field filled in by a rule; {} leaves it blank."""
    if rule is None:
        return {}
    if isinstance(rule, list):
        return write(scene, field, scene.dice.choice(rule))
    if isinstance(rule, dict):
        return KINDS[_kind(rule)](scene, field, rule)
    text = str(rule)
    if text.startswith("="):
        result = scene.chart.result(parse(text[1:]), scene.place)
        text = result if isinstance(result, str) else number_text(result)
    return ticked(field, [text]) if field.kind == "checkbox" else _stored(field, text)


def by_chance(scene: Scene, field: Field) -> Values:
    """What chance enters: every answer the dictionary allows, but none that sends the patient away."""
    if field.kind == "checkbox":
        return ticked(field, [_chosen(scene, field)] if field.required else [])
    if field.options:
        return {field.name: _chosen(scene, field)}
    kind = field.validation
    if kind.startswith("date"):
        return {
            field.name: scene.on.isoformat() + (" 10:30:00"[: 9 if "seconds" in kind else 6] if "time" in kind else "")
        }
    if kind in _TEXTS:
        return {field.name: _TEXTS[kind]}
    if field.kind == "slider" or kind == "integer" or kind.startswith("number"):
        low, high = _limits(field)
        return {field.name: str(round(scene.dice.uniform(low, high)))}
    return {field.name: _INVENTED}


def ticked(field: Field, codes: list[str]) -> Values:
    """A checkbox with these options ticked; like a saved form it also sends the others, as not ticked.

    REDCap computes what depends on imported fields only (reference/redcap-api.md 6.2): a checkbox left out of the
    import would leave its count blank instead of 0.
    """
    return {checkbox_column(field.name, option.code): str(int(option.code in codes)) for option in field.options}


def _stored(field: Field, text: str) -> Values:
    return {field.name: text} if text else {}


def _chosen(scene: Scene, field: Field) -> str:
    codes = [option.code for option in field.options]
    allowed = [code for code in codes if code not in scene.setting.avoided.get(field.name, ())]
    return scene.dice.choice(allowed or codes)


def _limits(field: Field) -> tuple[float, float]:
    ends = [float(end) if re.fullmatch(r"-?\d+(\.\d+)?", end) else None for end in (field.minimum, field.maximum)]
    low = ends[0] if ends[0] is not None else 0.0
    return low, ends[1] if ends[1] is not None else low + (_FULL if field.kind == "slider" else 9)


def _either(scene: Scene, field: Field, rule: Mapping[str, Any], *, holds: bool) -> Values:
    return write(scene, field, rule.get("then", "1") if holds else rule.get("otherwise", "0"))


def _any(scene: Scene, field: Field, _rule: Mapping[str, Any]) -> Values:
    return by_chance(scene, field)


def _number(scene: Scene, field: Field, rule: Mapping[str, Any]) -> Values:
    return {field.name: f"{scene.dice.uniform(*rule['number']):.{rule.get('places', 0)}f}"}


def _day(scene: Scene, field: Field, rule: Mapping[str, Any]) -> Values:
    begin = scene.on if rule["day"] == "on" else scene.days.get(rule["day"])
    if begin is None:
        return {}
    return _stored(field, f"{begin + timedelta(days=scene.within(rule.get('days', 0))):{rule.get('as', '%Y-%m-%d')}}")


def _ticks(scene: Scene, field: Field, rule: Mapping[str, Any]) -> Values:
    members = [scene.dice.choice(code) if isinstance(code, list) else code for code in rule["ticks"]]
    return ticked(field, [str(code) for code in members])


def _neighbours(scene: Scene, field: Field, rule: Mapping[str, Any]) -> Values:
    (number,) = write(scene, _PLAIN, rule["neighbours"]).values()
    codes = [option.code for option in field.options]
    codes = codes[codes.index(str(rule.get("first", codes[0]))) :]
    start = scene.dice.randrange(len(codes) - int(number) + 1)
    return ticked(field, codes[start : start + int(number)])


def _nth(scene: Scene, field: Field, rule: Mapping[str, Any]) -> Values:
    event, other = _reference(rule["ticked"])
    columns = scene.chart.columns(other, event)
    codes = [column.partition("___")[2] for column, value in columns.items() if value == "1"]
    return {field.name: codes[rule["nth"] - 1]} if len(codes) >= rule["nth"] else {}


def _same(scene: Scene, field: Field, rule: Mapping[str, Any]) -> Values:
    columns = scene.chart.columns(rule["same"], scene.place.event)
    return {column.replace(rule["same"], field.name, 1): value for column, value in columns.items()}


def _chance(scene: Scene, field: Field, rule: Mapping[str, Any]) -> Values:
    return _either(scene, field, {"otherwise": None, **rule}, holds=scene.happens(rule["chance"]))


def _happened(scene: Scene, field: Field, rule: Mapping[str, Any]) -> Values:
    day = scene.days.get(rule["happened"])
    holds = day is not None and (scene.since is None or scene.since < day) and day <= scene.on
    return _either(scene, field, rule, holds=holds)


def _since(scene: Scene, field: Field, rule: Mapping[str, Any]) -> Values:
    wanted = {name: str(value) for name, value in rule.get("where", {}).items()}
    holds = any(
        entry.form == rule["since"]
        and (scene.since is None or scene.since < entry.on)
        and entry.on <= scene.on
        and wanted.items() <= entry.values.items()
        for entry in scene.log
    )
    return _either(scene, field, rule, holds=holds)


def _stratum(scene: Scene, field: Field, rule: Mapping[str, Any]) -> Values:
    return write(scene, field, next(r for code, r in rule["stratum"].items() if re.fullmatch(str(code), scene.stratum)))


def _by(scene: Scene, field: Field, rule: Mapping[str, Any]) -> Values:
    (key,) = write(scene, _PLAIN, f"={rule['by']}").values() or ("",)
    of = {str(code): member for code, member in rule["of"].items()}
    return write(scene, field, of[key]) if key in of else {}


def _step(scene: Scene, field: Field, rule: Mapping[str, Any]) -> Values:
    reached = max(above for above in rule["step"] if scene.burden >= above)
    return write(scene, field, rule["step"][reached])


def _burden(scene: Scene, field: Field, rule: Mapping[str, Any]) -> Values:
    share = min(max((scene.burden + rule["burden"] + scene.dice.gauss(0, 7)) / _FULL, 0.0), 1.0)
    share = 1 - share if rule.get("reversed") else share
    if field.options:
        return {field.name: field.options[round(share * (len(field.options) - 1))].code}
    low, high = _limits(field)
    return {field.name: str(round(low + share * (high - low)))}


def _told(scene: Scene, field: Field, rule: Mapping[str, Any]) -> Values:
    return _stored(field, (scene.told or {}).get(rule["told"], ""))


KINDS: Mapping[str, Callable[[Scene, Field, Mapping[str, Any]], Values]] = {
    "any": _any,  # any: true                            what chance chooses, also where no answer is required
    "number": _number,  # number: [5, 9], places: 1      a number of a range
    "day": _day,  # day: opened, days: [3, 9], as: "%Y"  so many days after a named day; `on` is the form's own
    "ticks": _ticks,  # ticks: ["1", ["2", "3"]]         these options, of each list one
    "neighbours": _neighbours,  # neighbours: 2, first: "7"   so many options in a row
    "nth": _nth,  # nth: 1, ticked: "[event][field]"     the first, second … option ticked elsewhere
    "same": _same,  # same: field                        what another field of the event has
    "chance": _chance,  # chance: 4, then: …, otherwise: …    in so many of a hundred
    "happened": _happened,  # happened: requested        whether a named day lies since the contact before
    "since": _since,  # since: form, where: {…}          whether a form was filled in since the contact before
    "stratum": _stratum,  # stratum: {"K..": …}          by a pattern of the stratum code
    "by": _by,  # by: "[field]", of: {"1": …}            by what a formula gives
    "step": _step,  # step: {0: …, 30: …}                by what the burden has reached
    "burden": _burden,  # burden: -5, reversed: true     an answer that follows the burden, so much heavier
    "told": _told,  # told: sentence                     deviation or sentence of the part or turn
}
_PLAIN = Field("number", "", "text")


def _kind(rule: Mapping[str, Any]) -> str:
    return next(name for name in rule if name in KINDS)


def _reference(text: str) -> tuple[str, str]:
    event, field = text.strip("[]").split("][")
    return event, field


def faults(script: Script, design: Design, config: Config) -> Iterator[str]:
    """What a script names and there is none of, one sentence each."""
    entries, happenings = script.entries, (*script.parts.items(), *script.turns.items())
    spoken = [("values", script.values)]
    spoken += [(f"entries.{e.form}", values) for e in entries for values in (e.values, *e.variants)]
    spoken += [(name, values) for name, one in happenings for values in (one.values, *one.variants)]
    for where, values in spoken:
        for name, rule in values.items():
            if not _fields(name, design):
                yield f"{FILE}: {where}: there is no field {name}; correct the name, or drop the line"
            yield from (f"{FILE}: {where}.{name}: {fault}" for fault in _rule_faults(rule))
    yield from _name_faults(script, design, config)
    yield from _day_faults(script)


def _name_faults(script: Script, design: Design, config: Config) -> Iterator[str]:
    """Forms, states, arms and parts that there are none of."""
    forms, states = design.dictionary.forms, {*config.states.known, ""}
    yield from (f"{FILE}: entries: there is no form {one.form}" for one in script.entries if one.form not in forms)
    for name, part in script.parts.items():
        if part.state not in states:
            yield f"{FILE}: parts.{name}: the configuration has no state {part.state}"
    for name, turn in script.turns.items():
        if turn.arm not in config.arms_by_code:
            yield f"{FILE}: turns.{name}: there is no arm {turn.arm}"
    parts = roles(script, config)
    for name in dict.fromkeys((*script.bill, *script.filling)):
        if name not in parts:
            yield f"{FILE}: bill or filling: there is no part {name}; parts are {', '.join(parts)}"


def _day_faults(script: Script) -> Iterator[str]:
    """The days that something counts from, or stands on, and nobody names."""
    happenings = (*script.parts.values(), *script.turns.values())
    named = {name for days in (script.days, *(one.days for one in happenings)) for name in days}
    known = {*_OWN_DAYS, *named}
    wanted = {entry.on for entry in script.entries}
    wanted |= {day.after for days in (script.days, *(one.days for one in happenings)) for day in days.values() if day}
    spoken = [script.values]
    spoken += [values for one in script.entries for values in (one.values, *one.variants)]
    spoken += [values for one in happenings for values in (one.values, *one.variants)]
    wanted |= {day for values in spoken for rule in values.values() for day in _days_in(rule)} - {"on"}
    for name in sorted(wanted - known):
        yield f"{FILE}: days: there is no day {name}; name it under days, or correct it"


def _days_in(rule: Any) -> Iterator[str]:
    """The days a value names, whatever it is inside of."""
    if isinstance(rule, list):
        for member in rule:
            yield from _days_in(member)
    elif isinstance(rule, dict):
        yield from (str(rule[name]) for name in ("day", "happened") if name in rule)
        for member in rule.values():
            yield from _days_in(member)


def _fields(name: str, design: Design) -> bool:
    field = name.rpartition("[")[2].rstrip("]")
    return any(fnmatchcase(known.name, field) for known in design.dictionary.fields)


def _rule_faults(rule: Any) -> Iterator[str]:
    if isinstance(rule, list):
        for member in rule:
            yield from _rule_faults(member)
    elif isinstance(rule, dict):
        if len([name for name in rule if name in KINDS]) != 1:
            yield f"a value is one of {', '.join(KINDS)}, not {', '.join(map(str, rule))}"
        for name in ("then", "otherwise"):
            yield from _rule_faults(rule.get(name))
