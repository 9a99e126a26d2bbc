"""Reading config.yaml; every problem with its line and the way out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from trialdesk.config.fitting import Setting, misfits
from trialdesk.config.whole import Config
from trialdesk.config.wording import plain
from trialdesk.errors import ConfigError

Settings = TypeVar("Settings", bound=BaseModel)


def load(path: Path) -> Config:
    """The checked configuration in `path`.

    Raises:
        ConfigError: the file is missing, is not YAML, or has problems; every problem is listed with its line.
    """
    tree = _tree(path)
    problems: list[tuple[Setting, str]] = []
    try:
        config = Config.model_validate({**tree, "home": path.resolve().parent})
        blocks: Mapping[str, Any] = {name: getattr(config, name) for name in Config.model_fields}
    except ValidationError as error:
        details = error.errors(include_url=False)
        problems += _problems(details)
        blocks = _readable(tree, {str(detail["loc"][0]) for detail in details})
    problems += misfits(blocks)
    if problems:
        raise ConfigError(*_told(path, tree, problems))
    return config


def read_settings(path: Path, kind: type[Settings]) -> Settings:
    """Another file of settings, checked against its model.

    Raises:
        ConfigError: the file is not YAML, or has problems; every problem is listed with its line.
    """
    tree = _tree(path)
    try:
        return kind.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(*_told(path, tree, _problems(error.errors(include_url=False)))) from None


def lines(path: Path) -> Callable[[Setting], int]:
    """Where a setting of a readable configuration stands: its line, or that of the nearest block above it."""
    tree = _tree(path)
    return lambda place: _line(tree, place)


def _told(path: Path, tree: Any, problems: Iterable[tuple[Setting, str]]) -> list[str]:
    told = sorted((_line(tree, place), ".".join(map(str, place)), what) for place, what in problems)
    return [f"{path.name}:{line}: {where}: {what}" for line, where, what in told]


def _tree(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; name the trial's configuration with --config") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: can't be read ({type(error).__name__}); it has to be UTF-8 text") from None
    try:
        tree = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = str(error.problem or error.context).strip().splitlines()[0]
        raise ConfigError(f"{path.name}:{mark.line + 1 if mark else 1}: not YAML: {what}") from None
    except (YAMLError, ValueError) as error:
        raise ConfigError(f"{path.name}: not YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(tree, dict):
        raise ConfigError(f"{path.name}:1: the file holds no settings; docs/your-own-trial.md says what belongs there")
    return tree


def _readable(tree: Mapping[str, Any], unreadable: set[str]) -> dict[str, Any]:
    """The blocks without problems of their own."""
    blocks = {}
    for name, field in Config.model_fields.items():
        if name in tree and name not in unreadable:
            kind: Any = field.annotation
            blocks[name] = TypeAdapter(Annotated[kind, field]).validate_python(tree[name])
    return blocks


def _problems(details: list[ErrorDetails]) -> Iterator[tuple[Setting, str]]:
    places = [_place(detail["loc"]) for detail in details]
    for place, detail in zip(places, details, strict=True):
        # a list that is too short only because a member could not be read is no problem of its own
        if detail["type"] == "too_short" and any(len(p) > len(place) and p[: len(place)] == place for p in places):
            continue
        for message in detail["msg"].removeprefix("Value error, ").splitlines():
            yield place, plain(detail["type"], detail.get("ctx", {}), message, detail["input"])


def _place(steps: tuple[int | str, ...]) -> Setting:
    return tuple(step for step in steps if not str(step).startswith(("function-", "tuple[")))


def _line(tree: Any, place: Setting) -> int:
    """The line (from 1) of the deepest part of `place` that is in the file."""
    line = 1
    for step in place:
        try:
            position = tree.lc.item(step) if isinstance(step, int) else tree.lc.key(step)
            line, tree = position[0] + 1, tree[step]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line
