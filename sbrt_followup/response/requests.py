"""What the readings ask of the person who must act, as codes: the answer that worklist, schedule, exports and reports share.

The last MRI of a site that was read decides. Where a later one has no reading, an urgent finding, a treatment decision and a
new metastasis still stand, and in place of a further MRI the reading of that one is asked for. A patient who died and a
course that ended are asked nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..arrays import NEVER, Flags, Ints
from ..sites.history import course_of
from ..sites.risk import weakest
from ..sites.scans import NONE
from ..vocabulary import REQUESTS
from .answers import Answer, requested
from .closer_followup import closer_by
from .reading_table import basis_of_next
from .readings import YES

if TYPE_CHECKING:
    import pandas as pd

    from .assessment import Assessment

STANDING = ("urgent", "awaiting_decision", "new_metastasis")
"""Requests that a later MRI does not settle as long as it is not read."""

OF_ANOTHER_MRI = ("ladder", "confirm", "complete_reading")
"""Requests that another MRI answers, once it is read."""

COLUMNS = ("site", "patient_id", "site_id", "request", "mri_date", "since", "by", "reason", "rule", "basis")


@dataclass(frozen=True)
class Asked:
    """One request over the MRIs of an assessment."""

    request: str
    """A code of REQUESTS."""
    here: Flags
    """The MRI asks for it."""
    by: Ints
    """The last day for it as a whole day, NEVER where the reading gives none."""
    answers: tuple[Answer, ...]
    """The criteria that can ask for it."""


class _Picked(NamedTuple):
    """One line of the list, in the order of the list."""

    site: int
    request: int
    mri: int
    first: int
    by: int


def asked(assessment: Assessment) -> tuple[Asked, ...]:
    """Give every request that the readings make, the most pressing first; baselines ask for nothing."""
    reading = assessment.reading
    scans = reading.scans
    after = ~scans.baseline
    step = assessment.episodes.next_step
    others = [*reading.criteria.signs, reading.criteria.once["spread"]]
    answers = (step, *(reading.answers[c.id] for c in others))
    found = {a.criterion.id: requested(a) for a in answers}
    days = assessment.next_days
    result = []
    for place, code in enumerate(REQUESTS):
        by = np.full(len(scans), NEVER, dtype=np.int64)
        if code == "urgent":
            here = after & (reading.urgent == YES)
            by = np.where(here, scans.day, NEVER)
            behind = tuple(reading.answers[c.id] for c in reading.criteria.alerts)
        else:
            behind = tuple(a for a in answers if (found[a.criterion.id] == place).any())
            here = after & np.any([found[a.criterion.id] == place for a in answers], axis=0)
            dated = after & (found[step.criterion.id] == place) & (days >= 0)
            by = np.where(dated, scans.day + days, by)
        if code == "complete_reading":
            # A finding was seen that could be urgent: what is missing is asked for on the day of the MRI.
            open_alerts = [reading.answers[c.id] for c in reading.criteria.alerts]
            now = np.any([reading.seen_undecided(a) for a in open_alerts], axis=0) if open_alerts else here & False
            here, by = here | now, np.where(now, scans.day, by)
        if code == "closer_followup":
            by = np.where(here, closer_by(assessment), by)
        result.append(Asked(code, here, by, behind))
    return tuple(result)


def requests(assessment: Assessment) -> pd.DataFrame:
    """List what each site's readings ask for by the as-of day, one row per site and request (`as_planned` left out).

    `site` is the row of the cohort frame, `request` a code of REQUESTS, `mri_date` the MRI that asks, `since` the first of
    the unbroken run of read MRIs that asked the same, `by` the last day for it (empty: none is given).
    """
    import pandas as pd

    from .reading_words import Words

    reading = assessment.reading
    scans, frame = reading.scans, reading.frame
    words = Words(reading, assessment.episodes)
    course = course_of(frame)
    over = (course.stop != NEVER) & (course.stop <= assessment.as_of)
    read_rows = (~scans.baseline & reading.has_finding).nonzero()[0]
    last_read = np.full(len(frame), NONE, dtype=np.int64)
    last_read[scans.site[read_rows]] = read_rows
    unread_rows = assessment.next_rows[~reading.has_finding[assessment.next_rows]]
    unread_rows = unread_rows[~scans.baseline[unread_rows] & ~over[scans.site[unread_rows]]]
    waiting = np.zeros(len(frame), dtype=bool)
    waiting[scans.site[unread_rows]] = True
    picked: list[_Picked] = []
    for place, one in enumerate(assessment.asked):
        if one.request == "as_planned":
            continue
        begins = _begins(one.here[read_rows], scans.site[read_rows], read_rows)
        first = np.full(len(scans), NONE, dtype=np.int64)
        first[read_rows] = begins
        asks = (last_read != NONE) & one.here[np.maximum(last_read, 0)] & ~over if len(scans) else over & False
        if one.request not in STANDING:
            asks &= ~waiting
        for site in asks.nonzero()[0].tolist():
            row = int(last_read[site])
            picked.append(_Picked(site, place, row, int(first[row]), int(one.by[row])))
    unread = REQUESTS.index("read_mri")
    due = _due(assessment, last_read)
    picked += [
        _Picked(int(scans.site[row]), unread, row, row, int(due[scans.site[row]])) for row in unread_rows.tolist()
    ]
    picked.sort()
    site = np.array([p.site for p in picked], dtype=np.int64)
    made = [words.request(REQUESTS[p.request], p.mri) for p in picked]
    return pd.DataFrame(
        {
            "site": site,
            "patient_id": frame["patient_id"].to_numpy()[site],
            "site_id": frame["site_id"].to_numpy()[site],
            "request": [REQUESTS[p.request] for p in picked],
            "mri_date": _dates(scans.day[np.array([p.mri for p in picked], dtype=np.int64)]),
            "since": _dates(scans.day[np.array([p.first for p in picked], dtype=np.int64)]),
            "by": _dates(np.array([p.by for p in picked], dtype=np.int64)),
            "reason": [m.reason for m in made],
            "rule": [m.rule for m in made],
            "basis": [_basis(assessment, p, m.basis) for p, m in zip(picked, made, strict=True)],
        }
    )[list(COLUMNS)]


def _basis(assessment: Assessment, line: _Picked, of_rule: str) -> str:
    """Give the weakest basis a line rests on; one with a day rests on that of its interval too."""
    if line.by == NEVER or REQUESTS[line.request] not in OF_ANOTHER_MRI:
        return of_rule
    return weakest([b for b in (of_rule, basis_of_next(assessment.episodes.next_step, line.mri)) if b])


def _due(assessment: Assessment, last_read: Ints) -> Ints:
    """Give the day by which each site's last reading asked for another MRI, NEVER where it did not: its reading is due then."""
    due = np.full(len(last_read), NEVER, dtype=np.int64)
    has = (last_read != NONE).nonzero()[0]
    for one in assessment.asked:
        if one.request in OF_ANOTHER_MRI:
            mine = one.here[last_read[has]]
            due[has[mine]] = one.by[last_read[has[mine]]]
    return due


def _begins(flags: Flags, site: Ints, rows: Ints) -> Ints:
    """Give the first row of each row's unbroken run of flags within its site."""
    before = np.zeros(len(flags), dtype=bool)
    before[1:] = flags[:-1] & (site[1:] == site[:-1])
    place = np.where(flags & ~before, np.arange(len(flags)), 0)
    return rows[np.maximum.accumulate(place)] if len(rows) else rows


def _dates(values: Ints) -> np.ndarray:
    return values.astype("datetime64[D]").astype("datetime64[s]")
