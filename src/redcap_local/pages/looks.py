"""Pages made of templates, with the headers that keep a browser from doing more than they ask."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import cache
from urllib.parse import quote

from flask import Response
from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined

from redcap_forms.javascript import literal
from redcap_forms.markup import shown
from redcap_local.pages.standing import WORDS

BANNER = "This is not REDCap: a local stand-in for trying things out. It holds no patients."


@cache
def _environment() -> Environment:
    rooms = {"form": PackageLoader("redcap_forms", ""), "pages": PackageLoader("redcap_local.pages", "")}
    made = Environment(loader=PrefixLoader(rooms), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    made.filters |= {"literal": literal, "markup": shown}
    made.globals |= {"banner": BANNER, "words": WORDS}
    return made


def page(template: str, values: Mapping[str, object], status: int = 200) -> Response:
    """The page; it runs its own script only and loads nothing from elsewhere."""
    nonce = secrets.token_urlsafe(16)
    text = _environment().get_template(f"pages/{template}").render(**values, nonce=nonce)
    response = Response(text, status, mimetype="text/html")
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return guarded(response)


def download(name: str, mime: str, content: bytes) -> Response:
    """A file to keep; the browser never shows it as a page."""
    response = Response(content, mimetype=mime)
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return guarded(response)


def guarded(response: Response) -> Response:
    """The response with the headers every page has."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
