"""What MRIs find, year by year, against what known hazards expect of them; and an alarm where they find more.

Conventions. Every MRI of a patient clear before it counts once, with the yield expected since the MRI before; found over
expected has exact Poisson limits (Garwood 1936). The alarm is a risk-adjusted CUSUM (Steiner et al. 2000) of MRI by MRI in
calendar order, for a hazard so many times as great. Its limit is the value that MRIs drawn at the expected yields exceed in
5 of 100 such sequences; the run length is how many MRIs pass on average before a false alarm, drawn likewise. The power
is the chance that the limits of found over expected lie above 1 when the hazard is doubled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import pdtrc

from ..arrays import Flags, Floats, Ints
from ..outcomes.study import Study
from ..timing import Days
from .foretold import Grouped
from .hazards import Hazards
from .scan_days import looks, poisson_limits, yields_of

DOUBLED = 2.0
FALSE_ALARMS = 0.05
SEQUENCES = 400
LONGEST_RUN = 20  # times the MRIs observed; a run is cut there


@dataclass(frozen=True)
class YieldOfYear:
    """One group in one calendar year (None: all years)."""

    group: str
    year: int | None
    mris: int
    found: int
    expected: float
    ci_low: float
    ci_high: float
    power_doubled: float

    @property
    def oe(self) -> float:
        """Found over expected."""
        return self.found / self.expected if self.expected > 0 else float("nan")


@dataclass(frozen=True)
class Alarm:
    """The CUSUM of one group."""

    group: str
    highest: float
    limit: float
    first_alarm: str | None
    """The day of the first alarm."""
    run_length: float
    """MRIs on average before a false alarm, at least (runs are cut)."""


@dataclass(frozen=True)
class Monitored:
    """The years and the alarms of every group, and where the expectation comes from."""

    years: tuple[YieldOfYear, ...]
    alarms: tuple[Alarm, ...]
    source: str


def monitor(
    people: Study, scans: tuple[Ints, Floats], hazards: Hazards, seed: int = 1, level: float = 0.95
) -> Monitored:
    """Hold the MRIs of a study against hazards of its groups."""
    rates = tuple(hazards.of(label).rates for label in people.labels)
    entry = np.zeros(len(people.time))
    looked = looks(people.time, people.status, entry, *scans)
    expected = yields_of(Grouped(rates, people.group), looked)
    found = (people.status[looked.unit] == 1) & (looked.day == people.time[looked.unit])
    calendar = (people.zero[looked.unit] + looked.day).astype("datetime64[D]")
    year = calendar.astype("datetime64[Y]").astype(np.int64) + 1970
    group = people.group[looked.unit]
    rows, alarms = [], []
    rng = np.random.default_rng(seed)
    for place, label in enumerate(people.labels):
        own = group == place
        for when in (*np.unique(year[own]).tolist(), None):
            here = own if when is None else own & (year == when)
            rows.append(_year(label, when, int(here.sum()), int(found[here].sum()), float(expected[here].sum()), level))
        order = np.flatnonzero(own)[np.lexsort((looked.unit[own], calendar[own]))]
        if len(order):
            alarms.append(_alarm(label, expected[order], found[order], calendar[order], rng))
    marks = " and ".join(hazards.known)
    sources = ", ".join(dict.fromkeys(hazards.of(label).source for label in people.labels))
    return Monitored(tuple(rows), tuple(alarms), f"{sources} ({marks})")


def _year(group: str, year: int | None, mris: int, found: int, expected: float, level: float) -> YieldOfYear:
    low, high = poisson_limits(found, level)
    scale = expected if expected > 0 else float("nan")
    return YieldOfYear(group, year, mris, found, expected, low / scale, high / scale, power(expected, level=level))


def power(expected: float, factor: float = DOUBLED, level: float = 0.95) -> float:
    """Give the chance that the exact limits lie above what is expected when so many times as much is found on average."""
    if not expected > 0:
        return float("nan")
    least = int(np.floor(expected))
    while poisson_limits(least, level)[0] <= expected:
        least += 1
    return float(pdtrc(least - 1, factor * expected))


def scores(expected: Floats, found: Floats | Flags) -> Floats:
    """Give each MRI's log likelihood ratio for a doubled hazard."""
    p = np.clip(expected, 1e-9, 1 - 1e-9)
    doubled = 1.0 - (1.0 - p) ** DOUBLED
    return np.where(found > 0, np.log(doubled / p), np.log((1.0 - doubled) / (1.0 - p)))


def cusum(score: Floats) -> Floats:
    """Add up scores along the last axis, never below 0."""
    total = np.cumsum(score, axis=-1)
    return np.asarray(total - np.minimum(np.minimum.accumulate(total, axis=-1), 0.0))


def _alarm(group: str, expected: Floats, found: Flags, calendar: Days, rng: np.random.Generator) -> Alarm:
    path = cusum(scores(expected, found))
    drawn = rng.random((SEQUENCES, len(expected))) < expected
    highest = cusum(scores(expected, drawn)).max(axis=1)
    limit = float(np.quantile(highest, 1 - FALSE_ALARMS))
    over = np.flatnonzero(path > limit)
    first = None if not over.size else str(calendar[over[0]])
    return Alarm(group, float(path.max()), limit, first, _run_length(expected, limit, rng))


def _run_length(expected: Floats, limit: float, rng: np.random.Generator) -> float:
    """Draw runs from MRIs like these until a false alarm."""
    runs, length = 50, min(LONGEST_RUN * len(expected), 20_000)
    p = rng.choice(expected, (runs, length))
    over = cusum(scores(p, rng.random((runs, length)) < p)) > limit
    first = np.where(over.any(axis=1), over.argmax(axis=1) + 1, length)
    return float(first.mean())
