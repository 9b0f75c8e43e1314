import numpy as np
import pytest
from helpers.scanned_cohorts import RATES

from sbrt_followup.surveillance.detection import Flow
from sbrt_followup.surveillance.foretold import LARGEST, Grouped, stretches
from sbrt_followup.surveillance.hazards import Rates


def test_hazards_between_horizons_give_the_risks_back():
    risks = {6.0: np.array([0.02, 0.2]), 24.0: np.array([0.1, 0.3]), 48.0: np.array([0.15, 0.6])}
    death = [0.01, 0.02, 0.0]
    found = stretches(risks, death)
    for row in range(2):
        clear, risk, begin = 1.0, 0.0, 0.0
        for end, a, b in zip((6.0, 24.0, 48.0), found.hazard[row], death, strict=True):
            gone = 1 - np.exp(-(a + b) * (end - begin))
            risk += clear * a / (a + b) * gone
            clear, begin = clear * (1 - gone), end
            assert risk == pytest.approx(risks[end][row], abs=1e-9)


def test_a_risk_that_falls_has_no_hazard_and_an_impossible_one_no_end():
    found = stretches({12.0: np.array([0.2, 0.2]), 24.0: np.array([0.1, 1.0])}, [0.01, 0.05])
    assert found.hazard[0, 1] == 0
    assert found.hazard[1, 1] == pytest.approx(LARGEST)


def test_a_clear_mri_in_between_changes_no_sum():
    for course in (
        Grouped((RATES["high"],), np.zeros(1, dtype=np.int64)),
        stretches({12.0: np.array([0.3]), 48.0: np.array([0.5])}, [0.006, 0.006]),
    ):
        one = np.zeros(1, dtype=np.int64)
        first, second, both = (
            course.yields(one, np.array([a]), np.array([b]))[0] for a, b in ((3.0, 9.0), (9.0, 20.0), (3.0, 20.0))
        )
        assert (1 - first) * (1 - second) == pytest.approx(1 - both, abs=1e-12)


def test_the_yield_is_that_of_the_illness_death_model():
    a, b, c, gap = 0.03, 0.01, 0.05, 4.0
    course = Grouped((Rates((0.0,), (a,), b, c),), np.zeros(1, dtype=np.int64))
    progressed = a * (np.exp(-c * gap) - np.exp(-(a + b) * gap)) / (a + b - c)
    expected = progressed / (progressed + np.exp(-(a + b) * gap))
    found = course.yields(np.zeros(1, dtype=np.int64), np.array([7.0]), np.array([7.0 + gap]))
    assert found[0] == pytest.approx(expected, abs=1e-12)


def test_beyond_the_last_horizon_nothing_is_foretold():
    course = stretches({12.0: np.array([0.3])}, [0.0])
    one = np.zeros(1, dtype=np.int64)
    assert np.isnan(course.yields(one, np.array([10.0]), np.array([13.0]))[0])


def test_the_risk_of_a_group_is_its_incidence():
    course = Grouped((RATES["low"], RATES["high"]), np.array([1, 0, 1]))
    expected = [float(Flow(RATES[tier]).onsets(24.0)) for tier in ("high", "low", "high")]
    assert course.risk(24.0).tolist() == pytest.approx(expected)


def test_without_deaths_the_risk_is_that_of_the_hazard():
    course = Grouped((RATES["low"], RATES["high"]), np.array([1, 0]))
    assert course.net(24.0).tolist() == pytest.approx(
        [1 - np.exp(-13.2 * 0.03946 - 10.8 * 0.00869), 1 - np.exp(-24 * 0.00637)]
    )
    by_risk = stretches({12.0: course.risk(12.0), 24.0: course.risk(24.0)}, [0.0066, 0.0066])
    assert by_risk.net(12.0)[1] == pytest.approx(1 - np.exp(-12 * 0.00637), abs=1e-9)
