"""The unique names REDCap makes of labels: events, data access groups and instruments."""

import re
from collections.abc import Collection

# The columns of an export and import that are no fields.
EVENT, INSTRUMENT, INSTANCE = "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"
GROUP, SURVEY = "redcap_data_access_group", "redcap_survey_identifier"


def status_field(form: str) -> str:
    """The field that holds the status of a form: 0 incomplete, 1 unverified, 2 complete."""
    return f"{form}_complete"


_DROPPED = re.compile(r"[^a-z0-9_]")
_UNIQUE_PART = 18
_FORM_PART = 50


def event_name(label: str, arm: int = 1, taken: Collection[str] = ()) -> str:
    """The unique event name of a label in an arm that is not among the names taken.

    Source: reference/instruments.md 2.3; a collision adds a letter from `b` on (reference/redcap-api.md 10).

    >>> event_name("Deadline to opt out of study", arm=2)
    'deadline_to_opt_ou_arm_2'
    """
    return _free(f"{_slug(label)[:_UNIQUE_PART]}_arm_{arm}", taken)


def group_name(label: str, taken: Collection[str] = ()) -> str:
    """The unique name of a data access group that is not among the names taken (reference/redcap-api.md 11.1).

    >>> group_name("Integration test dag-a")
    'integration_test_d'
    """
    return _free(_slug(label)[:_UNIQUE_PART], taken)


def form_name(label: str) -> str:
    """The instrument name REDCap makes of a label: starts with a letter, single underscores, 50 characters.

    >>> form_name("Pain & ODI, version 2")
    'pain_odi_version_2'
    """
    slug = re.sub("_+", "_", _slug(label))
    return slug.lstrip("_0123456789")[:_FORM_PART].rstrip("_")


def _slug(label: str) -> str:
    return _DROPPED.sub("", label.strip().lower().replace(" ", "_"))


def _free(name: str, taken: Collection[str]) -> str:
    if name not in taken:
        return name
    return next(f"{name}{letter}" for letter in _letters() if f"{name}{letter}" not in taken)


def _letters() -> "list[str]":
    single = "bcdefghijklmnopqrstuvwxyz"
    return [*single, *(first + second for first in "abcdefghijklmnopqrstuvwxyz" for second in "a" + single)]
