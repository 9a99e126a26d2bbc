"""The findings as reports may list them: what tells nothing of the treatment, what names envelopes, and the rest."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace

from trialdesk.instruments.rules import RuleClass, Rules
from trialdesk.model import Finding


@dataclass(frozen=True, slots=True)
class FindingList:
    """What a report says is to be looked at: `listed` in every profile as it is, the rest as the closed one says it.

    Open profiles show of `treatment` how many there are at each site, all rules and arms together, and of `envelopes`
    no envelope number: beside the arms a site knows it would tell places of its lists.
    """

    listed: tuple[Finding, ...] = ()
    envelopes: tuple[Finding, ...] = ()
    treatment: tuple[Finding, ...] = ()
    classes: Mapping[str, RuleClass] = field(default_factory=dict)

    @property
    def every(self) -> tuple[Finding, ...]:
        """All of them, sorted, in full words."""
        return tuple(sorted((*self.listed, *self.envelopes, *self.treatment)))

    @property
    def untold(self) -> tuple[Finding, ...]:
        """Those that tell nothing of the treatment, sorted, in full words."""
        return tuple(sorted((*self.listed, *self.envelopes)))

    @property
    def plain(self) -> tuple[Finding, ...]:
        """What open profiles list, sorted."""
        worded = {replace(one, text=self.class_of(one.rule).wording) for one in self.envelopes}
        return tuple(sorted({*self.listed, *worded}))

    def class_of(self, rule: str) -> RuleClass:
        """The class of a rule, or the usual one."""
        return self.classes.get(rule, RuleClass())


def sort_out(
    findings: Iterable[Finding],
    rules: Rules,
    gaps: Iterable[Finding] = (),
    envelopes: Iterable[Finding] = (),
    apart: Container[tuple[str, str]] = (),
) -> FindingList:
    """The findings as reports list them, sorted, each once.

    Args:
        findings: Those of the rules, in files or in code; what is not known to be arm-free goes to `treatment`.
        rules: Say which findings are.
        gaps: Findings about the order of recruitment; they name no arm and may be listed everywhere.
        envelopes: Findings about envelopes; they name no arm, but envelopes.
        apart: Record and place of rows no open report lists: what is found there tells of treatment too.
    """
    every = {_graded(finding, rules) for finding in findings}
    free = {one for one in every if rules.arm_free(one) and (one.record, one.where) not in apart}
    return FindingList(
        listed=tuple(sorted(free | set(gaps))),
        envelopes=tuple(sorted({_graded(finding, rules) for finding in envelopes})),
        treatment=tuple(sorted(every - free)),
        classes=rules.classes,
    )


def _graded(finding: Finding, rules: Rules) -> Finding:
    """The finding as grave as the trial says; a rule without a class is as grave as it says itself."""
    kind = rules.classes.get(finding.rule)
    return finding if kind is None else replace(finding, severity=kind.severity)
