"""Which treated sites an MRI serves: the one answer for visits, readings and curves.

A completed MRI is *read for* the site it names, or the patient's only one. It *serves* that site; one of the whole spine
serves all sites of the patient, one of a region the sites that lie wholly in the regions of the site it names. Rows of
one site (a second course) are served alike; which course an MRI belongs to is a matter of dates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import NEVER, Flags, Ints
from ..tables.spine_levels import spine_range
from ..vocabulary import SPINE_LEVELS
from .history import TREATED_AGAIN, Course, days, treated_again

if TYPE_CHECKING:
    import pandas as pd

_REGIONS = "CTLS"


@dataclass(frozen=True)
class Coverage:
    """Pairs of a site (row of the cohort frame) and a completed MRI (row of the imaging frame, its day) that serves it."""

    site: Ints
    scan: Ints
    day: Ints

    def __len__(self) -> int:
        return len(self.site)

    def by_day(self, keep: Flags) -> tuple[Ints, Ints]:
        """Give the distinct (site, day) of some pairs, in order."""
        pairs = np.unique(np.stack([self.site[keep], self.day[keep]], axis=1), axis=0)
        return pairs[:, 0], pairs[:, 1]


def done(imaging: pd.DataFrame) -> Flags:
    """Mark the MRIs that were done: all but those said not to be."""
    return np.asarray((imaging["completed"].astype(object) != "no").to_numpy(), dtype=bool)


def own_site(frame: pd.DataFrame, imaging: pd.DataFrame) -> pd.Series[str]:
    """Give the site each imaging row is read for: the one it names, else the patient's only one."""
    if imaging["site_id"].notna().all():
        return imaging["site_id"]
    grouped = frame.groupby("patient_id")["site_id"]
    lone = grouped.first().where(grouped.nunique() == 1)
    return imaging["site_id"].where(imaging["site_id"].notna(), imaging["patient_id"].map(lone))


def appointments(imaging: pd.DataFrame, today: int) -> Flags:
    """Mark the MRIs said not to be done yet whose day is still to come."""
    return ~done(imaging) & (days(imaging, "mri_date") >= today)


def coverage(frame: pd.DataFrame, imaging: pd.DataFrame | None, which: Flags | None = None) -> Coverage:
    """Pair every site with the MRIs that serve it: the completed ones, or those marked."""
    import pandas as pd

    if imaging is None or not len(imaging) or not len(frame):
        none = np.zeros(0, dtype=np.int64)
        return Coverage(none, none, none)
    rows = np.flatnonzero(done(imaging) if which is None else which)
    scans = imaging.iloc[rows]
    left = pd.DataFrame(
        {
            "patient_id": scans["patient_id"].to_numpy(),
            "own": own_site(frame, scans).to_numpy(),
            "scan": rows,
            "day": days(scans, "mri_date"),
            "coverage": scans["mri_coverage"].astype(object).to_numpy(),
        }
    )
    right = pd.DataFrame(
        {
            "patient_id": frame["patient_id"].to_numpy(),
            "site_id": frame["site_id"].to_numpy(),
            "at": np.arange(len(frame)),
            "regions": _regions(frame["level"]),
        }
    )
    both = left.merge(right, on="patient_id")
    own = both["own"] == both["site_id"]
    place = right.drop_duplicates(["patient_id", "site_id"]).set_index(["patient_id", "site_id"])["regions"]
    keys = pd.MultiIndex.from_arrays([both["patient_id"], both["own"]])
    scanned = place.reindex(keys).fillna(0).to_numpy().astype(np.int64)
    regions = both["regions"].to_numpy()
    region = (both["coverage"] == "region") & ((scanned & regions) == regions) & (regions > 0)
    served = both.loc[own | (both["coverage"] == "whole_spine") | region]
    return Coverage(*(served[name].to_numpy(dtype=np.int64) for name in ("at", "scan", "day")))


