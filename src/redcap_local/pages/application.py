"""The pages as routes: entering, choosing a user, and everything in a project."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlencode

from flask import Flask, Response, redirect, request

from redcap_local.call import Server
from redcap_local.chance import same
from redcap_local.messages import ApiError
from redcap_local.pages import (
    allocating,
    dashboard,
    downloads,
    exporting,
    form_save,
    form_view,
    history,
    importing,
    log_view,
    looks,
    project_home,
    project_setup,
    quality,
    record_home,
)
from redcap_local.pages.editors import Editors
from redcap_local.pages.guarding import Door
from redcap_local.pages.project_home import open_groups
from redcap_local.pages.rooms import enter_room, open_rooms
from redcap_local.pages.sessions import Session, Sessions
from redcap_local.pages.visit import Answer, Moved, NoSuchPlace, Sent, Shown, Visit, begin
from redcap_local.passwords import is_right
from redcap_local.project import ProjectCache
from redcap_local.rights import is_in_force
from redcap_local.storage import log, people, structure
from redcap_local.storage.database import Database
from redcap_local.wire.parameters import Upload

CLOSED = (
    "This server can be reached from beyond its machine: its pages need https in front of them. "
    "Start it with --behind-https URL, or without --host.\n"
)
NOT_ENTERED = "Open the address that the server printed when it was started: it lets one browser in, once."
FOREIGN = "This request does not come from a page of this server.\n"


@dataclass(frozen=True, slots=True)
class View:
    """One page of a project: what it shows, what it changes, and what it shows when a change was refused."""

    show: Callable[[Visit], Answer]
    change: Callable[[Visit], Answer] | None = None
    refused: Callable[[Visit, ApiError], Answer] | None = None


VIEWS: Mapping[str, View] = {
    "index.php": View(project_home.show, project_home.change),
    "DataExport/index.php": View(exporting.show, exporting.change, exporting.refused),
    "index.php?route=DataImportController:index": View(importing.show, importing.change, importing.refused),
    "DataQuality/index.php": View(quality.show, quality.change, quality.refused),
    "Logging/index.php": View(log_view.show),
    "Randomization/index.php": View(allocating.show, allocating.change, allocating.refused),
    "ProjectSetup/index.php": View(project_setup.show, project_setup.change, project_setup.refused),
    "DataEntry/record_status_dashboard.php": View(dashboard.show),
    "DataEntry/record_home.php": View(record_home.show, record_home.change),
    "DataEntry/index.php": View(form_view.show, form_save.change, form_view.refused),
    "DataEntry/file_download.php": View(downloads.show),
    "DataEntry/data_history.php": View(history.show),
}


class Pages:
    """The pages of one server."""

    def __init__(self, database: Database, server: Server, door: Door) -> None:
        self.sessions = Sessions(server.clock)
        self._database = database
        self._server = server
        self._door = door
        self._editors = Editors(server.clock)
        self._projects = ProjectCache()

    def start_address(self) -> str:
        """A new address at which one browser may enter, once; behind https the one address for all, '' for no pages."""
        if self._door.https or not self._door.open:
            return self._door.https
        return f"{self._server.address}/start/{self.sessions.new_start()}"

    def register(self, app: Flask) -> None:
        """The application answers the addresses of the pages."""
        app.before_request(self._foreign)
        app.add_url_rule("/", "choose", self._entered(self._choose), methods=["GET", "POST"])
        app.add_url_rule("/start/<secret>", "start", self._start, methods=["GET"])
        app.add_url_rule("/leave", "leave", self._entered(self._leave), methods=["POST"])
        app.add_url_rule("/another", "another", self._entered(self._another), methods=["POST"])
        address = "/redcap_v<version>/<path:page>"
        app.add_url_rule(address, "page", self._entered(self._page), methods=["GET", "POST"])

    def _foreign(self) -> Response | None:
        """A refusal of what was meant for another name, or comes from a foreign page."""
        if not self._door.knows_host(request.host):
            return _plain(FOREIGN, 403)
        if request.path.endswith("/api/"):
            return None
        if not self._door.open:
            return _plain(CLOSED, 403)
        return None if self._door.knows_origin(request) else _plain(FOREIGN, 403)

    def _start(self, secret: str) -> Response:
        session = None if self._door.https else self.sessions.enter(secret)
        if session is None:
            words = "This address has been used before, or belongs to an earlier start of the server."
            return looks.page("told.html.j2", {"title": "Not here", "text": words, "back": ""}, 403)
        return self._with_cookie(_onwards("/"), session)

    def _entered(self, view: Callable[..., Response]) -> Callable[..., Response]:
        """The view for browsers that have entered, whose forms are this server's own."""

        def answer(**place: str) -> Response:
            session = self.sessions.find(request.cookies.get(self._door.cookie, ""))
            if session is None and self._door.https:
                session = self.sessions.begin("")
            if session is None:
                # Followed from elsewhere, a link comes without the cookie; from this page it comes with it.
                told = {"title": "Not entered yet", "text": NOT_ENTERED, "back": _local(request.full_path)}
                return looks.page("told.html.j2", told, 403)
            if request.method == "POST" and not same(request.form.get("csrf", ""), session.csrf):
                words = "The page was older than your session. Go back, load it again and try once more."
                return looks.page("told.html.j2", {"title": "Too old", "text": words, "back": "/"}, 403)
            try:
                return view(session, **place)
            except NoSuchPlace as fault:
                return looks.page("told.html.j2", {"title": "Not found", "text": f"{fault}.", "back": "/"}, 404)
            except ApiError as fault:
                return looks.page("told.html.j2", {"title": "Refused", "text": fault.text, "back": "/"}, fault.status)

        return answer

    def _choose(self, session: Session) -> Response:
        """Who somebody is, and then their projects."""
        with self._database.read() as connection:
            if request.method == "POST":
                return self._chosen(connection, session)
            values = {"session": session, "version": self._server.version, "password": bool(self._door.https)}
            if not session.username:
                values |= {"accounts": people.accounts(connection), "to": _local(request.args.get("to", ""))}
                return self._with_cookie(looks.page("choose.html.j2", {**values, "wrong": ""}), session)
            mine = [
                (self._projects.get(connection, row["project"]), row)
                for row in people.memberships_of(connection, session.username)
                if is_in_force(row, self._server.clock())
            ]
            return looks.page("projects.html.j2", {**values, "projects": mine})

    def _chosen(self, connection: sqlite3.Connection, session: Session) -> Response:
        name, to = request.form.get("username", ""), _local(request.form.get("to", ""))
        accounts = people.accounts(connection)
        wrong = self._wrong(connection, name, known=name in dict(accounts))
        if wrong:
            values = {"session": session, "version": self._server.version, "password": bool(self._door.https)}
            values |= {"accounts": accounts, "to": to, "wrong": wrong}
            return looks.page("choose.html.j2", values, 403)
        self.sessions.went_right(name)
        return self._with_cookie(_onwards(to or "/"), self.sessions.begin(name, session))

    def _wrong(self, connection: sqlite3.Connection, name: str, *, known: bool) -> str:
        """Why nobody enters under that name, '' when all is right; an unknown one takes as long as a known one."""
        right = not self._door.https or is_right(request.form.get("password", ""), people.password(connection, name))
        if known and self.sessions.must_wait(name):
            return "Too many wrong passwords: wait five minutes."
        if known and right:
            return ""
        if known:
            self.sessions.went_wrong(name)
        return "User name or password is wrong."

    def _leave(self, session: Session) -> Response:
        return self._with_cookie(_onwards("/"), self.sessions.leave(session))

    def _another(self, session: Session) -> Response:
        """An address for one more browser of this machine, for a second user beside the first."""
        if self._door.https:
            raise NoSuchPlace("with passwords, every browser enters by itself")
        return looks.page("another.html.j2", {"session": session, "address": self.start_address()})

    def _page(self, session: Session, version: str, page: str) -> Response:
        place = _place(page)
        view = VIEWS.get(place)
        if view is None or version != self._server.version:
            raise NoSuchPlace("there is no such page on this server")
        if not session.username:
            return _onwards(f"/?{urlencode({'to': request.full_path})}")
        if request.method == "POST":
            return self._changed(view, session, place)
        with self._database.read() as connection:
            visit = self._visit(connection, session)
            enter_room(visit, place)
            return _response(view.show(visit), visit)

    def _changed(self, view: View, session: Session, place: str) -> Response:
        if view.change is None:
            raise NoSuchPlace("nothing can be changed on this page")
        try:
            with self._database.write() as connection:
                visit = self._visit(connection, session)
                enter_room(visit, place)
                answer = view.change(visit)
                log.write(connection, visit.project.id, visit.call.notes)
                return _response(answer, visit)
        except ApiError as fault:
            if view.refused is None:
                raise
            with self._database.read() as connection:
                visit = self._visit(connection, session)
                enter_room(visit, place)
                return _response(view.refused(visit, fault), visit)

    def _visit(self, connection: sqlite3.Connection, session: Session) -> Visit:
        asked = {**request.args.to_dict(), **request.form.to_dict()}
        number = asked.get("pid", "")
        if number not in {str(one) for one in structure.project_ids(connection)}:
            raise NoSuchPlace(f"there is no project {number[:40]!r}")
        project = self._projects.get(connection, int(number))
        call, addresses = begin(self._server, connection, project, session.username, self._server.clock())
        uploads = {
            name: Upload(file.filename or "file", file.mimetype or "application/octet-stream", file.read())
            for name, file in request.files.items()
            if file.filename
        }
        return Visit(call, session, self._editors, addresses, asked, uploads)

    def _with_cookie(self, response: Response, session: Session) -> Response:
        response.set_cookie(
            self._door.cookie, session.key, httponly=True, samesite="Strict", secure=bool(self._door.https), path="/"
        )
        return looks.guarded(response)


def _place(page: str) -> str:
    """The key of a page in VIEWS; one script has several pages, told apart by their route."""
    route = request.args.get("route", "")
    return f"{page}?route={route}" if route else page


def _plain(text: str, status: int) -> Response:
    return looks.guarded(Response(text, status, mimetype="text/plain"))


def _onwards(address: str) -> Response:
    return looks.guarded(cast("Response", redirect(address, 303)))


def _local(address: str) -> str:
    """The address, if it is one of this server's pages; else nothing: nobody is led elsewhere."""
    return address if address.startswith("/redcap_v") else ""


def _response(answer: Answer, visit: Visit) -> Response:
    match answer:
        case Moved():
            return _onwards(answer.address)
        case Sent():
            return looks.download(answer.name, answer.mime, answer.content)
        case Shown():
            frame = {
                "session": visit.session,
                "project": visit.project,
                "user": visit.user,
                "to": visit.addresses,
                "groups": open_groups(visit),
                "rooms": list(open_rooms(visit)),
                "here": _place((request.view_args or {}).get("page", "")),
            }
            return looks.page(answer.template, {**frame, **answer.values}, answer.status)
