"""The stage of the rehearsal: an empty server becomes the two projects of the trial, with people, rights and tokens."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import SecretStr
from redcap.project import Project
from ruamel.yaml import YAML

from redcap_local.administration import give_token, label_form, loaded, opened
from redcap_local.display_logic import set_display_logic
from redcap_local.server import Running
from rehearsal import people
from rehearsal.script import FILE, Script, read_script
from trialdesk.config import Config, load
from trialdesk.errors import ConfigError, LockHeld
from trialdesk.instruments.applying import push
from trialdesk.instruments.change import Plan
from trialdesk.instruments.folder import DISPLAY, folder_of, read_design
from trialdesk.memory.opening import servers
from trialdesk.redcap.founding import create_project
from trialdesk.redcap.gateway import Gateway
from trialdesk.redcap.tokens import VARIABLES, token

MARK = ".rehearsal"
# The story recruits over 14 months before its last day; the trial and its sites opened just before.
BEFORE = timedelta(days=450)
LASTS = timedelta(days=3 * 365)
BLOCKS = {1: 1, 2: 2, 3: 1}  # so many times the smallest block to its weight
_TOKENS = {people.STATISTICIAN: VARIABLES["statistician"], people.CALLER: VARIABLES["caller"]}
TITLES = {"trial": "{} (rehearsal)", "register": "{}: envelope register (rehearsal)"}


@dataclass(frozen=True, slots=True)
class Stage:
    """What the play needs: the configuration of the rehearsal, its script and files, and the sites' tokens."""

    config: Config
    script: Script
    config_file: Path
    identity: Path
    site_tokens: Mapping[str, SecretStr]

    def project_of(self, site: str) -> Project:
        """The trial project as a clinician of this site sees it."""
        return self._project(self.site_tokens[site])

    def packer_project(self) -> Project:
        """The envelope register as the packer sees it."""
        return self._project(token(self.config, "packer"))

    def _project(self, secret: SecretStr) -> Project:
        return Project(self.config.redcap.url, secret.get_secret_value(), timeout=(10, 60))


