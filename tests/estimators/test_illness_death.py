"""Illness–death rates from scans and days of death: R's msm, exact derivatives, and what must not change them."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.loop_reference import expected, months
from scipy.integrate import quad

from sbrt_followup.estimators import illness_death as idm


@pytest.mark.parametrize("name", ["exp300", "high400"])
def test_three_rates_are_msm_s(name: str) -> None:
    known = expected("ic_illness_death")[name]
    found = idm.fit(months(name))
    assert found.interior
    assert -2 * found.loglik == pytest.approx(known["minus2loglik"], abs=1e-7)
    rates = [found.progression[0], found.death_clear[0], found.death_after[0]]
    assert rates == pytest.approx(known["rates"], rel=1e-6)
    assert found.std_error_log == pytest.approx(known["se_log"], rel=1e-4)


def test_two_pieces_of_every_rate_are_msm_s() -> None:
    known = expected("ic_illness_death")["high400_13.2"]
    found = idm.fit(months("high400"), (0.0, 13.2), idm.all_free(2))
    assert -2 * found.loglik == pytest.approx(known["minus2loglik"], abs=1e-7)
    for piece, name in enumerate(("period1", "period2")):
        rates = [found.progression[piece], found.death_clear[piece], found.death_after[piece]]
        assert rates == pytest.approx(known[name], rel=3e-6)  # msm stops a millionth away


def brute(data: idm.Seen, starts: tuple[float, ...], a: list[float], b: float, c: float) -> float:
    """Add up the log-likelihood by numerical integration."""
    stops = [*starts[1:], np.inf]

    def gone(t: float) -> float:
        return sum(r * max(min(t, hi) - lo, 0.0) for r, lo, hi in zip(a, starts, stops, strict=True))

    def rate(t: float) -> float:
        return a[max(k for k, s in enumerate(starts) if t >= s)]

    total = 0.0
    for left, right, until, died, entry in zip(data.left, data.right, data.until, data.died, data.entry, strict=True):
        high = right if np.isfinite(right) else until
        points = [s for s in starts if left < s < high] or None
        value = quad(
            lambda u, y=until: rate(u) * np.exp(-gone(u) - b * u - c * (y - u)), left, high, points=points, epsabs=1e-13
        )[0] * (c if died else 1.0)
        if not np.isfinite(right):
            value += np.exp(-gone(until) - b * until) * (b if died else 1.0)
        total += np.log(value) + gone(entry) + b * entry
    return total


@pytest.mark.parametrize("c", [0.005, 0.0391, 0.3])
def test_the_likelihood_is_the_integral_and_its_derivatives_are_exact(c: float) -> None:
    data = months("high400", second_mri=True).chosen(np.arange(60))
    starts, a, b = (0.0, 7.0, 13.2), [0.04, 0.02, 0.009], 0.007
    function = idm.likelihood(data, starts)
    logs = np.log([*a, b, c])
    point = function.at(logs)
    assert point.loglik == pytest.approx(brute(data, starts, a, b, c), abs=1e-7)
    assert point.slope is not None and point.curve is not None
    step = 1e-5
    for k in range(len(logs)):
        move = np.eye(len(logs))[k] * step
        up, down = function.at(logs + move), function.at(logs - move)
        assert up.slope is not None and down.slope is not None
        assert point.slope[k] == pytest.approx((up.loglik - down.loglik) / (2 * step), abs=1e-5)
        assert point.curve[k] == pytest.approx((up.slope - down.slope) / (2 * step), abs=1e-4)


def test_where_a_plus_b_is_c_the_series_joins_the_formula() -> None:
    data = months("exp300").chosen(np.arange(50))
    at = [idm.likelihood(data).at(np.log([0.02, 0.01, 0.03 + d])).loglik for d in (-1e-4, -1e-9, 0.0, 1e-9, 1e-4)]
    assert at[2] - at[0] == pytest.approx(at[4] - at[2], rel=1e-2)
    assert at[1] == pytest.approx(at[2], abs=1e-6)
    assert at[2] == pytest.approx(at[3], abs=1e-6)


def test_with_mortality_tied_the_rate_of_progression_is_that_of_the_usual_method() -> None:
    # The unseen cancels: exp(−A(left)) is what is left of never found, b only counts deaths.
    from sbrt_followup.estimators import piecewise

    data = months("high400")
    tied = idm.fit(data, (0.0, 13.2), idm.after_tied(2))
    usual = piecewise.fit(piecewise.exposed(data.left, data.right, np.array([0.0, 13.2])))
    assert tied.progression == pytest.approx(usual.hazard, rel=1e-8)
    assert tied.death_after == pytest.approx(tied.death_clear)
    assert tied.death_clear[0] == pytest.approx(data.died.sum() / data.until.sum(), rel=1e-8)


def test_a_factor_ties_mortality_after_progression() -> None:
    found = idm.fit(months("high400"), (0.0,), idm.after_tied(1, 5.0))
    assert found.death_after[0] == pytest.approx(5 * found.death_clear[0])
    assert found.progression[0] > idm.fit(months("high400"), (0.0,), idm.after_tied(1)).progression[0]


def test_time_scales_and_weights_count_rows() -> None:
    data = months("exp300")
    days = idm.Seen(data.left * 30, data.right * 30, data.until * 30, data.died, data.entry * 30)
    assert idm.fit(days).progression * 30 == pytest.approx(idm.fit(data).progression, rel=1e-8)
    weight = np.random.default_rng(5).integers(0, 3, len(data)).astype(float)
    repeated = data.chosen(np.repeat(np.arange(len(data)), weight.astype(int)))
    assert idm.fit(data, weight=weight).progression == pytest.approx(idm.fit(repeated).progression, rel=1e-8)


def test_without_deaths_there_is_no_inner_maximum() -> None:
    data = months("exp300")
    nobody = idm.Seen(data.left, data.right, data.until, np.zeros(len(data), dtype=bool), data.entry)
    assert not idm.fit(nobody).interior


def test_what_cannot_be_is_refused() -> None:
    for left, right, until, entry in ((5, 4, 9, 0), (5, 9, 8, 0), (5, np.inf, 4, 0), (3, 9, 9, 4)):
        with pytest.raises(ValueError, match=r"clear at entry|followed at least"):
            idm.seen([left], [right], [until], [False], entry)


def recovered(factor: float) -> tuple[float, float]:
    """Draw a large cohort with deaths more frequent after progression; give the illness–death and the usual rate over the truth."""
    from sbrt_followup.estimators import piecewise

    rng = np.random.default_rng(11)
    n, a, b, gap = 20_000, 0.03, 0.03, 6.0
    onset, clear_death = rng.exponential(1 / a, n), rng.exponential(1 / b, n)
    death = np.where(clear_death < onset, clear_death, onset + rng.exponential(1 / (b * factor), n))
    until = np.minimum(death, 60.0)
    first = rng.uniform(0, gap, n)  # so that scans do not fall on the same months for all
    clear = np.minimum(onset, until)
    last = np.where(clear >= first, first + gap * np.floor((clear - first) / gap), 0.0)
    following = np.where(last > 0, last + gap, first)
    right = np.where(following <= until, following, np.inf)
    data = idm.seen(last, right, until, death <= 60.0)
    usual = piecewise.fit(piecewise.exposed(data.left, data.right, np.array([0.0])))
    return float(idm.fit(data).progression[0]) / a, float(usual.hazard[0]) / a


def test_deaths_after_unseen_progression_bias_the_usual_method_only() -> None:
    own, usual = recovered(5.0)
    assert own == pytest.approx(1.0, abs=0.03)
    assert usual < 0.8
    own, usual = recovered(1.0)
    assert own == pytest.approx(1.0, abs=0.03)
    assert usual == pytest.approx(1.0, abs=0.03)


def test_many_rows_are_added_up_in_parts() -> None:
    data = months("high400")
    many = data.chosen(np.tile(np.arange(len(data)), 6))
    one, all_ = (idm.fit(d, (0.0, 13.2)) for d in (data, many))
    assert all_.progression == pytest.approx(one.progression, rel=1e-9)
    assert all_.loglik == pytest.approx(6 * one.loglik, rel=1e-12)
    assert all_.std_error_log * np.sqrt(6) == pytest.approx(one.std_error_log, rel=1e-8)
