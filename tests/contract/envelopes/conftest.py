"""A running REDCap with both projects, small and complete, for the tests of the envelopes."""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
from pydantic import SecretStr
from pyrage import x25519
from redcap.project import Project
from ruamel.yaml import YAML

from frozen import FROZEN
from inprocess import answering
from redcap_local.administration import give_token
from redcap_local.server import Running, running
from trialdesk.allocation.making import PackerFiles, make_version, open_tables
from trialdesk.allocation.manifest import from_text
from trialdesk.config import Config, load
from trialdesk.envelopes.filing import file_manifest
from trialdesk.envelopes.push import plan_push, push
from trialdesk.envelopes.register import read_register, write_use
from trialdesk.envelopes.release import release
from trialdesk.instruments.applying import push as push_instruments
from trialdesk.model import Envelope
from trialdesk.redcap.founding import create_project
from trialdesk.redcap.gateway import Gateway

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
TODAY = date(2026, 1, 2)
K1N = ("1", "1", "0")


@dataclass(frozen=True)
class World:
    """A running REDCap with both projects, the tables pushed and the first envelopes received."""

    config: Config
    url: str
    admin: Project
    trial_token: SecretStr
    coordinator_token: SecretStr
    packer_token: SecretStr

    def trial(self) -> Gateway:
        return Gateway(self.url, self.trial_token)

    def register(self) -> Gateway:
        return Gateway(self.url, self.coordinator_token)

    def packer(self) -> Gateway:
        return Gateway(self.url, self.packer_token)

    def release(self, record: str, now: datetime = NOW) -> Envelope:
        return release(self.config, self.trial(), self.register(), record, now)

    def envelope_ids(self) -> list[str]:
        return [envelope.id for envelope in read_register(self.register())]

    def envelope(self, name: str) -> Envelope:
        return read_register(self.register(), [name])[0]

    def receive_all(self) -> None:
        """Every envelope lies at its site, unused."""
        envelopes = read_register(self.register())
        fresh = [replace(e, status="received", released_at=None, record="", opened_on=None) for e in envelopes]
        write_use(self.register(), [one for one, before in zip(fresh, envelopes, strict=True) if one != before])

    def held(self, record: str) -> tuple[str, str]:
        """What the record says of its release."""
        rows = self.trial().records("record_id", ["rand_env_released", "rand_released_at"], records=[record]).rows
        values = {name: value for row in rows for name, value in row.values.items()}
        return values.get("rand_env_released", ""), values.get("rand_released_at", "")

    def open(self) -> list[tuple[str, str]]:
        """(envelope, record) of everything the register has as released."""
        return [(e.id, e.record) for e in read_register(self.register()) if e.status == "released"]

    def enter(self, record: str, site: str, stratum: Sequence[str] = K1N, **more: str) -> None:
        """An eligible patient, as the site would have entered one."""
        forms: dict[str, dict[str, str]] = {
            "screening_arm_1": {"elig_site": site, "con_given": "1", "con_date": "2026-02-27"},
            "baseline_arm_1": {"vas_back": "60"},
            "randomisation_arm_1": dict(zip(("rand_grp", "rand_lvl", "rand_for"), stratum, strict=True)),
        }
        for name, value in more.items():
            event, _, field = name.partition("__")
            forms[f"{event}_arm_1"][field] = value
        rows = [
            {"record_id": record, "redcap_event_name": event, "redcap_data_access_group": site.lower(), **values}
            for event, values in forms.items()
        ]
        self.admin.import_records(rows, overwrite="overwrite")

    def card(self, envelope: str) -> tuple[str, str]:
        """Arm and code on the card inside."""
        tables = open_tables(self.config, self.config.home / "identity.txt")
        cards = (made.card for table in tables for made in table.allocations if made.envelope.id == envelope)
        return next(((card.arm, card.code) for card in cards), ("1", "x"))

    def record_opening(self, record: str, envelope: str, day: str = "2026-03-02") -> None:
        arm, code = self.card(envelope)
        values = {"rand_env": envelope, "rand_date": day, "rand_time": "10:45", "rand_arm": arm, "rand_code": code}
        self.admin.import_records([{"record_id": record, "redcap_event_name": "randomisation_arm_1", **values}])


