"""What was seen of every patient or site of a study, for fitting hazards: clear at, found at, followed until, entered at.

Conventions. Months of 30.4375 days since time zero. Clear at the last MRI without progression (0 where none was clear),
found at the MRI that showed it; a progression dated on the day of the last clear MRI lies in the day before. Followed until
death or the last day known alive; re-treatment of a site and, for local progression, a progression elsewhere end it.
Whoever has no follow-up MRI says nothing of progression and is left out, listed. With entry the condition is to be clear
then: progressions found before it are counted, and who is not known to be clear at entry is left out, listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..arrays import Flags, Floats, Ints
from ..estimators.counts import EVENT
from ..estimators.illness_death import Seen
from ..outcomes.question import AT_DISTANT, AT_RETREATMENT
from ..outcomes.study import Study
from ..outcomes.units import day_numbers
from ..problems import refuse
from ..tables.records import Exclusion
from ..timing import analysis_days

if TYPE_CHECKING:
    import pandas as pd

MONTH = analysis_days(1)
SECOND_MRI = "second_mri"
ENDPOINTS = ("progression", "local_progression")
NO_MRI = "no follow-up MRI: nothing is known of progression"


@dataclass(frozen=True)
class Observed:
    """One group's people."""

    group: str
    seen: Seen
    unit: Ints
    """Their places in the study."""
    patient: Ints
    """The patient of each, for resampling."""
    before_entry: int
    """Progressions found before entry."""

    @property
    def events(self) -> int:
        """How many were found progressed."""
        return int(self.seen.found.sum())


@dataclass(frozen=True)
class Everybody:
    """All groups, who was left out, and everybody's intervals in days, whatever the entry."""

    groups: tuple[Observed, ...]
    excluded: tuple[Exclusion, ...]
    entry: Floats | None
    """Days, by place in the study; NaN where not known."""


def second_mri(people: Study, scans: tuple[Ints, Floats]) -> Floats:
    """Give the day of the second follow-up MRI of every unit; NaN where there is none."""
    unit, day = scans
    pairs = np.unique(np.column_stack([unit[day > 0], day[day > 0]]), axis=0)
    whose = pairs[:, 0].astype(np.int64)
    start = np.searchsorted(whose, np.arange(len(people.time)))
    enough = np.bincount(whose, minlength=len(people.time)) >= 2
    found = np.full(len(people.time), np.nan)
    found[enough] = pairs[start[enough] + 1, 1]
    return found


def entry_of(people: Study, frame: pd.DataFrame, column: str) -> Floats:
    """Give each unit's day of entry from a column of dates or of days; the earliest of its rows, NaN where missing."""
    import pandas as pd

    values = frame[column]
    if pd.api.types.is_datetime64_any_dtype(values):
        number, date = pd.Series(np.nan, index=values.index), values
    else:
        number = pd.to_numeric(values, errors="coerce")
        date = pd.to_datetime(values.where(number.isna()), format="%Y-%m-%d", errors="coerce")
        unread = (values.notna() & number.isna() & date.isna()).to_numpy()
        if unread.any():
            rows = ", ".join(str(r) for r in frame["row"].to_numpy()[unread][:10])
            text = f"row {rows}, column {column}: neither a date YYYY-MM-DD nor a number of days"
            raise refuse("entry-value", text)
    place = _places(people, frame)
    known = place >= 0
    zero = np.where(known, people.zero[place], np.nan)
    days = np.where(number.notna(), number.to_numpy(dtype=np.float64), day_numbers(date) - zero)
    found = np.full(len(people.time), np.inf)
    use = known & np.isfinite(days)
    np.minimum.at(found, place[use], days[use])
    return np.where(np.isfinite(found), np.maximum(found, 0.0), np.nan)


def _places(people: Study, frame: pd.DataFrame) -> Ints:
    """Give the unit of each row; −1 where it entered as none."""
    import pandas as pd

    patient = people.patients.get_indexer(pd.Index(frame["patient_id"]))
    keys = [patient] if people.question.unit == "patient" else [patient, frame["site_id"].to_numpy(dtype=object)]
    own = [people.patient] if people.question.unit == "patient" else [people.patient, people.site]
    index = pd.MultiIndex.from_arrays([*own, np.zeros(len(people.time))])
    return np.asarray(index.get_indexer(pd.MultiIndex.from_arrays([*keys, np.zeros(len(frame))])), dtype=np.int64)


def everything_seen(people: Study) -> Seen:
    """Give what was seen of every unit, in days, from time zero on."""
    event = people.status == EVENT
    ended = ~event & np.isin(people.ending.astype(str), [AT_DISTANT, AT_RETREATMENT])  # nothing is followed beyond
    clear = np.nan_to_num(np.where(people.ending == AT_DISTANT, people.time, people.last_clear_mri))
    until = np.where(ended, people.time, people.alive_until)
    until = np.where(event, np.fmax(until, people.time), until)
    left = np.where(event & (clear >= people.time), people.time - 1.0, np.minimum(clear, until))
    right = np.where(event, people.time, np.inf)
    return Seen(np.maximum(left, 0.0), right, until, np.asarray(people.died & ~ended), np.zeros(len(left)))


def no_mri(people: Study) -> Flags:
    """Tell who has no follow-up MRI at all."""
    return np.asarray((people.status != EVENT) & ~np.isfinite(people.last_clear_mri) & (people.ending != AT_DISTANT))


def observe(people: Study, frame: pd.DataFrame, entry: Floats | None) -> Everybody:
    """Divide what was seen among the groups, from `entry` (days) on where it is given."""
    if not np.isfinite(people.last_clear_mri).any():
        raise refuse(
            "no-scans",
            "hazards between MRIs need the last MRI without progression, and nobody has one recorded",
            hint="Give the column last_clear_mri_date, or the MRIs with --imaging FILE.",
        )
    whole = everything_seen(people)
    without = no_mri(people)
    reasons = {NO_MRI: without}
    early = np.zeros(len(without), dtype=bool)
    late = np.zeros(len(without)) if entry is None else entry
    if entry is not None:
        # Before a second MRI that never came progression may have been found too.
        early = whole.found & (whole.right <= np.nan_to_num(late, nan=np.inf)) & ~without
        reasons["progression found before observation began"] = early
        reasons["the start of observation is not known"] = ~np.isfinite(late) & ~without & ~early
        reasons["not known to be clear when observation began"] = (
            np.isfinite(late) & (whole.left < late) & ~early & ~without
        )
    out = np.logical_or.reduce(list(reasons.values()))
    groups = []
    for place, label in enumerate(people.labels):
        own = np.flatnonzero((people.group == place) & ~out)
        columns = (whole.left, whole.right, whole.until)
        left, right, until = (c[own] / MONTH for c in columns)
        seen = Seen(left, right, until, whole.died[own], late[own] / MONTH)
        missed = int((early & (people.group == place)).sum())
        groups.append(Observed(label, seen, own.astype(np.int64), people.patient[own], missed))
    row_place = _places(people, frame)
    rows = frame["row"].to_numpy()
    excluded = tuple(
        Exclusion(int(rows[i]), reason)
        for reason, who in reasons.items()
        for i in np.flatnonzero((row_place >= 0) & who[row_place]).tolist()
    )
    return Everybody(tuple(groups), excluded, entry)
