"""Where a browser goes once a form has been saved (reference/redcap-validation-facts.md 10, B.3.14.0500)."""

from __future__ import annotations

from redcap_local.pages.answers import Spot
from redcap_local.pages.dashboard import next_record
from redcap_local.pages.visit import Visit

LOOK = "look"
"""The message of a form that was saved though required fields have no value, or rules are violated."""


def onwards(visit: Visit, where: Spot) -> str:
    """The address that the button of the save menu leads to; the record's own page for any other."""
    to, message = visit.addresses, "add" if where.record is None else "edit"
    at = (where.name, where.event.id)
    arm = where.event.arm
    match visit.text("then"):
        case "stay":
            return to.form(*at, where.form, where.instance, msg=message)
        case "next_form" if next_form(visit, where):
            return to.form(*at, next_form(visit, where))
        case "new_instance":
            return to.form(*at, where.form, where.instance + 1)
        case "next_record":
            name = next_record(visit, where.name, arm)
            return to.form(name, where.event.id, where.form) if name else to.dashboard(arm)
        case "exit_record":
            return to.dashboard(arm)
        case _:
            return to.record(where.name, arm, message)


def again(visit: Visit, where: Spot) -> str:
    """The form again, which names what needs a look before it goes on."""
    return visit.addresses.form(
        where.name, where.event.id, where.form, where.instance, msg=LOOK, then=visit.text("then")
    )


def next_form(visit: Visit, where: Spot) -> str:
    """The form after this one in its event, as far as the user may see it; '' after the last."""
    project = visit.project
    forms = [f for f in project.dictionary.forms if f in project.forms_of(where.event) and visit.user.rights.views(f)]
    later = forms[forms.index(where.form) + 1 :]
    return later[0] if later else ""
