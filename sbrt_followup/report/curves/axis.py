"""The time axis of a plot: whole months, a handful of ticks, no further than curves mean something."""

from __future__ import annotations

import math

import numpy as np

from ...outcomes.analysis import FEW_AT_RISK, Analysis, GroupResult
from ...timing import analysis_days

STEPS = (1, 2, 3, 6, 12, 24, 36, 60, 120)
MOST_TICKS, ROOM = 9, 12
SHORTEST = 6.0  # months shown at least


def month_ticks(analysis: Analysis) -> list[float]:
    """Choose evenly spaced whole months to where fewer than ten of every group are left, or to the last stated month."""
    last = last_month(analysis)
    sure = max((_sure(g) for g in analysis.groups), default=0.0)
    asked = max((m for m in analysis.method.times if m <= last), default=0.0)
    shown = max(min(last, max(sure, asked)) if sure else last, SHORTEST)
    step = next((s for s in STEPS if shown / s <= MOST_TICKS), STEPS[-1])
    # A finer step that meets every stated month is preferred while its ticks have room.
    fine = [s for s in STEPS if shown / s <= ROOM and all(m % s == 0 for m in analysis.method.times)]
    step = max(fine, default=step)
    return [float(step * k) for k in range(math.ceil(shown / step) + 1)]


def last_month(analysis: Analysis) -> float:
    """Give the month in which the last follow-up of any group ends."""
    return max((g.counts.last for g in analysis.groups), default=0.0) / analysis_days(1)


def _sure(group: GroupResult) -> float:
    """Give the last month at which at least ten are at risk; 0 where there never are."""
    time = group.counts.time
    many = time[group.counts.at_risk(time) >= FEW_AT_RISK] if time.size else np.empty(0)
    return float(many[-1]) / analysis_days(1) if many.size else 0.0
