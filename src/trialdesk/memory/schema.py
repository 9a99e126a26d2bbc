"""The tables of the memory; a file of another schema is never guessed at."""

from __future__ import annotations

VERSION = 1

TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE runs (
    run TEXT NOT NULL, scope TEXT NOT NULL, day TEXT NOT NULL, status TEXT NOT NULL, stage TEXT NOT NULL,
    exit_code INTEGER, accepted TEXT NOT NULL, reason TEXT NOT NULL, by TEXT NOT NULL, saw TEXT,
    PRIMARY KEY (scope, run)
) WITHOUT ROWID;
CREATE TABLE records (
    scope TEXT NOT NULL, record TEXT NOT NULL, grp TEXT NOT NULL, states TEXT NOT NULL, randomised INTEGER NOT NULL,
    digest TEXT NOT NULL, card TEXT NOT NULL, first TEXT NOT NULL, original TEXT NOT NULL, cells TEXT NOT NULL,
    PRIMARY KEY (scope, record)
) WITHOUT ROWID;
CREATE TABLE findings (
    scope TEXT NOT NULL, id TEXT NOT NULL, finding TEXT NOT NULL, treatment INTEGER NOT NULL, evidence TEXT NOT NULL,
    first TEXT NOT NULL, last TEXT NOT NULL, closed TEXT, reopened TEXT,
    PRIMARY KEY (scope, id)
) WITHOUT ROWID;
CREATE TABLE acceptances (
    scope TEXT NOT NULL, finding TEXT NOT NULL, evidence TEXT NOT NULL, reason TEXT NOT NULL, by TEXT NOT NULL,
    given TEXT NOT NULL, until TEXT, taken_back TEXT
);
"""
ADDED = """
CREATE TABLE IF NOT EXISTS calendar (
    scope TEXT NOT NULL, uid TEXT NOT NULL, key TEXT NOT NULL, record TEXT NOT NULL, site TEXT NOT NULL,
    contact TEXT NOT NULL, day TEXT NOT NULL, at TEXT NOT NULL, cancelled INTEGER NOT NULL, sequence INTEGER NOT NULL,
    changed TEXT NOT NULL,
    PRIMARY KEY (scope, uid)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS issued (
    scope TEXT NOT NULL, number INTEGER NOT NULL, run TEXT NOT NULL, day TEXT NOT NULL, by TEXT NOT NULL,
    files TEXT NOT NULL, figures TEXT NOT NULL,
    PRIMARY KEY (scope, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS forgotten (
    scope TEXT NOT NULL, digest TEXT NOT NULL,
    PRIMARY KEY (scope, digest)
) WITHOUT ROWID;
"""
"""Tables that came later: made where they are missing, so a memory of before is one of today."""
