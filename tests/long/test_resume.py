"""A run that failed after its pull is taken up again from what it has read: every gate, and no word to REDCap."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from played import Played, played
from trialdesk.config import Config
from trialdesk.errors import OK, OK_WITH_WARNINGS, ConfigError, OutputFailed, SanityFailed
from trialdesk.facts.pulling import pull_both
from trialdesk.nightly import kept, run
from trialdesk.nightly.publish import LATEST
from trialdesk.nightly.run import Order, Outcome, nightly
from trialdesk.redcap.gateway import Gateway, open_gateway
from trialdesk.redcap.patience import Patience

TODAY = date(2026, 11, 23)
QUICK = Patience(attempts=1, first_wait=0.01)


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with played(tmp_path_factory.mktemp("resume"), 12, TODAY) as made:
        yield made


def ordered(config: Config, minute: int, **more: Any) -> Order:
    return Order(TODAY, datetime(2026, 11, 23, 4, minute, tzinfo=config.trial.zone), **more)


def night(config: Config, order: Order) -> Outcome:
    return nightly(config, order, open_gateway(config, "trial"), open_gateway(config, "register"), lambda _: None)


def broken(*_: object) -> None:
    raise OutputFailed("the disk is full")


def unpublished(config: Config, minute: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run has read everything, and failed before it was published."""
    with monkeypatch.context() as failing:
        failing.setattr(run, "publish", broken)
        with pytest.raises(OutputFailed):
            night(config, ordered(config, minute))


class Mute:
    """A gateway that must not be asked for anything."""

    refusals: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


def resumed(config: Config, order: Order) -> Outcome:
    mute: Any = Mute()
    return nightly(config, replace(order, resumed=True), mute, mute, lambda _: None)


def test_what_a_failed_run_has_read_is_published_without_asking_or_writing(
    trial: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sheets are those it would have made; nothing is written back; then nothing is left."""
    config = trial.stage.config
    left = config.state / kept.FILE
    unpublished(config, 1, monkeypatch)
    assert oct(left.stat().st_mode & 0o777) == "0o600"
    done = resumed(config, ordered(config, 31))
    assert done.exit_code in {OK, OK_WITH_WARNINGS}
    assert done.summary.data_as_of == "2026-11-23T04:01:00+01:00"
    assert "envelope(s) marked opened" in done.summary.to_write
    assert (config.reports / LATEST / "run.json").read_text().count("0.5 h old") == 1
    assert not left.exists()
    asked = night(config, ordered(config, 45))
    assert asked.summary.to_write == done.summary.to_write  # it was still to be written
    assert not left.exists()
    with pytest.raises(ConfigError, match="no run of the last 48 hours"):
        resumed(config, ordered(config, 46))


def test_what_is_read_again_is_what_was_kept(trial: Played) -> None:
    """Value by value; patients are worked out anew."""
    config = trial.stage.config
    pull = pull_both(config, open_gateway(config, "trial"), open_gateway(config, "register"))
    at = datetime(2026, 11, 23, 4, 1, tzinfo=config.trial.zone)
    before = kept.Kept(pull, None, "15.0.12", at)
    again = kept.read("".join(kept.pieces(config, before)), config)
    assert again.pull.patients == pull.patients
    assert (again.pull.snapshot.rows, again.pull.register) == (pull.snapshot.rows, pull.register)
    assert again == before


def test_a_resumed_run_passes_every_gate(trial: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the sanity gate has refused it refuses again, until a person accepts it."""
    config = trial.stage.config
    night(config, ordered(config, 50))
    real = Gateway.records

    def less(self: Gateway, record_id: str, *given: Any, **more: Any) -> Any:
        answer = real(self, record_id, *given, **more)
        gone = {row.record for row in answer.rows if row.values.get("rand_env")}
        return replace(answer, rows=tuple(row for row in answer.rows if row.record not in sorted(gone)[:1]))

    with monkeypatch.context() as failing:
        failing.setattr(Gateway, "records", less)
        with pytest.raises(SanityFailed) as refused:
            night(config, ordered(config, 51))
    with pytest.raises(SanityFailed) as again:
        resumed(config, ordered(config, 52))
    assert str(again.value) == str(refused.value)
    record = str(refused.value).split("now: ")[1].split(";")[0]
    done = resumed(config, ordered(config, 53, accepted=(record,), reason="withdrawn", by="me"))
    assert done.exit_code == OK_WITH_WARNINGS


def test_a_snapshot_that_is_too_old_or_of_another_trial_is_not_taken_up(
    trial: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two days; another trial's is named and left."""
    config = trial.stage.config
    left = config.state / kept.FILE
    unpublished(config, 54, monkeypatch)
    other = config.model_copy(update={"trial": config.trial.model_copy(update={"id": "OTHER"})})
    with pytest.raises(ConfigError, match="of another trial"):
        kept.take_up(other, datetime.now(config.trial.zone))
    old = datetime.now().timestamp() - timedelta(hours=49).total_seconds()
    os.utime(left, (old, old))
    with pytest.raises(ConfigError, match="no run of the last 48 hours"):
        kept.take_up(config, datetime.now(config.trial.zone))
    assert not Path(left).exists()
