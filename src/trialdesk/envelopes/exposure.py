"""Who could see allocations in the register, or change what proves them: told to the packer at every push."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trialdesk.errors import NotAllowed, RedcapRefused
from trialdesk.redcap.gateway import Gateway

SEALED, PROOF_FORM = "allocation", "proof"
_SWITCHES: Mapping[str, str] = {
    "logging": "may read the log, which tells what was typed",
    "user_rights": "may change rights",
    "design": "may change the design of the register",
    "record_delete": "may delete envelopes",
    "record_rename": "may rename envelopes",
}
_NO_VIEW = ("0", "128")
_READ_ONLY = (*_NO_VIEW, "2", "129")


def exposures(register: Gateway) -> Iterator[str]:
    """User and right, one line each: everyone who could see arms, or change commitments, rights or design.

    Args:
        register: The register, seen with the packer's token; its user needs User Rights (read only is enough).
    """
    try:
        users = register.users()
    except (NotAllowed, RedcapRefused):
        yield "users could not be read: give the packer User Rights, read only, or look at them in REDCap"
        return
    for user in users:
        for what in _exposed(user):
            yield f"{user.get('username', '?')} {what}"


def _exposed(user: Mapping[str, Any]) -> Iterator[str]:
    forms, exports = (_codes(user.get(name)) for name in ("forms", "forms_export"))
    if forms.get(SEALED, "0") not in _NO_VIEW or exports.get(SEALED, "0") != "0":
        yield "can see the form allocation"
    if forms.get(PROOF_FORM, "0") not in _READ_ONLY:
        yield "may edit the form proof"
    for right, what in _SWITCHES.items():
        code = str(user.get(right, "0") or "0")
        if code not in ("0", "2" if right == "user_rights" else "0"):
            yield what


def _codes(told: object) -> Mapping[str, str]:
    return {str(form): str(code) for form, code in told.items()} if isinstance(told, Mapping) else {}
