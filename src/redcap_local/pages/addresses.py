"""The addresses of the pages: REDCap's own, so that a link to a record leads to the same place."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses in one project of a server of that version."""

    version: str
    project: int

    def _at(self, place: str, **asked: object) -> str:
        given = {name: value for name, value in asked.items() if value not in ("", None)}
        return f"/redcap_v{self.version}/{place}?{urlencode({'pid': self.project, **given})}"

    def room(self, place: str, **told: object) -> str:
        """A page of the project's menu, by its place there."""
        path, _, route = place.partition("?route=")
        return self._at(path, route=route, **told)

    def home(self) -> str:
        """The project's own page."""
        return self._at("index.php")

    def dashboard(self, arm: int | None = None, start: int | None = None) -> str:
        """The record status grid of an arm, from the n-th record on."""
        return self._at("DataEntry/record_status_dashboard.php", arm=arm, start=start)

    def record(self, name: str, arm: int, message: str = "") -> str:
        """The record's own page with its events and forms."""
        return self._at("DataEntry/record_home.php", id=name, arm=arm, msg=message)

    def form(self, name: str, event: int, form: str, instance: int = 1, **told: str) -> str:
        """A form of a record; `msg` and `then` tell it what has just been saved, and where one was going."""
        shown = instance if instance != 1 else ""
        return self._at("DataEntry/index.php", id=name, event_id=event, page=form, instance=shown, **told)

    def file(self, name: str, event: int, field: str, instance: int) -> str:
        """The file in a field of a record."""
        return self._at("DataEntry/file_download.php", id=name, event_id=event, field_name=field, instance=instance)

    def history(self, name: str, event: int, field: str, instance: int) -> str:
        """What a field of a record has held."""
        return self._at("DataEntry/data_history.php", id=name, event_id=event, field_name=field, instance=instance)
