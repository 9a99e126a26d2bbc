"""All checks over one folder."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict

from trialdesk.config import Config
from trialdesk.redcap.instruments.checks import configuration, fields, formulas, licensed, matrix, structure, tags
from trialdesk.redcap.instruments.checks.subject import Check, Subject
from trialdesk.redcap.instruments.fault import Fault, Unreadable
from trialdesk.redcap.instruments.folder import Folder, ProjectName, folder_of, read_folder, sites_as_groups
from trialdesk.redcap.instruments.overlay import Overlay, misfits, read_overlays, tracked

CHECKS: tuple[Check, ...] = (
    fields.names,
    fields.types,
    fields.choices,
    fields.validation,
    fields.identifiers,
    matrix.matrices,
    tags.tags,
    formulas.branching,
    formulas.calculations,
    formulas.rules,
    structure.events,
    structure.slugs,
    structure.mapping,
    structure.repeating,
    structure.display,
    structure.groups,
    structure.roles,
    licensed.wording,
    licensed.leaks,
    configuration.configuration,
    configuration.codes,
)


def check(folder: Folder, config: Config | None = None, overlays: tuple[Overlay, ...] = ()) -> tuple[Fault, ...]:
    """Every fault of a readable folder, sorted by file and row.

    Args:
        folder: What `read_folder` read.
        config: The configuration that names fields of this project (the trial's, not the register's).
        overlays: Local wording, which must not stand in the folder.
    """
    subject = Subject(folder, config, overlays)
    return tuple(sorted({fault for one in CHECKS for fault in one(subject)}))


def check_project(config: Config, project: ProjectName) -> tuple[Fault, ...]:
    """Every fault of a project's folder and of its local wording.

    Files that can't be read give the faults that keep them from being read, and no others.
    """
    try:
        folder = read_folder(folder_of(config, project), sites_as_groups(config, project))
        overlays = read_overlays(config)
    except Unreadable as error:
        return error.faults
    dictionary = folder.design.dictionary
    mine = tuple(overlay for overlay in overlays if overlay.instrument in dictionary.forms)
    found = check(folder, config if project == "trial" else None, mine)
    return (*found, *(fault for overlay in mine for fault in misfits(dictionary, overlay)), *tracked(config))


def to_json(faults: Iterable[Fault]) -> str:
    """Faults for a machine."""
    return json.dumps([asdict(fault) for fault in faults], ensure_ascii=False, indent=2)
