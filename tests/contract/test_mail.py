"""Mail through a real SMTP server: verified TLS or nothing, who is told what and when, and nothing of any patient."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from frozen import FROZEN
from postbox import DATA, Box, receiving, words
from trialdesk.config import Config, load
from trialdesk.config.parts import Folders, Mail, Recipient
from trialdesk.errors import EXITS, ConfigError, MailFailed
from trialdesk.notices.due import Ending, Told, after, due
from trialdesk.notices.letter import write
from trialdesk.notices.notify import notify
from trialdesk.notices.post import PASSWORD, send

MONDAY = date(2026, 11, 23)
COUNTS: dict[str, Any] = {
    "recruitment": {"screened": 60, "randomised": 41},
    "target": 100,
    "todo": {"deviation of treatment": 2, "error": 3},
    "new": 1,
    "calls": {"today": 3, "overdue": 1, "missed": 7},
    "findings": {"error": {"R11": 2, "Q35": 17}, "warning": {"Q43": 5, "Q36": 9}},
    "open_findings": {"error": {"R11": 2}, "warning": {"Q43": 5}},
    "envelopes_to_send": ["ODE-K1N"],
    "envelopes_to_make": [],
    "lost": {},
}


@pytest.fixture
def box() -> Iterator[Box]:
    with receiving() as made:
        yield made


@pytest.fixture
def plain() -> Iterator[Box]:
    with receiving(tls=False) as made:
        yield made


def configured(tmp_path: Path, port: int, language: str = "en", **more: Any) -> Config:
    frozen = load(FROZEN / "config.yaml")
    mail = Mail(
        host="localhost",
        port=port,
        sender="desk@example.org",
        ca_file=DATA / "certificate.pem",
        files="https://files.example.org/pvp/latest",
        **more,
    )
    readers = ("coordinator", "monitor", "site:ODE", "closed")
    told = tuple(Recipient(profile=one, email=f"{one.replace(':', '.')}@example.org") for one in readers)
    trial = frozen.trial.model_copy(update={"language": language})
    folders = Folders(instruments=frozen.folders.instruments, tables=tmp_path, reports=tmp_path)
    return frozen.model_copy(update={"mail": mail, "recipients": told, "folders": folders, "trial": trial})


@pytest.mark.parametrize("language", ["da", "en"])
def test_the_week_s_message_goes_to_every_reader_with_their_own_place(box: Box, tmp_path: Path, language: str) -> None:
    """Text and HTML say the same; a site learns where its report is and no count of others."""
    config = configured(tmp_path, box.port, language)
    assert notify(config, Ending(MONDAY, 10, COUNTS)) == 4
    assert box.to == [one.email for one in config.recipients]
    told = dict(zip(("coordinator", "monitor", "site", "closed"), box.messages, strict=True))
    assert "41" in str(told["monitor"]["Subject"])
    assert told["monitor"]["Auto-Submitted"] == "auto-generated"
    for reader, place in (("coordinator", "coordinator/index.html"), ("site", "sites/ODE/report.xlsx")):
        text, html = (part.get_content() for part in told[reader].iter_parts() if isinstance(part, EmailMessage))
        assert f"https://files.example.org/pvp/latest/{place}" in text
        assert f'<a href="https://files.example.org/pvp/latest/{place}">' in html
        assert not [line for line in text.split("\n\n") if line.strip().splitlines()[0].strip() not in html]
    assert re.findall(r"\b(?:41|100|5)\b", words(told["site"])) == []
    assert notify(config, Ending(MONDAY, 10, COUNTS)) == 0  # once a week


@pytest.mark.parametrize("language", ["da", "en"])
def test_the_monitor_is_told_of_as_many_findings_as_the_report_lists(box: Box, tmp_path: Path, language: str) -> None:
    """More would be those of treatment, of which the report does not tell even how many."""
    notify(configured(tmp_path, box.port, language), Ending(MONDAY, 10, COUNTS))
    coordinator, monitor, *others = (re.findall(r"\b(?:2|5|19|14)\b", words(message)) for message in box.messages)
    assert ({*coordinator} >= {"19", "14"}, {*monitor} & {"2", "5", "19", "14"}) == (True, {"2", "5"})
    assert not {"2", "5", "19", "14"} & {number for found in others for number in found}


@pytest.mark.parametrize("language", ["da", "en"])
@pytest.mark.parametrize("code", [11, 30, 45, 50, 70])
def test_a_failure_is_told_to_the_coordinator_once_and_that_it_is_over(
    box: Box, tmp_path: Path, language: str, code: int
) -> None:
    """With the code and what to do, in the language of the trial."""
    config, tuesday = configured(tmp_path, box.port, language), MONDAY + timedelta(1)
    sent = [notify(config, Ending(tuesday + timedelta(n), one, counts)) for n, (one, counts) in enumerate(
        [(0, COUNTS), (code, None), (code, None), (30, None), (0, COUNTS)]
    )]  # fmt: skip
    assert sent == [0, 1, 0, 0, 1]
    assert {*box.to} == {"coordinator@example.org"}
    failed, recovered = map(words, box.messages)
    assert str(code) in failed
    assert (EXITS[code].way_out in failed.replace("&#39;", "'")) == (language == "en")
    assert "orden igen" in recovered if language == "da" else "in order again" in recovered


@pytest.mark.parametrize("code", sorted(EXITS.keys() - {0, 1, 10, 75, 12, 61}))
def test_every_failure_has_danish_words(tmp_path: Path, code: int) -> None:
    """A code without a line of its own would be told in English."""
    config = configured(tmp_path, 1, "da")
    assert config.mail
    letter = write(config, config.mail, "failed", config.recipients[0], Ending(MONDAY, code))
    assert EXITS[code].meaning not in letter.text
    assert EXITS[code].way_out not in letter.text


def test_no_message_holds_an_arm_a_record_a_name_or_a_value(box: Box, tmp_path: Path) -> None:
    """However the counts are called; and the search finds one that was planted."""
    config = configured(tmp_path, box.port)
    arms = [word for arm in config.arms for word in (arm.label, arm.name) if word not in config.trial.id]
    canaries = [*arms, "ODE-001", "010203-4567", "R11"]
    notify(config, Ending(MONDAY, 50, None))
    notify(config, Ending(MONDAY, 0, {**COUNTS, "todo": {"ODE-001": 1, config.arms[0].label: 2}}))
    everything = "\n".join(words(message) for message in box.messages)
    assert len(box.messages) == 6
    assert [one for one in canaries if one in everything] == []
    assert [one for one in canaries if one in everything + config.arms[0].label]


def test_a_certificate_nobody_vouches_for_gets_no_mail(box: Box, tmp_path: Path) -> None:
    """And the failure is told again the next time, since nobody was told."""
    config = configured(tmp_path, box.port)
    assert config.mail
    strange = config.model_copy(update={"mail": config.mail.model_copy(update={"ca_file": None})})
    for _ in range(2):
        with pytest.raises(MailFailed, match="certificate is not verified"):
            notify(strange, Ending(MONDAY, 30))
    assert not box.messages
    assert notify(config, Ending(MONDAY, 30)) == 1


def test_a_server_without_tls_gets_no_mail_and_no_password(
    plain: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is sent in the clear."""
    monkeypatch.setenv(PASSWORD, "right")
    with pytest.raises(MailFailed, match="offers no TLS"):
        notify(configured(tmp_path, plain.port, user="desk"), Ending(MONDAY, 30))
    assert (plain.messages, plain.logins) == ([], [])


