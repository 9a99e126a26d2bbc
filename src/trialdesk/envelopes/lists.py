"""The envelope lists as sheets: where every envelope is, and what to send. No arm is known here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from trialdesk.config import Config
from trialdesk.envelopes.forecast import DELIVERY, forecast
from trialdesk.envelopes.stock import FEWEST, proposals, stock
from trialdesk.model import Envelope, Finding
from trialdesk.workbook import Column, Line, SheetTable, Tone, Value

TONES: dict[str, Tone] = {
    "released": "warning",
    "void": "quiet",
    "lost": "alarm",
    "returned": "quiet",
    "opened": "good",
}
LEVELS: dict[str, Tone] = {"LOW": "warning", "EMPTY": "alarm"}
SEVERITIES: dict[str, Tone] = {"error": "alarm", "warning": "warning"}
AT_DESK = ("made", "packed")
_LIKELY = 0.2
SHIPMENT = ("Packed", "Sent", "Received")

_COLUMNS: tuple[tuple[Column, Callable[[Config, Envelope], Value]], ...] = (
    (Column("Site"), lambda _, e: e.pile.site),
    (Column("Stratum"), lambda config, e: config.stratum_label(e.pile.stratum)),
    (Column("Number", "number"), lambda _, e: e.number),
    (Column("Envelope"), lambda _, e: e.id),
    (Column("Status"), lambda _, e: e.status),
    (Column("Packed", "date"), lambda _, e: e.packed_on),
    (Column("Sent", "date"), lambda _, e: e.dispatched_on),
    (Column("Received", "date"), lambda _, e: e.received_on),
    (Column("Released", "datetime", 18), lambda _, e: e.released_at),
    (Column("Record"), lambda _, e: e.record),
    (Column("Opened", "date"), lambda _, e: e.opened_on),
)


def coordinator_lists(
    config: Config,
    envelopes: Sequence[Envelope],
    today: date,
    findings: Sequence[Finding] | None = None,
    versions: Mapping[str, int] | None = None,
) -> tuple[SheetTable, ...]:
    """All envelopes, what to send or make, and what reconciliation found if it was made, as of `today`.

    `versions` is envelope to the version that made it, from the filed manifests: it names parcels.
    """
    every = SheetTable(
        "Envelopes",
        f"Envelopes of {config.trial.id}",
        f"As of {today}: where every envelope is.",
        tuple(column for column, _ in _COLUMNS),
        tuple(_line(config, envelope) for envelope in sorted(envelopes)),
        keys=4,
        empty="No envelope is in the register.",
    )
    found = () if findings is None else (_findings(findings, today),)
    supplies = (_to_send(config, envelopes, today, versions), _to_make(config, envelopes, today))
    return every, *supplies, _outlook(config, envelopes, today), *found


def site_list(config: Config, envelopes: Sequence[Envelope], site: str, today: date) -> tuple[SheetTable, ...]:
    """The envelopes one site has or had, as of `today`.

    What still lies at the desk, and how shipments were cut, is not shown to a site: a shipment ends with a block, so
    its last card would be certain (reference/randomisation.md 6).
    """
    shown = [(column, of) for column, of in _COLUMNS if column.title not in SHIPMENT]
    mine = [e for e in sorted(envelopes) if e.pile.site == site and e.status not in AT_DESK]
    lines = tuple(
        Line(tuple(of(config, envelope) for _, of in shown), TONES.get(envelope.status, "plain")) for envelope in mine
    )
    name = config.sites_by_code[site].name
    about = f"As of {today}. Open the released envelope only, after the coordinator's call."
    return (
        SheetTable("Envelopes", f"Envelopes at {name}", about, tuple(column for column, _ in shown), lines, keys=4),
    )


def _line(config: Config, envelope: Envelope) -> Line:
    return Line(tuple(of(config, envelope) for _, of in _COLUMNS), TONES.get(envelope.status, "plain"))


def _to_send(
    config: Config, envelopes: Sequence[Envelope], today: date, versions: Mapping[str, int] | None
) -> SheetTable:
    columns = (
        Column("Site"),
        Column("Name"),
        Column("Stratum"),
        Column("Pile"),
        Column("Do"),
        Column("Parcel"),
        Column("Envelopes"),
    )
    lines = tuple(
        Line(
            (
                state.pile.site,
                config.sites_by_code[state.pile.site].name,
                config.stratum_label(state.pile.stratum),
                state.level,
                state.action,
                state.parcel,
                ", ".join(state.send),
            ),
            tones={3: LEVELS[state.level]},
        )
        for state in stock(config, envelopes, today, versions)
        if state.level != "OK"
    )
    about = f"As of {today}: piles at or below the reorder level. A parcel is sent as a whole."
    return SheetTable("To send", "Envelopes to send", about, columns, lines, keys=3, empty="Every pile has enough.")


def _to_make(config: Config, envelopes: Sequence[Envelope], today: date) -> SheetTable:
    """The parcels the packer is asked for, with the command."""
    columns = (Column("Site"), Column("Name"), Column("Piles"), Column("The packer types", width=90))
    lines = tuple(
        Line(
            (
                one.site,
                config.sites_by_code[one.site].name,
                ", ".join(pile.stratum for pile in one.piles),
                f"make_tables.py --identity FILE {one}",
            )
        )
        for one in proposals(config, envelopes, today)
    )
    about = f"As of {today}: one parcel for each clinic, of {FEWEST} piles or more, so that it is equally divided."
    return SheetTable("To make", "Parcels to make", about, columns, lines, empty="No parcel has to be made.")


def _outlook(config: Config, envelopes: Sequence[Envelope], today: date) -> SheetTable:
    """Where a pile may be empty before a parcel that is asked for today arrives, likeliest first."""
    columns = (Column("Site"), Column("Name"), Column("Stratum"), Column("Empty before", "percent", 14))
    ordered = sorted(forecast(config, envelopes, today), key=lambda one: -one.empty)
    lines = tuple(
        Line(
            (
                one.pile.site,
                config.sites_by_code[one.pile.site].name,
                config.stratum_label(one.pile.stratum),
                round(one.empty, 3),
            ),
            tones={3: "alarm" if one.empty >= _LIKELY else "plain"},
        )
        for one in ordered
    )
    about = (
        f"As of {today}: how likely more patients come to a pile within {DELIVERY} days than it has envelopes, at the "
        "rate of its site since it opened."
    )
    return SheetTable("Outlook", "Outlook of the piles", about, columns, lines, keys=3, empty="No site is open yet.")


def _findings(findings: Sequence[Finding], today: date) -> SheetTable:
    """With the envelope numbers that open reports leave out."""
    columns = (Column("Severity"), Column("Rule"), Column("Site"), Column("Record"), Column("Finding", width=80))
    lines = tuple(
        Line((one.severity, one.rule, one.site, one.record, one.text), tones={0: SEVERITIES[one.severity]})
        for one in sorted(findings, key=lambda one: (one.severity, one.site, one.record, one.rule, one.text))
    )
    about = f"As of {today}: where register and records do not agree, or an envelope was not used as it should be."
    return SheetTable("Findings", "Findings about envelopes", about, columns, lines, keys=4)
