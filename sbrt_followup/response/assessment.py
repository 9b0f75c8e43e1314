"""Every MRI of a cohort assessed: readings, the course of growth, and the MRIs that open questions ask for.

`state` is what the MRI turned out to show by the as-of day, `called` what could be said on its own day.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..arrays import NEVER, Ints
from ..rulebook.library import Rulebook
from .answers import Answer
from .episodes import Episodes, follow
from .readings import Readings, read
from .requests import Asked, asked, requests

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Assessment:
    """The readings of a cohort's MRIs and the course of growth at each site."""

    reading: Readings
    episodes: Episodes
    as_of: int

    @property
    def rulebook(self) -> Rulebook:
        """The rules used."""
        return self.reading.rulebook

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per MRI, in the contract's columns."""
        from .reading_table import reading_table

        return reading_table(self)

    @cached_property
    def next_rows(self) -> Ints:
        """The place of each site's last MRI."""
        scans = self.reading.scans
        last = np.ones(len(scans), dtype=bool)
        last[:-1] = scans.site[1:] != scans.site[:-1]
        return last.nonzero()[0]

    @cached_property
    def next_days(self) -> Ints:
        """The days from each MRI to the last day of its next step, -1 where the step has none."""
        return next_within(self.episodes.next_step)

    @cached_property
    def asked(self) -> tuple[Asked, ...]:
        """Every request that the readings make, the most pressing first."""
        return asked(self)

    @cached_property
    def next_by(self) -> Ints:
        """The first last day among the requests of each MRI, NEVER where none is dated."""
        far = np.iinfo(np.int64).max
        days = np.full(len(self.reading.scans), far)
        for one in self.asked:
            days = np.where(one.here & (one.by != NEVER), np.minimum(days, one.by), days)
        return np.where(days == far, NEVER, days)


def assess(frame: pd.DataFrame, imaging: pd.DataFrame, rulebook: Rulebook, as_of: int) -> Assessment:
    """Assess every MRI of a cohort up to a day (a whole number)."""
    reading = read(frame, imaging, rulebook, as_of)
    return Assessment(reading, follow(reading), as_of)


def next_within(answer: Answer) -> Ints:
    """Give the days to the next step; where it is not decided, the shortest of those still possible."""
    c, d = answer.criterion, answer.decisions
    far = np.iinfo(np.int64).max
    days = [c.meaning(i).within for i in range(len(c.outcomes))]
    number = np.array([far if q is None else int(q.value) for q in days], dtype=np.int64)
    case = np.where(d.possible, number[None, :], far).min(axis=1)
    return np.where(case == far, -1, case)[d.case]


def confirming_visits(assessment: Assessment) -> pd.DataFrame:
    """Give the MRIs that open questions ask for: patient_id, site_id, due, reason, rule, basis; one per site at most.

    The last read MRI of a site decides; a stop or a death by the as-of day ends the question (it stays unresolved).
    """
    found = requests(assessment)
    found = found.loc[found["request"].isin(["confirm", "ladder", "complete_reading"])]
    found = found.sort_values(["site", "by"], kind="stable").drop_duplicates("site").reset_index(drop=True)
    found = found.rename(columns={"by": "due"})
    found["reason"] = "confirming MRI: " + found["reason"].astype(str)
    return found[["patient_id", "site_id", "due", "reason", "rule", "basis"]]
