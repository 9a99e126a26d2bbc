"""A plain PDF 1.3 of text lines, enough to be opened and read."""

from __future__ import annotations

from collections.abc import Sequence

_LINES, _WIDTH = 56, 96
_ESCAPES = str.maketrans({"\\": r"\\", "(": r"\(", ")": r"\)", "\r": " ", "\n": " ", "\t": " "})


def document(title: str, lines: Sequence[str]) -> bytes:
    """A PDF of the lines under a title, folded and spread over pages of A4."""
    folded = [title, "", *(part for line in lines for part in _folded(line))]
    pages = [folded[start : start + _LINES] for start in range(0, len(folded), _LINES)]
    numbers = [4 + 2 * place for place in range(len(pages))]
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{' '.join(f'{n} 0 R' for n in numbers)}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, page in zip(numbers, pages, strict=True):
        content = _content(page)
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {number + 1} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        objects.append(f"<< /Length {len(content)} >>\nstream\n".encode() + content + b"\nendstream")
    return _file(objects)


def _folded(line: str) -> list[str]:
    return [line[start : start + _WIDTH] for start in range(0, len(line), _WIDTH)] or [""]


def _content(lines: Sequence[str]) -> bytes:
    shown = "\n".join(f"({line.translate(_ESCAPES)}) Tj T*" for line in lines)
    return f"BT /F1 10 Tf 14 TL 50 800 Td\n{shown}\nET".encode("cp1252", "replace")


def _file(objects: Sequence[bytes]) -> bytes:
    body = bytearray(b"%PDF-1.3\n")
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    trailer = f"<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    return bytes(body) + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n{trailer}".encode()
