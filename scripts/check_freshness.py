"""Whether the newest run is young enough: for another scheduler than the one that starts the runs."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from trialdesk.console import DEFAULT_CONFIG, ConfigOption, application, command, run
from trialdesk.errors import Stale

app = application("Say whether the newest run is young enough. Asks nothing of REDCap and needs no token.")


@command(app, "young enough", Stale)
def check_freshness(
    config: ConfigOption = DEFAULT_CONFIG,
    max_age: Annotated[str, typer.Option("--max-age", metavar="HOURS", help="For example 26h, or 90m.")] = "26h",
) -> None:
    """Read the newest published run, and how the last one ended."""
    from trialdesk.config import load
    from trialdesk.nightly.heartbeat import HEARTBEAT
    from trialdesk.nightly.publish import LATEST

    asked = re.fullmatch(r"([0-9]+)([hm])", max_age)
    if not asked:
        raise typer.BadParameter("hours or minutes, for example 26h or 90m", param_hint="--max-age")
    allowed = timedelta(hours=int(asked[1])) if asked[2] == "h" else timedelta(minutes=int(asked[1]))
    trial = load(config)
    try:
        made = json.loads((trial.reports / LATEST / "summary.json").read_text(encoding="utf-8"))["data_as_of"]
        age = datetime.now(UTC) - datetime.fromisoformat(made)
    except (OSError, ValueError, KeyError, TypeError):
        raise Stale(f"{trial.reports / LATEST}: there is no run; start one: nightly_sync.py --once") from None
    try:
        beat = json.loads((trial.state / HEARTBEAT).read_text(encoding="utf-8"))
        last = f"; the last start, {beat['at']}, ended with exit code {beat['exit_code']}"
    except (OSError, ValueError, KeyError, TypeError):
        last = ""
    hours = f"the newest run is {age.total_seconds() / 3600:.1f} h old{last}"
    if age > allowed:
        raise Stale(f"{hours}; look why: nightly_sync.py doctor")
    print(hours)


if __name__ == "__main__":
    run(app)
