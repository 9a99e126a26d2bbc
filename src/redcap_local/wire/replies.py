"""What a handler gives back: a body with its content type, and the usual bodies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from redcap_local.wire.text import XML_PROLOG, cdata, csv_cell, csv_quoted, json_text

_MIME = re.compile(r"[\w.+-]{1,100}/[\w.+-]{1,100}", re.ASCII)
MIME = {
    "json": "application/json; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "xml": "text/xml; charset=utf-8",
    "odm": "text/xml; charset=utf-8",
    "text": "text/html; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """A body, whole or in chunks, and its content type; `promised` is a length told instead of the true one."""

    body: bytes | Iterable[bytes]
    mime: str
    status: int = 200
    promised: int | None = None

    @property
    def whole(self) -> bytes:
        """The body in one piece."""
        return self.body if isinstance(self.body, bytes) else b"".join(self.body)


Cell = str | int | None | dict[str, int]


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of one content.

    `between` stands between the elements of JSON, `root` names the XML root, `quoted` the CSV columns that are quoted
    whatever they hold, `final_newline` whether the CSV ends with a line break (reference/redcap-api.md 3.1, 3.2).
    """

    columns: Sequence[str]
    rows: Sequence[Mapping[str, Cell]]
    root: str = "items"
    quoted: frozenset[str] = field(default=frozenset())
    final_newline: bool = True
    between: str = ","


def text(value: str) -> Reply:
    """A plain text."""
    return Reply(value.encode(), MIME["text"])


def nothing() -> Reply:
    """An empty body, as after files are uploaded or deleted."""
    return Reply(b"", MIME["text"])


def file(name: str, mime: str, content: bytes) -> Reply:
    """A file, its name in the content type (reference/redcap-api.md 1.1)."""
    mime = mime if _MIME.fullmatch(mime) else "application/octet-stream"
    safe = "".join(c if c.isprintable() and c not in '"\\' else "_" for c in name)
    # Headers are Latin-1 on the wire; bytes of UTF-8 pass through them unchanged.
    charset = ";charset=UTF-8" if mime.startswith("text/") else ""
    return Reply(content, f'{mime}; name="{safe}"{charset}'.encode().decode("latin-1"))


def number(value: int, form: str) -> Reply:
    """A bare number, whatever the format (reference/redcap-api.md 3.4)."""
    return Reply(str(value).encode(), MIME[form])


def error(status: int, message: str, form: str) -> Reply:
    """An error body (reference/redcap-api.md 2.3)."""
    body = {
        "json": f'{{"error":{json_text(message)}}}',
        "csv": f"ERROR: {message}",
        "xml": f"{XML_PROLOG}<hash><error>{xml_escaped(message)}</error></hash>",
    }[form]
    return Reply(body.encode(), MIME[form], status)


def xml_escaped(value: str) -> str:
    """Text of an XML element outside CDATA; characters XML cannot carry are dropped."""
    from xml.sax.saxutils import escape

    return escape("".join(c for c in value if c in "\t\n\r" or c >= " "))


def table(content: Grid, form: str, delimiter: str = ",") -> Reply:
    """The rows in the format asked for."""
    if form == "json":
        rows = (json.dumps({c: row[c] for c in content.columns}, separators=(",", ":")) for row in content.rows)
        return Reply(f"[{content.between.join(rows)}]".replace("/", "\\/").encode(), MIME["json"])
    if form == "csv":
        return Reply(_csv(content, delimiter).encode(), MIME["csv"])
    return Reply(_xml(content).encode(), MIME["xml"])


def sparse_table(content: Grid, form: str) -> Reply:
    """Rows that lack some columns: JSON objects without the keys, blank cells in CSV."""
    if form == "json":
        body = json.dumps(list(content.rows), separators=(",", ":")).replace("/", "\\/")
        return Reply(body.encode(), MIME["json"])
    full: list[dict[str, Cell]] = [{c: row.get(c, "") for c in content.columns} for row in content.rows]
    return table(Grid(content.columns, full, content.root), form)


def one_object(columns: Sequence[str], row: Mapping[str, Cell], form: str) -> Reply:
    """A single item: an object in JSON, one line under a header in CSV, no root list in XML."""
    if form == "json":
        body = json.dumps({c: row[c] for c in columns}, separators=(",", ":")).replace("/", "\\/")
        return Reply(body.encode(), MIME["json"])
    return table(Grid(columns, [row]), form)


def _flat(value: Cell) -> str:
    if isinstance(value, dict):
        return ",".join(f"{key}:{number}" for key, number in value.items())
    return "" if value is None else str(value)


def _csv(content: Grid, delimiter: str) -> str:
    if not content.rows and not content.columns:
        return "\n"
    cell = csv_cell(delimiter)
    writers = [csv_quoted if column in content.quoted else cell for column in content.columns]
    lines = [delimiter.join(map(cell, content.columns))]
    lines.extend(
        delimiter.join(write(_flat(row[column])) for write, column in zip(writers, content.columns, strict=True))
        for row in content.rows
    )
    return "\n".join(lines) + ("\n" if content.final_newline else "")


def _xml(content: Grid) -> str:
    items = "".join(
        "<item>" + "".join(_xml_element(column, row[column]) for column in content.columns) + "</item>"
        for row in content.rows
    )
    return f"{XML_PROLOG}<{content.root}>{items}</{content.root}>"


def _xml_element(name: str, value: Cell) -> str:
    if isinstance(value, dict):
        inner = "".join(f"<{key}>{number}</{key}>" for key, number in value.items())
    elif isinstance(value, int):
        inner = str(value)
    else:
        inner = cdata(value or "")
    return f"<{name}>{inner}</{name}>"
