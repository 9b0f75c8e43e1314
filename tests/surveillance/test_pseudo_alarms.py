from dataclasses import replace

import numpy as np
import pytest
from helpers.scanned_cohorts import HORIZON, RATES, planned

from sbrt_followup.surveillance.detection import detect
from sbrt_followup.surveillance.pseudo_alarms import Alarms, Swelling, alarms, weighted

MONTH = 30.4375
SWELLING = Swelling(0.14, 68.0, 171.0, 0.4, 0.109, ((68, 172),), 56.0, 0.5)


def walk(visits, rates, swelling, n, seed):
    """Follow sites: who swells, when it shows, at which MRI it is seen."""
    rng = np.random.default_rng(seed)
    peak = rng.uniform(swelling.first_peak, swelling.last_peak, n)
    swells = rng.random(n) < swelling.share
    gone = np.minimum(rng.exponential(1 / rates.death_clear, n), np.inf)
    onset = rates.reached(rng.exponential(size=n))
    found = np.array(visits)[np.minimum(np.searchsorted(visits, onset), len(visits) - 1)]
    left = np.minimum(gone, found)  # an MRI on the day progression is found is still done
    seen, shielded, open_ = np.zeros(n), np.zeros(n), np.ones(n, dtype=bool)
    for month in visits:
        day = month * MONTH
        size = swelling.size * np.clip(1 - np.abs(day - peak) / peak, 0, 1)
        hit = open_ & swells & (size >= swelling.detectable) & (month <= left)
        seen += hit
        shielded += hit & any(a <= round(day) < b for a, b in swelling.windows)
        open_ &= ~hit
    return seen, shielded


@pytest.mark.parametrize("plan", ["review", "chen", "every_6"])
def test_a_simulation_agrees(plan):
    visits, n = planned(plan, "high"), 200_000
    given = alarms(detect(visits, RATES["high"], HORIZON), SWELLING)
    seen, shielded = walk(visits, RATES["high"], SWELLING, n, seed=1)
    # Surveillance of the patient and the course of a site are independent; an MRI later than the first counts for the few.
    assert given.seen == pytest.approx(seen.mean(), abs=0.004)
    assert given.shielded == pytest.approx(shielded.mean(), abs=0.004)


def test_findings_inside_a_window_are_confirmed_later():
    given = detect([3.0, 9.0], RATES["low"], HORIZON)
    found = alarms(given, replace(SWELLING, share=0.0))
    assert found.seen == 0
    assert found.confirming_mris == pytest.approx(0.5 * given.found_at[0])
    assert found.delay_months == pytest.approx(0.5 * given.found_at[0] * 56 / MONTH)


def test_what_cannot_be_told_from_error_alarms_nobody():
    given = detect(planned("chen", "high"), RATES["high"], HORIZON)
    assert alarms(given, replace(SWELLING, size=0.1)).seen == 0
    assert alarms(given, replace(SWELLING, size=0.0)).seen == 0
    assert alarms(detect([], RATES["low"], HORIZON), SWELLING).seen == 0


def test_groups_add_up_in_their_shares():
    one, two = Alarms(0.1, 0.05, 0.2, 0.3), Alarms(0.2, 0.1, 0.0, 0.1)
    assert weighted((0.25, 0.75), (one, two)) == Alarms(
        pytest.approx(0.175), pytest.approx(0.0875), pytest.approx(0.05), pytest.approx(0.15)
    )
