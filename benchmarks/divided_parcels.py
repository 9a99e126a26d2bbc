"""How often a parcel of every pile of a clinic is exactly divided between the arms: the real lists and the real cut.

python benchmarks/divided_parcels.py --piles 4 --clinics 1000
"""

from __future__ import annotations

import argparse
import hashlib
from itertools import chain, islice

from trialdesk.allocation.blocks import block_list
from trialdesk.allocation.parcels import cut, imbalance, parcel_key
from trialdesk.allocation.scheme import Scheme, list_key
from trialdesk.model import Pile

SETS = {"{2,4}": (2, 4), "{2,4,6}": (2, 4, 6), "{4,6}": (4, 6)}
BATCH = 6


def divided(sizes: tuple[int, ...], piles: int, clinic: int, parcels: int) -> list[bool]:
    """Whether each of a clinic's first parcels, all of every pile, holds as many of each arm as its ratio says."""
    scheme = Scheme("BENCH", "test", (("1", 1), ("2", 1)), tuple((size, 1) for size in sizes))
    master, site = hashlib.sha256(b"%d" % clinic).digest(), f"S{clinic}"
    strata = [str(pile) for pile in range(1, piles + 1)]
    ahead = {}
    for one in strata:
        arms = chain.from_iterable(block_list(scheme, list_key(master, "BENCH", "test", Pile(site, one))))
        ahead[one] = list(islice(arms, (BATCH + 1) * (parcels + 1)))
    said = []
    for version in range(1, parcels + 1):
        sizes_cut = cut(parcel_key(master, scheme, site, version), scheme, BATCH, ahead)
        sent = [ahead[one][:number] for one, number in sizes_cut.items()]
        said.append(imbalance([[pile.count(code) for code, _ in scheme.arms] for pile in sent], scheme) == 0)
        ahead = {one: ahead[one][number:] for one, number in sizes_cut.items()}
    return said


def main() -> None:
    """Print the shares of first and later parcels that are exactly divided."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--piles", type=int, default=4, help="piles in every parcel")
    asked.add_argument("--clinics", type=int, default=1000)
    asked.add_argument("--parcels", type=int, default=4, help="parcels of a clinic")
    args = asked.parse_args()
    print("blocks    piles  first parcels      later parcels")
    for name, sizes in SETS.items():
        seen = [divided(sizes, args.piles, clinic, args.parcels) for clinic in range(args.clinics)]
        first = sum(one[0] for one in seen)
        later = sum(sum(one[1:]) for one in seen)
        print(f"{name:9} {args.piles:5}  {first} of {len(seen)}  {later} of {len(seen) * (args.parcels - 1)}")


if __name__ == "__main__":
    main()
