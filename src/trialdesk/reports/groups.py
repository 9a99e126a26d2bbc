"""The groups of a masked closed report: arms under secret letters, which the statistician's identity alone decides.

Source: reference/trial-operations.md 2.4 (a secret random mapping, never alphabetical by arm).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import replace
from string import ascii_uppercase

from trialdesk.config import Config
from trialdesk.config.parts import Arm
from trialdesk.errors import ConfigError
from trialdesk.facts.deriving import Facts, exchanged_world

RULE = "trialdesk-groups-v1"


def letters(config: Config, secret: str) -> Mapping[str, str]:
    """Arm code to the name of its group, in the order of the letters.

    The order is that of HMAC-SHA256 with the secret over rule, trial, domain and code: it is the same in every report,
    and without the secret every order is equally likely.

    Args:
        config: The trial.
        secret: The line of an age identity that the closed report is sealed for.
    """
    keyed = {arm.code: _keyed(secret, config, arm) for arm in config.arms}
    ordered = sorted(keyed, key=keyed.__getitem__)
    return {code: f"Group {letter}" for code, letter in zip(ordered, ascii_uppercase, strict=False)}


def own_secret(config: Config, identities: Mapping[str, str]) -> str:
    """The identity that decides the letters: the one the closed report is sealed for first.

    Args:
        config: The trial.
        identities: Public key to identity, of the statistician's file.

    Raises:
        ConfigError: the closed report is sealed for none of them.
    """
    found = next((identities[key] for key in config.sealed_for if key in identities), "")
    if not found:
        raise ConfigError(
            "closed.masked: the letters of the groups are decided by an identity the closed report is sealed for; "
            "name the statistician's with --identity, and its public key under recipients"
        )
    return found


def lettered(facts: Facts, secret: str) -> Facts:
    """The facts with arms named and ordered by their letters."""
    named = letters(facts.config, secret)
    return _named(facts, [(code, name) for code, name in named.items()])


def moved_on(facts: Facts) -> Facts:
    """Lettered facts with everybody in the next arm, and each letter with its patients."""
    arms = facts.config.arms
    after = [*arms[1:], *arms[:1]]
    return _named(exchanged_world(facts), [(new.code, old.label) for old, new in zip(arms, after, strict=True)])


def _named(facts: Facts, named: Sequence[tuple[str, str]]) -> Facts:
    known = {arm.code: arm for arm in facts.config.arms}
    arms = tuple(known[code].model_copy(update={"label": name, "name": name, "labels": {}}) for code, name in named)
    config = facts.config.model_copy(update={"arms": arms})
    config.__dict__.pop("arms_by_code", None)  # a copy keeps what was worked out from the arms of before
    return replace(facts, common=replace(facts.common, config=config))


def _keyed(secret: str, config: Config, arm: Arm) -> bytes:
    said = "\n".join((RULE, config.trial.id, config.envelopes.domain, arm.code))
    return hmac.digest(secret.encode(), said.encode(), "sha256")
