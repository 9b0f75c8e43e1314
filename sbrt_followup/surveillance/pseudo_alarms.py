"""What pseudo-progression asks of a schedule: swellings seen at an MRI, and MRIs that confirm findings inside a window.

Conventions. A share of sites swells to a peak on a day drawn evenly between the first and the last published one, rises to it in
a straight line from time zero and falls back in the same time (an assumption of the simulation document). It is seen at
the first MRI at which it exceeds the detectable difference, if the patient is still under surveillance then: a false alarm per
treated site. Inside the united windows of pseudo-progression it is only equivocal, and so is local growth that truly is
progression: each asks for a confirming MRI, and a true one is dated by it. Days since time zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Floats
from ..timing import analysis_days
from .detection import Detection

MONTH = analysis_days(1)
PEAKS = 512  # days of the peak looked at


@dataclass(frozen=True)
class Swelling:
    """How pseudo-progression comes about, and what is done about it."""

    share: float  # of sites
    first_peak: float  # day
    last_peak: float
    size: float  # growth at the peak, a share
    detectable: float  # growth that can be told from none
    windows: tuple[tuple[int, int], ...]  # half-open stretches in which growth is only equivocal
    confirm_within: float  # days to the confirming MRI
    local: float  # share of progressions that are growth in a treated site


@dataclass(frozen=True)
class Alarms:
    """What it comes to, per patient treated (one site each)."""

    seen: float  # swellings seen
    shielded: float  # of these inside a window, where they are equivocal
    confirming_mris: float  # for swellings and for true growth inside a window
    delay_months: float  # by which findings inside a window are dated later, over all found


def alarms(given: Detection, swelling: Swelling) -> Alarms:
    """Work out the false alarms and confirming MRIs of one schedule in one group."""
    day = given.visits * MONTH
    inside = np.zeros(len(day), dtype=bool)
    for start, stop in swelling.windows:
        inside |= (np.round(day) >= start) & (np.round(day) < stop)
    there = given.done
    seen = shielded = 0.0
    rises = swelling.detectable / swelling.size if swelling.size > 0 else 1.0
    if rises < 1 and len(day):
        peak = swelling.first_peak + (swelling.last_peak - swelling.first_peak) * (np.arange(PEAKS) + 0.5) / PEAKS
        first = np.searchsorted(day, peak * rises)  # the first MRI at which it could be seen
        at = np.minimum(first, len(day) - 1)
        shows = (first < len(day)) & (day[at] <= peak * (2 - rises))
        seen = swelling.share * float(np.where(shows, there[at], 0.0).mean())
        shielded = swelling.share * float(np.where(shows & inside[at], there[at], 0.0).mean())
    true = swelling.local * float(given.found_at[inside].sum())
    later = true * swelling.confirm_within / MONTH
    return Alarms(seen, shielded, shielded + true, later)


def weighted(shares: tuple[float, ...], parts: tuple[Alarms, ...]) -> Alarms:
    """Add up groups in their shares."""

    def total(values: Floats) -> float:
        return float(np.asarray(shares) @ values)

    columns = np.array([[p.seen, p.shielded, p.confirming_mris, p.delay_months] for p in parts])
    return Alarms(*(total(columns[:, k]) for k in range(columns.shape[1])))
