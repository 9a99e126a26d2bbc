"""Whether a pull holds what a call schedule is made from; a list made from half the data would call the dead."""

from __future__ import annotations

from collections.abc import Iterator

from redcap_rules.logic import Expression, references
from trialdesk.config import Config
from trialdesk.errors import ConfigError, SanityFailed
from trialdesk.redcap.snapshot import Snapshot


def check(snapshot: Snapshot, config: Config) -> None:
    """The project has every field and event the contacts name, and REDCap sent all of them.

    Raises:
        ConfigError: the configuration names a field or event that the project does not have; one line each.
        SanityFailed: a field was asked for and did not come, so contacts or deaths would be overlooked.
    """
    fields = read_fields(config)
    problems = [
        f"{field}: no such field in the project; correct the configuration" for field in _strange(fields, snapshot)
    ]
    problems += [
        f"contacts: {rule.code}: event {rule.event} is not in the project; correct the configuration"
        for rule in config.contacts
        if rule.event not in snapshot.events
    ]
    if problems:
        raise ConfigError(*problems)
    hidden = sorted(fields & {column.split("___")[0] for column in snapshot.missing})
    if hidden:
        raise SanityFailed(
            f"REDCap did not send {', '.join(hidden)}; give the token's user the export right to those forms. "
            "No schedule was made"
        )


def read_fields(config: Config) -> frozenset[str]:
    """Every field that contacts, deaths and the call plan are read from."""
    facts, plan = config.facts, config.call_plan
    own = (anchor.date for anchor in config.anchors.values())
    dates = (facts.opened_on, facts.procedure_on, facts.died_on, facts.left_on, *own)
    named = {ref.field for ref in dates if ref}
    named.update(field for form in config.contact_forms.values() for field in form.fields)
    named.update(ref.field for _, ref in plan or ())
    named.update(ref.field for ref in (config.call_log.fields.values() if config.call_log else ()))
    for logic in (*_contact_logic(config), *config.states.known.values()):
        named.update(reference.field for reference in references(logic))
    for sign in config.death_signs:
        named.update(reference.field for reference in references(sign.logic))
    return frozenset(named)


def _contact_logic(config: Config) -> Iterator[Expression]:
    for form in config.contact_forms.values():
        yield form.done
        if form.refused is not None:
            yield form.refused


def _strange(fields: frozenset[str], snapshot: Snapshot) -> Iterator[str]:
    forms = {snapshot.dictionary.status_field(form) for form in snapshot.dictionary.forms}
    return (field for field in sorted(fields) if field not in snapshot.dictionary and field not in forms)
