"""What the codes mean, frozen: what may never change is named, what may is not; and the public side of a version."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from frozen import FROZEN, trial_dictionary
from redcap_rules.dictionary import Dictionary
from trialdesk.allocation.cards import merkle_root
from trialdesk.allocation.codes import Codes, Factor, Word, as_told, changed, codes_from, codes_of, misfits
from trialdesk.allocation.manifest import PileCount, describe, from_text, made_on, sites_of, to_text
from trialdesk.allocation.scheme import Scheme
from trialdesk.allocation.tables import Order, Table, next_table
from trialdesk.config import load
from trialdesk.model import Pile

pytestmark = pytest.mark.requirement("ENV-16", "ENV-11")

CONFIG = load(FROZEN / "config.yaml")
GROUP = Factor("Group", "[e][grp]", (Word("K", "1", "Known"), Word("N", "2", "New")))
LEVEL = Factor("Level", "[lvl]", (Word("1", "1", "One"), Word("2", "2", "More")))
ARMS = (Word("1", "1", "Operate"), Word("2", "2", "Wait"))
CODES = Codes("T", "prod", ("ODE", "RIG"), (GROUP, LEVEL), ARMS, (1, 2))


def test_the_meaning_of_the_codes_is_the_configurations() -> None:
    """Trial, domain, sites, factors with field and levels, arms with ratios; a field without event has none."""
    codes = codes_of(CONFIG)
    assert (codes.trial, codes.domain) == ("PVP-MM", "prod")
    assert codes.sites == tuple(site.code for site in CONFIG.sites)
    assert codes.arms == (Word("1", "1", "PVP"), Word("2", "2", "Conservative"))
    assert codes.ratios == (1, 1)
    population, planned, _ = codes.factors
    assert population == Factor(
        "Population",
        "[randomisation_arm_1][rand_grp]",
        (Word("K", "1", "Known myeloma"), Word("N", "2", "Newly diagnosed")),
    )
    assert planned.levels == (Word("1", "1", "1 level"), Word("2", "2", "2–4 levels"))
    first = CONFIG.strata[0]
    bare = first.model_copy(update={"field": first.field._replace(event="")})
    assert codes_of(CONFIG.model_copy(update={"strata": (bare,)})).factors[0].field == "[rand_grp]"


def test_codes_read_back_from_a_manifest_as_they_were_told() -> None:
    """Through JSON."""
    assert codes_from(json.loads(json.dumps(as_told(CODES)))) == CODES
    for name in as_told(CODES):
        with pytest.raises(KeyError, match=name):
            codes_from({key: value for key, value in as_told(CODES).items() if key != name})


def test_codes_are_shown_so_that_a_person_can_check_them() -> None:
    """A line each for trial, sites, arms and every factor."""
    assert str(CODES).splitlines() == [
        "T, prod",
        "sites ODE, RIG",
        "arms 1 = Operate (1), 2 = Wait (2)",
        "Group: K = Known (stored 1), N = New (stored 2)",
        "Level: 1 = One (stored 1), 2 = More (stored 2)",
    ]


def factors(*given: Factor) -> Codes:
    return replace(CODES, factors=given)


def levels(*given: Word) -> Codes:
    return factors(replace(GROUP, levels=given), LEVEL)


K, N = GROUP.levels
CHANGES: list[tuple[Codes, list[str]]] = [
    (replace(CODES, trial="U"), ["trial: the tables were made for T, now it is U"]),
    (replace(CODES, domain="dev"), ["domain: the tables were made for prod, now it is dev"]),
    (replace(CODES, ratios=(1, 1)), ["ratios: the tables were made for (1, 2), now it is (1, 1)"]),
    (replace(CODES, sites=("AAR",)), ["sites: ODE, RIG had envelopes made"]),
    (replace(CODES, arms=ARMS[::-1]), ["arms: codes or their order"]),
    (replace(CODES, arms=ARMS[:1]), ["arms: codes or their order"]),
    (
        replace(CODES, arms=(replace(ARMS[0], name="WAIT"), replace(ARMS[1], name="x"))),
        ["arms: code 1 has the name that code 2"],
    ),
    (factors(LEVEL, GROUP), ["strata: factors"]),
    (factors(GROUP, replace(LEVEL, field="[x]")), ["strata: factors"]),
    (factors(GROUP), ["strata: factors"]),
    (levels(K), ["strata: Group: level N is gone or stored as another"]),
    (levels(N, replace(K, value="9")), ["strata: Group: level K is gone or stored as another"]),
    (levels(replace(K, value="2"), replace(N, value="1")), ["strata: Group: level K, N is gone or stored as another"]),
    (
        levels(replace(K, name="new"), replace(N, name="known")),
        ["strata: Group: code K has the name that code N", "strata: Group: code N has the name that code K"],
    ),
    (levels(K, N, Word("X", "3", "KNOWN")), ["strata: Group: code X has the name that code K"]),
]  # fmt: skip


@pytest.mark.parametrize(("now", "expected"), CHANGES)
def test_what_may_not_change_is_named(now: Codes, expected: list[str]) -> None:
    """One sentence each, of nothing else."""
    found = changed(CODES, now)
    assert [line[: len(words)] for line, words in zip(found, expected, strict=True)] == expected


def test_what_may_change_is_not() -> None:
    """Sites and levels are added, names said better, levels in another order, a factor called otherwise."""
    more = levels(N, replace(K, name="Known myeloma"), Word("X", "3", "Relapse"))
    assert (
        changed(CODES, replace(more, sites=("AAR", "RIG", "ODE"), arms=(replace(ARMS[0], name="Surgery"), ARMS[1])))
        == ()
    )
    assert changed(CODES, factors(replace(GROUP, name="Population"), LEVEL)) == ()
    assert changed(CODES, CODES) == ()


def offering(field: str, *options: tuple[str, str]) -> Dictionary:
    """The trial's dictionary with other choices for a field."""
    text = " | ".join(f"{code}, {label}" for code, label in options)
    return Dictionary(
        tuple(replace(one, choices=text) if one.name == field else one for one in trial_dictionary().fields)
    )


