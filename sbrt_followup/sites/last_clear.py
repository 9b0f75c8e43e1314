"""What an imaging table adds to a cohort: the last clear MRI of rows without one.

Conventions. Only completed scans after SBRT count; where a progression is dated, only those before it. A date given in
the cohort stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def with_last_clear(frame: pd.DataFrame, imaging: pd.DataFrame) -> pd.DataFrame:
    """Give the cohort with `last_clear_mri_date` completed from its scans."""
    import pandas as pd

    rows = frame[["patient_id", "site_id", "sbrt_date", "progression_date"]].copy()
    rows["place"] = np.arange(len(frame))
    done = imaging.loc[imaging["completed"].astype(object) != "no", ["patient_id", "site_id", "mri_date"]]
    # A scan without a site serves every site of the patient.
    named = done["site_id"].notna()
    pairs = pd.concat(
        [
            rows.merge(done[named], on=["patient_id", "site_id"]),
            rows.drop(columns="site_id").merge(done.loc[~named, ["patient_id", "mri_date"]], on="patient_id"),
        ]
    )
    clear = pairs["mri_date"] > pairs["sbrt_date"]
    clear &= ~(pairs["mri_date"] >= pairs["progression_date"])
    last = pairs[clear].groupby("place")["mri_date"].max().reindex(range(len(frame)))
    last.index = frame.index
    given = frame["last_clear_mri_date"]
    return frame.assign(last_clear_mri_date=given.where(given.notna(), last))
