"""What happened to each treated site: time zero, MRIs done, bookings, stops; as whole days, absent ones NEVER."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..arrays import NEVER, Flags, Ints
from ..rulebook.deciding import holds
from ..rulebook.library import Rulebook
from ..tables.columns import COHORT
from ..tables.spine_levels import spine_range
from ..vocabulary import SPINE_LEVELS, STOP_REASONS
from .facts import site_facts

if TYPE_CHECKING:
    import pandas as pd

STOP_WORDS = (
    "death",
    *(reason.replace("_", " ") for reason in STOP_REASONS),
    "treated again: a new course has its own time zero",
)
DEATH, TREATED_AGAIN = 0, len(STOP_WORDS) - 1


@dataclass(frozen=True)
class Course:
    """One row per treated site of a cohort frame."""

    patient: Ints
    rank: Ints
    """The place of each patient number in the order of ids."""
    time_zero: Ints
    stop: Ints
    stop_code: Ints
    booked: Ints
    progression: Ints
    progressed: Flags
    no_mri: Flags
    no_gadolinium: Flags
    stop_words: tuple[str, ...] = STOP_WORDS
    passed_through: frozenset[str] = frozenset()

    def ended(self, today: int) -> Flags:
        """Say of each site whether its follow-up has stopped by a day."""
        return np.asarray((self.stop != NEVER) & (self.stop <= today))


def days(frame: pd.DataFrame, column: str) -> Ints:
    """Give a date column as whole days."""
    return frame[column].to_numpy().astype("datetime64[D]").astype(np.int64)


def _yes(frame: pd.DataFrame, column: str) -> Flags:
    return np.asarray(frame[column].to_numpy() == "yes")


def _of_patient(flags: Flags, patient: npt.NDArray[Any]) -> Flags:
    """Spread a flag over all sites of a patient: a contraindication on any row is the patient's."""
    return np.asarray(np.isin(patient, patient[flags]))


def course_of(frame: pd.DataFrame) -> Course:
    """Read the history of every row of a cohort frame."""
    import pandas as pd

    patient, ids = pd.factorize(frame["patient_id"])
    rank = np.empty(len(ids), dtype=np.int64)
    rank[np.argsort(ids.astype(str), kind="stable")] = np.arange(len(ids))
    time_zero = days(frame, "sbrt_date")
    # A death on any row of a patient is the patient's.
    death = pd.Series(frame["death_date"].to_numpy()).groupby(patient).transform("min").to_numpy()
    died = death.astype("datetime64[D]").astype(np.int64)
    left = np.where(frame["stop_reason"].isna(), NEVER, days(frame, "last_contact_date"))
    again = _treated_again(frame, patient, time_zero)
    options = np.stack([died, left, np.where(again == NEVER, NEVER, again - 1)])
    first = np.where(options == NEVER, np.iinfo(np.int64).max, options)
    which = first.argmin(axis=0)
    stop = np.where((options == NEVER).all(axis=0), NEVER, first.min(axis=0))
    reason = frame["stop_reason"].cat.codes.to_numpy().astype(np.int64) + 1
    code = np.select([which == 0, which == 1], [np.full(len(frame), DEATH), reason], TREATED_AGAIN)
    declared = {spec.name for spec in COHORT}
    progression = days(frame, "progression_date")
    return Course(
        patient=patient.astype(np.int64),
        rank=rank,
        time_zero=time_zero,
        stop=stop,
        stop_code=code,
        booked=days(frame, "booked_date"),
        progression=progression,
        progressed=progression != NEVER,
        no_mri=_of_patient(_yes(frame, "mri_contraindication"), patient),
        no_gadolinium=_of_patient(_yes(frame, "gadolinium_contraindication"), patient),
        passed_through=frozenset(c for c in frame.columns if c not in declared and c != "row"),
    )


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Sort each patient's rows by site and course, so that no tie is broken by the order of the file."""
    import pandas as pd

    patient = pd.factorize(frame["patient_id"])[0]
    site = pd.factorize(frame["site_id"], sort=True)[0]
    order = np.lexsort((days(frame, "sbrt_date"), site, patient))
    if (order == np.arange(len(order))).all():
        return frame
    return frame.iloc[order].reset_index(drop=True)


def _treated_again(frame: pd.DataFrame, patient: npt.NDArray[Any], time_zero: Ints) -> Ints:
    """Give the next course's time zero for the same patient and site, NEVER where there is none."""
    import pandas as pd

    site = pd.factorize(frame["site_id"])[0]
    order = np.lexsort((time_zero, site, patient))
    following = np.full(len(frame), NEVER, dtype=np.int64)
    same = (patient[order][1:] == patient[order][:-1]) & (site[order][1:] == site[order][:-1])
    following[order[:-1][same]] = time_zero[order[1:][same]]
    return following


