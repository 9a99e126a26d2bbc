"""Which answers of a server are believed."""

from __future__ import annotations

import pytest
from requests import Response

from trialdesk.errors import NotAllowed, RedcapRefused, RedcapUnreachable, TrialError
from trialdesk.redcap.guard import believe, without_values

pytestmark = pytest.mark.requirement("NGT-03")


def answer(status: int, body: bytes) -> Response:
    response = Response()
    response.status_code = status
    response._content = body
    return response


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (503, b"<html>maintenance</html>", RedcapUnreachable),
        (200, b"<!DOCTYPE html><html>log in</html>", RedcapUnreachable),
        (200, b"\n <HTML>", RedcapUnreachable),
        (200, b"<br />\n<b>Fatal error</b>: Allowed memory size", RedcapUnreachable),
        (200, b'{"error":"REDCap ran out of server memory. The request cannot be processed."}', RedcapUnreachable),
        (429, b"", RedcapUnreachable),
        (302, b"", RedcapUnreachable),
        (403, b'{"error":"You do not have permissions to use the API"}', NotAllowed),
        (400, b'{"error":"The value of the parameter \\"content\\" is not valid"}', RedcapRefused),
        (400, b'<?xml version="1.0" encoding="UTF-8" ?><hash><error>no</error></hash>', RedcapRefused),
        (400, b"ERROR: no", RedcapRefused),
    ],
)
def test_what_is_not_data_becomes_an_error_of_ours(status: int, body: bytes, error: type[TrialError]) -> None:
    """200 is not success, and a page is not data (reference/redcap-api.md 15)."""
    with pytest.raises(error):
        believe(answer(status, body))


@pytest.mark.parametrize(
    "body",
    [b"[]", b'[{"note":"the database connection failed"}]', b'[{"record_id":"1"}]', b"16.1.9", b"", b"record_id\n1\n"],
)
def test_data_passes(body: bytes) -> None:
    """Nothing is raised for an answer of REDCap's."""
    believe(answer(200, body))


def test_an_import_error_is_told_without_its_values() -> None:
    """REDCap quotes record and value; a log may hold the field only (reference/trial-operations.md 4.7)."""
    told = without_values('"ODE-007","con_phone","51 23 45 67","The value is not valid"\n"ODE-008","x","9","Bad"')
    assert told == "2 value(s) not accepted, in con_phone, x: The value is not valid"


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ('"ODE-1","rand_arm","2","Bad"\n\n', "1 value(s) not accepted, in rand_arm: Bad"),
        ('"ODE-1","rand_code","7K2M"', '"…","…","…"'),
        ('The record "ODE-007" does not exist', 'The record "…" does not exist'),
        (
            "The following values in the parameter \"fields\" are not valid: 'a'",
            "The following values in the parameter \"…\" are not valid: 'a'",
        ),
        ("", "no reason given"),
    ],
)
def test_what_redcap_quotes_is_left_out(reason: str, told: str) -> None:
    """A blank line, a missing column or another sentence makes no value visible."""
    assert without_values(reason) == told
