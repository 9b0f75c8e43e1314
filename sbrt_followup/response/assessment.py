"""Every MRI of a cohort assessed: readings, the course of growth, and the MRIs that open questions ask for.

`state` is what the MRI turned out to show by the as-of day, `called` what could be said on its own day.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..arrays import Ints
from ..rulebook.library import Rulebook
from .answers import Answer
from .episodes import Episodes, follow
from .reading_words import rule_of
from .readings import Readings, read

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

        return reading_table(self.reading, self.episodes, self.next_days)

    @cached_property
    def next_rows(self) -> Ints:
        """The place of each site's last MRI."""
        scans = self.reading.scans
        last = np.ones(len(scans), dtype=bool)
        last[:-1] = scans.site[1:] != scans.site[:-1]
        return last.nonzero()[0]

    @cached_property
    def next_days(self) -> Ints:
        """The days from each MRI to its next action, -1 where the plan's own date stands."""
        return next_within(self.episodes.next_step)


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

    The last MRI of a site decides; a death by the as-of day ends the question (it stays unresolved).
    """
    import pandas as pd

    table, reading = assessment.table, assessment.reading
    rows = assessment.next_rows
    scans, frame = reading.scans, reading.frame
    step = assessment.episodes.next_step
    days = assessment.next_days
    dead = frame["death_date"].notna().to_numpy()
    dead = pd.Series(dead).groupby(pd.factorize(frame["patient_id"])[0]).transform("any").to_numpy()
    rows = rows[~scans.baseline[rows] & (days[rows] >= 0) & ~dead[scans.site[rows]]]
    chosen = table.iloc[rows]
    rule = [rule_of(step, int(r)) for r in rows]
    return pd.DataFrame(
        {
            "patient_id": chosen["patient_id"].to_numpy(),
            "site_id": chosen["site_id"].to_numpy(),
            "due": (scans.day[rows] + days[rows]).astype("datetime64[D]").astype("datetime64[s]"),
            "reason": [
                f"confirming MRI: {state} on the last one ({growth if isinstance(growth, str) else 'size not known'})"
                for state, growth in zip(chosen["called"].astype(str), chosen["growth"].astype(object), strict=True)
            ],
            "rule": ["" if r is None else r[0] for r in rule],
            "basis": chosen["next_basis"].astype(str).to_numpy(),
        }
    )
