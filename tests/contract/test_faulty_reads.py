"""What a gateway makes of answers that every kind of fault has touched: what REDCap holds, or an error of the server.

Whole nights with these faults are benchmarks/fault_nights.py; what was seen stands in docs/reliability.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import pytest
from pydantic import SecretStr

from contract.conftest import Clinic
from faulty import LIES, TRANSPORT, Answer, Between, Fault, Plan, between
from redcap_rules.record import Row
from trialdesk.errors import NotAllowed, RedcapRefused, RedcapUnreachable
from trialdesk.redcap.answers import Export
from trialdesk.redcap.gateway import Gateway
from trialdesk.redcap.patience import Patience

FIELDS = ["born", "sex", "fears", "remark", "weight", "drug", "intake_complete", "visit_complete"]
ROWS = [
    {"record_id": "1", "redcap_event_name": "start_arm_1", "born": "1950-05-05", "sex": "1", "fears___1": "1"},
    {"record_id": "2", "redcap_event_name": "start_arm_1", "sex": "2", "remark": 'Æ, "ø"\nå = 1', "weight": "71.5"},
    {"record_id": "2", "redcap_event_name": "week_1_arm_1", "weight": "70.5", "visit_complete": "2"},
    {"record_id": "3", "redcap_event_name": "start_arm_1", "sex": "2"},
]
# A list of records that lies is believed, and so is a table in which one line or one column is missing in the middle:
# the gates of a night look at that, beside what it saw the night before.
BELIEVED = {
    *((1, kind) for kind in ("an empty list", "no rows", *(kind for kind in LIES if kind.endswith("left out")))),
    (1, "another project's records"),
    *((place, kind) for place in (1, 2, 3) for kind in ("a row left out", "a column left out")),
}
SEEDS = ("seed one",)


@pytest.fixture(scope="module")
def faulty(new_clinic: Callable[[], Clinic]) -> Iterator[tuple[Between, str, tuple[Row, ...]]]:
    """A server between, the token behind it, and what is right."""
    made = new_clinic()
    made.admin.put(*ROWS)
    drug = {"redcap_repeat_instrument": "medicine", "redcap_repeat_instance": "1", "drug": "Melphalan"}
    made.admin.put({"record_id": "3", "redcap_event_name": "start_arm_1", **drug})
    with between(made.admin.url) as server:
        it = server, made.admin.token, ()
        yield server, made.admin.token, read(it).rows


def read(faulty: tuple[Between, str, tuple[Row, ...]], batch: int = 2) -> Export:
    server, token, _ = faulty
    patience = Patience(attempts=2, first_wait=0.001, total=10)
    return Gateway(server.url, SecretStr(token), timeout=(1, 2), batch=batch, patience=patience).records(
        "record_id", FIELDS
    )


def test_an_error_that_comes_as_data_is_no_proof_that_a_token_sees_nothing(
    faulty: tuple[Between, str, tuple[Row, ...]],
) -> None:
    """The register's token is blind where REDCap refuses; a server that is out of order refuses nothing."""
    server, token, _ = faulty
    gateway = Gateway(server.url, SecretStr(token), patience=Patience(attempts=2, first_wait=0.001, total=10))
    server.number, server.plan = 0, Plan("", TRANSPORT["error as data"], "", 0, 100, Random(0))
    try:
        with pytest.raises(RedcapRefused, match="an error instead of data"):
            list(gateway.sees_more("record_id", "[sex]='1'"))
    finally:
        server.plan = None
    assert gateway.refusals == []


@pytest.mark.parametrize("times", [1, 2])
def test_a_list_of_records_without_their_ids_is_asked_for_again(
    faulty: tuple[Between, str, tuple[Row, ...]], times: int
) -> None:
    """And is no answer when it comes so once more."""
    server, token, right = faulty
    gateway = Gateway(server.url, SecretStr(token), patience=Patience(attempts=2, first_wait=0.001, total=10))
    bare: Fault = lambda answer, _: Answer(b"[{}, {}]", headers=answer.headers)  # noqa: E731 - a fault as the others
    server.number, server.plan = 0, Plan("", bare, "", 0, times - 1, Random(0))
    try:
        if times == 1:
            assert gateway.ids("record_id") == tuple(dict.fromkeys(row.record for row in right))
        else:
            with pytest.raises(RedcapUnreachable):
                gateway.ids("record_id")
    finally:
        server.plan = None


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", [*TRANSPORT, *LIES])
@pytest.mark.parametrize("first", [1, 2, 3])  # the list of records, a batch of them, the last one of it alone
def test_what_is_read_is_what_redcap_holds_or_nothing(
    faulty: tuple[Between, str, tuple[Row, ...]], kind: str, first: int, seed: str
) -> None:
    """One request that fails, the list of records or a batch of them: asked again, the answer is right."""
    server, _, right = faulty
    fault: Fault = {**TRANSPORT, **LIES}[kind]
    server.number, server.plan = 0, Plan(kind, fault, "", first, first, Random(f"{seed} {kind}"))
    try:
        rows = read(faulty).rows
    except (RedcapUnreachable, RedcapRefused, NotAllowed) as error:
        assert "Melphalan" not in str(error)
        return
    finally:
        met, server.plan = server.plan.met, None
    assert met
    if (first, kind) not in BELIEVED:
        assert rows == right
