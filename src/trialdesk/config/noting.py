"""The one thing that is written into the configuration: the numbers REDCap gave the projects.

Only the line they stand in changes; comments and order are the trial's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from trialdesk.config.loading import load
from trialdesk.config.parts import Projects
from trialdesk.errors import ConfigError, OutputFailed
from trialdesk.private import place


def note_project(path: Path, project: str, number: str) -> bool:
    """The configuration names the number of a project; returns whether it did not before.

    Args:
        path: The configuration.
        project: `trial` or `envelopes`.
        number: REDCap's number of it.

    Raises:
        OutputFailed: the line can't be written; it says which one to add.
    """
    known = load(path).redcap.projects
    wanted = known.model_copy(update={project: number})
    if wanted == known:
        return False
    text = with_projects(path.read_text(encoding="utf-8"), wanted)
    mode = path.stat().st_mode
    fresh = path.with_name(f".{path.name}.new")
    try:
        place(fresh, text.encode())
        if load(fresh).redcap.projects != wanted:
            raise _by_hand(path, wanted)
        fresh.chmod(mode)
        fresh.replace(path)
    except (OSError, ConfigError, OutputFailed):
        raise _by_hand(path, wanted) from None
    finally:
        fresh.unlink(missing_ok=True)
    return True


def with_projects(text: str, projects: Projects) -> str:
    """The text of a configuration with the line `projects` under `redcap`, in place of an earlier one."""
    from ruamel.yaml import YAML

    redcap = YAML().load(text)["redcap"]
    lines = text.splitlines(keepends=True)
    after = redcap.lc.value("url")[0]
    if "projects" in redcap:
        held: Mapping[str, object] = redcap["projects"]
        first = redcap.lc.key("projects")[0]
        own = first if redcap["projects"].fa.flow_style() else redcap["projects"].lc.key(list(held)[-1])[0]
        del lines[first : own + 1]
        after = first - 1
    indent = " " * redcap.lc.key("url")[1]
    lines.insert(after + 1, f"{indent}{_line(projects)}\n")
    return "".join(lines)


def _line(projects: Projects) -> str:
    named = {name: number for name, number in projects.model_dump().items() if number}
    pairs = ", ".join(f'{name}: "{number}"' for name, number in named.items())
    return f"projects: {{{pairs}}}"


def _by_hand(path: Path, projects: Projects) -> OutputFailed:
    return OutputFailed(f"{path}: can't be changed; write `{_line(projects)}` under redcap there yourself")
