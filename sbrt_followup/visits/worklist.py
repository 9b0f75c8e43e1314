"""Who needs an MRI next: one line per patient, most urgent first, and who stopped and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..vocabulary import VISIT_STATUSES

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

COLUMNS = (
    "patient_id", "site_ids", "status", "next_due", "earliest", "latest", "days_overdue", "last_mri", "risk_group", "plan", "rule", "basis", "reason",
)  # fmt: skip
URGENCY = ("overdue", "due", "booked", "unknown", "upcoming", "horizon", "stopped")
_OPEN = ("overdue", "due", "booked", "upcoming")


def worklist(visits: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Reduce a schedule to each patient's next step, sorted by urgency, then by days overdue, due date and patient.

    A patient whose past visits are unknown is listed by the next visit whose window is not past; one without such a
    visit by the horizon or the stop.
    """
    import pandas as pd

    status = visits["status"].astype(str)
    last_done = visits.loc[status == "done"].groupby("patient_id", sort=False)["satisfied_by"].max()
    rank = pd.Series(np.select([status.isin(_OPEN), status == "horizon", status == "stopped"], [0, 1, 2], 9))
    # A patient with a site still followed is not listed as stopped.
    order = pd.DataFrame({"patient": visits["patient_id"], "rank": rank, "at": np.arange(len(visits))})
    order = order.loc[order["rank"] < 9].sort_values(["rank", "at"], kind="stable")
    first = order.groupby("patient", sort=False)["at"].first().to_numpy()
    chosen = visits.iloc[np.sort(first)].reset_index(drop=True)
    today = pd.Timestamp(as_of)
    late = (today - chosen["latest"]).dt.days.where(chosen["status"] == "overdue")
    result = pd.DataFrame(
        {
            "patient_id": chosen["patient_id"],
            "site_ids": chosen["site_ids"],
            "status": chosen["status"],
            "next_due": chosen["due"],
            "earliest": chosen["earliest"],
            "latest": chosen["latest"],
            "days_overdue": late.astype("Int64"),
            "last_mri": pd.to_datetime(chosen["patient_id"].map(last_done)).astype("datetime64[s]"),
            "risk_group": chosen["risk_group"],
            "plan": chosen["plan"],
            "rule": chosen["rule"],
            "basis": chosen["basis"],
            "reason": chosen["reason"],
        }
    )
    urgency = result["status"].astype(str).map(URGENCY.index)
    keys = pd.DataFrame({"u": urgency, "late": -late.fillna(0), "due": result["next_due"], "id": result["patient_id"]})
    return result.iloc[keys.sort_values(["u", "late", "due", "id"], kind="stable").index].reset_index(drop=True)


def status_counts(listed: pd.DataFrame) -> dict[str, int]:
    """Count the patients by status, every status named."""
    counts = listed["status"].astype(str).value_counts()
    return {name: int(counts.get(name, 0)) for name in VISIT_STATUSES if name not in ("done", "missed")}
