"""What resampling says: limits of intervals from samples of patients, and whether a break is more than chance.

Conventions. Bootstrap samples are of patients within the group (all sites of a patient together), as weights of the rows, so
that whatever depends on the rows alone is set up once; an estimated break is estimated again in every sample. Limits are
percentiles of the logarithm of the interval. The break of the greatest likelihood always beats none; how often it would by
so much where there is none is found by simulating the group under its constant hazard, with its own MRIs, follow-up and
deaths, and searching each simulated cohort like the real one (Goodman, Li and Tiwari 2011).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Flags, Floats, Ints
from ..estimators import break_point, illness_death, piecewise
from ..estimators.illness_death import Seen, Ties
from ..outcomes.null_check import ground_of, simulated
from ..outcomes.study import Study
from ..problems import InputRefused
from ..timing import analysis_days
from .observed import MONTH, everything_seen

FINE = 0.1
"""Months between the places at which a break is looked for."""
ALPHA = 0.05
NO_MOVE = 3.841458820694124
"""χ²₁ at 5 %: the greatest of many likelihood ratios exceeds it more often than one does."""


@dataclass(frozen=True)
class Sampled:
    """Rates fitted to samples of patients: break (NaN without), hazards by phase, death before and after progression."""

    at: Floats
    hazard: Floats  # samples × phases
    death_clear: Floats
    death_after: Floats

    def limits(self, phase: int, needed: float, level: float) -> tuple[float, float]:
        """Give the percentile limits of the interval in a phase."""
        log = np.log(needed / self.hazard[:, phase])
        low, high = np.quantile(log[np.isfinite(log)], [(1 - level) / 2, (1 + level) / 2])
        return float(np.exp(low)), float(np.exp(high))


def sample(
    data: Seen,
    patient: Ints,
    number: int,
    seed: int,
    *,
    starts: tuple[float, ...],
    grid: Floats | None,
    ties: Ties | None,
    step: Callable[[], None],
) -> Sampled:
    """Fit samples of patients; with a grid the break is searched anew, with ties the model is illness–death."""
    rng = np.random.default_rng(seed)
    _, own = np.unique(patient, return_inverse=True)
    people = int(own.max()) + 1
    usual = break_point.Standard(data)
    own_model = None if ties is None or grid is None else break_point.IllnessDeath(data, ties)
    rows = []
    for _ in range(number):
        weight = np.bincount(rng.integers(0, people, people), minlength=people)[own].astype(np.float64)
        if grid is not None:
            best = usual.search(grid, FINE, weight=weight)
            if own_model is not None:
                best = own_model.near(best.at, FINE, weight=weight)
            rows.append((best.at, best.parameters))
        elif ties is None:
            risk = piecewise.fit(piecewise.exposed(data.left, data.right, np.array(starts), data.entry, weight))
            rows.append((np.nan, risk.hazard))
        else:
            rows.append((np.nan, illness_death.fit(data, starts, ties, weight=weight).parameters))
        step()
    pieces = 2 if grid is not None else len(starts)
    hazard = np.array([p[:pieces] for _, p in rows]).reshape(number, pieces)
    if ties is None:
        return Sampled(np.array([at for at, _ in rows]), hazard, np.zeros(number), np.zeros(number))
    rates = np.array([ties.rates(p) for _, p in rows])
    return Sampled(np.array([at for at, _ in rows]), hazard, rates[:, pieces], rates[:, 2 * pieces])


@dataclass(frozen=True)
class BreakTest:
    """Whether a break is more than chance: twice the gain in log-likelihood, how often chance gains as much."""

    ratio: float
    p_value: float
    simulations: int
    """0: not simulated; one likelihood ratio alone would not reach 5 %, so that p is above it."""

    @property
    def beyond_chance(self) -> bool:
        """Whether a break is called for."""
        return self.p_value < ALPHA


def ratio(data: Seen, grid: Floats) -> float:
    """Give twice the log-likelihood gained by the best break."""
    best = break_point.Standard(data).search(grid, FINE)
    none = piecewise.fit(piecewise.exposed(data.left, data.right, np.zeros(1), data.entry))
    return 2 * (best.loglik - none.loglik)


def break_test(
    people: Study,
    own: Ints,
    data: Seen,
    scans: tuple[Ints, Floats] | None,
    grid: Floats,
    simulations: int,
    seed: int,
    step: Callable[[], None],
) -> BreakTest:
    """Test a group's break; `own` are its places in the study."""
    gained = ratio(data, grid)
    if gained < NO_MOVE or simulations == 0:
        return BreakTest(gained, float("nan") if gained >= NO_MOVE else 1.0, 0)
    group, moved = _part(people, own, data, scans)
    hazard = float(piecewise.fit(piecewise.exposed(data.left, data.right, np.zeros(1), data.entry)).hazard[0])
    try:
        ground = ground_of(group, (6.0,), moved)
    except InputRefused:  # how the group is scanned is not known
        return BreakTest(gained, float("nan"), 0)
    ground = replace(ground, edges=np.array([0.0, np.inf]), hazard=np.array([hazard / MONTH]), frailty=0.0)
    rng = np.random.default_rng(seed)
    as_great = 0
    for _ in range(simulations):
        drawn = _months(everything_seen(simulated(group, ground, rng)), data.entry)
        reach = drawn.right[drawn.found]
        inside = (
            grid[(grid > reach.min(initial=np.inf)) & (grid < reach.max(initial=-np.inf))] if reach.size else grid[:0]
        )
        as_great += bool(inside.size) and ratio(drawn, inside) >= gained
        step()
    return BreakTest(gained, (1 + as_great) / (1 + simulations), simulations)


def _months(days: Seen, entry: Floats) -> Seen:
    left = np.maximum(days.left / MONTH, entry)
    right = days.right / MONTH
    found: Flags = np.isfinite(right) & (right > left)
    right = np.where(found, right, np.inf)
    until = np.fmax(days.until / MONTH, np.where(found, right, left))
    return Seen(left, right, until, days.died, entry)


def _part(
    people: Study, own: Ints, data: Seen, scans: tuple[Ints, Floats] | None
) -> tuple[Study, tuple[Ints, Floats] | None]:
    """Give one group as a study of its own, entering when it enters, with its MRIs."""
    names = (
        "time", "status", "patient", "site", "zero", "stratum", "ending", "alive_until", "died", "last_clear_mri", "last_mri",
    )  # fmt: skip
    part = {name: getattr(people, name)[own] for name in names}
    group = replace(
        people, labels=(people.labels[int(people.group[own[0]])],), group=np.zeros(len(own), dtype=np.int64),
        entry=data.entry * analysis_days(1), **part,
    )  # fmt: skip
    if scans is None:
        return group, None
    place = np.full(len(people.time), -1, dtype=np.int64)
    place[own] = np.arange(len(own))
    unit, day = scans
    kept = place[unit] >= 0
    return group, (place[unit[kept]], day[kept])
