"""Observed risk by when progression began, not by when it was found: known only between two MRIs.

Conventions. The nonparametric maximum likelihood of the intervals (last clear MRI, MRI that found it], by group; whoever dies or is
lost is censored at the last clear MRI, so that the risk is that if nobody died (net), and the model's is taken alike.
Between two MRIs the likelihood leaves the curve open: a horizon has a lowest and a highest risk, and no more is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..estimators.interval_censored import npmle
from ..outcomes.interval_analysis import ENDPOINTS, intervals
from ..outcomes.study import Study
from ..timing import analysis_days
from .foretold import Course

MOST = 5_000  # units of a group: more take minutes


@dataclass(frozen=True)
class Between:
    """One group at one horizon: the lowest and highest net risk the MRIs allow, and the foretold one."""

    group: str
    months: float
    lowest: float
    highest: float
    foretold: float


def between_mris(study: Study, course: Course | None, months: Sequence[float]) -> tuple[Between, ...]:
    """Estimate each group's net risk at horizons; nothing where intervals are not known or groups are too large."""
    if study.question.endpoint not in ENDPOINTS or not np.isfinite(study.last_clear_mri).any():
        return ()
    days = np.array([analysis_days(m) for m in months])
    found = []
    for place, label in enumerate(study.labels):
        own = study.where(place)
        if not 0 < own.sum() <= MOST:
            continue
        people = intervals(study, place)
        fitted = npmle(people.left, people.right)
        low, high = (1.0 - survival for survival in fitted.bounds(days))
        lasting = people.left[~np.isfinite(people.right)].max(initial=-np.inf)
        for m, day, most, least in zip(months, days.tolist(), low.tolist(), high.tolist(), strict=True):
            known = day <= max(float(lasting), float(people.right[np.isfinite(people.right)].max(initial=0.0)))
            if known:
                foretold = float(course.net(m)[own].mean()) if course is not None else float("nan")
                found.append(Between(label, m, least, most, foretold))
    return tuple(found)
