"""Patients who are left out: a death or a stop counts even on a row that is not used, and nobody vanishes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ..vocabulary import STOP_REASONS

if TYPE_CHECKING:
    import pandas as pd

OF_SITE = ("surgery",)
"""Reasons that stop one site only; every other stop is the patient's."""
VITAL = ("death_date", "stop_reason", "last_contact_date")
"""Columns that may say that nobody should call: a cell that cannot be read leaves the patient out, never alive."""
COLUMNS = ("patient_id", "site_ids", "rows", "reason", "stopped", "stop_date")
"""`stopped` is death or a stop reason known from the rows left out, empty where none is."""


def nobody() -> pd.DataFrame:
    """Give the table of left-out patients when there is none."""
    import pandas as pd

    return pd.DataFrame({column: pd.Series(dtype=object) for column in COLUMNS})


def carry_stops(kept: pd.DataFrame, out: pd.DataFrame) -> pd.DataFrame:
    """Give the kept rows the deaths and patient-level stops that only rows left out hold."""
    out = out.loc[out["patient_id"].isin(kept["patient_id"])]
    if not len(out):
        return kept
    kept = kept.copy()
    died = out.groupby("patient_id")["death_date"].min()
    kept["death_date"] = kept["death_date"].fillna(kept["patient_id"].map(died)).astype(kept["death_date"].dtype)
    left = _stops(out).drop_duplicates("patient_id").set_index("patient_id")
    takes = kept["stop_reason"].isna() & kept["patient_id"].isin(left.index)
    if takes.any():
        patients = kept.loc[takes, "patient_id"]
        kept.loc[takes, "stop_reason"] = patients.map(left["stop_reason"].astype(object))
        kept.loc[takes, "last_contact_date"] = patients.map(left["last_contact_date"])
    return kept


def _stops(rows: pd.DataFrame) -> pd.DataFrame:
    """Give the rows that hold a dated stop of the patient, the earliest first."""
    of_patient = [reason for reason in STOP_REASONS if reason not in OF_SITE]
    stopped = rows["stop_reason"].isin(of_patient) & rows["last_contact_date"].notna()
    return rows.loc[stopped].sort_values("last_contact_date", kind="stable")


def left_out(kept: pd.DataFrame, out: pd.DataFrame, reasons: Mapping[int, str]) -> pd.DataFrame:
    """List the patients of whom no row is kept, one line each; rows without an id get a line of their own."""
    import pandas as pd

    gone = out.loc[~out["patient_id"].isin(kept["patient_id"]) | out["patient_id"].isna()]
    if not len(gone):
        return nobody()
    key = gone["patient_id"].where(gone["patient_id"].notna(), "\0" + gone["row"].astype(str))
    stops = _stops(gone).drop_duplicates("patient_id").set_index("patient_id")
    lines = []
    for _, rows in gone.groupby(key, sort=False):
        patient = rows["patient_id"].iloc[0]
        died = rows["death_date"].min()
        stopped, day = "", None
        if pd.notna(died):
            stopped, day = "death", died
        elif patient in stops.index:
            stopped, day = str(stops.loc[patient, "stop_reason"]), stops.loc[patient, "last_contact_date"]
        numbers = rows["row"].tolist()
        lines.append(
            {
                "patient_id": patient,
                "site_ids": ";".join(dict.fromkeys(str(site) for site in rows["site_id"] if pd.notna(site))),
                "rows": ";".join(map(str, numbers)),
                "reason": "; ".join(f"row {n}, {reasons[n]}" for n in numbers if n in reasons),
                "stopped": stopped,
                "stop_date": day,
            }
        )
    return pd.DataFrame(lines, columns=list(COLUMNS))


def rows_of(frame: pd.DataFrame, rows: Iterable[int]) -> pd.Series[bool]:
    """Tell which rows belong to a patient who has one of these rows."""
    patients = frame.loc[frame["row"].isin(list(rows)), "patient_id"].dropna()
    return frame["patient_id"].isin(patients) | frame["row"].isin(list(rows))
