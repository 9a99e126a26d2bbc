"""Which cards are proved: to prove one takes milliseconds on purpose, so what was proved once is known again.

Known again is a keyed digest of everything that was proved: commitment, envelope, arm and card code. Whoever corrects
one of them has it proved anew.
"""

from __future__ import annotations

from collections.abc import Collection

from trialdesk.allocation.cards import tidy_code, verify_card
from trialdesk.memory.digests import keyed
from trialdesk.model import Envelope


class Proofs:
    """The cards of a trial; `proved` grows with every card that fits."""

    def __init__(self, trial: str, secret: bytes = b"", known: Collection[str] = ()) -> None:
        self._trial = trial
        self._secret = secret
        self._known = frozenset(known)
        self.proved: set[str] = set()

    def fits(self, envelope: Envelope, arm: str, code: str) -> bool:
        """Whether arm and card code are those sealed in the envelope; the code may be as typed."""
        name = keyed(self._secret, (envelope.commitment, self._trial, envelope.id, arm, tidy_code(code)))
        if name in self._known or name in self.proved or self._verify(envelope, arm, code):
            self.proved.add(name)
            return True
        return False

    def _verify(self, envelope: Envelope, arm: str, code: str) -> bool:
        return verify_card(envelope.commitment, self._trial, envelope.id, arm, code)
