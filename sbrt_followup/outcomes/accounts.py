"""What a reviewer asks besides the curve: why follow-up ended, deaths long after the last MRI, gaps between scans.

Conventions. A gap runs from one MRI (or time zero) to the next, up to the end of follow-up for the endpoint. Without an
imaging table the only gaps known are those in which a dated event lies: the last clear MRI to the event.
Plans widen with time, and who progresses early has early gaps only: groups are compared by their gaps' sum against what
the mean of all groups' gaps that begin in the same quarter makes of it (indirect standardisation).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from ..arrays import Floats, Ints
from ..estimators.counts import COMPETING, EVENT
from ..sites.coverage import coverage, done
from ..timing import analysis_days
from .study import Study
from .units import day_numbers

if TYPE_CHECKING:
    import pandas as pd

UNEQUAL = 1.2  # groups' gaps further apart than this factor are worth a warning; a convention of reporting
CHANCE = 0.005  # how often equal groups may be warned about; shared by the pairs of groups (Bonferroni)
FEWEST_GAPS = 10  # fewer say too little for it
QUARTER = 3.0  # months


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
    against_all: float
    """How many times as long as all groups' gaps that begin in the same quarter."""
    std_error: float


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


def unscanned_from(study: Study) -> float:
    """Give the first month from which most of those at risk die later with no further MRI; NaN where there is none."""
    if not np.isfinite(study.last_clear_mri).any():  # no MRI is recorded: nothing can be said of those without one
        return float("nan")
    months = np.arange(1.0, np.ceil(study.time.max(initial=0.0) / analysis_days(1)))
    days = months * analysis_days(1)
    dying = study.status == COMPETING
    last = np.minimum(study.time, np.nan_to_num(study.last_mri, nan=-1.0))[dying]
    at_risk, to_die, scanned = (
        len(v) - np.searchsorted(np.sort(v), days, side="left") for v in (study.time, study.time[dying], last)
    )
    most = (at_risk > 0) & (2 * (to_die - scanned) > at_risk)
    later = np.flatnonzero(~most & (at_risk > 0))
    first = int(later[-1]) + 1 if later.size else len(months)
    return float(months[first]) if first < len(months) and most[first] else float("nan")


def event_gaps(study: Study) -> tuple[ScanGaps, ...]:
    """Give the gaps in which dated events lie, by group."""
    begin = np.where(study.status == EVENT, study.last_clear_mri, np.nan)
    known = np.isfinite(begin)
    return _by_group(study, "event intervals", study.group[known], begin[known], study.time[known])


def imaging_gaps(study: Study, unit: Ints, day: Floats) -> tuple[ScanGaps, ...]:
    """Give the gaps between MRIs that end under observation, from time zero to the end of follow-up, by group."""
    origin = -float(study.question.landmark_day or 0)
    kept = (day > origin) & (day <= study.time[unit])
    scans = np.unique(np.column_stack([unit[kept], day[kept]]), axis=0)
    code, when = scans[:, 0].astype(np.int64), scans[:, 1]
    first = np.diff(code, prepend=-1) != 0
    begin = np.where(first, origin, np.concatenate([[origin], when[:-1]]))
    seen = when > 0
    return _by_group(study, "imaging", study.group[code[seen]], begin[seen], when[seen])


def _by_group(study: Study, source: str, group: Ints, begin: Floats, end: Floats) -> tuple[ScanGaps, ...]:
    width = end - begin
    _, quarter = np.unique(np.floor(begin / analysis_days(QUARTER)), return_inverse=True)
    usual = np.bincount(quarter, width) / np.bincount(quarter) if len(width) else np.empty(0)
    result = []
    for place, label in enumerate(study.labels):
        own = group == place
        known = width[own]
        low, middle, high = np.percentile(known, [25, 50, 75]).tolist() if known.size else (np.nan,) * 3
        expected = usual[quarter[own]]
        against = float(known.sum() / expected.sum()) if known.sum() else np.nan
        spread = np.sqrt(((known - against * expected) ** 2).sum()) / expected.sum() if known.sum() else np.nan
        result.append(ScanGaps(label, source, len(known), middle, low, high, against, float(spread)))
    return tuple(result)


def unequal(gaps: tuple[ScanGaps, ...]) -> bool:
    """Tell whether groups were scanned at different intervals at the same time since SBRT, beyond chance."""
    known = [g for g in gaps if g.against_all > 0 and g.gaps >= FEWEST_GAPS]
    pairs = len(known) * (len(known) - 1)  # each counted both ways: two-sided
    beyond = float(ndtri(1 - CHANCE / pairs)) if pairs else 0.0
    return any(
        long.against_all > UNEQUAL * short.against_all
        and long.against_all - short.against_all > beyond * np.hypot(long.std_error, short.std_error)
        for long, short in permutations(known, 2)
    )


def scan_days(study: Study, imaging: pd.DataFrame, frame: pd.DataFrame | None = None) -> tuple[Ints, Floats]:
    """Give the place of the unit and the day (since time zero, or since the landmark) of every completed scan of a study.

    A patient is seen by any of the MRIs, a site by those that serve it; for sites the cohort `frame` must be given.
    """
    import pandas as pd

    units = pd.DataFrame({"patient_id": study.patients[study.patient], "unit": np.arange(len(study.time))})
    if study.question.unit == "patient":
        pairs = imaging.loc[done(imaging), ["patient_id", "mri_date"]].merge(units, on="patient_id")
    else:
        assert frame is not None
        served = coverage(frame, imaging)
        sites = frame[["patient_id", "site_id"]].iloc[served.site].reset_index(drop=True)
        seen = sites.assign(scan=served.scan, mri_date=imaging["mri_date"].to_numpy()[served.scan]).drop_duplicates()
        pairs = seen.merge(units.assign(site_id=study.site), on=["patient_id", "site_id"])
    place = pairs["unit"].to_numpy(dtype=np.int64)
    return place, day_numbers(pairs["mri_date"]) - study.zero[place] - (study.question.landmark_day or 0)
