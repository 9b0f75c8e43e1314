"""MRIs that an open question asks for, put among the visits of a schedule, whatever the plan.

Only equivocal readings ask: a date without a reading is no question. A patient whose follow-up stopped gets none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..response.assessment import assess, confirming_visits
from ..rulebook.library import Rulebook

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

READINGS = ("gtv_cc", "diameter_mm", "area_mm2", "bilsky", "paraspinal", "t2_pattern", "t1_hypointensity", "dce_curve", "vcf", "neuro_decline")  # fmt: skip
PHASE = "confirming"


def asked_for(frame: pd.DataFrame, imaging: pd.DataFrame, rulebook: Rulebook, as_of: date) -> pd.DataFrame:
    """List the confirming MRIs: patient_id, site_id, due, reason, rule, basis; one per site at most."""
    done = imaging.loc[imaging["completed"].astype(object) != "no"].reset_index(drop=True)
    if not rulebook.profile.response or not any(done[name].notna().any() for name in READINGS):
        return confirming_visits_of_none()
    assessment = assess(frame, done, rulebook, int(np.datetime64(as_of, "D").astype(np.int64)))
    found = confirming_visits(assessment)
    equivocal = np.array([": equivocal " in reason for reason in found["reason"]], dtype=bool)
    return found.loc[equivocal].reset_index(drop=True)


def confirming_visits_of_none() -> pd.DataFrame:
    """Give the empty list."""
    import pandas as pd

    return pd.DataFrame(
        {name: pd.Series(dtype=object) for name in ("patient_id", "site_id", "due", "reason", "rule", "basis")}
    )


def insert(visits: pd.DataFrame, asked: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Put confirming MRIs among the visits by date and number the visits anew; without any, the visits as they are."""
    import pandas as pd

    status = visits["status"].astype(str)
    last = visits.groupby("patient_id", sort=False).tail(1)
    stopped = set(last.loc[last["status"].astype(str) == "stopped", "patient_id"])
    asked = asked.loc[~asked["patient_id"].isin(stopped)]
    if asked.empty:
        return visits
    place = pd.Series(np.arange(len(visits), dtype=float), index=visits.index)
    today = pd.Timestamp(as_of)
    added: list[dict[str, Any]] = []
    where: list[float] = []
    line: Any
    for line in asked.itertuples():
        own = visits["patient_id"] == line.patient_id
        later = own & ((visits["due"] > line.due) | status.isin(["horizon"]))
        where.append(2 * place[later].min() - 1 if later.any() else 2 * place[own].max() + 1)
        served = visits.loc[own & visits["site_ids"].str.split(";").map(lambda s, at=line.site_id: at in s)]
        last_mri = served["satisfied_by"].max()
        added.append(
            {
                "patient_id": line.patient_id, "site_ids": line.site_id, "phase": PHASE, "earliest": last_mri, "due": line.due,
                "latest": line.due, "status": "overdue" if line.due < today else "due",
                "risk_group": served["risk_group"].iloc[0] if len(served) else None, "rule": line.rule, "basis": line.basis,
                "reason": f"{line.reason}; at the latest on this day",
                "visit_key": f"{line.patient_id}|{line.site_id}|{PHASE}|{str(last_mri)[:10]}",
            }
        )  # fmt: skip
    extra = pd.DataFrame(added)
    columns: dict[str, Any] = {}
    for name in visits.columns:
        mine: Any = visits[name].astype(object) if isinstance(visits[name].dtype, pd.CategoricalDtype) else visits[name]
        other = extra[name] if name in extra else pd.Series([None] * len(extra), dtype=object)
        joined = pd.concat([mine.astype(object), other.astype(object)], ignore_index=True)
        columns[name] = (
            joined.astype(visits[name].dtype) if pd.api.types.is_datetime64_any_dtype(visits[name]) else joined
        )
    table = pd.DataFrame(columns)
    table = table.iloc[np.argsort(np.concatenate([2 * place.to_numpy(), where]), kind="stable")].reset_index(drop=True)
    is_visit = table["due"].notna()
    number = is_visit.astype(np.int64).groupby(table["patient_id"], sort=False).cumsum()
    table["visit"] = number.astype("Int64").mask(~is_visit)
    for name in ("status", "risk_group"):
        table[name] = table[name].astype(visits[name].dtype)
    return table
