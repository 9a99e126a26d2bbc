"""The register held against the filed manifests: what was sent may not be exchanged without being seen."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from filed import manifest_of
from frozen import FROZEN, trial_dictionary
from redcap_rules.dictionary import Dictionary
from rehearsal.day import forget_filed
from trialdesk.allocation.cards import commitment
from trialdesk.allocation.codes import codes_of, misfits
from trialdesk.allocation.manifest import Manifest, to_text
from trialdesk.allocation.numbering import envelope_id
from trialdesk.config import Config, load
from trialdesk.envelopes.filing import exchanged, file_manifest, fingerprints, held, ids_of, prove_codes, read_filed
from trialdesk.errors import ConfigError, TableError
from trialdesk.model import Envelope, Pile

pytestmark = pytest.mark.requirement("ENV-11")

ODE, RIG = Pile("ODE", "K1N"), Pile("RIG", "N2F")


def envelope(pile: Pile, number: int, arm: str = "1") -> Envelope:
    name = envelope_id(pile, number)
    proof = commitment("PVP-MM", name, arm, "0123456789AB")
    return Envelope(pile, number, name, 1, "received", proof, received_on=date(2026, 1, 5))


FIRST = tuple(envelope(pile, number) for pile in (ODE, RIG) for number in (1, 2, 3))
SECOND = tuple(envelope(ODE, number) for number in (4, 5))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The frozen trial with a state folder of its own."""
    frozen = load(FROZEN / "config.yaml")
    return frozen.model_copy(update={"folders": frozen.folders.model_copy(update={"state": tmp_path / "state"})})


def write(path: Path, manifest: Manifest) -> tuple[Path, str]:
    path.write_text(to_text(manifest), encoding="utf-8")
    return path, manifest.merkle_root


def both(config: Config, folder: Path) -> tuple[Manifest, ...]:
    """Two versions are filed in their order."""
    one = manifest_of(config, FIRST)
    two = manifest_of(config, SECOND, 2, hashlib.sha256(to_text(one).encode()).hexdigest())
    for number, made in enumerate((one, two)):
        file_manifest(config, *write(folder / f"{number}.json", made))
    return read_filed(config)


def test_a_register_that_is_as_it_was_filed_is_right(config: Config, tmp_path: Path) -> None:
    """Every envelope may be released."""
    filed = both(config, tmp_path)
    found = held(filed, (*FIRST, *SECOND))
    assert (found.wrong, found.lacking, found.unfiled, found.differing, found.waiting) == (False, (), (), (), ())
    assert {found.against(one.id) for one in (*FIRST, *SECOND)} == {""}


def _with(one: Envelope, other: Envelope) -> Envelope:
    return replace(one, commitment=other.commitment)


Change = Callable[[tuple[Envelope, ...]], tuple[Envelope, ...]]


@pytest.mark.parametrize(
    ("change", "lacking", "differing"),
    [
        (lambda r: (replace(r[0], commitment=envelope(ODE, 1, "2").commitment), *r[1:]), 0, (1,)),
        (
            lambda r: (replace(r[0], commitment=r[1].commitment), replace(r[1], commitment=r[0].commitment), *r[2:]),
            0,
            (1,),
        ),
        (lambda r: (replace(r[0], commitment=""), *r[1:]), 0, (1,)),
        (lambda r: r[1:], 1, ()),
        (lambda r: r[:-1], 1, ()),
    ],
    ids=["a commitment of one's own", "two exchanged", "blanked", "the first deleted", "the last deleted"],
)
def test_what_is_not_as_it_was_filed_is_found(
    config: Config, tmp_path: Path, change: Change, lacking: int, differing: tuple[int, ...]
) -> None:
    """With the coordinator's own token a commitment can be written; the filed root is what proves it."""
    found = held(both(config, tmp_path), change((*FIRST, *SECOND)))
    assert (len(found.lacking), found.differing, found.wrong) == (lacking, differing, True)
    if differing:
        assert "version 1 is not in the register as it was filed" in found.against(FIRST[2].id)
        assert found.against(SECOND[0].id) == ""


