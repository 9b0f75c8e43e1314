"""What the readings ask for, carried into a schedule: confirming MRIs among the visits, and the words on the next line.

The list of requests is `response.requests`; here it is only placed. A dated request is a line of its own, whatever the
plan; an urgent finding, a treatment decision and a reading still to come are told on the patient's next open line. No date
is made here: a confirming line runs from the day of the MRI that asks to the day it is asked for by.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from ..response.assessment import assess
from ..response.requests import COLUMNS as REQUEST_COLUMNS
from ..response.requests import requests
from ..rulebook.library import Rulebook
from ..vocabulary import OPEN_VISITS, REQUESTS

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from ..sites.history import Course

PHASE = "confirming"
FAR = "2262-01-01"  # later than any date
DATED = ("ladder", "confirm", "complete_reading", "closer_followup")
"""Requests that are a line of the schedule where they have a day."""
SAID = {
    "urgent": "URGENT: clinical review, do not wait for a scheduled MRI",
    "awaiting_decision": "awaiting treatment decision",
    "new_metastasis": "awaiting a decision on the new metastasis",
    "ladder": "further imaging or biopsy",
    "confirm": "confirming MRI",
    "complete_reading": "complete the reading, else repeat the MRI",
    "read_mri": "ask for the reading of the MRI",
    "closer_followup": "closer follow-up",
}
_NOT_A_READING = ("row", "patient_id", "site_id", "mri_date", "completed", "mri_coverage")


def asked_for(
    frame: pd.DataFrame, imaging: pd.DataFrame | None, rulebook: Rulebook, as_of: date, course: Course
) -> pd.DataFrame:
    """List what readings and recorded progressions ask for by a day, in the columns of `response.requests`.

    A table that holds dates alone asks for nothing: nobody said that its MRIs were to be read here.
    """
    today = int(np.datetime64(as_of, "D").astype(np.int64))
    read = nothing()
    if imaging is not None and rulebook.profile.response:
        done = imaging.loc[imaging["completed"].astype(object) != "no"].reset_index(drop=True)
        findings = [name for name in done.columns if name not in _NOT_A_READING]
        if done[findings].notna().to_numpy().any():
            read = requests(assess(frame, done, rulebook, today))
    recorded = _recorded(frame, course, today)
    recorded = recorded.loc[~recorded["site"].isin(read.loc[read["request"] == "awaiting_decision", "site"])]
    return joined([read, recorded])


def joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Put lists of requests together."""
    import pandas as pd

    full = [part for part in parts if len(part)]
    return pd.concat(full, ignore_index=True) if full else nothing()


def nothing() -> pd.DataFrame:
    """Give the empty list."""
    import pandas as pd

    return pd.DataFrame({name: pd.Series(dtype=object) for name in REQUEST_COLUMNS})


def _recorded(frame: pd.DataFrame, course: Course, today: int) -> pd.DataFrame:
    """Give a treatment decision for every site with a recorded progression whose follow-up goes on."""
    import pandas as pd

    day = course.progression
    sites = np.flatnonzero(course.progressed & (day <= today) & ~course.ended(today))
    since = day[sites].astype("datetime64[D]").astype("datetime64[s]")
    never = np.full(len(sites), np.datetime64("NaT", "s"))
    return pd.DataFrame(
        {
            "site": sites,
            "patient_id": frame["patient_id"].to_numpy()[sites],
            "site_id": frame["site_id"].to_numpy()[sites],
            "request": "awaiting_decision",
            "mri_date": never,
            "since": since,
            "by": never,
            "reason": "progression on record",
            "rule": "",
            "basis": "",
        }
    )[list(REQUEST_COLUMNS)]


def sentence(request: str, since: Any, reason: str) -> str:
    """Say one request in words: what, since when, why."""
    day = "" if since is None or since != since else f" (since {str(since)[:10]})"
    return f"{SAID[request]}{day}: {reason}" if reason else f"{SAID[request]}{day}"


