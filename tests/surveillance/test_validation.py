from dataclasses import replace

import numpy as np
import pytest
from helpers.scanned_cohorts import RATES, TIERS, planned, scanned
from helpers.scored_cohorts import EXPECTED, MONTH, tiers446

from sbrt_followup.surveillance.foretold import Foretold, Grouped
from sbrt_followup.surveillance.scan_days import looks
from sbrt_followup.surveillance.validation import (
    Horizon,
    People,
    apparent,
    patients_for_slope,
    patients_needed,
    validate,
)

AT = (0.1, 0.3)


def people(frame, cluster=None):
    labels = ("low", "intermediate", "high")
    group = np.array([labels.index(t) for t in frame["tier"]], dtype=np.int64)
    time = frame["time"].to_numpy()
    return People(time, frame["status"].to_numpy(), np.zeros(len(time)), group, labels, cluster, None)


def model(frame, months=48.0, risk=None):
    values = frame["risk48"].to_numpy() if risk is None else risk
    return Foretold("m", {months: values}, {months: values}, {months: "given"}, None)


def test_every_number_is_r_s():
    frame = tiers446()
    (found,) = validate(people(frame), model(frame), [48.0], AT)
    expected = EXPECTED["tiers446_48"]
    assert (found.n, found.events, found.competing) == (446, 124, 139)
    assert found.oe.estimate == pytest.approx(expected["oe"]["estimate"], abs=1e-9)
    assert found.oe.ci_low == pytest.approx(expected["oe"]["lower"], abs=1e-9)
    assert found.oe.ci_high == pytest.approx(expected["oe"]["upper"], abs=1e-9)
    assert found.scaled_brier == pytest.approx(expected["brier"]["ipa"], abs=1e-9)
    assert found.auc.ci_low == pytest.approx(expected["auc"]["lower"], abs=2e-6)
    assert [g.group for g in found.groups] == ["low", "intermediate", "high"]
    for g in found.groups:
        own = EXPECTED["tiers446_48_by_tier"][g.group]
        assert g.n == own["n"] and g.expected == pytest.approx(own["expected"])
        assert g.observed.estimate == pytest.approx(own["aj"], abs=1e-9)
        assert g.oe.ci_high == pytest.approx(own["aj"] / own["expected"] * np.exp(1.959964 * own["se"] / own["aj"]))


def test_sites_of_one_patient_widen_every_error():
    frame = tiers446()
    twice = frame.loc[np.repeat(frame.index, 2)]
    cluster = np.repeat(np.arange(len(frame)), 2)
    (once,) = validate(people(frame), model(frame), [48.0], AT)
    (both,) = validate(people(twice, cluster), model(twice), [48.0], AT)
    assert both.auc.std_error == pytest.approx(once.auc.std_error, rel=1e-9)
    assert both.oe.ci_low == pytest.approx(once.oe.ci_low, rel=1e-9)
    assert both.slope.std_error == pytest.approx(once.slope.std_error, rel=1e-2)
    assert both.brier_error == pytest.approx(once.brier_error, rel=1e-9)


def test_few_events_have_no_limits():
    frame = tiers446()
    few = frame[(frame["status"] != 1) | (frame.index < 20)]
    (found,) = validate(people(few), model(few), [48.0], AT)
    assert 0 < found.events < 10
    assert np.isfinite(found.auc.estimate) and np.isfinite(found.auc.std_error)
    assert np.isnan([found.auc.ci_low, found.oe.ci_low, found.oe.ci_high]).all()


def test_a_horizon_beyond_a_tiers_follow_up_is_refused():
    frame = tiers446()
    low = frame["tier"] == "low"
    short = frame.assign(
        time=np.where(low, np.minimum(frame["time"], 900.0), frame["time"]),
        status=np.where(low & (frame["time"] > 900), 0, frame["status"]),
    )
    tiers = replace(model(short), by_group=True)
    (found,) = validate(people(short), tiers, [48.0], AT)
    assert found.refused == "nobody of low is followed for 48 months"
    assert found.n == 446 and np.isnan(found.auc.estimate) and found.benefit == ()
    # Beside a score the tier alone has no observed risk.
    (beside,) = validate(people(short), model(short), [48.0], AT)
    low_tier, *others = beside.groups
    assert np.isfinite(beside.auc.estimate) and np.isnan([low_tier.observed.estimate, low_tier.oe.estimate]).all()
    assert all(np.isfinite(g.oe.estimate) for g in others)
    (far,) = validate(people(frame), model(frame, 99.0), [99.0], AT)
    assert far.refused == "nobody is followed for 99 months"


def test_risks_of_one_have_no_calibration_line():
    frame = tiers446()
    risk = np.where(frame.index == 0, 1.0, frame["risk48"])
    (found,) = validate(people(frame), model(frame, risk=risk), [48.0], AT)
    assert np.isnan(found.slope.estimate) and found.smooth is None and np.isfinite(found.brier)


def test_observed_risks_taken_for_foretold_ones_are_seen_through():
    frame = tiers446()
    who = people(frame)
    own = np.array([EXPECTED["tiers446_48_by_tier"][t]["aj"] for t in frame["tier"]])
    assert apparent(who, {48.0: own})
    assert not apparent(who, {48.0: frame["risk48"].to_numpy()})
    assert not apparent(who, {})


def test_each_group_is_corrected_on_its_own_mris():
    parts = [scanned(planned("chen", t), RATES[t], 4000, seed=31) for t in TIERS]
    time, status, day = (np.concatenate([p[k] for p in parts]) for k in (0, 1, 3))
    unit = np.concatenate([p[2] + 4000 * k for k, p in enumerate(parts)])
    group = np.repeat(np.arange(3), 4000)
    course = Grouped(tuple(RATES.values()), group)
    looked = looks(time, status, np.zeros(len(time)), unit, day)
    who = People(time, status, np.zeros(len(time)), group, TIERS, None, looked)
    risk = course.risk(12.0)
    (found,) = validate(who, Foretold("m", {12.0: risk}, {12.0: risk}, {12.0: "given"}, course), [12.0], AT)
    assert found.scans is not None
    assert sum(g.expected_found for g in found.groups) == pytest.approx(found.scans.expected_found)
    low = found.groups[0]
    assert low.oe.ci_high < 0.9  # on the day it is found the low tier seems over-foretold
    for g in found.groups:
        assert g.corrected.ci_low < 1.03 and g.corrected.ci_high > 0.97
        assert g.corrected.estimate == pytest.approx(g.events / g.expected_found)


def test_the_slope_needs_patients_in_proportion_to_its_variance():
    frame = tiers446()
    (found,) = validate(people(frame), model(frame), [48.0], AT)
    needed = patients_for_slope(found, 0.2)
    assert needed == pytest.approx(446 * (1.959964 * found.slope.std_error / 0.2) ** 2, rel=1e-5)
    assert np.isnan(patients_for_slope(Horizon(12.0, 5, 0, 0), 0.2))


def test_patients_needed_is_rileys():
    # A risk of 0.35 known to within 20 %.
    assert patients_needed(0.35, 1.2) == pytest.approx(215, abs=1)
    assert np.isnan(patients_needed(0.0, 1.2))
    assert 48 * MONTH == 1461
