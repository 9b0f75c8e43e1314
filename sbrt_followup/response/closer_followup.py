"""Closer follow-up as a date: after the shortest interval that the plan's phase in force on the MRI's day allows (assumption).

A plan with several schedules gives the shortest of theirs.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ..arrays import Ints
from ..timing import DAYS_PER_MONTH, add_months

if TYPE_CHECKING:
    from .assessment import Assessment


def closer_by(assessment: Assessment) -> Ints:
    """Give, per MRI, the last day for the next one under closer follow-up, as a whole day."""
    scans = assessment.reading.scans
    months = np.maximum(scans.since, 0) / float(DAYS_PER_MONTH)
    schedules = assessment.rulebook.plan.schedules
    ends = sorted({end for s in schedules for p in s.phases if (end := p.end) is not None})
    result = scans.day.copy()
    stretch = np.searchsorted(np.array([float(e) for e in ends]), months, side="right")
    for number in range(len(ends) + 1):
        here = stretch == number
        start = ends[number - 1] if number else Fraction(0)
        shortest = min(s.phase_at(start).every.low for s in schedules)
        day = scans.day[here].astype("datetime64[D]")
        result[here] = add_months(day, shortest).astype(np.int64)
    return result
