"""A cohort dated by its MRIs under each event-date policy, one of them primary.

Conventions. Growth still open at the end (death, data cut) is no event under `first_growth` and `confirmation`; how much
hangs on that is shown by the primary curve with all of it counted as events from the day it was first seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..vocabulary import POLICIES

if TYPE_CHECKING:
    import pandas as pd

    from ..response.assessment import Assessment
    from ..rulebook.library import Rulebook

PRIMARY = "first_growth"
ALL = "all"
CHOICES = (*POLICIES, ALL)
UNRESOLVED = "unresolved counted as events"
NEVER_CUT = np.datetime64("2200-01-01", "D")  # every date counts as given


@dataclass(frozen=True)
class Dating:
    """The cohort under the primary policy, under the others to compare with, and with open growth as events."""

    primary: str
    frame: pd.DataFrame
    others: Mapping[str, pd.DataFrame]


def dating(
    cohort: pd.DataFrame, imaging: pd.DataFrame, rulebook: Rulebook, policy: str, as_of: np.datetime64 | None
) -> Dating:
    """Assess every MRI and date each site's progression; `policy` names one, or all with the first primary."""
    from ..response.assessment import assess
    from ..response.event_dates import endpoints

    until = NEVER_CUT if as_of is None else as_of
    assessment = assess(cohort, imaging, rulebook, int(until.astype("datetime64[D]").astype(np.int64)))
    primary = PRIMARY if policy == ALL else policy
    names = [p for p in POLICIES if p != primary] if policy == ALL else []
    frame = _dated(assessment, primary)
    others = {name: _dated(assessment, name) for name in names}
    if primary != "detected":  # under `detected` every growth is an event already
        since = endpoints(assessment).unresolved
        others[f"{primary}, {UNRESOLVED}"] = _with_unresolved(frame, since)
    return Dating(primary, frame, others)


def _dated(assessment: Assessment, policy: str) -> pd.DataFrame:
    """Give the cohort with the policy's dates; recorded dates of local and distant progression give way to them."""
    from ..response.event_dates import with_events

    frame = with_events(assessment, policy)
    imaged = frame["unresolved"].isin(["yes", "no"])
    own = [c for c in ("local_progression_date", "distant_progression_date") if c in frame]
    return frame.assign(**{column: frame[column].mask(imaged) for column in own})


def _with_unresolved(frame: pd.DataFrame, since: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pd.DataFrame:
    """Make growth that stayed open an event of its first day, where there is no other."""
    open_ = (frame["unresolved"] == "yes").to_numpy() & frame["progression_date"].isna().to_numpy()
    day = since.astype("datetime64[D]").astype("datetime64[s]")
    site = frame["progression_site"].copy()
    site[open_] = "local"
    return frame.assign(
        progression_date=np.where(open_, day, frame["progression_date"].to_numpy()), progression_site=site
    )
