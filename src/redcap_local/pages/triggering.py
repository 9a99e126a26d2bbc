"""Records randomized by a form that is saved (reference/redcap-validation-facts.md 8, C.3.30.0800)."""

from __future__ import annotations

from contextlib import suppress

from redcap_local.contents import randomize
from redcap_local.messages import ApiError
from redcap_local.pages.answers import Spot
from redcap_local.pages.form_model import scene
from redcap_local.pages.record_home import known
from redcap_local.pages.visit import Visit
from redcap_local.storage.randomization import Model


def fire(visit: Visit, saved: Spot) -> None:
    """The record is randomized by every model whose trigger the form is, if its logic holds and it has not been yet.

    What keeps a record from it, a blank stratum or an empty table, does not undo the save.
    """
    for model in randomize.models_in_use(visit.call):
        if not _is_trigger(visit, saved, model):
            continue
        with suppress(ApiError):
            asked = visit.asking(record=saved.name, randomization_id=str(model.id))
            randomize.randomize(asked, "Randomize record (via trigger)")


def _is_trigger(visit: Visit, saved: Spot, model: Model) -> bool:
    trigger = model.trigger
    if trigger is None or trigger.form != saved.form:
        return False
    if visit.project.event_named(trigger.event).id != saved.event.id:
        return False
    may = trigger.everybody or visit.user.rights.changes("random_perform")
    where = Spot(saved.name, known(visit, saved.name), saved.event, saved.form, saved.instance)
    return may and scene(visit, where).holds(trigger.logic)
