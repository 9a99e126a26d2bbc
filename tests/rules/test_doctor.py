"""What the doctor says of a token's rights, and what it reads of a lock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from frozen import trial_dictionary
from redcap_rules.dictionary import Dictionary
from trialdesk.errors import RedcapUnreachable
from trialdesk.nightly.doctor import locked, rights
from trialdesk.redcap.answers import Export
from trialdesk.redcap.snapshot import columns, requested

pytestmark = pytest.mark.requirement("NGT-05")
DICTIONARY = trial_dictionary()
EVERY = frozenset(column for name in requested(DICTIONARY) for column in columns(DICTIONARY, name))


@dataclass
class Token:
    """A trial project as one token sees it."""

    records_there: tuple[str, ...] = ("1",)
    shown: frozenset[str] = EVERY
    grouped: bool = True
    away: bool = False

    def dictionary(self) -> Dictionary:
        if self.away:
            raise RedcapUnreachable("redcap.example.org did not answer")
        return DICTIONARY

    def ids(self, _: str) -> tuple[str, ...]:
        return self.records_there

    def columns_shown(self, _: str, fields: Any) -> frozenset[str]:
        assert not [field.name for field in DICTIONARY.fields if field.identifier and field.name in fields]
        return self.shown

    def records(self, *_: Any, **__: Any) -> Export:
        groups = frozenset({"redcap_data_access_group"}) if self.grouped else frozenset[str]()
        return Export((), groups, {}) if self.grouped else Export((object(),), groups, {})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("token", "verdict", "code", "said"),
    [
        (Token(), "ok", 0, "every field that is asked for"),
        (Token(records_there=()), "warn", 0, "no record yet"),
        (Token(shown=EVERY - {"rand_date"}), "fail", 40, r"hides 1 column\(s\) \(rand_date\).*full export rights"),
        (Token(grouped=False), "fail", 40, "sits in a group.*no data access group"),
        (Token(away=True), "fail", 30, "did not answer"),
    ],
    ids=["all", "no record", "a field hidden", "in a group", "away"],
)
def test_a_token_is_shown_all_that_a_night_asks_for(token: Token, verdict: str, code: int, said: str) -> None:
    """Found by day with one record, as the night's sanity gate would find it with all; no identifier is asked for."""
    found = rights(token)  # type: ignore[arg-type]  # as much of a gateway as is asked
    assert (found.verdict, found.code) == (verdict, code)

    assert re.search(said, found.said)


def test_the_doctor_reads_every_version_a_lock_has_for_a_package(tmp_path: Path) -> None:
    """One for each Python: whichever is there, it is the lock's."""
    lock = tmp_path / "requirements.lock"
    pins = ("numpy==2.4.6 ; python_full_version < '3.12' \\", "    --hash=sha256:00", "numpy==2.5.5 \\", "six==1.17.0")
    lock.write_text("\n".join(pins))
    assert locked(lock) == {"numpy": {"2.4.6", "2.5.5"}, "six": {"1.17.0"}}
    assert locked(tmp_path / "none") == {}
