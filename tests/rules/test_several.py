"""Several trials, several machines: what is refused before anything is asked of a cluster or a server."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import nightly_sync
from frozen import FROZEN
from trialdesk.config import Config, load
from trialdesk.config.parts import Machines
from trialdesk.errors import ConfigError
from trialdesk.nightly.cluster import prove_private, run_on_cluster
from trialdesk.nightly.machines import held, key

pytestmark = pytest.mark.requirement("NGT-07")

VERIFIED = "?sslmode=verify-full"


@pytest.mark.parametrize(
    "address", ["tls://10.1.2.3:8786", "tls://dask:8786", "tcp://127.0.0.1:1", "tcp://localhost:1", "[::1]:1"]
)
def test_an_address_is_used_with_tls_or_on_this_machine(address: str) -> None:
    """Dask takes an address without a scheme for tcp."""
    prove_private(address)


@pytest.mark.parametrize(
    "address",
    [
        "tcp://10.1.2.3:8786",
        "10.1.2.3:8786",
        "dask:8786",
        "tcp://localhost.example.org:1",
        "ws://127.0.0.1:1",
        "",
        "tcp://",
    ],
)
def test_an_address_is_refused_where_anybody_could_read_along(address: str) -> None:
    """In one line that says what to do."""
    with pytest.raises(ConfigError, match="only tls:// is used"):
        prove_private(address)


@pytest.mark.parametrize(
    "words",
    [
        ["--dask", "tls://dask:8786"],
        ["--jobs", "2"],
        ["--wait", "5"],
        ["--trials", "{}", "--dask", "tls://dask:8786", "--jobs", "2"],
        ["--trials", "{}", "--once"],
        ["--trials", "{}", "--wait", "5"],
    ],
)
def test_options_that_do_not_go_together_are_wrong_use(tmp_path: Path, words: list[str]) -> None:
    """Before anything is read."""
    asked = [word.format(tmp_path) for word in words]
    assert CliRunner().invoke(nightly_sync.app, asked).exit_code == 2


def test_the_cluster_is_named_before_any_trial_is_run(tmp_path: Path) -> None:
    """An address on the network without TLS."""
    (tmp_path / "one.yaml").touch()
    ended = CliRunner().invoke(nightly_sync.app, ["--trials", str(tmp_path), "--dask", "tcp://10.1.2.3:8786"])
    assert isinstance(ended.exception, ConfigError)


@pytest.mark.parametrize(("module", "extra"), [("distributed", "cluster"), ("psycopg", "postgres")])
def test_an_extra_that_is_not_installed_is_named(
    frozen: Config, monkeypatch: pytest.MonkeyPatch, module: str, extra: str
) -> None:
    """With the line that installs it."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigError, match=rf"pip install .*\(extra `{extra}`\)"):
        if extra == "cluster":
            run_on_cluster([Path("x")], "tcp://127.0.0.1:9", "--once", lambda _: None)
        else:
            with held(frozen, Machines(dsn="postgresql://desk@localhost/desk")):
                pass


def test_the_number_of_a_lock_is_that_of_the_trial_s_id() -> None:
    """Spelled out: every machine and every version has to come to the same one."""
    text = b"\x00\x00\x00\x11trialdesk-lock-v1" + b"\x00\x00\x00\x06PVP-MM"
    assert key("PVP-MM") == int.from_bytes(hashlib.sha256(text).digest()[:8], "big", signed=True)
    assert key("PVP-MM") != key("PVP-MM2")


@pytest.mark.parametrize(
    "dsn",
    [
        f"postgresql://desk@db.example.org/desk{VERIFIED}",
        f"postgres://desk@db.example.org:5433/desk{VERIFIED}&sslrootcert=/etc/ca.pem",
        "postgresql://desk@127.0.0.1/desk",
        "postgresql:///desk?host=/var/run/postgresql",
    ],
)
def test_a_server_is_named_without_a_password(tmp_path: Path, dsn: str) -> None:
    """Off this machine its certificate is verified."""
    assert load(written(tmp_path, dsn)).machines == Machines(dsn=dsn)


@pytest.mark.parametrize(
    ("dsn", "said"),
    [
        ("postgresql://desk@db.example.org/desk", "add sslmode=verify-full"),
        ("postgresql://desk@db.example.org/desk?sslmode=require", "add sslmode=verify-full"),
        ("postgresql://desk@127.0.0.1/desk?host=db.example.org", "add sslmode=verify-full"),
        (f"postgresql://desk:geheim@db.example.org/desk{VERIFIED}", "nowhere a password"),
        (f"postgresql://desk@db.example.org/desk{VERIFIED}&password=geheim", "nowhere a password"),
        (f"postgresql://desk@db.example.org/desk{VERIFIED}&hostaddr=10.0.0.1", "nowhere a password"),
        (f"postgresql://desk@one,two/desk{VERIFIED}", "one server"),
        ("postgresql://desk@127.0.0.1", "it names user, server and database"),
        ("postgresql:///desk", "it names user, server and database"),
        ("mysql://desk@127.0.0.1/desk", "it names user, server and database"),
        ("desk", "it names user, server and database"),
    ],
)
def test_a_server_that_is_not_safe_is_refused_and_its_password_not_repeated(
    tmp_path: Path, dsn: str, said: str
) -> None:
    """With the place in the file."""
    with pytest.raises(ConfigError, match=r"config\.yaml:\d+: machines\.dsn: ") as told:
        load(written(tmp_path, dsn))
    assert said in str(told.value)
    assert "geheim" not in str(told.value)


def written(folder: Path, dsn: str) -> Path:
    """The frozen configuration with a server."""
    path = folder / "config.yaml"
    text = (FROZEN / "config.yaml").read_text(encoding="utf-8")
    path.write_text(f"{text}\nmachines:\n  dsn: {dsn}\n", encoding="utf-8")
    return path
