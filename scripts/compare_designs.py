"""Compare ways to allocate by simulated trials."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trialdesk.console import DEFAULT_CONFIG, ConfigOption, application, command, run
from trialdesk.errors import OutputFailed

if TYPE_CHECKING:
    from trialdesk.designs.comparing import Run
    from trialdesk.designs.playing import Measures
    from trialdesk.designs.settings import Comparison

OPEN, SEALED = "designs.html", "designs-sealed.html.age"
app = application(
    "Compare ways to allocate by simulated trials: balance, guessing, unfinished blocks, envelopes, blocked patients."
)


@command(app, "compared", OutputFailed)
def compare_designs(
    *,
    designs: Annotated[Path, typer.Option(metavar="FILE", help="The designs, YAML; docs/designs.yaml is an example.")],
    config: ConfigOption = DEFAULT_CONFIG,
    patients: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="Patients of a trial; default: the trial's target.")
    ] = None,
    trials: Annotated[int, typer.Option(min=2, max=100_000, help="Simulated trials of each design.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same figures.")] = 1,
    processes: Annotated[int, typer.Option(min=1, max=64, help="How many processes share the work.")] = 2,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where to; default: designs among the reports.")
    ] = None,
) -> None:
    """Show the comparison and write two pages: an open one, and one with block sizes, sealed for envelopes.recipients.

    Sizes of sites are their targets. Who may read the open page is said on it.
    """
    from datetime import datetime

    from rich.console import Console

    from trialdesk.allocation.sealing import seal
    from trialdesk.config import load
    from trialdesk.designs.comparing import Run
    from trialdesk.designs.page import Played, open_page, sealed_page
    from trialdesk.designs.settings import read_comparison
    from trialdesk.designs.summary import rows, schemes
    from trialdesk.designs.table import comparison
    from trialdesk.private import place

    trial = load(config)
    asked = read_comparison(designs, trial, patients or trial.trial.target)
    settings = Run(trials, seed, processes)
    measured = _measured(asked, settings)
    found = rows(asked.designs, measured)
    played = Played(trial, asked.coming, settings, datetime.now(trial.trial.zone).date())
    for row in found:
        print(f"{row.letter}  {row.name}: {row.words}{f'; {row.sending}' if row.sending else ''}")
    Console().print(comparison(found))
    folder = out or trial.reports / "designs"
    place(folder / OPEN, open_page(played, found).encode())
    print(folder / OPEN)
    if not trial.envelopes.recipients:
        print("envelopes: recipients is empty, so nothing is sealed: the page with block sizes is not written")
        return
    page = sealed_page(played, found, schemes(asked.designs, measured))
    place(folder / SEALED, seal(page, trial.envelopes.recipients))
    print(folder / SEALED)


def _measured(asked: Comparison, settings: Run) -> list[Measures]:
    """Every design played, with a bar for who watches."""
    from rich.console import Console
    from rich.progress import Progress

    from trialdesk.designs.comparing import compare

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("simulated trials", total=settings.trials * len(asked.designs))
        return compare(asked.coming, asked.designs, settings, lambda trials: bar.advance(task, trials))


if __name__ == "__main__":
    run(app)
