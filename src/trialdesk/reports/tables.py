"""The dataset as files: a CSV for each table, one workbook, and Parquet where it is asked for; all of them or none."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from trialdesk.config import Config
from trialdesk.errors import ConfigError, OutputFailed
from trialdesk.private import place
from trialdesk.reports.dataset import Table, csv_text, sheets
from trialdesk.tripwire import proved
from trialdesk.workbook import save


def write(folder: Path, tables: Sequence[Table], config: Config, *, parquet: bool) -> None:
    """The folder is new and holds every table, readable by its owner alone.

    Raises:
        ConfigError: Parquet is asked for, and the extra `analysis` is not installed.
        OutputFailed: there is such a folder, or it can't be written.
        SanityFailed: a cell looks like a civil registration number.
    """
    if folder.exists():
        raise OutputFailed(f"{folder}: is there already and is kept; name another folder with --out")
    building = folder.with_name(f".building-{folder.name}")
    shutil.rmtree(building, ignore_errors=True)
    try:
        _build(building, tables, config, parquet=parquet)
        building.rename(folder)
    except OSError as error:
        raise OutputFailed(f"{folder}: can't be made ({error.strerror}); name another folder with --out") from None
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _build(building: Path, tables: Sequence[Table], config: Config, *, parquet: bool) -> None:
    for table in tables:
        name, text = f"{table.name}.csv", csv_text(table, config.dataset.delimiter).encode()
        place(building / name, proved(name, [text]))
        if parquet:
            _parquet(building / f"{table.name}.parquet", table)
    save(building / "dataset.xlsx", sheets(tables), f"{config.trial.id} · dataset")


def _parquet(path: Path, table: Table) -> None:
    from io import BytesIO

    import pandas as pd

    content = BytesIO()
    try:
        pd.DataFrame(list(table.rows), columns=list(table.columns), dtype="string").to_parquet(content, index=False)
    except ImportError:
        raise ConfigError("--parquet needs pyarrow: .venv/bin/pip install pyarrow (extra `analysis`)") from None
    place(path, content.getvalue())
