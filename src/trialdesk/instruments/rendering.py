"""A plan for people and machines: terminal, markdown, JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING

from trialdesk.instruments.change import PARTS, Change, Kind, Plan

if TYPE_CHECKING:
    from rich.console import RenderableType

SIGNS: dict[Kind, str] = {"create": "+", "update": "~", "delete": "-", "move": ">"}
RISKS = {"safe": "safe", "care": "needs care", "destroys": "destroys data"}
_COLOURS = {"safe": "green", "care": "yellow", "destroys": "bold red"}
_HEADINGS = {
    "settings": "Settings",
    "metadata": "Fields",
    "arm": "Arms",
    "event": "Events",
    "mapping": "Forms in events",
    "repeating": "Repeating",
    "group": "Data access groups",
    "role": "Roles",
}
_LONGEST = 60


def summary(plan: Plan) -> str:
    """One line: how many changes of which kind, and the worst risk."""
    if plan.empty:
        return f"{plan.project}: nothing to change"
    kinds = Counter(change.kind for change in plan.changes)
    counted = ", ".join(f"{kinds[kind]} to {kind}" for kind in SIGNS if kinds[kind])
    risks = Counter(change.risk for change in plan.changes)
    risky = ", ".join(f"{risks[risk]} {RISKS[risk]}" for risk in ("care", "destroys") if risks[risk]) or "all safe"
    return f"{plan.project}: {counted} ({risky}); plan {plan.digest}"


def consequence(change: Change) -> str:
    """The risk of a change in words, with the number of records that hold data in it."""
    if change.risk == "safe":
        return RISKS["safe"]
    held = f", {change.records} record{'s' * (change.records != 1)}" if change.records is not None else ""
    return f"{RISKS[change.risk]}{held}: {change.why}"


def what(change: Change, longest: int = _LONGEST) -> str:
    """What changes, in a few words: the attribute with before and after, or the facts of what comes or goes."""
    if change.kind in ("update", "move"):
        before, after = (_cut(text or "(blank)", longest) for text in (change.before, change.after))
        return f"{change.attribute}: {before} → {after}".removeprefix(": ")
    text = change.after or change.before
    if text.startswith("{"):
        facts = json.loads(text)
        text = " · ".join(facts[name] for name in ("form", "kind", "label") if name in facts)
    return _cut(text, 2 * longest)


def to_terminal(plan: Plan) -> RenderableType:
    """The plan as a coloured table, for rich."""
    from rich.console import Group
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    parts: list[RenderableType] = [Text(summary(plan), style="bold")]
    for part in PARTS:
        changes = plan.of(part)
        if not changes:
            continue
        parts.append(Text(f"\n{_HEADINGS[part]}", style="underline"))
        table = Table(box=None, show_header=False, pad_edge=False)
        for change in _folded(changes):
            colour = _COLOURS[change.risk]
            sign = f"[{colour}]{SIGNS[change.kind]}[/]"
            told = "" if change.risk == "safe" else f"[{colour}]{escape(consequence(change))}[/]"
            table.add_row(sign, escape(change.name), escape(what(change)), told)
        parts.append(table)
    parts += [Text(f"! {brake}", style="bold red") for brake in plan.brakes]
    parts += [Text(f"by hand: {note}") for note in plan.notes]
    return Group(*parts)


def to_markdown(plan: Plan) -> str:
    """The plan as a page for a review."""
    lines = [f"# {plan.title or plan.project}", "", summary(plan), ""]
    for part in PARTS:
        changes = plan.of(part)
        if changes:
            lines += [f"## {_HEADINGS[part]}", "", "| | name | change | risk |", "|---|---|---|---|"]
            lines += [
                f"| {SIGNS[c.kind]} | `{c.name}` | {_cell(what(c, 10_000))} | {_cell(consequence(c))} |"
                for c in changes
            ]
            lines.append("")
    if plan.brakes:
        lines += ["## Needs --force", "", *(f"- {brake}" for brake in plan.brakes), ""]
    if plan.notes:
        lines += ["## By hand", "", *(f"{number}. {note}" for number, note in enumerate(plan.notes, start=1)), ""]
    return "\n".join(lines)


def to_json(plan: Plan | Sequence[Plan]) -> str:
    """A plan, or a list of plans, for a machine; each with its digest."""
    facts = _facts(plan) if isinstance(plan, Plan) else [_facts(one) for one in plan]
    return json.dumps(facts, ensure_ascii=False, indent=2)


def _facts(plan: Plan) -> dict[str, object]:
    return {**asdict(plan), "digest": plan.digest, "brakes": plan.brakes}


def _folded(changes: Sequence[Change]) -> Iterator[Change]:
    """Several new fields of one form, or forms of one event, as one line; everything else as it is."""
    for _, run in groupby(changes, key=_owner):
        same = list(run)
        owner = _owner(same[0])
        if len(same) == 1 or owner.startswith(" "):
            yield from same
            continue
        names = [change.name.removeprefix(f"{owner} ") for change in same]
        listed = ", ".join(names) if same[0].part == "mapping" else f"{names[0]} … {names[-1]}"
        yield Change(same[0].part, "create", owner, after=f"{len(same)} new: {listed}")


def _owner(change: Change) -> str:
    """What a new thing belongs to; for every other change something of its own."""
    if change.kind == "create" and change.part == "metadata":
        return str(json.loads(change.after)["form"])
    if change.kind == "create" and change.part == "mapping":
        return change.name.split(" ")[0]
    return f" {change.kind} {change.name} {change.attribute}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")


def _cut(text: str, longest: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= longest else f"{flat[: longest - 1]}…"