def found(field: str, *options: tuple[str, str]) -> tuple[str, ...]:
    return misfits(codes_of(CONFIG), CONFIG, offering(field, *options))


def test_every_fault_of_the_live_choices_is_a_sentence() -> None:
    """What is gone, what is more, and whose label it has, each with the factor or the arms and the field."""
    lines = found("rand_lvl", ("1", " 2–4 LEVELS "), ("3", "more"), ("4", "most"))
    assert [line.partition(" ")[0] for line in lines] == ["Planned"] * 3
    assert "2 can't be chosen in rand_lvl" in lines[0]
    assert "rand_lvl offers 3, 4," in lines[1]
    assert "rand_lvl labels 1 as 2 was" in lines[2]
    lines = found("rand_lvl", ("3", "more"))
    assert "1, 2 can't be chosen" in lines[0]
    lines = found("rand_arm", ("1", "Conservative"), ("2", "PVP"))
    assert [line.partition(": ")[0] for line in lines] == ["arms", "arms"]


def test_the_configurations_own_labels_are_labels_too() -> None:
    """An arm's long label under the other's code; a level that was added is offered rightly."""
    (line,) = found("rand_arm", ("1", "Conservative treatment"), ("2", "Something else"))
    assert "labels 1 as 2 was" in line
    planned = CONFIG.strata[1]
    added = planned.levels[0].model_copy(update={"code": "3", "value": "3", "label": "5 levels"})
    more = planned.model_copy(update={"levels": (*planned.levels, added)})
    config = CONFIG.model_copy(update={"strata": (CONFIG.strata[0], more, CONFIG.strata[2])})
    offered = offering("rand_lvl", ("1", "1 level"), ("2", "2–4 levels"), ("3", "5 levels"))
    assert misfits(codes_of(CONFIG), config, offered) == ()
    (line,) = misfits(codes_of(CONFIG), CONFIG, offered)
    assert "offers 3" in line
    renamed = CONFIG.model_copy(update={"strata": ()})
    assert misfits(codes_of(CONFIG), renamed, trial_dictionary()) == ()


