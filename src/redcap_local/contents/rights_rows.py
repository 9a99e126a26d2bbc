"""Rights as rows of content=user and content=userRole, in both directions (reference/redcap-api.md 11.2 to 11.4)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from redcap_local import messages
from redcap_local.call import Call, version_key
from redcap_local.messages import ApiError
from redcap_local.rights import HIGHEST, RANDOMIZATION_RIGHTS, RIGHTS, Rights
from redcap_local.wire.data import DataRow
from redcap_local.wire.replies import Cell

_FORM_CODES = {
    "forms": frozenset({0, 1, 2, 3}) | frozenset(range(128, 160)),
    "forms_export": frozenset({0, 1, 2, 3}),
}


def switch_keys(call: Call) -> tuple[str, ...]:
    """The keys of the rights this server's version and the project's modules know."""
    version = version_key(call.server.version)
    randomization = call.project.settings["randomization_enabled"] == "1"
    return tuple(
        key for key, since in RIGHTS if version >= since and (randomization or key not in RANDOMIZATION_RIGHTS)
    )


def cells(call: Call, rights: Rights) -> dict[str, Cell]:
    """Rights as cells: numbers for switches, maps for forms."""
    forms = call.project.dictionary.forms
    return {
        **{key: rights.switches.get(key, 0) for key in switch_keys(call)},
        "forms": {form: rights.forms.get(form, 0) for form in forms},
        "forms_export": {form: rights.forms_export.get(form, 0) for form in forms},
    }


def from_row(row: DataRow, old: Rights | None, forms: Collection[str]) -> Rights:
    """The rights a row asks for; a column it does not have stays, or is none for a new user (11.2).

    Raises:
        ApiError: A right that is no code REDCap knows, or a form that does not exist.
    """
    before = old or Rights({}, {}, {})
    switches = dict(before.switches)
    for key, _ in RIGHTS:
        if row.get(key, "").strip():
            switches[key] = _switch(key, row[key].strip())
    return Rights(
        switches,
        _form_rights("forms", row, before.forms, forms),
        _form_rights("forms_export", row, before.forms_export, forms),
    )


def _switch(key: str, text: str) -> int:
    if text not in {str(degree) for degree in range(HIGHEST.get(key, 1) + 1)}:
        raise ApiError(messages.BAD_DATA, f"{key} cannot be '{text}'")
    return int(text)


def _form_rights(key: str, row: DataRow, before: Mapping[str, int], forms: Collection[str]) -> dict[str, int]:
    # A map that is sent is the whole map: redcapAPI's test asserts that what it leaves out is no access.
    rights = {form: 0 if key in row else before.get(form, 0) for form in forms}
    for pair in filter(None, row.get(key, "").split(",")):
        form, _, code = pair.strip().partition(":")
        if form not in rights:
            raise ApiError(messages.BAD_DATA, f"{key} names '{form}', which is no instrument")
        if not (code.isascii() and code.isdigit() and int(code[:4]) in _FORM_CODES[key]):
            raise ApiError(messages.BAD_DATA, f"{key} of '{form}' cannot be '{code}'")
        rights[form] = int(code)
    return rights
