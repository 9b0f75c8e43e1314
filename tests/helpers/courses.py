"""One treated site and its MRIs by day, as a test writes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np

from sbrt_followup.response.assessment import Assessment, assess
from sbrt_followup.rulebook.library import Rulebook, load
from sbrt_followup.tables.records import cohort_of, imaging_of

ZERO = date(2020, 1, 1)
FAR = 1500


@cache
def rulebook() -> Rulebook:
    return load()


def day(number: int) -> str:
    """The date so many days after treatment."""
    return (ZERO + timedelta(days=number)).isoformat()


def course(site: Mapping[str, Any], *scans: Mapping[str, Any], as_of: int = FAR, book: Rulebook | None = None) -> Assessment:  # fmt: skip
    """Assess one site of patient p; every scan has `day`, and the columns it recorded as text or numbers."""
    return courses({"s": (site, scans)}, as_of=as_of, book=book)


def courses(sites: Mapping[str, tuple[Mapping[str, Any], Any]], as_of: int = FAR, book: Rulebook | None = None) -> Assessment:  # fmt: skip
    """Assess several sites, each of a patient of its own named by the key."""
    frame = cohort_of(
        [{"patient_id": p, "site_id": "T8", "sbrt_date": day(0), **_texts(site)} for p, (site, _) in sites.items()]
    ).frame
    rows = [
        {"patient_id": p, "site_id": "T8", "mri_date": day(s["day"]), **_texts({k: v for k, v in s.items() if k != "day"})}
        for p, (_, scans) in sites.items()
        for s in scans
    ]  # fmt: skip
    until = int(np.datetime64(day(as_of)).astype(np.int64))
    return assess(frame, imaging_of(rows).frame, book or rulebook(), until)


def _texts(cells: Mapping[str, Any]) -> dict[str, str]:
    return {k: day(v) if k.endswith("_date") and isinstance(v, int) else str(v) for k, v in cells.items() if v is not None}  # fmt: skip


def column(found: Assessment, name: str) -> list[Any]:
    """One column of the readings after the baseline, an empty cell as None."""
    table = found.table
    table = table.loc[table["scan"] > 0]
    return [None if value != value or value is None else value for value in table[name].astype(object)]
