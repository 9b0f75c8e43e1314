"""What cannot have happened: dates out of order, two rows for one thing; each named by row and column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .row_problems import RowProblems

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

Months = Mapping[str, "npt.NDArray[np.int64]"]
"""Column → rows whose date is known to the month only."""
Check = Callable[["pd.DataFrame", RowProblems, Months], None]

_ORDER = (
    # later column, earlier column, may fall on the same day
    ("progression_date", "sbrt_date", False),
    ("local_progression_date", "sbrt_date", False),
    ("distant_progression_date", "sbrt_date", False),
    ("death_date", "sbrt_date", False),
    ("vcf_date", "sbrt_date", False),
    ("last_clear_mri_date", "sbrt_date", True),
    ("last_followup_date", "sbrt_date", True),
    ("progression_date", "last_clear_mri_date", True),
    ("last_followup_date", "progression_date", True),
    ("last_followup_date", "last_clear_mri_date", True),
    ("death_date", "progression_date", True),
    ("death_date", "local_progression_date", True),
    ("death_date", "distant_progression_date", True),
    ("death_date", "last_clear_mri_date", True),
    ("death_date", "last_followup_date", True),
    ("death_date", "last_contact_date", True),
    ("death_date", "vcf_date", True),
    ("booked_date", "sbrt_date", False),
    ("last_contact_date", "sbrt_date", True),
)


def check_cohort(frame: pd.DataFrame, found: RowProblems, months: Months) -> None:
    """Note what cannot have happened, and fill the declared default of `site_id`."""
    rows = frame["row"].to_numpy()
    default = frame["level"].where(frame["level"].notna(), "1")
    frame["site_id"] = frame["site_id"].where(frame["site_id"].notna(), default)
    _date_progression(frame)
    latest = {column: _latest(frame, column, rows) for column, rows in months.items()}
    for later, earlier, same_day in _ORDER:
        last = latest.get(later, frame[later])
        bad = last < frame[earlier] if same_day else last <= frame[earlier]
        word = "before" if same_day else "on or before"
        found.add("impossible-dates", later, f"lies {word} {earlier}", rows[bad.to_numpy()])
    if frame["last_clear_mri_date"].notna().any():
        after = frame["last_clear_mri_date"] > frame["progression_date"]
        found.add("impossible-dates", "last_clear_mri_date", "lies after progression_date", rows[after.to_numpy()])
    undated = frame["stop_reason"].notna() & frame["last_contact_date"].isna()
    found.add("missing-value", "last_contact_date", "a stop_reason needs its date here", rows[undated.to_numpy()])
    unplaced = frame["progression_site"].notna() & frame["progression_date"].isna()
    found.add("missing-value", "progression_date", "a progression_site needs its date here", rows[unplaced.to_numpy()])
    _check_deaths(frame, found, rows)
    keys = ["patient_id", "site_id", "sbrt_date"]
    found.add("repeated-site", "site_id", "two rows for one site and course", rows[_repeated(frame, keys)])


def _repeated(frame: pd.DataFrame, keys: list[str]) -> npt.NDArray[np.bool_]:
    """Tell which rows share all keys with another; only patients with several rows are looked at closer."""
    several = frame["patient_id"].duplicated(keep=False).to_numpy()
    twice = several.copy()
    twice[several] = frame.loc[several, keys].duplicated(keep=False).to_numpy()
    if "sbrt_date" in keys:
        twice &= frame[keys].notna().all(axis=1).to_numpy()
    return twice


def _date_progression(frame: pd.DataFrame) -> None:
    """Fill an empty progression date, and its place, from the dates of local and distant progression."""
    local, distant = frame["local_progression_date"], frame["distant_progression_date"]
    first = local.where(local.notna() & ~(distant < local), distant)
    filled = frame["progression_date"].isna() & first.notna()
    if filled.any():
        frame["progression_date"] = frame["progression_date"].where(~filled, first)
        frame.loc[filled & (first == local), "progression_site"] = "local"
        frame.loc[filled & (first != local), "progression_site"] = "distant_spine"


def _latest(frame: pd.DataFrame, column: str, rows: npt.NDArray[np.int64]) -> pd.Series[Any]:
    """Give a date column with the month's last day where only the month is known."""
    import pandas as pd

    days = frame[column].copy()
    known = frame["row"].isin(rows)
    days[known] = (days[known] + pd.offsets.MonthEnd(0)).astype(days.dtype)
    return days


def _check_deaths(frame: pd.DataFrame, found: RowProblems, rows: npt.NDArray[np.int64]) -> None:
    if not frame["death_date"].notna().any():
        return
    of_patient = frame.groupby("patient_id", observed=True)["death_date"]
    deaths = of_patient.transform("nunique") > 1
    found.add("impossible-dates", "death_date", "differs between rows of one patient", rows[deaths.to_numpy()])
    treated = frame["death_date"].isna() & (of_patient.transform("min") <= frame["sbrt_date"])
    message = "lies on or after the patient's death_date"
    found.add("impossible-dates", "sbrt_date", message, rows[treated.to_numpy()])


def check_imaging(frame: pd.DataFrame, found: RowProblems, months: Months) -> None:
    """Note MRIs that stand twice."""
    del months
    rows = frame["row"].to_numpy()
    keys = ["patient_id", "site_id", "mri_date"]
    twice = _repeated(frame, keys) & frame[["patient_id", "mri_date"]].notna().all(axis=1).to_numpy()
    found.add("repeated-scan", "mri_date", "two rows for one site and MRI", rows[twice])
