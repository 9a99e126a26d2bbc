"""What is gone between two nights, and what of it the desk took out itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from frozen import FROZEN, trial_dictionary
from redcap_rules.dictionary import Dictionary
from trialdesk.config import load
from trialdesk.memory.values import Night, Seen
from trialdesk.model import Tally
from trialdesk.redcap.observing import moves, own_places

CONFIG, DICTIONARY = load(FROZEN / "config.yaml"), trial_dictionary()


def night(cells: Mapping[str, int]) -> Night:
    """Four records that hold so many values in each place."""
    records = {name: Seen(name, "ode", frozenset(), True, "", "", cells=cells) for name in "ABCD"}
    return Night("a", "2026-07-01", Tally("1", 4, 4, {"ode": 4}), records)


def test_what_the_desk_takes_out_of_its_own_form_is_no_loss() -> None:
    """Four patients whose calls end lose six values each in one night; nobody is to be asked about that."""
    (own,) = own_places(CONFIG, DICTIONARY)
    ours = [ref for _, ref in CONFIG.call_plan or ()]
    assert own == f"{ours[0].event} {DICTIONARY.form_of(ours[0].field)}"
    last, now = night({own: 72, "a_arm_1 form": 72}), night({own: 66, "a_arm_1 form": 70})
    assert moves(last, now).emptied == {own: (24, 288), "a_arm_1 form": (8, 288)}
    assert moves(last, now, own=frozenset({own})).emptied == {"a_arm_1 form": (8, 288)}


def test_a_form_with_a_field_of_people_is_not_the_desks_alone() -> None:
    """One more field in it, and its losses count again; a project without the plan, or its fields, has no such form."""
    (form,) = {DICTIONARY.form_of(ref.field) for _, ref in CONFIG.call_plan or ()}
    more = replace(DICTIONARY.form(form)[0], name="typed_by_people")
    assert own_places(CONFIG, Dictionary((*DICTIONARY.fields, more))) == frozenset()
    assert own_places(CONFIG, Dictionary(DICTIONARY.fields[:1])) == frozenset()
    assert own_places(CONFIG.model_copy(update={"call_plan": None}), DICTIONARY) == frozenset()
