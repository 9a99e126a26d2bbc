"""Excel workbooks that people work from: tables as data in, one checked .xlsx out.

What goes wrong in generated workbooks is handled here once
(reference/trial-operations.md 4.8): text that starts like a formula
stays text, dates are dates, control characters and over-long text are cut visibly, sheet names are made valid, and the
file appears under its name only when it is whole and reads back.
"""

from trialdesk.workbook.layout import HEADER_ROW
from trialdesk.workbook.tables import (
    Block,
    Box,
    Chart,
    Column,
    Kind,
    Line,
    Link,
    SheetTable,
    Tone,
    Value,
    digest,
    worded,
)
from trialdesk.workbook.writing import as_bytes, save

__all__ = [
    "HEADER_ROW",
    "Block",
    "Box",
    "Chart",
    "Column",
    "Kind",
    "Line",
    "Link",
    "SheetTable",
    "Tone",
    "Value",
    "as_bytes",
    "digest",
    "save",
    "worded",
]