def file_tables(config: Config) -> None:
    """Every version is filed, with the root of its manifest."""
    for path in sorted(config.path(config.folders.tables).glob("v*/manifest.json")):
        file_manifest(config, path, from_text(path.read_text(encoding="utf-8")).merkle_root)


def config_file(folder: Path, url: str, sites: int = 2) -> Path:
    """The frozen configuration with so many sites and two requirements, in a folder of its own."""
    key = x25519.Identity.generate()
    for name, text in (("blocks.yaml", "4: 1\n"), ("identity.txt", f"{key}\n")):
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(text, encoding="utf-8")
    tree = YAML().load((FROZEN / "config.yaml").read_text(encoding="utf-8"))
    tree["sites"] = tree["sites"][:sites]
    tree["folders"] = {"instruments": str(FROZEN / "instruments"), "tables": "tables", "reports": "."}
    tree["redcap"] |= {"url": url, "tokens_file": "tokens.env"}
    tree["envelopes"] |= {"recipients": [str(key.to_public())], "blocks_file": "blocks.yaml", "batch": 4}
    tree["release"] = [
        {"require": "[screening_arm_1][con_given]='1'", "otherwise": "no signed consent"},
        {"require": "[baseline_arm_1][vas_back]<>''", "otherwise": "baseline pain is not complete"},
    ]
    with (folder / "config.yaml").open("w", encoding="utf-8") as file:
        YAML().dump(tree, file)
    return folder / "config.yaml"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("envelopes")
    if pytestconfig.getoption("--in-process"):
        first = _first()
        shutil.copytree(first.config.home, folder, dirs_exist_ok=True)
        with answering(folder / "redcap.db"):
            yield replace(first, config=load(folder / "config.yaml"))
        return
    with world_in(folder) as built:
        yield built


@cache
def _first() -> World:
    """The world in process, made once; its folder is copied for every module, in forked processes too."""
    folder = Path(mkdtemp(prefix="trialdesk-envelopes-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with world_in(folder, server_on=answering) as built:
        return built


@contextmanager
def world_in(
    folder: Path, sites: int = 2, server_on: Callable[[Path], AbstractContextManager[Running]] = running
) -> Iterator[World]:
    """Both projects on a server whose files are in the folder."""
    with server_on(folder / "redcap.db") as server:
        config = load(config_file(folder, server.url, sites))
        secret = SecretStr(server.super_token)
        info = {"purpose": "2", "project_title": "T"}
        trial = create_project(server.url, secret, {**info, "is_longitudinal": "1"})
        packer = create_project(server.url, secret, {**info, "is_longitudinal": "0"})
        push_instruments(config, "trial", Gateway(server.url, trial))
        push_instruments(config, "register", Gateway(server.url, packer))
        register = Project(server.url, packer.get_secret_value())
        rights = {"envelope": "1", "proof": "2", "allocation": "0"}
        shown = {**rights, "proof": "1"}
        register.import_users(
            [{"username": "nurse", "api_export": "1", "api_import": "1", "forms": rights, "forms_export": shown}]
        )
        number = int(Gateway(server.url, packer).project()["project_id"])
        coordinator = SecretStr(give_token(folder / "redcap.db", number, "nurse"))
        (folder / "tokens.env").touch(mode=0o600)
        (folder / "tokens.env").write_text(
            f"TRIALDESK_TRIAL_TOKEN={trial.get_secret_value()}\n"
            f"TRIALDESK_REGISTER_TOKEN={coordinator.get_secret_value()}\n"
            f"TRIALDESK_PACKER_TOKEN={packer.get_secret_value()}\n",
            encoding="utf-8",
        )
        admin = Project(server.url, trial.get_secret_value())
        built = World(config, server.url, admin, trial, coordinator, packer)
        make_version(config, PackerFiles(), (), lambda: bytes(range(32)), TODAY, freeze=True)
        tables = open_tables(config, folder / "identity.txt")
        push(plan_push(tables, built.packer()), tables, built.packer())
        file_tables(config)
        yield built


@pytest.fixture
def desk(world: World) -> Iterator[World]:
    """The world with every envelope received and no record; what a test left is cleared away."""
    world.receive_all()
    yield world
    ids = list(world.trial().ids("record_id"))
    if ids:
        world.admin.delete_records(ids)
