"""What a change puts at stake: which fields to ask REDCap about, and what it means when records hold data there.

Every change has one stake. A stake is harmless (`safe`) as long as no record holds data it would touch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from redcap_rules.choices import checkbox_column
from redcap_rules.dictionary import Dictionary, Field
from redcap_rules.record import Row
from trialdesk.instruments.change import Change, Risk
from trialdesk.instruments.design import Design, Slot

Hit = Callable[[Row], bool]


@dataclass(frozen=True, slots=True)
class Stake:
    """Rows of `fields` that are hit make the change as risky as `risk`, for the reason `why`."""

    risk: Risk
    why: str
    fields: tuple[str, ...] = ()
    hit: Hit = bool


@dataclass(frozen=True)
class Holdings:
    """What the live project holds: how many records, and their rows of the fields that were asked for."""

    records: int
    rows: tuple[Row, ...] = ()


NONE = Stake("safe", "")
_CARE = {
    "form": "answers stay, but are shown in another form",
    "kind": "stored answers are read as another type of field",
    "validation": "stored answers may not pass the new validation",
    "minimum": "stored answers may fall outside the new limit",
    "maximum": "stored answers may fall outside the new limit",
    "branching": "a hidden field with an answer is emptied at the next save",
    "annotation": "action tags act on stored answers at the next save",
}
# Between these types REDCap keeps the raw answer; any other change loses it or splits it over columns.
_SAME_STORE = frozenset({"text", "notes", "radio", "dropdown", "yesno", "truefalse", "slider", "calc"})


def asked(stakes: Iterable[Stake], live: Dictionary) -> tuple[str, ...]:
    """The fields REDCap has to be asked for; never an identifier (reference/design.md 11)."""
    names = dict.fromkeys(name for stake in stakes for name in stake.fields)
    return tuple(name for name in names if name not in live or not live.get(name).identifier)


def weigh(change: Change, stake: Stake, live: Dictionary, holdings: Holdings) -> Change:
    """The change with its risk, from what the records hold; unknown counts as risky."""
    if stake is NONE or not holdings.records:
        return replace(change, records=None if stake is NONE else 0)
    if not stake.fields:
        return replace(change, risk=stake.risk, records=holdings.records, why=stake.why)
    if all(name in live and live.get(name).identifier for name in stake.fields):
        why = f"{stake.why}; not counted, an identifier is never asked for"
        return replace(change, risk=stake.risk, why=why)
    records = len({row.record for row in holdings.rows if stake.hit(row)})
    return replace(change, risk=stake.risk if records else "safe", records=records, why=stake.why if records else "")


def stake(change: Change, desired: Design, live: Design) -> Stake:
    """What a change puts at stake."""
    rules = {
        ("settings", "update"): _longitudinal,
        ("metadata", "update"): _field_update,
        ("metadata", "delete"): _field_delete,
        ("event", "delete"): _event_delete,
        ("event", "update"): _event_update,
        ("mapping", "delete"): _mapping_delete,
        ("repeating", "create"): _repeating_create,
        ("repeating", "delete"): _repeating_delete,
        ("role", "update"): _role_update,
    }
    rule = rules.get((change.part, change.kind))
    return rule(change, desired, live) if rule else NONE


def _longitudinal(change: Change, _desired: Design, live: Design) -> Stake:
    if change.after == "1":
        return Stake("care", "all answers so far belong to the one event of the classic project")
    first = live.events[0].name
    fields = _everything(live.dictionary, live.dictionary.forms)
    return Stake("destroys", f"only {first} stays within reach", fields, lambda row: row.event != first)


def _field_delete(change: Change, _desired: Design, live: Design) -> Stake:
    field = live.dictionary.get(change.name)
    if change.name == live.dictionary.record_id:
        return Stake("destroys", "every record loses its id")
    if field.kind == "descriptive":
        return NONE
    return Stake("destroys", "the answers are deleted with the field", (field.name,), _holds(field))


def _field_update(change: Change, desired: Design, live: Design) -> Stake:
    old, new = live.dictionary.get(change.name), desired.dictionary.get(change.name)
    if change.attribute == "identifier":
        return Stake("care", "the field becomes part of exports without identifiers") if change.before else NONE
    if old.kind == "descriptive":
        return NONE
    fields = (old.name,)
    # a calculation overwrites what was answered
    if change.attribute == "kind" and (new.kind == "calc" or not {old.kind, new.kind} <= _SAME_STORE):
        return Stake("destroys", f"answers of a {old.kind} are not kept in a {new.kind}", fields, _holds(old))
    if change.attribute == "choices":
        return _choices(old, new)
    if change.attribute == "form" and desired.longitudinal:
        return _new_form(old, new, desired, live)
    why = _CARE.get(change.attribute)
    return Stake("care", why, fields, _holds(old)) if why else NONE


def _choices(old: Field, new: Field) -> Stake:
    if old.kind in ("calc", "slider", "sql") or new.kind in ("calc", "slider", "sql"):
        why = "stored results are computed anew only by REDCap's data-quality rule H"
        return Stake("care", why, (old.name,), _holds(old)) if old.kind == "calc" else NONE
    if old.kind != new.kind:
        return Stake("care", _CARE["kind"], (old.name,), _holds(old))
    labels = {choice.code: choice.label for choice in new.options}
    removed = tuple(choice.code for choice in old.options if choice.code not in labels)
    renamed = tuple(choice.code for choice in old.options if labels.get(choice.code, choice.label) != choice.label)
    if removed:
        why = f"the answer {', '.join(removed)} no longer exists"
        return Stake("destroys", why, (old.name,), _holds_code(old, removed))
    if renamed:
        why = f"the answer {', '.join(renamed)} gets another meaning"
        return Stake("care", why, (old.name,), _holds_code(old, renamed))
    return NONE


def _new_form(old: Field, new: Field, desired: Design, live: Design) -> Stake:
    kept = set(desired.mapping)
    holds = _holds(old)
    lost = {slot.event for slot in live.mapping if slot.form == old.form and Slot(slot.event, new.form) not in kept}
    if not lost:
        return Stake("care", _CARE["form"], (old.name,), holds)
    why = f"the form {new.form} does not stand in {', '.join(sorted(lost))}"
    return Stake("destroys", why, (old.name,), lambda row: row.event in lost and holds(row))


def _event_update(change: Change, _desired: Design, live: Design) -> Stake:
    if change.attribute not in ("label", "arm"):
        return NONE
    fields = _everything(live.dictionary, _forms_in(live, change.name))
    why = "REDCap may give the event another unique name, and logic that names it breaks"
    return Stake("care", why, fields, lambda row: row.event == change.name)


def _event_delete(change: Change, _desired: Design, live: Design) -> Stake:
    if not live.longitudinal:
        return Stake("destroys", "the records of the classic project are in it")
    fields = _everything(live.dictionary, _forms_in(live, change.name))
    why = "the answers are deleted with the event"
    return Stake("destroys", why, fields, lambda row: row.event == change.name and bool(row.values))


def _mapping_delete(change: Change, _desired: Design, live: Design) -> Stake:
    event, form = change.name.split(" ")
    fields = _everything(live.dictionary, (form,))
    holds = _holds_any(live.dictionary, form)
    why = "the answers can no longer be reached"
    return Stake("destroys", why, fields, lambda row: row.event == event and holds(row))


def _repeating_create(change: Change, _desired: Design, live: Design) -> Stake:
    event, _, form = change.name.rpartition(" ")
    if form not in live.dictionary.forms:
        return NONE
    holds = _holds_any(live.dictionary, form)
    why = "what is there becomes the first instance"
    return Stake("care", why, _everything(live.dictionary, (form,)), lambda row: row.event == event and holds(row))


def _repeating_delete(change: Change, _desired: Design, live: Design) -> Stake:
    event, _, form = change.name.rpartition(" ")
    if form not in live.dictionary.forms:  # the event itself repeats
        event, form = change.name, ""
    forms = (form,) if form else _forms_in(live, event)
    why = "instances after the first can no longer be reached"
    return Stake(
        "destroys",
        why,
        _everything(live.dictionary, forms),
        lambda row: (row.event, row.instrument) == (event, form) and row.instance > 1,
    )


def _role_update(change: Change, _desired: Design, _live: Design) -> Stake:
    # a form without a right so far is new, and holds nothing
    return Stake("care", "whoever is in the role sees or does something else from now on") if change.before else NONE


def _forms_in(design: Design, event: str) -> tuple[str, ...]:
    return tuple(slot.form for slot in design.mapping if slot.event == event)


def _everything(dictionary: Dictionary, forms: Iterable[str]) -> tuple[str, ...]:
    return tuple(
        name
        for form in forms
        for name in (*(f.name for f in dictionary.form(form) if f.columns), dictionary.status_field(form))
        if name != dictionary.record_id
    )


def _holds(field: Field) -> Hit:
    # an unticked checkbox is 0 and no answer (reference/redcap-api.md 5.2)
    empty = ("", "0") if field.kind == "checkbox" else ("",)
    return lambda row: any(row.values.get(column, "") not in empty for column in field.columns)


def _holds_code(field: Field, codes: tuple[str, ...]) -> Hit:
    if field.kind == "checkbox":
        columns = [checkbox_column(field.name, code) for code in codes]
        return lambda row: any(row.values.get(column) == "1" for column in columns)
    return lambda row: row.values.get(field.name) in codes


def _holds_any(dictionary: Dictionary, form: str) -> Hit:
    tests = [_holds(field) for field in dictionary.form(form)]
    status = dictionary.status_field(form)
    return lambda row: bool(row.values.get(status)) or any(test(row) for test in tests)
