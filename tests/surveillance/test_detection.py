import numpy as np
import pytest
from helpers.scanned_cohorts import FORMS, HORIZON, RATES, SHARES, TIERS, planned

from sbrt_followup.surveillance.detection import Flow, Mixed, detect
from sbrt_followup.surveillance.hazards import Rates

PLANS = list(FORMS["plans"])


def mixed(plan):
    return Mixed(SHARES, tuple(detect(planned(plan, tier), RATES[tier], HORIZON) for tier in TIERS))


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("tier", TIERS)
def test_closed_forms_are_the_oracles(plan, tier):
    expected, found = FORMS["plans"][plan][tier], detect(planned(plan, tier), RATES[tier], HORIZON)
    for name, value in (
        ("mris", found.mris),
        ("found", found.found),
        ("died_undetected", found.died_undetected),
        ("mean_delay", found.mean_delay),
        ("undetected_months_per_patient", found.undetected_months),
        ("person_years", found.person_months / 12),
        ("mris_per_py", found.mris_per_year),
        ("mris_per_found", found.mris_per_found),
        ("delay_sum", found.delay_months),
        ("share_found_within_3_months", float(found.found_within(3.0)[0]) / found.found),
    ):
        assert value == pytest.approx(expected[name], abs=1e-11), name


@pytest.mark.parametrize(
    ("plan", "mris", "per_year", "found", "delay", "per_found", "died"),
    [
        ("review", 9.76, 3.22, 0.378, 1.72, 25.8, 0.0043),
        ("chen", 9.07, 2.99, 0.380, 1.85, 23.9, 0.0047),
        ("every_3", 11.98, 3.96, 0.390, 1.53, 30.7, 0.0040),
        ("every_6", 6.03, 1.96, 0.386, 3.11, 15.6, 0.0080),
    ],
)
def test_over_the_mix_the_reference_table_comes_out(plan, mris, per_year, found, delay, per_found, died):
    total = mixed(plan)
    assert total.total("mris") == pytest.approx(mris, abs=0.005)
    assert total.mris_per_year == pytest.approx(per_year, abs=0.005)
    assert total.total("found") == pytest.approx(found, abs=0.0005)
    assert total.mean_delay == pytest.approx(delay, abs=0.005)
    assert total.mris_per_found == pytest.approx(per_found, abs=0.05)
    assert total.total("died_undetected") == pytest.approx(died, abs=0.00005)


def simulate(visits, rates, sensitivity, n, seed):
    """Walk patients through their MRIs."""
    rng = np.random.default_rng(seed)
    onset = rates.reached(rng.exponential(size=n))
    unaffected = rng.exponential(1 / rates.death_clear, n)
    progressed = onset < unaffected
    death = np.where(progressed, onset + rng.exponential(1 / rates.after, n), unaffected)
    found, mris = np.full(n, np.inf), np.zeros(n)
    for month in visits:
        there = (death > month) & np.isinf(found)
        mris += there
        found[there & progressed & (onset <= month) & (rng.random(n) < sensitivity)] = month
    return onset, death, found, mris, progressed


@pytest.mark.parametrize(("sensitivity", "after"), [(1.0, 0.0066), (0.7, 0.0066), (1.0, 0.033), (0.7, 0.033)])
def test_a_simulation_agrees(sensitivity, after):
    n = 200_000
    rates = Rates(RATES["high"].from_months, RATES["high"].progression, 0.0066, after)
    visits = planned("chen", "high")
    onset, death, found, mris, progressed = simulate(visits, rates, sensitivity, n, seed=2)
    got, seen = detect(visits, rates, HORIZON, sensitivity), np.isfinite(found)
    delay = (found - onset)[seen]
    hidden = np.where(progressed & (onset < HORIZON), np.minimum(np.minimum(death, found), HORIZON) - onset, 0.0)
    lost = progressed & (death < found) & (death < HORIZON)
    for name, sample, value in (
        ("MRIs", mris, got.mris),
        ("found", seen, got.found),
        ("delay", delay, got.mean_delay),
        ("undetected", hidden, got.undetected_to_horizon),
        ("died undetected", lost, got.died_to_horizon),
        ("followed", np.minimum(np.minimum(death, found), HORIZON), got.person_months),
        ("onsets", progressed & (onset < HORIZON), got.onsets),
    ):
        error = np.std(sample) / np.sqrt(len(sample))
        assert abs(np.mean(sample) - value) < 4 * error, name
    one = Mixed((1.0,), (got,))
    assert one.share_found_within(3.0)[0] == pytest.approx(np.mean(delay <= 3), abs=0.005)
    assert one.delay_centile(0.9) == pytest.approx(np.quantile(delay, 0.9), rel=0.01)


def test_missing_at_an_mri_costs_a_gap_over_and_over():
    # At a constant gap the extra delay is gap × (1 − s)/s; deaths are left out.
    rates, visits = Rates((0.0,), (0.01,)), np.arange(2.0, 2000.0, 2.0)
    sharp, dull = (detect(visits, rates, 2000.0, s) for s in (1.0, 0.8))
    assert dull.mean_delay - sharp.mean_delay == pytest.approx(2.0 * 0.2 / 0.8, abs=1e-6)


def test_without_deaths_everything_stays_finite_and_continuous():
    visits = planned("review", "high")
    none, few = (detect(visits, Rates((0.0,), (0.02,), d), HORIZON) for d in (0.0, 1e-7))
    assert none.undetected_months == pytest.approx(few.undetected_months, rel=1e-4)
    assert none.died_undetected == pytest.approx(0, abs=1e-15)
    assert none.undetected_months == pytest.approx(none.delay_months)


def test_one_more_visit_never_leaves_more_undetected():
    rng = np.random.default_rng(4)
    for _ in range(30):
        visits = np.sort(rng.uniform(0.5, 59, 8))
        more = np.sort(np.append(visits, rng.uniform(0.5, 59)))
        one, two = (detect(v, RATES["high"], HORIZON).undetected_to_horizon for v in (visits, more))
        assert two <= one + 1e-12


def test_time_may_be_stretched():
    slow = Rates((0.0, 26.4), (0.01973, 0.004345), 0.0033)
    fast = detect(planned("chen", "high"), RATES["high"], HORIZON)
    twice = detect([2 * v for v in planned("chen", "high")], slow, 2 * HORIZON)
    assert twice.mris == pytest.approx(fast.mris)
    assert twice.mean_delay == pytest.approx(2 * fast.mean_delay)


def test_what_makes_no_schedule_is_refused():
    with pytest.raises(ValueError, match="sensitivity"):
        detect([3.0], RATES["low"], HORIZON, 0.0)
    with pytest.raises(ValueError, match="one after another"):
        detect([3.0, 3.0], RATES["low"], HORIZON)
    nothing = detect([], RATES["low"], HORIZON)
    assert nothing.mris == 0 and np.isnan(nothing.mean_delay)
    assert nothing.undetected_to_horizon > 0 and Flow(RATES["low"]).clear(0.0) == 1
