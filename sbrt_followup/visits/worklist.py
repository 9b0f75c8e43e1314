"""Who needs something next: one line per patient, the most pressing first, who stopped and why, and who was left out.

Order: urgent findings, confirming MRIs, treatment decisions; then the overdue by days overdue ÷ their own interval; then by
status, tier and date. A patient whose past visits are unknown is listed by the next visit whose window is not past.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import NEVER
from ..sites.coverage import booked_days
from ..sites.history import days
from ..vocabulary import OPEN_VISITS, REQUESTS, STANDING, TIERS
from .confirming import sentence

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

COLUMNS = (
    "patient_id", "site_ids", "status", "since", "next_due", "earliest", "latest", "days_overdue", "booked_date", "last_mri",
    "missed", "open_sites", "risk_group", "why", "plan", "rule", "basis", "reason",
)  # fmt: skip
URGENCY = (*STANDING, "overdue", "due", "booked", "unknown", "upcoming", "horizon", "stopped", "left_out")
STATUS_OF = {
    "urgent": "urgent",
    "awaiting_decision": "awaiting_decision",
    "new_metastasis": "awaiting_decision",
    "ladder": "confirm",
    "confirm": "confirm",
    "complete_reading": "confirm",
    "read_mri": "confirm",
}
"""The status that a request gives its patient; those that another MRI answers only where they have a day."""
ANYWAY = ("urgent", "awaiting_decision")
UNORDERED = 9  # a rank behind all others


def worklist(
    visits: pd.DataFrame,
    as_of: date,
    asked: pd.DataFrame | None = None,
    cohort: pd.DataFrame | None = None,
    left_out: pd.DataFrame | None = None,
    imaging: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Reduce a schedule to each patient's next step.

    Args:
        visits: the schedule, one row per visit.
        as_of: the day to judge from.
        asked: what the readings ask for (`response.requests`).
        cohort: the cohort frame, for time zero and bookings.
        imaging: the imaging frame, for appointments (MRIs not done yet).
        left_out: patients of whom no row could be used (`tables.left_out`).

    """
    import pandas as pd

    chosen = _next_lines(visits)
    patient = chosen["patient_id"]
    lists = _Patients(visits, as_of)
    today = pd.Timestamp(as_of)
    result = pd.DataFrame(
        {
            "patient_id": patient,
            "site_ids": chosen["site_ids"],
            "status": chosen["status"].astype(str),
            "since": pd.Series(pd.NaT, index=chosen.index, dtype="datetime64[s]"),
            "next_due": chosen["due"],
            "earliest": chosen["earliest"],
            "latest": chosen["latest"],
            "days_overdue": (today - chosen["latest"]).dt.days.where(chosen["status"] == "overdue").astype("Int64"),
            "booked_date": _dates(patient.map(_booked(cohort, imaging, as_of))),
            "last_mri": _dates(patient.map(lists.last_done)),
            "missed": patient.map(lists.missed).fillna(0).astype("Int64"),
            "open_sites": patient.map(lists.open_sites),
            "risk_group": chosen["risk_group"],
            "why": chosen["why"].astype(object) if "why" in chosen else None,
            "plan": chosen["plan"],
            "rule": chosen["rule"].astype(object),
            "basis": chosen["basis"],
            "reason": chosen["reason"].astype(object),
        }
    )
    own = [name for name in visits.columns if cohort is not None and name in _own_columns(cohort, visits)]
    result = pd.concat([result, chosen[own]], axis=1)
    if asked is not None and len(asked):
        result = _with_requests(result, asked, today)
    result = result.assign(why=_with_booking(result))
    result = _in_order(result, visits, cohort)
    return _with_left_out(result, left_out)


def _next_lines(visits: pd.DataFrame) -> pd.DataFrame:
    """Give each patient's next line; one with a site still followed is not listed as stopped."""
    import pandas as pd

    status = visits["status"].astype(str)
    rank = np.select([status.isin(OPEN_VISITS), status == "horizon", status == "stopped"], [0, 1, 2], UNORDERED)
    order = pd.DataFrame({"patient": visits["patient_id"], "rank": rank, "at": np.arange(len(visits))})
    order = order.loc[order["rank"] < UNORDERED].sort_values(["rank", "at"], kind="stable")
    first = order.groupby("patient", sort=False)["at"].first().to_numpy()
    return visits.iloc[np.sort(first)].reset_index(drop=True)


