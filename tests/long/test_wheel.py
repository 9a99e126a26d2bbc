"""The wheel of this repository, built and used from outside of it, as somebody who has nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).parents[2]
HEADER = "Variable / Field Name,Form Name,Section Header,Field Type,Field Label"
DICTIONARY = f"""{HEADER},"Choices, Calculations, OR Slider Labels"
record_id,intake,,text,Record,
sex,intake,,radio,Sex,"1, Female | 2, Male"
"""
CLIENT_TEST = """
import os
from pathlib import Path

import pytest
import requests
from redcap.project import Project

DICTIONARY = Path(__file__).with_name("dictionary.csv")


def test_what_was_written_comes_back(redcap):
    project = redcap.project(DICTIONARY)
    mine = Project(project.url, project.token)
    assert mine.import_records([{"record_id": "1", "sex": "2"}])["count"] == 1
    assert [row["sex"] for row in mine.export_records()] == ["2"]
    assert project.token not in repr(project)


def test_a_project_is_made_of_xml(redcap):
    first = Project(redcap.url, redcap.project(DICTIONARY).token)
    xml = DICTIONARY.with_name("project.xml")
    xml.write_text(requests.post(redcap.url, data={"token": first.token, "content": "project_xml"}).text)
    second = redcap.project(xml=xml)
    assert [one["field_name"] for one in Project(second.url, second.token).metadata] == ["record_id", "sex"]


def test_the_next_answer_is_a_page_and_the_one_after_it_is_not(redcap):
    project = redcap.project(DICTIONARY)
    redcap.faults("html", times=1)
    asked = {"token": project.token, "content": "version"}
    assert "<html>" in requests.post(project.url, data=asked).text
    assert requests.post(project.url, data=asked).text == os.environ["EXPECTED"]


def test_a_dictionary_that_is_none_says_what_the_server_says(redcap, tmp_path):
    (tmp_path / "wrong.csv").write_text("a,b\\n1,2\\n")
    with pytest.raises(ValueError, match="refused"):
        redcap.project(tmp_path / "wrong.csv")
"""


@dataclass(frozen=True)
class Installed:
    """An environment that holds the wheel, and what it needs of ours, but nothing of the checkout."""

    python: Path
    home: Path

    def run(self, *words: str, expected: int = 0, **more: str) -> str:
        environment = {"PATH": f"{self.python.parent}:/usr/bin:/bin", "HOME": str(self.home), **more}
        done = subprocess.run(
            [*words], cwd=self.home, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == expected, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    tracked = subprocess.run(
        ["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    ).stdout.split(b"\0")
    for name in filter(None, tracked):
        target = source / name.decode()
        if (ROOT / name.decode()).exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name.decode(), target)
    pip = [sys.executable, "-m", "pip", "--no-input", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(folder), str(source)]
    subprocess.run(build, check=True, capture_output=True, cwd=folder)
    shutil.rmtree(source)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "env")], check=True)
    python = folder / "env" / "bin" / "python"
    where = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    library = Path(subprocess.run(where, check=True, capture_output=True, text=True).stdout.strip())
    # what the wheel needs is taken from the environment of the tests, without the line that leads to the checkout
    (library / "needed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    aim = ["--target", str(library), "--no-deps", "--no-index", "--quiet", str(wheel)]
    subprocess.run([*pip, "install", *aim], check=True, capture_output=True)
    shutil.copyfile(library / "bin" / "redcap-local", python.with_name("redcap-local"))
    script = python.with_name("redcap-local")
    script.write_text(script.read_text(encoding="utf-8").replace(sys.executable, str(python)), encoding="utf-8")
    script.chmod(0o755)
    home = folder / "home"
    home.mkdir()
    (home / "dictionary.csv").write_text(DICTIONARY, encoding="utf-8")
    yield Installed(python, home)


def test_its_command_makes_a_project_and_a_token(installed: Installed) -> None:
    """The five lines at the top of docs/local-redcap.md, without the checkout."""
    place = installed.run(str(installed.python), "-c", "import redcap_local; print(redcap_local.__file__)")
    assert str(ROOT) not in place
    server = subprocess.Popen(
        [installed.python.with_name("redcap-local"), "serve", "--db", "my.db"],
        cwd=installed.home, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stdout
        url = server.stdout.readline().split()[-1]
        start = server.stdout.readline().split()[2]
        assert "Who are you?" in requests.get(start, timeout=10).text
        assert installed.run("redcap-local", "project", "new", "--db", "my.db", "Mine").strip() == "1"
        token = installed.run(
            "redcap-local", "token", "--db", "my.db", "--project", "1", "--user", "site_admin"
        ).strip()
        call = f"from redcap import Project; print(Project({url!r}, {token!r}).export_project_info()['project_title'])"
        assert installed.run(str(installed.python), "-c", call).strip() == "Mine"
    finally:
        server.terminate()
        server.communicate()


@pytest.mark.parametrize("version", ["15.0.12", "16.1.9"])
def test_its_fixture_serves_the_tests_of_a_stranger(installed: Installed, version: str) -> None:
    """A project from a dictionary and from XML, a token, faults, and the version that was asked for."""
    (installed.home / "test_client.py").write_text(CLIENT_TEST, encoding="utf-8")
    words = [str(installed.python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--redcap-version", version]
    said = installed.run(*words, "test_client.py", EXPECTED=version)
    assert "4 passed" in said
