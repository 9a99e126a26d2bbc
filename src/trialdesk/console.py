"""The edge to the terminal: one line for an error, no traceback, a documented exit code."""

from __future__ import annotations

import gc
import signal
import sys
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer

from trialdesk.errors import EXITS, INTERNAL, OK, WRONG_USE, ConfigError, TrialError

P = ParamSpec("P")

ConfigOption = Annotated[
    Path, typer.Option("--config", help="The trial's configuration.", show_default=True, metavar="FILE")
]
DEFAULT_CONFIG = Path("config.yaml")


def application(help_text: str) -> typer.Typer:
    """A command line whose errors never show values of variables: they may be tokens."""
    return typer.Typer(help=help_text, add_completion=False, pretty_exceptions_enable=False, no_args_is_help=False)


class Undeclared(UserWarning):
    """A command ended with an exit code its help does not name: a defect, which tests refuse."""


def command(
    app: typer.Typer, done: str, *more: int | type[TrialError], alone: bool = False, **settings: Any
) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """A command of `app` whose help names the exit codes it may end with.

    Args:
        app: The command line.
        done: What exit code 0 means here.
        more: The other codes, or the errors that have them; a wrong configuration may end every command.
        alone: Whether it is what the command line does when no command is named; its function asks the context.
        settings: For typer: name, help.
    """
    codes = {code if isinstance(code, int) else code.exit_code for code in (*more, ConfigError)}
    shown = [f"{OK} {done}", *(f"{code} {EXITS[code].meaning}" for code in sorted(codes))]
    always = f"Always possible: {WRONG_USE} wrong use · {INTERNAL} {EXITS[INTERNAL].meaning}."
    epilog = f"Exit codes: {' · '.join(shown)}. {always}"

    def add(function: Callable[P, None]) -> Callable[P, None]:
        @wraps(function)
        def watched(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                function(*args, **kwargs)
            except TrialError as error:
                _declared(error.exit_code, codes)
                raise
            except typer.Exit as end:
                _declared(end.exit_code, codes)
                raise

        if alone:
            app.callback(invoke_without_command=True, epilog=epilog, **settings)(watched)
        else:
            app.command(epilog=epilog, **settings)(watched)
        return watched

    return add


def _declared(code: int, codes: Collection[int]) -> None:
    if code not in codes and code != OK:
        warnings.warn(f"exit code {code} is not in the help of this command; please report this line", Undeclared, 4)


@contextmanager
def stages() -> Iterator[Callable[[str], None]]:
    """A function that shows what is being done now; silent where nobody watches."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("") as status:
        yield lambda stage: status.update(f"{stage} …")


def watched() -> bool:
    """Whether a person looks at what is printed."""
    return sys.stdout.isatty()


def run(app: Callable[[], object]) -> None:
    """Run `app` and leave with its exit code; an error of ours is one line on standard error.

    An unexpected exception becomes exit code 70 and names its kind and place only: its text may quote data.
    """
    signal.signal(signal.SIGTERM, _interrupted)
    # what a night makes lives to its end: looking for circles in it as often as usual takes a seventh of the night
    gc.set_threshold(100_000, 50, 100)
    # a half-written workbook of openpyxl complains when it is thrown away, which Python shows as a traceback
    if sys.unraisablehook is sys.__unraisablehook__:
        sys.unraisablehook = lambda _: None
    try:
        app()
    except TrialError as error:
        sys.stderr.write(f"{told(error, terminal=sys.stderr.isatty())}\n")
        sys.exit(error.exit_code)
    except Exception as error:  # noqa: BLE001 - the last place before a user would see a traceback
        sys.stderr.write(f"{fault(error)}\n")
        sys.exit(INTERNAL)


def told(error: TrialError, *, terminal: bool) -> str:
    """What is shown of an error: records and envelopes on a terminal alone; a log says where they are named."""
    if terminal or error.account is None or not error.names_records:
        return str(error)
    return f"{EXITS[error.exit_code].meaning} (exit code {error.exit_code}); which and why stands in {error.account}"


def _interrupted(*_: object) -> None:
    """Being told to end is like Ctrl-C: what was begun is taken back on the way out."""
    raise KeyboardInterrupt


def fault(error: BaseException) -> str:
    """A line about an unexpected error: its kind and place, never its text, which may quote data."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "unknown place"
    return f"internal error: {type(error).__name__} at {place}; please report this line"