class _Patients:
    """What the whole schedule says of each patient."""

    def __init__(self, visits: pd.DataFrame, as_of: date) -> None:
        import pandas as pd

        status = visits["status"].astype(str)
        by = visits.assign(status=status)
        self.last_done = by.groupby("patient_id", sort=False)["satisfied_by"].max()
        past = by.loc[status.isin(["missed", "overdue"]) & (by["due"] < pd.Timestamp(as_of))]
        # Missed in a row: those after the last MRI that was done.
        past = past.loc[~(past["due"] < past["patient_id"].map(self.last_done))]
        self.missed = past.groupby("patient_id", sort=False).size()
        open_ = by.loc[status.isin(["overdue", "due"]), ["patient_id", "site_ids"]]
        self.open_sites: Any = open_.groupby("patient_id", sort=False)["site_ids"].agg(_joined) if len(open_) else {}


def _joined(cells: pd.Series[Any]) -> str:
    return ";".join(sorted({site for cell in cells.unique() for site in str(cell).split(";")}))


def _own_columns(cohort: pd.DataFrame, visits: pd.DataFrame) -> frozenset[str]:
    from ..sites.history import course_of

    return course_of(cohort.iloc[:1]).passed_through & frozenset(visits.columns) if len(cohort) else frozenset()


def _booked(cohort: pd.DataFrame | None, imaging: pd.DataFrame | None, as_of: date) -> Any:
    """Give each patient's next booked day; where all have passed, the last of them."""
    import pandas as pd

    if cohort is None:
        return {}
    today = int(np.datetime64(as_of, "D").astype(np.int64))
    booked = booked_days(days(cohort, "booked_date"), cohort, imaging, today)
    rows = cohort[["patient_id"]].assign(booked_date=booked.astype("datetime64[D]").astype("datetime64[s]"))
    rows = rows.loc[booked != NEVER]
    ahead = rows.loc[rows["booked_date"] >= pd.Timestamp(as_of)].groupby("patient_id")["booked_date"].min()
    return ahead.combine_first(rows.groupby("patient_id")["booked_date"].max())


def _dates(cells: Any) -> Any:
    import pandas as pd

    return pd.to_datetime(cells).astype("datetime64[s]")


def _with_booking(result: pd.DataFrame) -> Any:
    """Give the short reasons with the booked day in words: nobody phones a patient who has a date."""
    booked = result["booked_date"].dt.strftime("booked %Y-%m-%d").fillna("").astype(str)
    booked = booked.where(result["status"] != "stopped", "")
    why = result["why"].fillna("").astype(str)
    return [("; ".join(filter(None, pair))) for pair in zip(why, booked, strict=True)]


def pressing(asked: pd.DataFrame) -> pd.DataFrame:
    """Give the requests that change a patient's status (column `status`), the most pressing first."""
    status = asked["request"].map(STATUS_OF)
    counts = status.notna() & (status.isin(ANYWAY) | asked["by"].notna())
    asked = asked.assign(status=status, rank=asked["request"].map(REQUESTS.index)).loc[counts]
    asked = asked.assign(rank=asked["status"].map(STANDING.index) * len(REQUESTS) + asked["rank"])
    return asked.sort_values(["rank", "by", "since", "site_id"], kind="stable")


