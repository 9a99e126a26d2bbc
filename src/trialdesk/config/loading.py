"""Reading config.yaml; every problem with its line and the way out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from trialdesk.config.whole import Config
from trialdesk.errors import ConfigError


def load(path: Path) -> Config:
    """The checked configuration in `path`.

    Raises:
        ConfigError: the file is missing, is not YAML, or has problems; every problem is listed with its line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; name the trial's configuration with --config") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: can't be read ({type(error).__name__}); it has to be UTF-8 text") from None
    try:
        tree = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = (error.problem_mark or error.context_mark).line + 1 if error.problem_mark or error.context_mark else 1
        what = str(error.problem or error.context).strip().splitlines()[0]
        raise ConfigError(f"{path.name}:{line}: not YAML: {what}") from None
    except YAMLError as error:
        raise ConfigError(f"{path.name}: not YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(tree, dict):
        raise ConfigError(
            f"{path.name}:1: the file is not a list of settings; start from the config.yaml of the project"
        )
    try:
        return Config.model_validate({**tree, "home": path.resolve().parent})
    except ValidationError as error:
        raise ConfigError(*_lines(error, tree, path.name)) from None


def _lines(error: ValidationError, tree: Any, name: str) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_context=False):
        place = tuple(step for step in problem["loc"] if not str(step).startswith(("function-", "tuple[")))
        where = ".".join(str(step) for step in place)
        for message in problem["msg"].removeprefix("Value error, ").splitlines():
            line = _line(tree, place)
            yield f"{name}:{line}: {where + ': ' if where else ''}{_plain(problem['type'], message, problem['input'])}"


def _plain(kind: str, message: str, given: object) -> str:
    match kind:
        case "missing":
            return "is missing; add it (see the project's own config.yaml)"
        case "extra_forbidden":
            return "is not a setting; check the spelling or remove it"
        case "string_type":
            return f"{given!r} is read as a number or date; put it in quotes"
        case "value_error":
            return message
        case _:
            return f"{message[0].lower()}{message[1:]} (found {given!r})"


def _line(tree: Any, place: tuple[int | str, ...]) -> int:
    """The line (from 1) of the deepest part of `place` that is in the file."""
    line = 1
    for step in place:
        try:
            position = tree.lc.item(step) if isinstance(step, int) else tree.lc.key(step)
            line, tree = position[0] + 1, tree[step]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line
