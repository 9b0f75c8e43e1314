"""Hazards constant in pieces: R's numbers with and without late entry, and what must not change them."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.loop_reference import expected, months

from sbrt_followup.estimators import piecewise
from sbrt_followup.estimators.profile_limits import limits

Q = -np.log(0.95)
CASES = [(name, second) for name in ("exp300", "high400") for second in (False, True)]


def fitted(name: str, second: bool, starts: tuple[float, ...] = (0.0,)) -> piecewise.Risk:
    own = months(name, second)
    return piecewise.fit(piecewise.exposed(own.left, own.right, np.array(starts), own.entry))


@pytest.mark.parametrize(("name", "second"), CASES)
def test_a_constant_hazard_is_r_s_with_its_limits(name: str, second: bool) -> None:
    known = expected("ic_parametric")[name]["second_mri" if second else "all"]["exponential"]
    risk = fitted(name, second)
    error = float(piecewise.std_error_log(risk)[0])
    assert risk.loglik == pytest.approx(known["loglik"], abs=1e-8)
    assert risk.hazard[0] == pytest.approx(known["hazard_per_month"], rel=1e-7)
    assert error == pytest.approx(known["se_log"], rel=1e-7)
    low, high = limits(
        lambda log: piecewise.fit(risk.exposure, np.exp([log]), hold=0).loglik,
        float(np.log(risk.hazard[0])),
        error,
        risk.loglik,
    )
    assert Q / np.exp(high) == pytest.approx(known["interval_months"]["profile_low"], rel=1e-7)
    assert Q / np.exp(low) == pytest.approx(known["interval_months"]["profile_high"], rel=1e-7)


@pytest.mark.parametrize(("name", "second"), CASES)
@pytest.mark.parametrize("at", [13.2, 12.0])
def test_two_pieces_are_r_s(name: str, second: bool, at: float) -> None:
    known = expected("ic_parametric")[name]["second_mri" if second else "all"].get(f"piecewise_{at:g}")
    if known is None:
        pytest.skip("R fitted the break at 12 for one cohort only")
    risk = fitted(name, second, (0.0, at))
    assert risk.loglik == pytest.approx(known["loglik"], abs=1e-8)
    assert risk.hazard == pytest.approx(known["hazard_per_month"], rel=1e-7)
    assert piecewise.std_error_log(risk) == pytest.approx(known["se_log"], rel=1e-6)


def test_weights_count_rows_and_a_row_censored_at_its_entry_says_nothing() -> None:
    own = months("high400", True)
    weight = np.random.default_rng(3).integers(0, 4, len(own)).astype(float)
    rows = np.repeat(np.arange(len(own)), weight.astype(int))
    starts = np.array([0.0, 10.0])
    weighted = piecewise.fit(piecewise.exposed(own.left, own.right, starts, own.entry, weight))
    repeated = piecewise.fit(piecewise.exposed(own.left[rows], own.right[rows], starts, own.entry[rows]))
    assert weighted.hazard == pytest.approx(repeated.hazard, rel=1e-9)
    left, right, entry = (np.append(c, v) for c, v in ((own.left, 20.0), (own.right, np.inf), (own.entry, 20.0)))
    more = piecewise.fit(piecewise.exposed(left, right, starts, entry))
    same = piecewise.fit(piecewise.exposed(own.left, own.right, starts, own.entry))
    assert more.hazard == pytest.approx(same.hazard, rel=1e-12)


def test_splitting_follow_up_at_a_clear_scan_changes_nothing() -> None:
    own = months("exp300")
    cut = own.left / 2
    first = np.full(len(own), np.inf)
    left, right, entry = (np.concatenate(pair) for pair in ((cut, own.left), (first, own.right), (own.entry, cut)))
    whole = piecewise.fit(piecewise.exposed(own.left, own.right, np.array([0.0, 13.2])))
    parts = piecewise.fit(piecewise.exposed(left, right, np.array([0.0, 13.2]), entry))
    assert parts.hazard == pytest.approx(whole.hazard, rel=1e-9)
    assert parts.loglik == pytest.approx(whole.loglik, abs=1e-9)