def _with_requests(result: pd.DataFrame, asked: pd.DataFrame, today: pd.Timestamp) -> pd.DataFrame:
    """Give patients the status of their most pressing request, since when, its day and its words first in the reason."""
    import pandas as pd

    asked = pressing(asked)
    asked = asked.loc[asked["patient_id"].isin(result.loc[result["status"] != "stopped", "patient_id"])]
    told = [sentence(r, s, w) for r, s, w in zip(asked["request"], asked["since"], asked["reason"], strict=True)]
    words = pd.Series(told, index=asked.index).groupby(asked["patient_id"]).agg(lambda t: "; ".join(dict.fromkeys(t)))
    first = asked.drop_duplicates("patient_id").set_index("patient_id")
    has = result["patient_id"].isin(first.index)
    who = result.loc[has, "patient_id"]
    result = result.copy()
    result.loc[has, "status"] = who.map(first["status"])
    result.loc[has, "since"] = _dates(who.map(first["since"]))
    for name in ("reason", "why"):
        said = result.loc[has, name].fillna("").astype(str)
        result.loc[has, name] = [
            text if text.startswith(words[p]) else "; ".join(filter(None, (words[p], text)))
            for p, text in zip(who, said, strict=True)
        ]
    result.loc[has, "rule"] = [
        ";".join(dict.fromkeys(x for x in (str(first["rule"][p]), str(r)) if x and x != "nan"))
        for p, r in zip(who, result.loc[has, "rule"], strict=True)
    ]
    # What another MRI or its reading must answer by a day is the next thing due.
    reading = result["patient_id"].map(first["request"]) == "read_mri"
    dated = has & (result["status"] == "confirm") & ~reading
    by = _dates(result["patient_id"].map(first["by"]))
    for name in ("next_due", "latest"):
        result[name] = result[name].mask(dated, by)
    result["earliest"] = result[["earliest", "next_due"]].min(axis=1).where(dated, result["earliest"])
    result["days_overdue"] = result["days_overdue"].mask(dated, (today - by).dt.days.where(by < today).astype("Int64"))
    return result


def _in_order(result: pd.DataFrame, visits: pd.DataFrame, cohort: pd.DataFrame | None) -> pd.DataFrame:
    import pandas as pd

    status = result["status"].astype(str)
    late = result["days_overdue"].astype("Float64").fillna(0).to_numpy(dtype=float)
    begun = result["last_mri"]
    if cohort is not None:
        zero = cohort.groupby("patient_id")["sbrt_date"].max()
        begun = begun.fillna(_dates(result["patient_id"].map(zero)))
    interval = (result["next_due"] - begun).dt.days.to_numpy(dtype=float)
    ratio = np.where(late > 0, late / np.where(np.isnan(interval) | (interval <= 0), np.inf, interval), 0.0)
    # Without a known interval the days themselves order: nobody overdue falls behind for want of a date.
    ratio = np.where((late > 0) & (ratio == 0), late, ratio)
    tier = result["risk_group"].astype(object).map({name: -i for i, name in enumerate(TIERS)}).fillna(1)
    keys = pd.DataFrame(
        {
            "u": status.map(URGENCY.index),
            "late": -ratio,
            "days": -late,
            "tier": tier.to_numpy() if len(tier) else tier,
            "due": result["next_due"],
            "id": result["patient_id"],
        }
    )
    by = ["u", "late", "days", "due", "tier", "id"]
    order = keys.sort_values(by, kind="stable").index
    listed = result.loc[order].reset_index(drop=True)
    return listed.assign(status=pd.Categorical(listed["status"], categories=list(URGENCY)))


def _with_left_out(result: pd.DataFrame, left_out: pd.DataFrame | None) -> pd.DataFrame:
    """Add a line for every patient of whom no row could be used: nobody vanishes."""
    import pandas as pd

    if left_out is None or left_out.empty:
        return result
    stopped = left_out["stopped"].astype(object).where(left_out["stopped"].astype(bool), None)
    reason = [
        f"follow-up stopped: {str(s).replace('_', ' ')} (on a row that could not be used)" if s else f"left out: {r}"
        for s, r in zip(stopped, left_out["reason"], strict=True)
    ]
    lines = pd.DataFrame(
        {
            "patient_id": left_out["patient_id"].to_numpy(),
            "site_ids": left_out["site_ids"].to_numpy(),
            "status": np.where(stopped.notna(), "stopped", "left_out"),
            "why": reason,
            "reason": reason,
        }
    )
    columns = {}
    for name in result.columns:
        if name in lines:
            columns[name] = pd.concat([result[name].astype(object), lines[name].astype(object)], ignore_index=True)
        else:
            columns[name] = result[name].reindex(range(len(result) + len(lines)))
    whole = pd.DataFrame(columns)
    return whole.assign(status=pd.Categorical(whole["status"], categories=list(URGENCY)))


def status_counts(listed: pd.DataFrame) -> dict[str, int]:
    """Count the patients by status, every status named."""
    counts = listed["status"].astype(str).value_counts()
    return {name: int(counts.get(name, 0)) for name in URGENCY}