def fresh_folder(folder: Path) -> Path:
    """An empty folder for the rehearsal; whatever an earlier rehearsal kept in it is gone.

    Raises:
        ConfigError: it is no folder, or holds something that is not a rehearsal.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise ConfigError(f"{folder}: is not a folder; name an empty or new one with --folder")
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise ConfigError(f"{folder}: holds something else than a rehearsal; name an empty folder with --folder")
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        (folder / MARK).touch()
    except OSError as error:
        raise ConfigError(f"{folder}: can't be made ({error.strerror}); name another with --folder") from None
    return folder


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """No other rehearsal uses the folder until the block ends.

    Raises:
        LockHeld: another one does.
    """
    lock = folder.resolve().with_name(f".{folder.resolve().name}.lock")
    try:
        with FileLock(lock, timeout=0):
            yield
    except Timeout:
        raise LockHeld(f"{folder}: another rehearsal is at work there; stop it, or name another --folder") from None


def write_files(shipped: Path, folder: Path, url: str, today: date) -> tuple[Path, Path]:
    """The rehearsal's own files are in the folder; returns those of configuration and packer's age identity.

    Args:
        shipped: The configuration that is rehearsed.
        folder: Where the rehearsal keeps its files.
        url: The API of the local REDCap.
        today: The day the story ends; trial and sites open in time for its first patient.
    """
    identity, recipient = _age_key(folder / "packer.agekey")
    smallest = sum(arm.ratio for arm in load(shipped).arms)
    _private(folder / "blocks.yaml", "".join(f"{times * smallest}: {weight}\n" for times, weight in BLOCKS.items()))
    script = shipped.resolve().with_name(FILE)
    if script.exists():
        shutil.copyfile(script, folder / FILE)
    _, statistician = _age_key(folder / "statistician.agekey")
    return _config_file(shipped, folder, url, (recipient, statistician), today), identity


def set_stage(files: tuple[Path, Path], server: Running, database: Path, show: Callable[[Plan], str]) -> Stage:
    """Both projects stand on the server with the trial's instruments, and everybody has a token.

    Args:
        files: Configuration and identity of the rehearsal, from `write_files`.
        server: The running local REDCap.
        database: Its database file; tokens are given out there, as an administrator would.
        show: Is shown each plan before it is applied; answers with the digest to apply.
    """
    config_file, identity = files
    config = load(config_file)
    admin = {name: _project(config, name, server) for name in TITLES}
    for name, secret in admin.items():
        push(config, "trial" if name == "trial" else "register", Gateway(server.url, secret), show)
    sites = [site.code for site in config.sites]
    roles = [role.label for role in read_design(config, "trial").roles or ()]
    members = {"trial": people.trial(sites, roles), "register": people.REGISTER}
    for name, several in members.items():
        people.invite(Project(server.url, admin[name].get_secret_value()), several)
    numbers = {name: int(Gateway(server.url, secret).project()["project_id"]) for name, secret in admin.items()}
    _by_hand(config, database, numbers["trial"])
    tokens = {
        VARIABLES["trial"]: give_token(database, numbers["trial"], people.COORDINATOR),
        VARIABLES["register"]: give_token(database, numbers["register"], people.COORDINATOR),
        VARIABLES["packer"]: give_token(database, numbers["register"], people.PACKER),
    }
    for user in {member.user for member in members["trial"]} & {people.STATISTICIAN, people.CALLER}:
        tokens[_TOKENS[user]] = give_token(database, numbers["trial"], user)
    _private(config_file.with_name("tokens.env"), "".join(f"{name}={value}\n" for name, value in tokens.items()))
    site_tokens = {site: SecretStr(give_token(database, numbers["trial"], people.site_user(site))) for site in sites}
    return Stage(config, read_script(config_file), config_file, identity, site_tokens)


def _by_hand(config: Config, database: Path, project: int) -> None:
    """What REDCap's API does not take, done as an administrator would: labels of forms, and form display logic."""
    logic, design = folder_of(config, "trial") / DISPLAY, read_design(config, "trial")
    with opened(database) as connection:
        for form in design.dictionary.forms:
            label_form(connection, loaded(connection, project), form, design.labels.form(form))
        if logic.exists():
            set_display_logic(connection, loaded(connection, project), logic.read_text(encoding="utf-8"))


def _project(config: Config, name: str, server: Running) -> SecretStr:
    title = TITLES[name].format(config.trial.title)
    return create_project(
        server.url,
        SecretStr(server.super_token),
        {"project_title": title, "purpose": "2", "is_longitudinal": "1" if name == "trial" else "0"},
    )


def _age_key(path: Path) -> tuple[Path, str]:
    from pyrage import x25519

    identity = x25519.Identity.generate()
    _private(path, f"{identity}\n")
    return path, str(identity.to_public())


def _config_file(shipped: Path, folder: Path, url: str, keys: tuple[str, str], today: date) -> Path:
    """The shipped configuration with the rehearsal's server, keys and folders; lists of the domain `dev`."""
    yaml = YAML()
    tree = yaml.load(shipped.read_text(encoding="utf-8"))
    home = shipped.resolve().parent
    tree["redcap"].update(url=url, tokens_file="tokens.env")
    tree["envelopes"].update(domain="dev", recipients=[keys[0]], blocks_file="blocks.yaml")
    tree["recipients"] = [{"profile": "closed", "age": keys[1]}]
    tree["redcap"].pop("projects", None)
    tree["folders"].update(
        instruments=str(home / tree["folders"]["instruments"]),
        tables="randomization_tables",
        reports=_reports(home / tree["folders"]["reports"]),
    )
    opens = today - BEFORE
    tree["trial"].update(starts=opens, ends=opens + LASTS)
    for site in tree["sites"]:
        site["opens"] = opens
    path = folder / "config.yaml"
    with path.open("w", encoding="utf-8") as stream:
        yaml.dump(tree, stream)
    return path


def _reports(shipped: Path) -> str:
    """The trial's own reports folder, as long as no real run has been published there."""
    known = servers(shipped)
    local = known is not None and all(url.startswith("http://127.0.0.1:") for url in known)
    return str(shipped) if local and not (shipped / "ledger.jsonl").exists() else "reports"


def _private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
