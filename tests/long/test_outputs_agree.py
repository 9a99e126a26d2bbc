"""Sheet, page, calendar, JSON and REDCap's call plan say the same of every patient, in nine more rehearsals."""

from __future__ import annotations

import pytest

from agreeing import agree
from trialdesk.config import Config

pytestmark = pytest.mark.requirement("CAL-06")


@pytest.mark.parametrize("seed", range(2, 11))
def test_all_outputs_agree_on_every_patient(frozen: Config, seed: int) -> None:
    agree(frozen, seed)