def test_a_version_of_which_nothing_is_there_yet_is_no_fault(config: Config, tmp_path: Path) -> None:
    """Filed before the packer has pushed it: said, no stop."""
    found = held(both(config, tmp_path), FIRST)
    assert (found.waiting, found.wrong, found.lacking) == ((2,), False, ())


def test_envelopes_of_a_version_that_is_not_filed_are_not_released(config: Config, tmp_path: Path) -> None:
    """And only these."""
    found = held(both(config, tmp_path)[:1], (*FIRST, *SECOND))
    assert (found.unfiled, found.wrong) == (tuple(one.id for one in SECOND), False)
    assert "is of a version that is not filed" in found.against(SECOND[0].id)
    assert found.against(FIRST[0].id) == ""


@pytest.mark.parametrize(("envelopes", "wrong"), [((), False), (FIRST, True)])
def test_before_the_first_manifest_nothing_is_released(envelopes: tuple[Envelope, ...], wrong: bool) -> None:
    """An empty register is only told; a filled one is a fault."""
    found = held((), envelopes)
    assert found.wrong is wrong
    assert "no manifest is filed" in found.against(FIRST[0].id)


def test_a_manifest_is_filed_with_the_root_from_the_paper(config: Config, tmp_path: Path) -> None:
    """Typed in capitals and groups; another root is refused, and nothing is filed."""
    path, root = write(tmp_path / "m.json", manifest_of(config, FIRST))
    with pytest.raises(TableError, match="not the one that was typed"):
        file_manifest(config, path, root[::-1])
    assert read_filed(config) == ()
    file_manifest(config, path, " ".join(root[at : at + 4] for at in range(0, 64, 4)).upper())
    assert [one.version for one in read_filed(config)] == [1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"domain": "dev"}, "tables of a rehearsal never become those of a trial"),
        ({"trial": "OTHER"}, "is of OTHER"),
        ({"previous_sha256": "00"}, "does not follow"),
    ],
)
def test_a_manifest_of_other_tables_is_refused(
    config: Config, tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    """Another domain, another trial, another chain."""
    path, root = write(tmp_path / "m.json", replace(manifest_of(config, FIRST), **change))
    with pytest.raises(TableError, match=words):
        file_manifest(config, path, root)


def test_a_filed_manifest_that_was_changed_is_no_manifest(config: Config, tmp_path: Path) -> None:
    """The chain and the form are read again at every run."""
    both(config, tmp_path)
    path = config.state / "filed" / "v001.json"
    path.write_text(path.read_text(encoding="utf-8").replace("2026-01-02", "2026-01-03"), encoding="utf-8")
    with pytest.raises(TableError, match=r"v002\.json: does not follow"):
        read_filed(config)


def in_danish(config: Config) -> Config:
    """The planned levels have Danish labels too, as the shipped trial's have."""
    words = {"1": "1 niveau", "2": "2–4 niveauer"}
    population, planned, former = config.strata
    levels = tuple(level.model_copy(update={"labels": {"da": words[level.value]}}) for level in planned.levels)
    return config.model_copy(update={"strata": (population, planned.model_copy(update={"levels": levels}), former)})


def relabelled(field: str, *options: tuple[str, str]) -> Dictionary:
    """The trial's dictionary with other choices for a field."""
    plain = trial_dictionary()
    fields = tuple(
        replace(one, choices=" | ".join(f"{code}, {label}" for code, label in options)) if one.name == field else one
        for one in plain.fields
    )
    return Dictionary(fields)


@pytest.mark.parametrize(
    ("field", "options", "words"),
    [
        ("rand_lvl", (("1", "1 level"),), "2 can't be chosen"),
        ("rand_lvl", (("1", "1 level"), ("2", "2–4 levels"), ("3", "more")), "offers 3"),
        ("rand_lvl", (("1", "2–4 levels"), ("2", "1 level")), "labels 1 as 2 was labelled"),
        ("rand_arm", (("1", "Conservative"), ("2", "PVP")), "labels 1 as 2 was labelled"),
        ("rand_lvl", (("1", "one level"), ("2", "two to four")), ""),
        ("rand_lvl", (("1", "2–4 niveauer"), ("2", "1 niveau")), "labels 1 as 2 was labelled"),
        ("rand_lvl", (("1", "1 niveau"), ("2", "2–4 niveauer")), ""),
    ],
)
def test_the_live_choices_are_held_against_the_frozen_codes(
    field: str, options: tuple[tuple[str, str], ...], words: str
) -> None:
    """A missing or new code, or the label of another; other words for the same are fine."""
    config = in_danish(load(FROZEN / "config.yaml"))
    found = misfits(codes_of(config), config, relabelled(field, *options))
    assert (words in " ".join(found)) if words else not found


@pytest.mark.parametrize(("domain", "left"), [("dev", 0), ("prod", 2)])
def test_a_rehearsal_forgets_what_an_earlier_one_filed(config: Config, tmp_path: Path, domain: str, left: int) -> None:
    """Or a second `make demo` could not file its own; what the trial itself has filed stays."""
    envelopes = config.envelopes.model_copy(update={"domain": domain})
    here = config.model_copy(update={"envelopes": envelopes})
    both(here, tmp_path)
    forget_filed(here)
    assert len(read_filed(here)) == left


def test_the_envelopes_of_a_manifest_are_those_of_its_piles() -> None:
    """From the first number to the last, pile by pile."""
    made = manifest_of(load(FROZEN / "config.yaml"), (*SECOND, *FIRST[3:]))
    assert ids_of(made) == tuple(one.id for one in (*SECOND, *FIRST[3:]))


def test_a_register_is_held_against_every_version_at_once(config: Config, tmp_path: Path) -> None:
    """Which envelope is of which version, and what is missing, surplus or changed, in order."""
    filed = both(config, tmp_path)
    surplus = [envelope(RIG, number) for number in (5, 4)]
    damaged = replace(FIRST[5], commitment="not hexadecimal")
    found = held(filed, (*FIRST[:5], damaged, *surplus, SECOND[1]))
    assert (found.filed, found.empty) == (2, False)
    assert found.versions == {**{one.id: 1 for one in FIRST}, **{one.id: 2 for one in SECOND}}
    assert (found.lacking, found.unfiled) == ((SECOND[0].id,), tuple(one.id for one in surplus[::-1]))
    assert (found.differing, found.waiting) == ((1,), ())
    assert found.against(SECOND[1].id) == ""
    assert held(filed, ()).empty
    assert held(filed[:1], ()).waiting == (1,)
    two = held(filed, (*FIRST[2:], *SECOND))
    assert two.lacking == (FIRST[0].id, FIRST[1].id)
    assert two.differing == ()  # what is missing is told, not compared


def test_only_the_newest_version_may_wait_for_its_push(config: Config, tmp_path: Path) -> None:
    """An older one nothing of which is there was lost."""
    found = held(both(config, tmp_path), SECOND)
    assert (found.waiting, found.lacking) == ((), tuple(sorted(one.id for one in FIRST)))
    assert found.wrong


def test_the_memory_knows_commitments_again_by_sixteen_digits(config: Config, tmp_path: Path) -> None:
    """One of a version that differs keeps what was known; which was exchanged is told by it."""
    filed = both(config, tmp_path)
    right = held(filed, (*FIRST, *SECOND))
    known = fingerprints((*FIRST, *SECOND), right, {"OLD": "0"})
    digest = hashlib.sha256(FIRST[0].commitment.encode()).hexdigest()[:16]
    assert (known[FIRST[0].id], known["OLD"], len(known)) == (digest, "0", 9)
    turned = (_with(FIRST[0], FIRST[1]), _with(FIRST[1], FIRST[0]), *FIRST[2:], *SECOND)
    wrong = held(filed, turned)
    later = fingerprints(turned, wrong, known)
    assert later == known
    assert exchanged(1, turned, wrong, later) == tuple(sorted((FIRST[0].id, FIRST[1].id)))
    assert exchanged(2, turned, wrong, later) == ()
    assert exchanged(1, turned, wrong, {}) == ()


class Trial:
    """The trial's project, of which the dictionary is asked."""

    def __init__(self, dictionary: Dictionary) -> None:
        self.known = dictionary

    def dictionary(self) -> Dictionary:
        return self.known


def test_the_live_project_is_held_against_the_codes_that_were_filed(config: Config, tmp_path: Path) -> None:
    """A line for every fault; before anything is filed, or where no version says what codes mean, nothing is asked."""
    wrong: Any = Trial(relabelled("rand_arm", ("1", "Conservative"), ("2", "PVP")))
    prove_codes(config, wrong)
    old = replace(manifest_of(config, FIRST), schema=1, codes=None)
    file_manifest(config, *write(tmp_path / "1.json", old))
    prove_codes(config, wrong)
    two = manifest_of(config, SECOND, 2, hashlib.sha256(to_text(old).encode()).hexdigest())
    file_manifest(config, *write(tmp_path / "2.json", two))
    with pytest.raises(TableError) as caught:
        prove_codes(config, wrong)
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert all(line.startswith("REDCap: arms: ") for line in lines)
    right: Any = Trial(trial_dictionary())
    prove_codes(config, right)


@pytest.mark.parametrize("text", ["1", "[]", "no JSON", "{}"])
def test_a_file_that_is_no_manifest_is_told_in_one_line(config: Config, tmp_path: Path, text: str) -> None:
    """With its name and the way out; a file that can't be read too."""
    path = tmp_path / "m.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TableError, match=r"m\.json: is no manifest; ask the packer"):
        file_manifest(config, path, "00")
    with pytest.raises(ConfigError, match=r"none: can't be read \(FileNotFoundError\)"):
        file_manifest(config, tmp_path / "none", "00")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"m.json: can't be read \(UnicodeDecodeError\)"):
        file_manifest(config, path, "00")


