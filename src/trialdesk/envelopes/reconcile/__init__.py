"""Reconciliation of register and records: what a person has to look at (reference/randomisation.md 5).

An opened envelope is an allocation whatever went wrong: findings report and never propose to undo. No text tells an
arm, of an opened envelope or another. Rules from R49 on are ours; the numbers below are those of the reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from trialdesk.config import Config
from trialdesk.envelopes.openings import openings
from trialdesk.envelopes.proofs import Proofs
from trialdesk.envelopes.reconcile import custody, identity, times
from trialdesk.envelopes.reconcile.desk import Desk, Hit
from trialdesk.instruments.rules import RuleClass
from trialdesk.model import FORGOTTEN, Envelope, Finding, Patient

NOT_OF_AN_OPENING = ("R31", "R52")
"""Rules about the record as a whole: the fault lies in no event."""


def reconcile(
    patients: Sequence[Patient], envelopes: Sequence[Envelope], config: Config, proofs: Proofs | None = None
) -> list[Finding]:
    """Every finding, sorted; the same data give the same findings on any day, whatever was proved before."""
    opened = openings(patients, envelopes, config.envelopes.domain)
    desk = Desk(config, tuple(patients), tuple(envelopes), opened, proofs or Proofs(config.trial.id))
    event = config.facts.envelope.event
    return sorted(
        Finding(
            rule,
            hit.site,
            hit.record if hit.record != FORGOTTEN else "",
            event if hit.record not in ("", FORGOTTEN) and rule not in NOT_OF_AN_OPENING else "",
            OWN[rule].severity,
            hit.text,
            envelope=hit.envelope,
            other=hit.other,
            evidence=hit.text,
        )
        for rule, find in RULES.items()
        for hit in find(desk)
    )


RULES: Mapping[str, Callable[[Desk], Iterator[Hit]]] = {
    "R01": times.out_of_order,
    "R02": times.skipped,
    "R03": times.undecided,
    "R04": identity.wrong_stratum,
    "R06": identity.wrong_site,
    "R07": identity.used_twice,
    "R08": identity.randomised_twice,
    "R09": identity.unknown,
    "R10": identity.of_another_domain,
    "R11": identity.wrong_card,
    "R13": times.before_consent,
    "R20": times.two_at_a_time,
    "R21": times.without_release,
    "R24": times.at_odd_hours,
    "R25": custody.opened_in_register_only,
    "R26": identity.arm_without_envelope,
    "R28": custody.gone,
    "R29": custody.arrived_in_part,
    "R30": times.before_receipt,
    "R31": custody.nothing_to_open,
    "R49": identity.not_the_released,
    "R50": custody.halves_disagree,
    "R51": custody.not_settled,
    "R52": identity.group_not_site,
    "R53": times.no_date,
    "R59": custody.unsealed,
    "R61": custody.without_reason,
}
OWN: Mapping[str, RuleClass] = {
    "R01": RuleClass("error", "D04", open=True, wording="Opened before an envelope that comes first in its pile"),
    "R02": RuleClass(
        "error", "D04", open=True, wording="Opened while an envelope that comes first in its pile lay unopened"
    ),
    "R03": RuleClass("warning", "", open=True, wording="Opened on one day with another of its pile, a time is missing"),
    "R04": RuleClass("error", "D05", open=True, wording="Envelope of another stratum than the record's"),
    "R06": RuleClass("error", "D04", open=True, wording="Envelope of another site than the record's"),
    "R07": RuleClass("error", "D04", open=True, wording="The same envelope is recorded for another patient too"),
    "R08": RuleClass("error", "D04", open=True, wording="Two envelopes stand for one record in the register"),
    "R09": RuleClass("error", "D04", open=True, wording="The envelope number is misread or not in the register"),
    "R10": RuleClass(
        "error", "D04", open=True, wording="An envelope of a rehearsal in the trial, or the other way round"
    ),
    "R11": RuleClass(
        "error", "D04", open=True, wording="Arm and card code do not belong to the envelope, or the code is missing"
    ),
    "R13": RuleClass("error", "D01", open=True, wording="Opened before the consent, or without a date of consent"),
    "R20": RuleClass("error", "D04", open=True, wording="Released or opened at the same time as another envelope"),
    "R21": RuleClass("error", "D04", open=True, wording="Opened without a release by the coordinator, or before it"),
    "R24": RuleClass("warning", "", open=True, wording="Opened at night or at a weekend, as it is dated"),
    "R25": RuleClass("error", "D04", open=True, wording="Opened in the register, and in no record"),
    "R26": RuleClass("error", "D04", open=True, wording="An arm is recorded without an envelope number"),
    "R28": RuleClass("error", "D04", open=True, wording="Opened, and void, lost or returned in the register"),
    "R29": RuleClass("warning", "", open=True, wording="Envelopes sent with others were not received with them"),
    "R30": RuleClass("error", "D04", open=True, wording="Opened before the register has it as received"),
    "R31": RuleClass("warning", "", open=True, wording="Waits for randomisation, and the pile is empty"),
    "R49": RuleClass("error", "D04", open=True, wording="Another envelope was opened than the one released"),
    "R50": RuleClass("warning", "", open=True, wording="Released in the register or in the record, not in both"),
    "R51": RuleClass("warning", "", open=True, wording="Opening differs between register and record"),
    "R52": RuleClass("error", "", open=True, wording="Site field and data access group differ"),
    "R53": RuleClass("warning", "", open=True, wording="Envelope or arm is recorded without the date of opening"),
    "R59": RuleClass("error", "D04", open=True, wording="The arm of an envelope was shown in an emergency"),
    "R61": RuleClass("warning", "", open=True, wording="Void, lost or returned without a reason"),
}
"""How each rule is treated where a trial says nothing else (reference/instruments.md 9 has the codes)."""
