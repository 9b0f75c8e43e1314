"""The interval for a yield, with and without allowance for death; MRIs of equal yield."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sbrt_followup.surveillance import yields
from sbrt_followup.surveillance.hazards import Rates


def test_the_published_intervals_come_from_their_hazards_and_back() -> None:
    # Chen 2024: 3.75 % at 6.0 and 3.1 months, 5 % at 1.3 then 5.9 months.
    for share, months, hazard in (
        (0.0375, 6.0, 0.00637),
        (0.0375, 3.1, 0.01233),
        (0.05, 1.3, 0.03946),
        (0.05, 5.9, 0.00869),
    ):
        assert yields.interval(share, hazard) == pytest.approx(months, rel=2e-3)


def test_with_equal_mortality_deaths_change_nothing_with_more_after_they_lengthen_it() -> None:
    plain = yields.interval(0.05, 0.02)
    assert yields.interval_with_deaths(0.05, 0.02, 0.03, 0.03) == pytest.approx(plain, rel=1e-9)
    assert yields.interval_with_deaths(0.05, 0.02, 0.03, 0.15) > plain
    assert math.isnan(yields.interval_with_deaths(0.05, 0.001, 0.01, 0.01))


def test_the_yield_is_that_of_simulated_people() -> None:
    rng = np.random.default_rng(2)
    n, a, b, c, gap = 400_000, 0.04, 0.03, 0.12, 5.0
    onset, clear_death = rng.exponential(1 / a, n), rng.exponential(1 / b, n)
    death = np.where(clear_death < onset, clear_death, onset + rng.exponential(1 / c, n))
    alive = death > gap
    share = (onset[alive] <= gap).mean()
    assert yields.yield_after(gap, a, b, c) == pytest.approx(
        share, abs=3 * math.sqrt(share * (1 - share) / alive.sum())
    )


def test_visits_of_equal_yield_each_find_the_share() -> None:
    rates = Rates((0.0, 13.2), (0.04, 0.009))
    at = yields.equal_yield_visits(0.05, rates.cumulative, rates.reached, 0.0, 48.0)
    steps = np.diff(np.concatenate([[0.0], rates.cumulative(at)]))
    assert 1 - np.exp(-steps) == pytest.approx(np.full(len(at), 0.05))
    assert at[-1] <= 48.0
    assert at[0] == pytest.approx(yields.interval(0.05, 0.04))
