"""The time axis of a plot: whole months, a handful of ticks."""

from __future__ import annotations

import math

from sbrt_followup.outcomes.analysis import Analysis
from sbrt_followup.timing import analysis_days

STEPS = (1, 2, 3, 6, 12, 24, 36, 60, 120)
MOST_TICKS = 9
SHORTEST = 6.0  # months shown at least


def month_ticks(analysis: Analysis) -> list[float]:
    """Choose evenly spaced whole months that cover every group's follow-up."""
    last = max((g.counts.last for g in analysis.groups), default=0.0) / analysis_days(1)
    last = max(last, SHORTEST)
    step = next((s for s in STEPS if last / s <= MOST_TICKS), STEPS[-1])
    return [float(step * k) for k in range(math.ceil(last / step) + 1)]
