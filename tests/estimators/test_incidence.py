import numpy as np
import pytest
from helpers.reference_data import MONTH, array, close, numbers, sites
from hypothesis import given
from hypothesis import strategies as st
from test_counts import people, split
from test_survival import GROUPS, counts_of, intermediate

from sbrt_followup.estimators.clustering import Members, area_variance, incidence_variance
from sbrt_followup.estimators.confidence import interval
from sbrt_followup.estimators.counts import count
from sbrt_followup.estimators.incidence import aalen_johansen, event_free, loss_variance, restricted_loss, swap, time_to
from sbrt_followup.estimators.survival import kaplan_meier


@pytest.mark.parametrize(("name", "group"), GROUPS)
def test_incidence_is_rs_cuminc(name, group):
    expected = numbers(name)["groups"][group]
    counts = counts_of(name, group)
    for one, key in ((counts, "cif_progression"), (swap(counts), "cif_death")):
        curve = aalen_johansen(one)
        steps = np.array([curve.step(m * MONTH) for m in expected["km"]["months"]]).T
        close(steps[0], expected[key]["est"])
        close(steps[1] ** 2, expected[key]["var"])


def test_heavy_ties_are_rs_cuminc():
    expected = numbers("estimators")
    rows = intermediate()
    counts = count(rows["time"], rows["status"])
    for one, key in ((counts, "cif_event"), (swap(counts), "cif_death")):
        curve = aalen_johansen(one)
        steps = np.array([curve.step(t) for t in expected["cif_times"]]).T
        close(steps[0], expected[key])
        close(steps[1] ** 2, expected[f"{key}_var"])


def by_site(rows, cluster, entry=None):
    return Members(rows["time"].to_numpy(float), rows["status"].to_numpy(), cluster, entry)


@pytest.mark.parametrize("ci_type", ["log-log", "log", "plain", "arcsine"])
def test_the_jackknife_and_its_intervals_are_rs(ci_type):
    rows = intermediate()
    members = by_site(rows, np.arange(len(rows)))
    curve = aalen_johansen(members.counts(), ci_type=ci_type, variance=incidence_variance(members))
    expected = numbers("estimators")[f"cif_jackknife_{ci_type.replace('arcsine', 'arcsin')}"]
    close(curve.estimate, expected["estimate"])
    close(curve.std_error, expected["std_error"])
    inside = curve.estimate > 0
    for got, key in ((curve.ci_low, "low"), (curve.ci_high, "high")):
        np.testing.assert_allclose(got[inside], array(expected[key])[inside], rtol=1e-9)
        assert np.isnan(got[~inside]).all()


@pytest.mark.parametrize("late", [False, True])
def test_incidence_clustered_by_patient_is_rs(late):
    rows = intermediate()
    members = by_site(rows, rows["patient"].to_numpy(), rows["entry"].to_numpy(float) if late else None)
    curve = aalen_johansen(members.counts(), variance=incidence_variance(members))
    expected = numbers("estimators")["cif_entry_cluster" if late else "cif_cluster"]
    close(curve.estimate, expected["estimate"])
    close(curve.std_error, expected["std_error"])


def test_time_lost_is_rs():
    rows = intermediate()
    members = by_site(rows, np.arange(len(rows)))
    spread = loss_variance(members.counts(), 800.0)
    lost = restricted_loss(members.counts(), 800.0, variance_of_area=spread)
    close([lost.estimate, lost.std_error], numbers("estimators")["cif_lost"])


@given(people, st.integers(1, 45))
def test_time_lost_by_counts_is_by_people(rows, tau):
    time, status, _ = split(rows)
    members = Members(time.astype(float), status, np.arange(len(time)))
    by_people = area_variance(members, float(tau), competing=True)
    assert loss_variance(members.counts(), float(tau)) == pytest.approx(by_people, rel=1e-9, abs=1e-12)


def test_the_chunked_sum_over_patients_is_the_whole_one(monkeypatch):
    rows = sites()
    members = by_site(rows, rows["patient"].to_numpy())
    whole = incidence_variance(members)
    monkeypatch.setattr("sbrt_followup.estimators.clustering._CELLS", 1000)
    np.testing.assert_allclose(incidence_variance(members), whole, rtol=1e-12)


@given(people)
def test_incidences_and_event_free_add_to_one_and_stay_below_kaplan_meier(rows):
    time, status, _ = split(rows)
    counts = count(time, status)
    own, other = aalen_johansen(counts).estimate, aalen_johansen(swap(counts)).estimate
    free = kaplan_meier(event_free(counts)).estimate
    np.testing.assert_allclose(own + other + free, 1.0, atol=1e-12)
    assert (own <= 1 - kaplan_meier(counts).estimate + 1e-12).all()
    assert (np.diff(own, prepend=0) >= -1e-15).all()


@given(people)
def test_without_a_competing_event_incidence_is_one_minus_kaplan_meier(rows):
    time, status, _ = split(rows)
    counts = count(time, np.minimum(status, 1))
    np.testing.assert_allclose(aalen_johansen(counts).estimate, 1 - kaplan_meier(counts).estimate, atol=1e-12)


@given(people)
def test_limits_hold_the_estimate_between_them(rows):
    time, status, _ = split(rows)
    for kind in ("log-log", "log", "plain", "arcsine"):
        curve = aalen_johansen(count(time, status), ci_type=kind)
        known = np.isfinite(curve.ci_low)
        assert (curve.ci_low[known] <= curve.estimate[known] + 1e-12).all()
        assert (curve.ci_high[known] >= curve.estimate[known] - 1e-12).all()
        assert ((curve.ci_low[known] >= 0) & (curve.ci_high[known] <= 1)).all()


def test_time_to_half_reads_its_interval_from_the_other_sides():
    curve = aalen_johansen(count(np.arange(1, 41), np.ones(40, dtype=int)))
    half = time_to(curve, 0.5)
    assert half.estimate == 20
    assert half.ci_low < 20 < half.ci_high


def test_an_unknown_kind_of_interval_is_refused():
    with pytest.raises(ValueError, match="log-log, log, plain, arcsine"):
        interval(np.array([0.5]), np.array([0.1]), "wald")
