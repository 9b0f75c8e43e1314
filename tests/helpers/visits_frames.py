"""Visits for the renderers: a small table written by hand, and schedules of small cohorts by the program itself."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd

from sbrt_followup.rulebook.library import load
from sbrt_followup.rulebook.model import Plan
from sbrt_followup.tables.records import cohort_of, imaging_of
from sbrt_followup.visits.patterns import Request
from sbrt_followup.visits.schedule import schedule

KEY = b"a secret that stays in the clinic"
OTHER_KEY = b"a secret of quite another clinic"
AS_OF = date(2025, 6, 15)
# Recognisable anywhere: neither may ever stand in an export that does not identify.
SECRETS = ("MRN-778899", "Jane", "T10-boost-of-Jane")
MANIFEST: dict[str, Any] = {
    "program": "sbrt-followup", "version": "0.0.0", "command": "schedule", "as_of": "2025-06-15",
    "rules": [{"document": "plan/x", "version": "1.0.0", "content_hash": "sha256:aa", "basis": "assumption"}],
    "inputs": [{"role": "cohort", "content_hash": "sha256:bb"}],
    "arguments": {"plan": "x"},
}  # fmt: skip
BOOK = load()


def line(visit: int | None, due: str | None, status: str, **cells: Any) -> dict[str, Any]:
    """One line of a schedule; the window is ten days either side unless given."""
    day = pd.Timestamp(due) if due else pd.NaT
    ten = pd.Timedelta(days=10)
    row = {
        "patient_id": "MRN-778899 Jane", "site_ids": "T10-boost-of-Jane;L2", "visit": visit, "phase": "early",
        "earliest": day - ten, "due": day, "latest": day + ten, "status": status, "satisfied_by": pd.NaT,
        "risk_group": "low", "plan": "x", "rule": "plan/x#early", "basis": "assumption", "reason": "every 2–3 months",
        "booked_date": pd.NaT, "stop_date": pd.NaT, "mri_contraindicated": False,
        "visit_key": f"{cells.get('patient_id', 'MRN-778899 Jane')}/{visit}" if visit else "",
    }  # fmt: skip
    row.update({k: pd.Timestamp(v) if k.endswith(("_date", "_by")) else v for k, v in cells.items()})
    return row


def frame(*lines: dict[str, Any]) -> pd.DataFrame:
    table = pd.DataFrame(list(lines))
    table["visit"] = table["visit"].astype("Int64")
    for name in ("earliest", "due", "latest", "satisfied_by", "booked_date", "stop_date"):
        table[name] = table[name].astype("datetime64[s]")
    return table


def every_status() -> pd.DataFrame:
    """One line of every status, over two patients."""
    return frame(
        line(1, "2025-01-10", "done", satisfied_by="2025-01-14"),
        line(2, "2025-03-10", "missed"),
        line(3, "2025-05-10", "overdue"),
        line(4, "2025-06-20", "due"),
        line(5, "2025-09-10", "booked", booked_date="2025-09-12"),
        line(6, "2025-12-10", "upcoming"),
        line(None, None, "horizon", phase="horizon", reason="horizon reached", rule="", basis="", plan=""),
        line(1, "2025-06-14", "unknown", patient_id="B2"),
        line(None, None, "done", phase="extra", patient_id="B2", satisfied_by="2025-06-01", rule="", basis=""),
        line(None, None, "stopped", phase="stop", patient_id="B2", stop_date="2025-06-14", rule="", basis="",
             reason="follow-up stopped: death"),
    )  # fmt: skip


def scheduled(sites: list[dict[str, str]], scans: list[dict[str, str]] | None = None, as_of: date = AS_OF) -> pd.DataFrame:  # fmt: skip
    """The program's own schedule of some sites, with what exports need."""

    def table(rows: list[dict[str, str]], what: Any) -> pd.DataFrame:
        names = list(dict.fromkeys(name for row in rows for name in row))
        result: pd.DataFrame = what([{name: row.get(name, "") for name in names} for row in rows]).frame
        return result

    imaging = None if scans is None else table(scans, imaging_of)
    request = Request(BOOK, BOOK.get(Plan, "mri-review-2025"), as_of, keys=True)
    return schedule(table(sites, cohort_of), imaging, request).visits