def test_a_field_that_is_not_there_is_told_elsewhere() -> None:
    """And the trial as it is has no fault."""
    gone = Dictionary(tuple(one for one in trial_dictionary().fields if one.name != "rand_lvl"))
    assert misfits(codes_of(CONFIG), CONFIG, gone) == ()
    assert misfits(codes_of(CONFIG), CONFIG, trial_dictionary()) == ()


def table(codes: Codes | None = CODES) -> Table:
    scheme = Scheme("T", "prod", (("1", 1), ("2", 1)), ((2, 1), (4, 1)))
    order = Order((Pile("RIG", "K1"), Pile("ODE", "N2"), Pile("ODE", "K1")), 4, CODES, "2026-11-23")
    return replace(next_table([], scheme, bytes(range(32)), order), codes=codes)


def test_a_manifest_says_what_is_public_of_a_version() -> None:
    """Counts by pile in their order, the root, and the digests of what was sealed and of the manifest before."""
    made = table()
    told = describe(made, b"sealed", "2026-11-24", "before")
    assert (told.schema, told.trial, told.domain, told.scheme) == (2, "T", "prod", "trialdesk-list-v1")
    assert (told.version, told.made, told.envelopes, told.codes) == (1, "2026-11-24", len(made.allocations), CODES)
    numbers = {
        pile: [m.envelope.number for m in made.allocations if str(m.envelope.pile) == pile]
        for pile in ("ODE-K1", "ODE-N2", "RIG-K1")
    }
    assert told.piles == tuple(PileCount(pile, 1, 1, max(some), len(some)) for pile, some in numbers.items())
    assert told.merkle_root == merkle_root({m.envelope.id: m.envelope.commitment for m in made.allocations})
    assert told.sealed_sha256 == hashlib.sha256(b"sealed").hexdigest()
    assert told.previous_sha256 == hashlib.sha256(b"before").hexdigest()
    assert describe(made, b"sealed", "2026-11-24", "").previous_sha256 == ""
    assert sites_of(told) == ("ODE", "RIG")


def test_a_manifest_reads_back_as_written() -> None:
    """Its text is JSON with sorted keys, a line each; one of the first schema does not name codes at all."""
    told = describe(table(), b"sealed", "2026-11-24", "")
    text = to_text(told)
    assert from_text(text) == told
    assert text == json.dumps(json.loads(text), indent=1, sort_keys=True) + "\n"
    old = replace(told, schema=1, codes=None)
    assert "codes" not in json.loads(to_text(old))
    assert from_text(to_text(old)) == old
    assert made_on(text) == "2026-11-24"


def test_a_text_that_is_no_manifest_is_refused() -> None:
    """A part is missing or more, no JSON, no day."""
    told = json.loads(to_text(describe(table(), b"sealed", "2026-11-24", "")))
    for name in ("schema", "piles", "merkle_root", "made"):
        with pytest.raises(ValueError, match=name):
            from_text(json.dumps({key: value for key, value in told.items() if key != name}))
    with pytest.raises(ValueError, match="surplus"):
        from_text(json.dumps({**told, "surplus": 1}))
    for text in ("[]", "1", "no JSON", json.dumps({**told, "made": "someday"}), json.dumps({**told, "piles": [1]})):
        with pytest.raises(ValueError):
            from_text(text)
    with pytest.raises(ValueError, match="made"):
        made_on("{}")
    for text in ("[]", "no JSON", '{"made": "someday"}', '{"made": 1}'):
        with pytest.raises(ValueError):
            made_on(text)
