"""All checks over one folder."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from trialdesk.config import Config
from trialdesk.instruments.checks import (
    configuration,
    fields,
    formulas,
    labels,
    licensed,
    matrix,
    meanings,
    showing,
    structure,
    tags,
    translations,
)
from trialdesk.instruments.checks.subject import Check, Subject
from trialdesk.instruments.fault import Fault, Unreadable
from trialdesk.instruments.folder import PROJECTS, Folder, ProjectName, folder_of, sites_as_groups, survey
from trialdesk.instruments.overlay import Overlay, misfits, read_overlays, tracked

# What can be said of a form by itself, also while other files can't be read.
OWN: tuple[Check, ...] = (
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
    licensed.patterns,
    licensed.wording,
    licensed.leaks,
)
# What needs the whole folder.
WHOLE: tuple[Check, ...] = (
    structure.events,
    structure.slugs,
    structure.mapping,
    structure.repeating,
    structure.display,
    structure.groups,
    structure.roles,
    labels.labels,
    translations.translations,
    configuration.configuration,
    configuration.codes,
    meanings.kinds,
    meanings.identifiers,
    meanings.program_only,
    meanings.openness,
    showing.logs,
    showing.treatment_values,
    showing.arm_free,
    showing.outcomes,
    showing.baseline,
)


def check(subject: Subject) -> tuple[Fault, ...]:
    """Every fault of a folder, sorted by file and row.

    While some of its files can't be read, nothing is said of what may stand in them.
    """
    checks = (*OWN, *WHOLE) if subject.folder.whole else OWN
    return tuple(sorted({*subject.folder.unread, *(fault for one in checks for fault in one(subject))}))


def check_projects(config: Config, projects: Sequence[ProjectName], source: Path | None = None) -> tuple[Fault, ...]:
    """Every fault of the projects' folders, of the configuration where it names their fields, and of the local wording.

    Args:
        config: The configuration; the trial's instruments carry what it names.
        projects: Which of the two projects.
        source: The file of the configuration, to name the lines of faults in it.
    """
    folders = {name: survey(folder_of(config, name), sites_as_groups(config, name)) for name in PROJECTS}
    try:
        overlays = read_overlays(config, "*")
    except Unreadable as error:
        overlays, found = (), list(error.faults)
    else:
        found = list(_wordless(folders.values(), overlays))
    for name in projects:
        dictionary = folders[name].design.dictionary
        mine = tuple(overlay for overlay in overlays if overlay.instrument in dictionary.forms)
        found += check(Subject(folders[name], config if name == "trial" else None, mine, source))
        found += (fault for overlay in mine for fault in misfits(dictionary, overlay))
    return (*found, *tracked(config))


def errors_in(config: Config, project: ProjectName) -> int:
    """How many errors there are in the files that a push writes; whether the configuration fits them is not asked."""
    faults = check(Subject(survey(folder_of(config, project), sites_as_groups(config, project))))
    return sum(fault.severity == "error" for fault in faults)


def _wordless(folders: Collection[Folder], overlays: Iterable[Overlay]) -> Iterator[Fault]:
    """Local wording no instrument of any project will get."""
    if not all(folder.whole for folder in folders):
        return
    forms = {form for folder in folders for form in folder.design.dictionary.forms}
    for overlay in overlays:
        if overlay.instrument not in forms:
            what = f"there is no instrument {overlay.instrument}, so nobody will see this wording"
            yield Fault(overlay.file, 1, "", "overlay", what, "name the file <instrument>.<language>.csv")


def to_json(faults: Iterable[Fault]) -> str:
    """Faults for a machine."""
    return json.dumps([asdict(fault) for fault in faults], ensure_ascii=False, indent=2)
