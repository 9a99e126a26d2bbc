"""Uploaded files and the folders of the File Repository."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """An uploaded file."""

    id: int
    name: str
    mime: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of the File Repository; only the named group or role sees it."""

    id: int
    parent: int | None
    name: str
    group: int | None
    role: int | None


def insert(connection: sqlite3.Connection, project: int, name: str, mime: str, content: bytes) -> int:
    """The file is kept; its document id is returned."""
    row = connection.execute(
        "insert into document (project, name, mime, content) values (?, ?, ?, ?) returning id",
        (project, name, mime, content),
    ).fetchone()
    return int(row[0])


def get(connection: sqlite3.Connection, project: int, document: int) -> Document | None:
    """The document of that id; None if the project has none."""
    row = connection.execute(
        "select id, name, mime, content from document where project = ? and id = ?", (project, document)
    ).fetchone()
    return None if row is None else Document(*row)


def names(connection: sqlite3.Connection, project: int) -> dict[str, str]:
    """The file name of every document by its id as text."""
    found = connection.execute("select id, name from document where project = ?", (project,))
    return {str(row[0]): row[1] for row in found}


def delete(connection: sqlite3.Connection, document: int) -> None:
    """The document is gone."""
    connection.execute("delete from document where id = ?", (document,))


def folders(connection: sqlite3.Connection, project: int) -> list[Folder]:
    """The folders of the repository by name."""
    found = connection.execute(
        "select id, parent, name, access_group, role from folder where project = ? order by name, id", (project,)
    )
    return [Folder(*row) for row in found]


def insert_folder(connection: sqlite3.Connection, project: int, folder: Folder) -> int:
    """The folder exists; its id (not the one given) is returned."""
    row = connection.execute(
        "insert into folder (project, parent, name, access_group, role) values (?, ?, ?, ?, ?) returning id",
        (project, folder.parent, folder.name, folder.group, folder.role),
    ).fetchone()
    return int(row[0])


def place(connection: sqlite3.Connection, document: int, folder: int | None) -> None:
    """The document stands in the folder; None for the top level."""
    connection.execute("insert into repository (document, folder) values (?, ?)", (document, folder))


def listed(connection: sqlite3.Connection, project: int) -> list[tuple[int, str, int | None]]:
    """Id, name and folder of every document in the repository, by name."""
    found = connection.execute(
        "select id, name, folder from document join repository on document = id "
        "where project = ? and deleted = '' order by name, id",
        (project,),
    )
    return [(row[0], row[1], row[2]) for row in found]


def recycle(connection: sqlite3.Connection, document: int, time: str) -> None:
    """The document has been in the recycle bin since that time."""
    connection.execute("update repository set deleted = ? where document = ?", (time, document))