def scan_dates(frame: pd.DataFrame, imaging: pd.DataFrame | None, course: Course) -> Ints:
    """Give each site's completed MRIs after time zero and before its stop, in date order, padded with NEVER.

    A scan serves the site of its row; one of the whole spine serves all sites of the patient, one of a region the sites
    of that region.
    """
    n = len(frame)
    if imaging is None or not len(imaging):
        return np.full((n, 0), NEVER, dtype=np.int64)
    pairs = _covered(frame, imaging)
    site, day = pairs[:, 0], pairs[:, 1]
    after = (day > course.time_zero[site]) & ((course.stop[site] == NEVER) | (day <= course.stop[site]))
    pairs = np.unique(pairs[after], axis=0)
    site, day = pairs[:, 0], pairs[:, 1]
    count = np.bincount(site, minlength=n)
    scans = np.full((n, int(count.max(initial=0))), NEVER, dtype=np.int64)
    start = np.concatenate([[0], np.cumsum(count)[:-1]])
    scans[site, np.arange(len(site)) - start[site]] = day
    return scans


def _covered(frame: pd.DataFrame, imaging: pd.DataFrame) -> Ints:
    """List (row of the cohort, day) for every site that a completed scan covers."""
    import pandas as pd

    done = imaging.loc[imaging["completed"].astype(object) != "no"]
    left = pd.DataFrame(
        {
            "patient_id": done["patient_id"].to_numpy(),
            "own": done["site_id"].to_numpy(),
            "day": days(done, "mri_date"),
            "coverage": done["mri_coverage"].astype(object).to_numpy(),
        }
    )
    right = pd.DataFrame(
        {
            "patient_id": frame["patient_id"].to_numpy(),
            "site_id": frame["site_id"].to_numpy(),
            "at": np.arange(len(frame)),
        }
    )
    right["regions"] = _regions(frame["level"])
    alone = right.groupby("patient_id")["site_id"].transform("nunique") == 1
    both = left.merge(right.assign(alone=alone.to_numpy()), on="patient_id")
    own = (both["own"] == both["site_id"]) | (both["own"].isna() & both["alone"])
    place = right.drop_duplicates(["patient_id", "site_id"]).set_index(["patient_id", "site_id"])["regions"]
    keys = pd.MultiIndex.from_arrays([both["patient_id"], both["own"]])
    scanned = place.reindex(keys).fillna(0).to_numpy().astype(np.int64)
    region = (both["coverage"] == "region") & ((scanned & both["regions"].to_numpy()) == both["regions"].to_numpy())
    region &= both["regions"] > 0
    covered = both.loc[own | (both["coverage"] == "whole_spine") | region]
    return np.asarray(covered[["at", "day"]], dtype=np.int64)


def _regions(levels: pd.Series[Any]) -> Ints:
    """Give the regions of the spine that each site lies in, as bits; 0 where the level is not known."""
    letters = "CTLS"
    known: dict[object, int] = {}
    for text in levels.unique():
        span = spine_range(text) if isinstance(text, str) else None
        touched = set() if span is None else {SPINE_LEVELS[i][0] for i in range(span[0], span[1] + 1)}
        known[text] = sum(1 << letters.index(letter) for letter in touched)
    return np.array([known[text] for text in levels], dtype=np.int64)


def scans_after_stop(frame: pd.DataFrame, imaging: pd.DataFrame | None, course: Course) -> tuple[Ints, Ints]:
    """List completed MRIs after a site's follow-up stopped, as (site, day): they satisfy nothing, but none is lost.

    What follows a renewed treatment belongs to the new course.
    """
    left = ((course.stop != NEVER) & (course.stop_code != TREATED_AGAIN)).nonzero()[0]
    if imaging is None or not len(imaging) or not len(left):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    # All sites of these patients: whose scan it is depends on how many they are.
    rows = np.isin(course.patient, course.patient[left]).nonzero()[0]
    pairs = np.unique(_covered(frame.iloc[rows], imaging), axis=0)
    site, day = rows[pairs[:, 0]], pairs[:, 1]
    again = _treated_again(frame, course.patient, course.time_zero)[site]
    late = np.isin(site, left) & (day > course.stop[site]) & (day > course.time_zero[site])
    late &= (again == NEVER) | (day < again)
    return site[late].astype(np.int64), day[late]


def scans_after_death(frame: pd.DataFrame, imaging: pd.DataFrame) -> list[int]:
    """Name the imaging rows of completed MRIs after the patient's death."""
    died = frame.groupby("patient_id", observed=True)["death_date"].min().dropna()
    done = imaging.loc[(imaging["completed"].astype(object) != "no") & imaging["patient_id"].isin(died.index)]
    late = done["mri_date"].to_numpy() > done["patient_id"].map(died).to_numpy()
    return [int(row) for row in done["row"].to_numpy()[late]]


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


@dataclass(frozen=True)
class WindowSpan:
    """A pseudo-progression window of one row of a cohort, as days of the calendar, both ends included."""

    at: int
    start: int
    stop: int
    document: str


def window_spans(frame: pd.DataFrame, rulebook: Rulebook) -> list[WindowSpan]:
    """Lay the windows that are known to apply to each site on the calendar."""
    facts = site_facts(frame, rulebook.sins).facts
    zero = days(frame, "sbrt_date")
    spans: list[WindowSpan] = []
    for document in rulebook.windows:
        applies, _ = holds(document.when, facts, len(frame))
        for at in applies.nonzero()[0].tolist():
            first, last = int(zero[at]) + document.window.from_, int(zero[at]) + document.window.to
            spans.append(WindowSpan(at, first, last, document.name))
    return spans