def placed(visits: pd.DataFrame, asked: pd.DataFrame, frame: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Put dated requests among the visits and say every request on the patient's next open line."""
    if asked.empty:
        return visits
    return _told(_with_lines(visits, asked, frame, as_of), asked)


def _with_lines(visits: pd.DataFrame, asked: pd.DataFrame, frame: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Put one line per site with a dated request at its place by date, and number the visits anew."""
    import pandas as pd

    dated = asked.loc[asked["request"].isin(DATED) & asked["by"].notna()]
    dated = dated.drop_duplicates("site").reset_index(drop=True)
    if dated.empty:
        return visits
    extra = _lines(visits, dated, frame, as_of)
    columns: dict[str, Any] = {}
    for name in visits.columns:
        kind = visits[name].dtype
        mine: Any = visits[name].astype(object)
        other = extra[name] if name in extra else pd.Series([None] * len(extra), dtype=object)
        joined = pd.concat([mine, other.astype(object)], ignore_index=True)
        columns[name] = joined.astype(kind) if pd.api.types.is_datetime64_any_dtype(kind) else joined
    table = pd.DataFrame(columns)
    order = np.argsort(np.concatenate([2 * np.arange(len(visits)), _places(visits, dated)]), kind="stable")
    table = table.iloc[order].reset_index(drop=True)
    is_visit = table["due"].notna()
    number = is_visit.astype(np.int64).groupby(table["patient_id"], sort=False).cumsum()
    table["visit"] = number.astype("Int64").mask(~is_visit)
    for name in ("status", "risk_group"):
        table[name] = table[name].astype(visits[name].dtype)
    return table


def _places(visits: pd.DataFrame, dated: pd.DataFrame) -> Any:
    """Give where each line belongs: before the first of its patient's lines that comes later."""
    import pandas as pd

    own = visits.loc[visits["patient_id"].isin(dated["patient_id"]), ["patient_id", "due", "status"]]
    own = own.assign(at=own.index.to_numpy())
    # An extra scan has no due day and does not come later; the horizon and a stop come after everything.
    ending = own["status"].astype(str).isin(["horizon", "stopped"])
    own["day"] = own["due"].mask(ending, pd.Timestamp(FAR))
    pairs = dated[["patient_id", "by"]].assign(number=np.arange(len(dated))).merge(own, on="patient_id")
    later = pairs.loc[pairs["day"] > pairs["by"]].groupby("number")["at"].min()
    last = pairs.groupby("number")["at"].max()
    place = 2 * later.reindex(range(len(dated))) - 1
    return place.fillna(2 * last.reindex(range(len(dated))) + 1).to_numpy(dtype=float)


def _lines(visits: pd.DataFrame, dated: pd.DataFrame, frame: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Give the lines of dated requests: from the MRI that asks to the day it is asked for by."""
    import pandas as pd

    site = dated["site"].to_numpy(dtype=np.int64)
    tier = visits.dropna(subset=["risk_group"]).drop_duplicates("patient_id").set_index("patient_id")["risk_group"]
    past = dated["by"] < pd.Timestamp(as_of)
    told = [sentence(*one) for one in zip(dated["request"], dated["mri_date"], dated["reason"], strict=True)]
    keys = zip(dated["patient_id"], dated["site_id"], dated["mri_date"].astype(str), strict=True)
    result = {
        "patient_id": dated["patient_id"],
        "site_ids": dated["site_id"],
        "phase": PHASE,
        "earliest": dated[["mri_date", "by"]].min(axis=1),
        "due": dated["by"],
        "latest": dated["by"],
        "status": np.where(past, "overdue", "due"),
        "risk_group": dated["patient_id"].map(tier.astype(object)),
        "rule": dated["rule"],
        "basis": dated["basis"],
        "reason": [f"{text}; at the latest on this day" for text in told],
        "why": told,
        "visit_key": [json.dumps([p, s, PHASE, day]) for p, s, day in keys],
    }
    own = [name for name in visits.columns if name in frame.columns and name not in result]
    return pd.DataFrame({**result, **{name: frame[name].to_numpy()[site] for name in own}})


def _told(visits: pd.DataFrame, asked: pd.DataFrame) -> pd.DataFrame:
    """Say what is asked for, the most pressing first, on each patient's next open line; else on the last one."""
    import pandas as pd

    rest = asked.loc[
        ~(asked["request"].isin(DATED) & asked["by"].notna()) & (asked["reason"] != "progression on record")
    ]
    if rest.empty:
        return visits
    rank = rest["request"].map(REQUESTS.index)
    rest = rest.assign(rank=rank).sort_values(["rank", "since", "site_id"], kind="stable")
    said: dict[str, list[str]] = {}
    for line in rest.itertuples():
        said.setdefault(str(line.patient_id), []).append(sentence(str(line.request), line.since, str(line.reason)))
    own = visits.loc[visits["patient_id"].isin(said.keys()), ["patient_id", "status"]]
    open_ = own["status"].astype(str).isin(OPEN_VISITS)
    first = own.loc[open_].drop_duplicates("patient_id")
    others = own.loc[~own["patient_id"].isin(first["patient_id"])].drop_duplicates("patient_id", keep="last")
    at = pd.concat([first, others])
    reason = visits["reason"].astype(object).to_numpy().copy()
    for place, patient in zip(at.index, at["patient_id"], strict=True):
        words = dict.fromkeys([*said[str(patient)], str(reason[place])])
        reason[place] = "; ".join(words)
    return visits.assign(reason=reason)