def test_a_filed_manifest_that_is_no_text_is_told(config: Config, tmp_path: Path) -> None:
    """By its folder."""
    both(config, tmp_path)
    (config.state / "filed" / "v002.json").write_bytes(b"\xff\xfe")
    with pytest.raises(TableError, match=r"filed: a filed manifest can't be read \(UnicodeDecodeError\)"):
        read_filed(config)


def test_a_manifest_whose_text_was_laid_out_otherwise_does_not_follow(config: Config, tmp_path: Path) -> None:
    """Every byte is part of the chain."""
    made = manifest_of(config, FIRST)
    path = tmp_path / "m.json"
    path.write_text(to_text(made) + "\n", encoding="utf-8")
    with pytest.raises(TableError, match=r"m\.json: does not follow"):
        file_manifest(config, path, made.merkle_root)


def test_a_manifest_of_other_codes_is_refused(config: Config, tmp_path: Path) -> None:
    """A line for each, with the name of the file."""
    made = manifest_of(config, FIRST)
    assert made.codes is not None
    other = replace(made, codes=replace(made.codes, ratios=(1, 2), arms=made.codes.arms[::-1]))
    with pytest.raises(TableError) as caught:
        file_manifest(config, *write(tmp_path / "m.json", other))
    lines = str(caught.value).splitlines()
    assert [line.partition(": ")[0] for line in lines] == ["m.json", "m.json"]
    assert "ratios" in lines[0]
    strange = replace(made, piles=(replace(made.piles[0], pile="no pile"), *made.piles[1:]))
    with pytest.raises(TableError, match="is no manifest"):
        file_manifest(config, *write(tmp_path / "m.json", strange))


def test_a_filed_manifest_is_named_by_its_version(config: Config, tmp_path: Path) -> None:
    """And what is filed comes back."""
    made = file_manifest(config, *write(tmp_path / "m.json", manifest_of(config, FIRST)))
    assert [path.name for path in (config.state / "filed").iterdir()] == ["v001.json"]
    assert read_filed(config) == (made,)
