"""What an imaging table adds to a cohort: the last clear MRI of rows without one.

Conventions. Only completed scans after SBRT that serve the row's site (`coverage`) count; where a progression is dated,
only those before it. A date given in the cohort stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..arrays import NEVER, Ints
from .coverage import coverage
from .history import days

if TYPE_CHECKING:
    import pandas as pd


def with_last_clear(frame: pd.DataFrame, imaging: pd.DataFrame, local: bool = False) -> pd.DataFrame:
    """Give the cohort with `last_clear_mri_date` completed from its scans; `local`: clear of local progression."""
    import pandas as pd

    column = frame["progression_date"]
    if local:
        here = column.where(frame["progression_site"] == "local")
        column = frame[["local_progression_date"]].assign(here=here).min(axis=1)
    progression = days(pd.DataFrame({"day": column}), "day")
    pairs = coverage(frame, imaging)
    zero, progressed = days(frame, "sbrt_date")[pairs.site], progression[pairs.site]
    clear = (pairs.day > zero) & ((progressed == NEVER) | (pairs.day < progressed))
    last = np.full(len(frame), NEVER, dtype=np.int64)
    np.maximum.at(last, pairs.site[clear], pairs.day[clear])
    known = pd.Series(last.astype("datetime64[D]").astype("datetime64[s]"), index=frame.index)
    given = frame["last_clear_mri_date"]
    return frame.assign(last_clear_mri_date=given.where(given.notna(), known))


def mris_after_sbrt(frame: pd.DataFrame, imaging: pd.DataFrame) -> Ints:
    """Count each row's completed MRIs after SBRT, up to the one that shows progression."""
    pairs = coverage(frame, imaging)
    zero, progressed = (days(frame, name)[pairs.site] for name in ("sbrt_date", "progression_date"))
    site, _ = pairs.by_day((pairs.day > zero) & ((progressed == NEVER) | (pairs.day <= progressed)))
    return np.bincount(site, minlength=len(frame)).astype(np.int64)
