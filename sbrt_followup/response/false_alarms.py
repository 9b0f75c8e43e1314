"""How often a stable lesion breaches the detectable difference by chance, when it is compared again and again.

Premise (in the volume document): the limit holds a given share of the test–retest differences of a stable lesion, in
percent of its volume; errors are independent and normal, the limit is two-sided. A breach is an increase by at least
the limit, in percent of the compared value: the smallest so far (nadir), or the first one (baseline). Computed by
recursion over the smallest value, on a grid of measurement errors; not simulated.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from ..arrays import Floats
from ..rulebook.criteria import Repeatability

_GRID = np.linspace(-8.0, 8.0, 4001)
_erf = np.vectorize(math.erf, otypes=[float])


def _normal_below(x: Floats) -> Floats:
    result: Floats = 0.5 * (1.0 + _erf(x / math.sqrt(2.0)))
    return result


@lru_cache(maxsize=8)
def _chances(limit: float, coverage: float, most: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Give the chance of at least one breach by the k-th MRI after the first, k = 0 … most: v nadir, v baseline."""
    error = limit / (NormalDist().inv_cdf(0.5 + coverage / 2.0) * math.sqrt(2.0))  # of one measurement, as a share
    # Where a breach begins, for a compared value on the grid; in units of one measurement's error.
    breach = ((1.0 + error * _GRID) * (1.0 + limit) - 1.0) / error
    step = _GRID[1] - _GRID[0]
    density = np.exp(-(_GRID**2) / 2.0) / math.sqrt(2.0 * math.pi)
    within = _normal_below(breach)
    stays = within - _normal_below(_GRID)  # above the smallest so far, without a breach
    lowest = density.copy()
    nadir, baseline = [0.0], [0.0]
    for k in range(1, most + 1):
        above = lowest[::-1].cumsum()[::-1] * step - lowest * step / 2.0
        lowest = lowest * stays + density * above
        nadir.append(float(1.0 - lowest.sum() * step))
        baseline.append(float(1.0 - (density * within**k).sum() * step))
    return tuple(nadir), tuple(baseline)


def chances(premise: Repeatability, most: int) -> tuple[Floats, Floats]:
    """Give the chance in percent of at least one false alarm by the k-th follow-up MRI: v nadir, v baseline."""
    nadir, baseline = _chances(
        float(premise.limit_percent) / 100.0, float(premise.coverage_percent) / 100.0, max(most, 1)
    )
    return np.round(100.0 * np.array(nadir), 1), np.round(100.0 * np.array(baseline), 1)
