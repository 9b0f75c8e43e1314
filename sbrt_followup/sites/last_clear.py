"""What an imaging table adds to a cohort: the last clear MRI of rows without one.

Conventions. Only completed scans after SBRT count; where a progression is dated, only those before it. A date given in
the cohort stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd


def with_last_clear(frame: pd.DataFrame, imaging: pd.DataFrame, local: bool = False) -> pd.DataFrame:
    """Give the cohort with `last_clear_mri_date` completed from its scans; `local`: clear of local progression."""
    rows = frame[["patient_id", "site_id", "sbrt_date", "progression_date"]].copy()
    if local:
        here = rows["progression_date"].where(frame["progression_site"] == "local")
        rows["progression_date"] = frame[["local_progression_date"]].assign(here=here).min(axis=1)
    rows["place"] = np.arange(len(frame))
    pairs = _pairs(rows, imaging)
    clear = pairs["mri_date"] > pairs["sbrt_date"]
    clear &= ~(pairs["mri_date"] >= pairs["progression_date"])
    last = pairs[clear].groupby("place")["mri_date"].max().reindex(range(len(frame)))
    last.index = frame.index
    given = frame["last_clear_mri_date"]
    return frame.assign(last_clear_mri_date=given.where(given.notna(), last))


def mris_after_sbrt(frame: pd.DataFrame, imaging: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Count each row's completed MRIs after SBRT, up to the one that shows progression."""
    rows = frame[["patient_id", "site_id", "sbrt_date", "progression_date"]].copy()
    rows["place"] = np.arange(len(frame))
    pairs = _pairs(rows, imaging)
    counted = (pairs["mri_date"] > pairs["sbrt_date"]) & ~(pairs["mri_date"] > pairs["progression_date"])
    days = pairs[counted].drop_duplicates(["place", "mri_date"])
    return np.bincount(days["place"].to_numpy(dtype=np.int64), minlength=len(frame)).astype(np.int64)


def _pairs(rows: pd.DataFrame, imaging: pd.DataFrame) -> pd.DataFrame:
    """Pair rows with their completed MRIs."""
    import pandas as pd

    done = imaging.loc[imaging["completed"].astype(object) != "no", ["patient_id", "site_id", "mri_date"]]
    # A scan without a site serves every site of the patient.
    named = done["site_id"].notna()
    return pd.concat(
        [
            rows.merge(done[named], on=["patient_id", "site_id"]),
            rows.drop(columns="site_id").merge(done.loc[~named, ["patient_id", "mri_date"]], on="patient_id"),
        ]
    )
