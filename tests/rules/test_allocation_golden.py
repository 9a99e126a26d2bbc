"""The lists, codes and commitments of three published masters, from literals and from a second implementation."""

from __future__ import annotations

import hashlib
import hmac
from itertools import chain, islice

import pytest

from trialdesk.allocation.blocks import block_list
from trialdesk.allocation.cards import card_code, commitment, merkle_root
from trialdesk.allocation.numbering import envelope_id
from trialdesk.allocation.scheme import Scheme, list_key
from trialdesk.model import Pile

pytestmark = pytest.mark.requirement("ENV-02")

MASTERS = {
    "counting": bytes(range(32)),
    "words": hashlib.sha256(b"trialdesk golden master 2").digest(),
    "reversed": bytes(range(255, 223, -1)),
}
TWO_ARMS = Scheme("PVP-MM", "prod", (("1", 1), ("2", 1)), ((2, 1), (4, 2)))
TWO_TO_ONE = Scheme("DEMO-ÆØÅ", "dev", (("A", 2), ("B", 1)), ((3, 1), (6, 3)))


def second_implementation(  # noqa: C901 - one function on purpose: it is read beside the description
    master: bytes, scheme: Scheme, site: str, stratum: str, n: int
) -> list[tuple[str, str, str, str]]:
    """(envelope id, arm, card code, commitment) of the first n envelopes, written again from reference/design.md 5.

    alone.
    """

    def enc(*words: str) -> bytes:
        return b"".join(len(w.encode("utf-8")).to_bytes(4, "big") + w.encode("utf-8") for w in words)

    def mac(key: bytes, message: bytes) -> bytes:
        return hmac.new(key, message, hashlib.sha256).digest()

    key = mac(master, enc("trialdesk-list-v1", scheme.trial, scheme.domain, site, stratum))
    stream, counter, position = b"", 0, 0

    def below(limit: int) -> int:
        nonlocal stream, counter, position
        while True:
            if position + 4 > len(stream):
                stream += mac(key, counter.to_bytes(8, "big"))
                counter += 1
            u = int.from_bytes(stream[position : position + 4], "big")
            position += 4
            if u < 4294967296 - 4294967296 % limit:
                return u % limit

    arms: list[str] = []
    while len(arms) < n:
        pick = below(sum(weight for _, weight in scheme.blocks))
        size = [one for one, weight in scheme.blocks for _ in "." * weight][pick]
        total = sum(ratio for _, ratio in scheme.arms)
        block = list("".join(arm * (size * ratio // total) for arm, ratio in scheme.arms))
        for i in reversed(range(1, size)):
            j = below(i + 1)
            block[j], block[i] = block[i], block[j]
        arms += block
    rows = []
    for k in range(1, n + 1):
        crockford, bits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ", "".join(f"{b:08b}" for b in mac(key, enc("card", str(k))))
        code = "".join(crockford[int(bits[i : i + 5], 2)] for i in range(0, 60, 5))
        p = 36
        for character in f"{site}{stratum}{k:03d}":
            p = ((p + int(character, 36)) % 36 or 36) * 2 % 37
        name = f"{site}-{stratum}-{k:03d}-" + "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[(37 - p) % 36]
        salt = enc("trialdesk-commit-v1", scheme.trial, name)
        proof = hashlib.scrypt(enc(name, arms[k - 1], code), salt=salt, n=1024, r=8, p=1, dklen=32)
        rows.append((name, arms[k - 1], code, proof.hex()))
    return rows


def ours(master: bytes, scheme: Scheme, pile: Pile, n: int) -> list[tuple[str, str, str, str]]:
    key = list_key(master, scheme.trial, scheme.domain, pile)
    arms = islice(chain.from_iterable(block_list(scheme, key)), n)
    rows = []
    for number, arm in enumerate(arms, start=1):
        name, code = envelope_id(pile, number), card_code(key, number)
        rows.append((name, arm, code, commitment(scheme.trial, name, arm, code)))
    return rows


@pytest.mark.parametrize("scheme", [TWO_ARMS, TWO_TO_ONE], ids=["1:1", "2:1"])
@pytest.mark.parametrize("master", MASTERS.values(), ids=MASTERS)
@pytest.mark.parametrize("pile", [Pile("ODE", "K1N"), Pile("RIG", "N2F")], ids=str)
def test_a_second_implementation_gives_the_same_envelopes(master: bytes, scheme: Scheme, pile: Pile) -> None:
    """Scheme trialdesk-list-v1 can be written again from its description, to the last bit."""
    assert ours(master, scheme, pile, 30) == second_implementation(master, scheme, pile.site, pile.stratum, 30)


LITERALS = [
    (
        "counting",
        "121221122111222121212112",
        "ODE-K1N-001-N RYZGPHRQNKY6",
        "ODE-K1N-002-L DE9YDA82YV43",
        "6defa17460db38bc41fe10c1040c252b25611c428ca8dd9eb7670928d56b60ed",
    ),
    (
        "words",
        "211221211222112211121222",
        "ODE-K1N-001-N AJZ4FQPPHRDY",
        "ODE-K1N-002-L 37MX66Y42QKG",
        "5c72476ff8ed4b8275be1d936319f89ec7a77a51bbd8585e48b6af3fa5eac68a",
    ),
    (
        "reversed",
        "212121112221121122121221",
        "ODE-K1N-001-N 460YSYEE0DYB",
        "ODE-K1N-002-L 6VW1B7QNB0N5",
        "79813dfe80b1f54f5649286eb0533a592f32fcb2c5c5f92b5c23e1c5540fc85c",
    ),
]


@pytest.mark.parametrize(("name", "arms", "first", "second", "root"), LITERALS)
def test_the_published_lists_never_change(name: str, arms: str, first: str, second: str, root: str) -> None:
    """The first 24 arms, two cards and the root of the first 24 commitments of pile ODE-K1N, for ever."""
    rows = ours(MASTERS[name], TWO_ARMS, Pile("ODE", "K1N"), 24)
    assert "".join(row[1] for row in rows) == arms
    assert [" ".join((row[0], row[2])) for row in rows[:2]] == [first, second]
    assert merkle_root({row[0]: row[3] for row in rows}) == root
