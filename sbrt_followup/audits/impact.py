"""What a change of rules does to the patients of a cohort: tiers, MRIs, dates, and who would newly be overdue.

Both sides run through the clinic's own schedule as of the same day. MRIs are the visits from time zero to the horizon and, for a
year, those due in the twelve months from the as-of day on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from ..sites.risk import site_risk
from ..visits.patterns import Request
from ..visits.schedule import schedule
from ..vocabulary import TIERS

if TYPE_CHECKING:
    import pandas as pd

YEAR = timedelta(days=365)
UNDECIDED = "undecided"
SIDES = ("before", "after")
COUNTED = ("mris", "mris_next_year", "overdue")


@dataclass(frozen=True)
class Impact:
    """What changes for whom."""

    patients: int
    sites: int
    tiers: Mapping[tuple[str, str], int]
    """Sites by tier before and after."""
    concerned: pd.DataFrame
    """One row per patient for whom anything changes."""
    months: pd.DataFrame
    """MRIs due per calendar month, before and after."""
    totals: Mapping[str, tuple[int, int]]
    as_of: date


def impact(frame: pd.DataFrame, imaging: pd.DataFrame | None, before: Request, after: Request) -> Impact:
    """Compare two ways to follow the same cohort."""
    import pandas as pd

    tiers = [_tiers(frame, request) for request in (before, after)]
    visits = [_visits(frame, imaging, request) for request in (before, after)]
    patients = pd.Index(sorted(frame["patient_id"].unique()), name="patient_id")
    table = pd.DataFrame(index=patients)
    for word, one in zip(SIDES, tiers, strict=True):
        table[f"tiers_{word}"] = pd.Series(one).groupby(frame["patient_id"].to_numpy()).agg(_joined)
    for word, shown, request in zip(SIDES, visits, (before, after), strict=True):
        for name, counts in _counts(shown, request).items():
            table[f"{name}_{word}"] = counts.reindex(patients).fillna(0).astype(int)
        table[f"next_due_{word}"] = _next_due(shown).reindex(patients)
    moved = _moved(*visits).reindex(patients)
    table["visits_moved"] = moved["visits"].fillna(0).astype(int)
    table["most_days_moved"] = moved["days"].fillna(0).astype(int)
    late = [table[f"overdue_{word}"] > 0 for word in SIDES]
    table["newly_overdue"] = np.where(late[1] & ~late[0], "yes", "no")
    table["no_longer_overdue"] = np.where(late[0] & ~late[1], "yes", "no")
    differs = [table[f"{name}_before"] != table[f"{name}_after"] for name in ("tiers", *COUNTED)]
    concerned = np.logical_or.reduce([*differs, table["visits_moved"] > 0])
    matrix: dict[tuple[str, str], int] = {}
    for pair in zip(*tiers, strict=True):
        matrix[pair] = matrix.get(pair, 0) + 1
    totals = {n: (int(table[f"{n}_before"].sum()), int(table[f"{n}_after"].sum())) for n in COUNTED}
    return Impact(
        len(patients), len(frame), matrix, table[concerned].reset_index(), _months(*visits), totals, after.as_of
    )


def _tiers(frame: pd.DataFrame, request: Request) -> list[str]:
    found = site_risk(frame, request.rulebook).tier
    return [TIERS[k] if k >= 0 else UNDECIDED for k in found.tolist()]


def _joined(tiers: pd.Series[Any]) -> str:
    return ";".join(t for t in (*TIERS, UNDECIDED) if t in set(tiers))


def _visits(frame: pd.DataFrame, imaging: pd.DataFrame | None, request: Request) -> pd.DataFrame:
    """Give the visits that have a due date; without an imaging table every past one is still to be made or unknown."""
    visits = schedule(frame, imaging, request).visits
    return visits[visits["due"].notna() & visits["visit"].notna()]


def _counts(visits: pd.DataFrame, request: Request) -> dict[str, pd.Series[Any]]:
    import pandas as pd

    today = pd.Timestamp(request.as_of)
    ahead = visits[(visits["due"] >= today) & (visits["due"] < today + YEAR)]
    late = visits[visits["status"] == "overdue"]
    return {
        name: rows.groupby("patient_id", observed=True).size()
        for name, rows in zip(COUNTED, (visits, ahead, late), strict=True)
    }


def _next_due(visits: pd.DataFrame) -> pd.Series[Any]:
    waiting = visits[visits["status"].isin(["overdue", "due", "booked", "upcoming"])]
    return waiting.groupby("patient_id", observed=True)["due"].min()


def _moved(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Count, per patient, the visits whose due date moved (by number), and the days of the one that moved most."""
    pair = before[["patient_id", "visit", "due"]].merge(
        after[["patient_id", "visit", "due"]], on=["patient_id", "visit"], suffixes=("", "_after")
    )
    days = (pair["due_after"] - pair["due"]).dt.days
    pair = pair.assign(days=days)[days != 0]
    most = pair.assign(size=pair["days"].abs()).sort_values("size", kind="stable").groupby("patient_id", observed=True)
    return most["days"].agg(["size", "last"]).rename(columns={"size": "visits", "last": "days"})


def _months(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Count the MRIs due in each calendar month, done ones included."""
    import pandas as pd

    counts = {
        word: side["due"].dt.strftime("%Y-%m").value_counts() for word, side in zip(SIDES, (before, after), strict=True)
    }
    table = pd.DataFrame(counts).fillna(0).astype(int)
    if table.empty:
        return table.rename_axis("month").reset_index()
    every = pd.period_range(table.index.min(), table.index.max(), freq="M").strftime("%Y-%m")
    return table.reindex(every, fill_value=0).rename_axis("month").reset_index()
