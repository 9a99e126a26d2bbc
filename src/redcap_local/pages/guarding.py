"""What a request must be to be answered at all: from this server's own pages, under its own name."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Request


@dataclass(frozen=True, slots=True)
class Door:
    """How browsers reach the pages: the port, whether only from this machine, and the https address in front."""

    port: int
    loopback: bool
    https: str = ""

    @property
    def open(self) -> bool:
        """Whether there are pages at all: beyond this machine they need https in front of them."""
        return self.loopback or bool(self.https)

    @property
    def cookie(self) -> str:
        """The cookie's name: two servers of one machine share its cookies, whatever their ports."""
        return f"redcap_local_{self.port}"

    def knows_host(self, host: str) -> bool:
        """Whether a request for that host is meant for this server; a foreign name would be DNS rebinding."""
        if self.https and host.lower() == urlsplit(self.https).netloc.lower():
            return True
        beyond = not self.loopback and not self.https
        return beyond or is_loopback(urlsplit(f"//{host}").hostname or "")

    def knows_origin(self, request: Request) -> bool:
        """Whether a request comes from a page of this server, or from no page at all."""
        origin = request.headers.get("Origin")
        if origin is None:
            return request.headers.get("Sec-Fetch-Site", "none") in {"none", "same-origin"} or request.method == "GET"
        own = self.https.rstrip("/") if self.https else f"http://{request.host}"
        return origin.lower() == own.lower()


def is_loopback(name: str) -> bool:
    """True when only this machine reaches the host of that name or address."""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
