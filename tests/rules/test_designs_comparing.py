"""Comparisons: repeatable, in parts, by several processes; the file of designs and what is wrong with it."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest

from designs import blocks, coming
from trialdesk.config import Config
from trialdesk.designs.comparing import Run, compare
from trialdesk.designs.plan import Design, Resupply
from trialdesk.designs.settings import read_comparison
from trialdesk.errors import ConfigError

pytestmark = pytest.mark.requirement("ENV-17")

SENT = Resupply(batch=6, vary=1, reorder_at=1, delivery_days=7, piles=4, when="pile")


def test_a_seed_gives_the_same_figures_whatever_the_number_of_processes() -> None:
    """1 200 trials in three parts, of three designs, trial by trial."""
    designs = [blocks(2, 4, resupply=SENT), Design("F", "stratum", ((4, 1),)), Design("G", "minimisation", coin=0.8)]
    told: list[int] = []
    alone = compare(coming(20), designs, Run(1_200, 5, 1), told.append)
    shared = compare(coming(20), designs, Run(1_200, 5, 2))
    for one, two in zip(alone, shared, strict=True):
        assert len(one.overall) == 1_200
        np.testing.assert_array_equal(astuple(one), astuple(two))
    assert told == [500, 500, 200] * 3


def test_another_seed_gives_other_trials_and_parts_are_not_copies() -> None:
    """Each part has random numbers of its own."""
    (one,), (two,) = (compare(coming(20), [blocks(4)], Run(1_000, seed)) for seed in (1, 2))
    assert (one.overall != two.overall).any()
    assert (one.overall[:500] != one.overall[500:]).any()


def test_a_design_comes_out_the_same_whatever_it_is_compared_with() -> None:
    """And meets the same patients as its neighbours: the same lists are begun."""
    first, second = compare(coming(20), [blocks(2), blocks(4)], Run(600, 1))
    (alone,) = compare(coming(20), [blocks(4)], Run(600, 1))
    np.testing.assert_array_equal(second.overall, alone.overall)
    np.testing.assert_array_equal(first.lists, second.lists)


def test_trials_of_many_patients_are_played_in_smaller_parts() -> None:
    """However many patients, a part stays small, and every trial is played."""
    told: list[int] = []
    (found,) = compare(coming(40_000), [blocks(4)], Run(5, 1), told.append)
    assert told == [2, 2, 1]
    assert len(found.overall) == 5


def written(folder: Path, text: str) -> Path:
    path = folder / "designs.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_file_is_fitted_to_the_trial(frozen: Config, tmp_path: Path) -> None:
    """Sites by their targets, levels by their share or equal, days of the recruitment, defaults of the resupply."""
    path = written(
        tmp_path,
        """
strata_mix: {Population: {K: 1, N: 3}, Planned levels: {1: 40, 2: 60}}
designs:
  - {name: One, structure: site-stratum, blocks: {4: 2, 6: 1}, resupply: {batch: 6}}
  - {name: Yardstick, structure: minimisation, coin: 0.7}
""",
    )
    asked = read_comparison(path, frozen, 80)
    targets = [site.target for site in frozen.sites]
    assert asked.coming.patients == 80
    assert asked.coming.days == (frozen.trial.ends - frozen.trial.starts).days
    assert asked.coming.sites == pytest.approx([target / sum(targets) for target in targets])
    assert [list(shares) for shares in asked.coming.factors] == [[0.25, 0.75], [0.4, 0.6], [0.5, 0.5]]
    assert len(asked.coming.strata) == len(frozen.stratum_levels)
    one, two = asked.designs
    assert one == Design("One", "site-stratum", ((4, 2), (6, 1)), 1.0, Resupply(6, 1, 1, 7, 4, "pile"))
    assert two == Design("Yardstick", "minimisation", (), 0.7)
    assert "6" not in repr(two)
    assert "blocks" not in repr(one)


def test_sites_without_targets_are_equal(frozen: Config, tmp_path: Path) -> None:
    """Nobody is expected nowhere."""
    sites = tuple(site.model_copy(update={"target": 0}) for site in frozen.sites)
    path = written(tmp_path, "designs: [{name: H, structure: simple}]")
    asked = read_comparison(path, frozen.model_copy(update={"sites": sites}), 10)
    assert asked.coming.sites == pytest.approx([1 / len(sites)] * len(sites))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("designs: []", "designs: needs at least 1 entry"),
        ("designs: [{name: A, structure: blocks}]", "structure: has to be site-stratum, "),
        ("designs: [{name: A, structure: stratum}]", "stratum follows lists: add blocks"),
        ("designs: [{name: A, structure: simple, blocks: {2: 1}}]", "simple has no blocks; leave them out"),
        ("designs: [{name: A, structure: simple, coin: 0.5}]", "coin belongs to minimisation"),
        ("designs: [{name: A, structure: stratum, blocks: {2: 1}, resupply: {batch: 4}}]", "resupply belongs to lists"),
        ("designs: [{name: A, structure: site, blocks: {22: x}}]", "blocks: has to be {size: weight, …}"),
        ("designs: [{name: A, structure: site, blocks: {22: 0}}]", "blocks: has to be {size: weight, …}"),
        ("designs: [{name: A, structure: site, blocks: {222: 1}}]", "blocks: has to be {size: weight, …}"),
        ("designs: [{name: A, structure: site, blocks: {3: 1}}]", "designs.0.blocks: sizes have to be multiples of 2"),
        ("designs: [{name: A, structure: site, blocks: {2: 1}, resupply: {batch: 2}}]", "the smallest shipment"),
        ("designs: [{name: Blocks of 22, structure: site, blocks: {22: 1}}]", "designs.0.name: holds a number"),
        ("designs: [{name: A, structure: simple}, {name: A, structure: simple}]", "designs.1.name: A is there already"),
        ("strata_mix: {Age: {O: 1}}\ndesigns: [{name: A, structure: simple}]", "Age is no factor of the trial"),
        (
            "strata_mix: {Population: {K: 1}}\ndesigns: [{name: A, structure: simple}]",
            "Population needs a share for each of its levels K, N",
        ),
        (
            "strata_mix: {Population: {K: 0, N: 0}}\ndesigns: [{name: A, structure: simple}]",
            "Population needs a share for each of its levels K, N",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_line_without_block_sizes(
    text: str, said: str, frozen: Config, tmp_path: Path
) -> None:
    """Place, what is wrong, what to do; the sizes 22 and 222 are never quoted."""
    with pytest.raises(ConfigError) as refused:
        read_comparison(written(tmp_path, text), frozen, 10)
    (line,) = refused.value.problems
    assert said in line
    assert line.startswith("designs.yaml:")
    assert "22" not in line