def _regions(levels: pd.Series[Any]) -> Ints:
    """Give the regions of the spine that each site lies in, as bits; 0 where the level is not known."""
    known: dict[object, int] = {}
    for text in levels.unique():
        span = spine_range(text) if isinstance(text, str) else None
        touched = set() if span is None else {SPINE_LEVELS[i][0] for i in range(span[0], span[1] + 1)}
        known[text] = sum(1 << _REGIONS.index(letter) for letter in touched)
    return np.array([known[text] for text in levels], dtype=np.int64)


def booked_days(booked: Ints, frame: pd.DataFrame, imaging: pd.DataFrame | None, today: int) -> Ints:
    """Give each site's booked day with appointments of the imaging table: the next one to come, else the one that has passed."""
    if imaging is None or not (ahead := appointments(imaging, today)).any():
        return booked
    pairs = coverage(frame, imaging, ahead)
    first = np.where(booked >= today, booked, np.iinfo(np.int64).max)
    np.minimum.at(first, pairs.site, pairs.day)
    return np.where(first == np.iinfo(np.int64).max, booked, first)


def scan_dates(pairs: Coverage, course: Course) -> Ints:
    """Give each site's MRIs after time zero and up to its stop, shape (sites, most MRIs), in date order, padded with NEVER."""
    n = len(course.time_zero)
    stop = course.stop[pairs.site]
    site, day = pairs.by_day((pairs.day > course.time_zero[pairs.site]) & ((stop == NEVER) | (pairs.day <= stop)))
    count = np.bincount(site, minlength=n)
    scans = np.full((n, int(count.max(initial=0))), NEVER, dtype=np.int64)
    start = np.cumsum(count) - count
    scans[site, np.arange(len(site)) - start[site]] = day
    return scans


def scans_after_stop(frame: pd.DataFrame, pairs: Coverage, course: Course) -> tuple[Ints, Ints]:
    """List MRIs after a site's follow-up stopped, as (site, day): they satisfy nothing, but none is lost.

    What follows a renewed treatment belongs to the new course.
    """
    left = (course.stop != NEVER) & (course.stop_code != TREATED_AGAIN)
    if not len(pairs) or not left.any():
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    again = treated_again(frame, course.patient, course.time_zero)[pairs.site]
    late = left[pairs.site] & (pairs.day > course.stop[pairs.site]) & (pairs.day > course.time_zero[pairs.site])
    return pairs.by_day(late & ((again == NEVER) | (pairs.day < again)))


def scans_after_death(frame: pd.DataFrame, imaging: pd.DataFrame) -> list[int]:
    """Name the imaging rows of completed MRIs after the patient's death."""
    died = frame.groupby("patient_id", observed=True)["death_date"].min().dropna()
    scans = imaging.loc[done(imaging) & imaging["patient_id"].isin(died.index).to_numpy()]
    late = scans["mri_date"].to_numpy() > scans["patient_id"].map(died).to_numpy()
    return [int(row) for row in scans["row"].to_numpy()[late]]


def unplaced(frame: pd.DataFrame, imaging: pd.DataFrame) -> dict[int, str]:
    """Say which imaging rows serve no site of the cohort, and why."""
    import pandas as pd

    reasons: dict[int, str] = {}
    sites = pd.MultiIndex.from_frame(frame[["patient_id", "site_id"]])
    count = frame.groupby("patient_id")["site_id"].nunique()
    known = imaging["patient_id"].isin(frame["patient_id"])
    given = imaging["site_id"].notna()
    placed = pd.MultiIndex.from_frame(imaging[["patient_id", "site_id"]]).isin(sites)
    whole = (imaging["mri_coverage"].astype(object) == "whole_spine") & known
    lone = ~given & (imaging["patient_id"].map(count) == 1)
    for row in imaging.loc[~known, "row"]:
        reasons[int(row)] = "its patient is not in the cohort"
    for row in imaging.loc[known & given & ~placed & ~whole, "row"]:
        reasons[int(row)] = "its site is not in the cohort"
    for row in imaging.loc[known & ~given & ~lone & ~whole, "row"]:
        reasons[int(row)] = "no site_id, and the patient has several sites"
    return reasons
