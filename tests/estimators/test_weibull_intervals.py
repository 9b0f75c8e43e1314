"""A Weibull hazard from intervals: R's numbers, and no numbers where there is no maximum."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.loop_reference import expected, months

from sbrt_followup.estimators import weibull_intervals

Q = -np.log(0.95)


@pytest.mark.parametrize(("name", "second"), [("exp300", False), ("exp300", True), ("high400", False)])
def test_the_fit_is_r_s_with_its_visits_of_equal_yield(name: str, second: bool) -> None:
    known = expected("ic_parametric")[name]["second_mri" if second else "all"]["weibull"]
    data = months(name, second)
    fit = weibull_intervals.fit(data.left, data.right, data.entry, unit=24.0)
    assert fit.interior
    assert fit.loglik == pytest.approx(known["loglik"], abs=1e-8)
    assert fit.shape == pytest.approx(known["shape"], rel=1e-7)
    assert fit.size == pytest.approx(known["h24"], rel=1e-7)
    assert fit.covariance == pytest.approx(np.array(known["cov"]), abs=1e-6)
    begin = fit.cumulative(np.array([known["from_month"]]))
    assert fit.reached(begin + Q * np.arange(1, 9)) == pytest.approx(known["equal_yield_visits_months"], rel=1e-6)


def test_where_the_likelihood_rises_for_ever_nothing_is_fitted() -> None:
    assert expected("ic_parametric")["high400"]["second_mri"]["weibull"]["boundary"]
    data = months("high400", True)
    assert not weibull_intervals.fit(data.left, data.right, data.entry).interior


def test_the_unit_of_size_does_not_matter() -> None:
    data = months("high400")
    one, two = (weibull_intervals.fit(data.left, data.right, data.entry, unit=u) for u in (1.0, 60.0))
    assert one.shape == pytest.approx(two.shape, rel=1e-7)
    assert one.cumulative(np.array([7.0])) == pytest.approx(two.cumulative(np.array([7.0])), rel=1e-7)
