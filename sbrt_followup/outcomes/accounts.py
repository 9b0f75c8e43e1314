"""What a reviewer asks besides the curve: why follow-up ended, deaths long after the last MRI, gaps between scans.

Conventions. A gap runs from one MRI (or time zero) to the next, up to the end of follow-up for the endpoint. Without an
imaging table the only gaps known are those in which a dated event lies: the last clear MRI to the event.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sbrt_followup.outcomes.counts import COMPETING, EVENT, Floats, Ints
from sbrt_followup.outcomes.endpoints import Study
from sbrt_followup.timing import analysis_days

UNEQUAL = 1.2  # median gaps further apart than this factor are worth a warning; a convention of reporting


@dataclass(frozen=True)
class Ending:
    """How many of a group stopped being followed for this reason."""

    group: str
    reason: str
    number: int


@dataclass(frozen=True)
class LateDeaths:
    """Deaths counted as competing, by the time since the last MRI."""

    group: str
    deaths: int
    without_mri: int
    median_days: float
    longest_days: float
    months: float
    beyond: int
    """Deaths more than so many months after the last MRI."""


@dataclass(frozen=True)
class ScanGaps:
    """The gaps between scans in one group."""

    group: str
    source: str  # "imaging" or "event intervals"
    gaps: int
    median_days: float
    lower_quartile: float
    upper_quartile: float


def endings(study: Study) -> tuple[Ending, ...]:
    """Count why follow-up for the endpoint ended, by group."""
    result = []
    for place, label in enumerate(study.labels):
        reasons, numbers = np.unique(study.ending[study.where(place)].astype(str), return_counts=True)
        result += [Ending(label, str(r), int(n)) for r, n in zip(reasons, numbers, strict=True)]
    return tuple(result)


def late_deaths(study: Study, months: float) -> tuple[LateDeaths, ...]:
    """Tabulate deaths by the time since the last MRI, counting those more than so many months after it."""
    result = []
    for place, label in enumerate(study.labels):
        dead = study.where(place) & (study.status == COMPETING)
        gap = (study.time - study.last_mri)[dead]
        known = gap[np.isfinite(gap)]
        middle, longest = (float(np.median(known)), float(known.max())) if known.size else (np.nan, np.nan)
        beyond = int((known > analysis_days(months)).sum())
        result.append(LateDeaths(label, len(gap), len(gap) - len(known), middle, longest, months, beyond))
    return tuple(result)


def event_gaps(study: Study) -> tuple[ScanGaps, ...]:
    """Give the gaps in which dated events lie, by group."""
    width = np.where(study.status == EVENT, study.time - study.last_clear_mri, np.nan)
    return tuple(_gaps(label, "event intervals", width[study.where(place)]) for place, label in enumerate(study.labels))


def imaging_gaps(study: Study, unit: Ints, day: Floats) -> tuple[ScanGaps, ...]:
    """Give the gaps between MRIs that end under observation, from time zero to the end of follow-up, by group."""
    begin = -float(study.question.landmark_day or 0)
    kept = (day > begin) & (day <= study.time[unit])
    scans = np.unique(np.column_stack([unit[kept], day[kept]]), axis=0)
    code, when = scans[:, 0].astype(np.int64), scans[:, 1]
    first = np.diff(code, prepend=-1) != 0
    gap = np.where(first, when - begin, when - np.concatenate([[begin], when[:-1]]))
    group = np.where(when > 0, study.group[code], -1)
    return tuple(_gaps(label, "imaging", gap[group == g]) for g, label in enumerate(study.labels))


def _gaps(label: str, source: str, width: Floats) -> ScanGaps:
    known = width[np.isfinite(width)]
    low, middle, high = np.percentile(known, [25, 50, 75]).tolist() if known.size else (np.nan,) * 3
    return ScanGaps(label, source, len(known), middle, low, high)


def unequal(gaps: tuple[ScanGaps, ...]) -> bool:
    """Tell whether groups were scanned at different intervals."""
    middles = [g.median_days for g in gaps if g.gaps >= 2 and g.median_days > 0]
    return len(middles) > 1 and max(middles) > UNEQUAL * min(middles)
