"""The flexible hazard is flexsurv's spline, and is refused where it cannot be a maximum."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.loop_reference import expected, months

from sbrt_followup.surveillance.hazard_models import Wanted
from sbrt_followup.surveillance.spline_hazard import spline


@pytest.mark.slow
@pytest.mark.parametrize("name", ["exp300_knots_12", "high400_knots_12"])
def test_the_fit_is_flexsurvspline_s(name: str) -> None:
    known = expected("ic_spline")[name]
    knots = [known["boundary_knots_months"][0], known["internal_knots_months"], known["boundary_knots_months"][1]]
    fit = spline(months(name.partition("_")[0]), Wanted(0.05), float("nan"), np.array(knots, dtype=float))
    assert fit.status == "fitted"
    assert fit.loglik == pytest.approx(known["loglik"], abs=1e-5)
    first = np.array(fit.visits[:1])
    assert first[0] > 0


@pytest.mark.slow
def test_more_likelihood_than_the_nonparametric_curve_is_refused() -> None:
    fit = spline(months("exp300"), Wanted(0.05), -400.0)
    assert fit.status == "refused"
    assert "nonparametric" in fit.reason
