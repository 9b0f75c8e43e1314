"""Where a hazard changes: R's profile over a tenth of a month, found in few steps."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.loop_reference import expected, months

from sbrt_followup.estimators import break_point, illness_death, piecewise

GRID = np.arange(3.0, 36.5)


@pytest.mark.parametrize(
    ("name", "second"), [("exp300", False), ("exp300", True), ("high400", False), ("high400", True)]
)
def test_the_best_break_is_that_of_the_whole_profile(name: str, second: bool) -> None:
    known = expected("ic_parametric")[name]["second_mri" if second else "all"]["break_profile"]
    found = break_point.Standard(months(name, second)).search(GRID, 0.1, cells=3)
    assert found.at == pytest.approx(known["best"], abs=1e-9)
    assert found.loglik == pytest.approx(known["loglik"], abs=1e-6)


def test_quick_steps_and_warm_starts_lose_nothing() -> None:
    data = months("high400")
    search = break_point.IllnessDeath(data, illness_death.constant_deaths(2))
    found = break_point.search(search.at(), GRID, 0.1, cells=3)
    whole = {at: illness_death.fit(data, (0.0, at)).loglik for at in (GRID + 0.6).round(1)}
    assert found.loglik >= max(whole.values()) - 1e-9
    assert found.loglik == pytest.approx(illness_death.fit(data, (0.0, found.at)).loglik, abs=1e-7)
    exact = [illness_death.fit(data, (0.0, at)).loglik for at in GRID]
    assert found.profile == pytest.approx(exact, abs=0.05)


def test_weights_count_rows() -> None:
    data = months("high400")
    rows = np.random.default_rng(8).integers(0, len(data), len(data))
    weight = np.bincount(rows, minlength=len(data)).astype(float)
    weighted = break_point.Standard(data).search(GRID, 0.1, weight=weight)
    repeated = break_point.Standard(data.chosen(rows)).search(GRID, 0.1)
    assert weighted.at == pytest.approx(repeated.at)
    assert weighted.loglik == pytest.approx(repeated.loglik, abs=1e-6)


def test_fits_side_by_side_are_those_one_by_one() -> None:
    data = months("high400", True)
    loglik, hazard = break_point.Standard(data).profile(np.array([8.0, 13.2, 20.0]))
    for k, at in enumerate((8.0, 13.2, 20.0)):
        risk = piecewise.fit(piecewise.exposed(data.left, data.right, np.array([0.0, at]), data.entry))
        assert loglik[k] == pytest.approx(risk.loglik, abs=1e-8)
        assert hazard[k] == pytest.approx(risk.hazard, rel=1e-7)


def test_near_a_place_the_model_s_own_best_break_is_found() -> None:
    search = break_point.IllnessDeath(months("high400"), illness_death.constant_deaths(2))
    assert search.near(14.5, 0.1).at == pytest.approx(14.6)