def test_the_password_comes_from_the_environment_or_a_private_file(
    box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others may not read it, and it stands in no message about it."""
    monkeypatch.delenv(PASSWORD, raising=False)
    config = configured(tmp_path, box.port, user="desk", password_file=tmp_path / "mail.password")
    with pytest.raises(ConfigError, match="no such file"):
        notify(config, Ending(MONDAY, 30))
    (tmp_path / "mail.password").write_text("right\n")
    with pytest.raises(ConfigError, match="others can read"):
        notify(config, Ending(MONDAY, 30))
    (tmp_path / "mail.password").chmod(0o600)
    assert notify(config, Ending(MONDAY, 30)) == 1
    monkeypatch.setenv(PASSWORD, "not-so-right")
    with pytest.raises(MailFailed, match="refused with code 535") as refused:
        notify(config, Ending(MONDAY, 0, COUNTS))
    assert "not-so-right" not in str(refused.value)


def test_an_address_the_server_refuses_is_not_quoted(box: Box, tmp_path: Path) -> None:
    """The code is enough to find it."""
    config = configured(tmp_path, box.port)
    nobody = (Recipient(profile="coordinator", email="nobody@example.org"),)
    with pytest.raises(MailFailed) as refused:
        notify(config.model_copy(update={"recipients": nobody}), Ending(MONDAY, 30))
    assert "nobody" not in str(refused.value)


def test_nobody_there_is_one_line(tmp_path: Path) -> None:
    """A port nobody listens at."""
    config = configured(tmp_path, 1)
    assert config.mail
    with pytest.raises(MailFailed, match=r"localhost:1: can't be used \(ConnectionRefusedError\)"):
        send(config, config.mail, [])


def test_without_mail_nothing_is_told_or_kept(tmp_path: Path) -> None:
    """A trial need not have any."""
    config = configured(tmp_path, 1).model_copy(update={"mail": None})
    assert notify(config, Ending(MONDAY, 30)) == 0
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("day", "last", "expected"),
    [
        (MONDAY, None, True),
        (MONDAY + timedelta(1), None, False),
        (MONDAY, MONDAY, False),
        (MONDAY, MONDAY - timedelta(7), True),
        (MONDAY + timedelta(1), MONDAY - timedelta(7), True),  # Monday's night failed
        (MONDAY - timedelta(1), MONDAY - timedelta(7), False),
    ],
)
def test_a_digest_comes_every_week_and_catches_up(day: date, last: date | None, expected: bool) -> None:
    """On its weekday, or as soon as a run is published after it."""
    told = Told(digest=last)
    kinds = due(Ending(day, 0, COUNTS), told, 1)
    assert ("digest" in kinds) == expected
    assert after(Ending(day, 0, COUNTS), told, kinds).digest == (day if expected else last)
