"""What a change would touch in locked forms (reference/redcap-validation-facts.md 10, C.2.19)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from redcap_local import messages
from redcap_local.call import Call
from redcap_local.intake.changes import Changes
from redcap_local.intake.plan import Line
from redcap_local.storage import locks
from redcap_local.storage.records import Record
from redcap_rules.formulas import is_computed


def in_locked_forms(call: Call, changed: Mapping[str, Changes], existing: Mapping[str, Record]) -> Iterator[Line]:
    """A line for every value that would be changed in a locked form; what is calculated there stays as it is."""
    held = locks.locks(call.connection, [record.id for record in existing.values()])
    columns = call.project.columns
    for name, change in changed.items() if held else ():
        for key in [*change.set, *change.erased]:
            event, instance, column = key
            if name not in existing or column not in columns or column == call.project.dictionary.record_id:
                continue
            if (existing[name].id, event, instance, columns[column].form) not in held:
                continue
            if is_computed(columns[column].field):
                change.leave(key)
            else:
                yield Line(name, column, change.after.get(key, ""), messages.FORM_LOCKED.text)
