"""lifelines finds the same likelihoods."""

from __future__ import annotations

import pytest
from helpers.loop_reference import months

from sbrt_followup.surveillance import hazard_models as models
from sbrt_followup.surveillance.cross_check import cross_check


@pytest.mark.slow
def test_lifelines_agrees_with_and_without_entry() -> None:
    for second in (False, True):
        data = months("exp300", second)
        wanted = models.Wanted(0.05)
        fits = (
            models.standard("exponential", data, wanted, (0.0,)),
            models.standard("break", data, wanted, (0.0, 13.2)),
            models.weibull(data, wanted, 0.0),
            models.both("illness_death", data, wanted, (0.0,)),
        )
        found = cross_check(data, fits)
        assert [c.model for c in found] == ["exponential", "break", "weibull"]
        assert max(c.difference for c in found) < 1e-6
