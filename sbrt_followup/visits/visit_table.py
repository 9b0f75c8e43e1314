"""The lines of a schedule as the contract's table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..arrays import NEVER, Flags, Ints
from ..rulebook.library import Rulebook
from ..sites.history import Course
from ..sites.risk import SiteRisk
from ..vocabulary import TIERS, VISIT_STATUSES
from .patterns import Request
from .series import DONE, OPEN, STOP, VISIT, Grid, Lines, Pattern
from .served import Served, one_ending
from .status import ASTRAY, INSIDE, LAPSED, LAST_DAY, OUTSIDE, any_served
from .visit_words import VisitWords

if TYPE_CHECKING:
    import pandas as pd


COLUMNS = (
    "patient_id", "site_ids", "visit", "phase", "earliest", "due", "latest", "status", "satisfied_by", "risk_group",
    "plan", "rule", "basis", "reason", "planned_earliest", "planned_due", "planned_latest", "protocol",
)  # fmt: skip

# What a calendar, FHIR or a figure needs beside the contract's columns.
EXPORT_COLUMNS = ("visit_key", "booked_date", "stop_date", "mri_contraindicated")


def visit_table(
    frame: pd.DataFrame,
    course: Course,
    lines: Lines,
    status: Ints,
    booked: Ints,
    booked_day: Ints,
    served: npt.NDArray[np.intp],
    risk: SiteRisk,
    patterns: Sequence[Pattern],
    pattern: Ints,
    plan_grid: Grid,
    request: Request,
) -> pd.DataFrame:
    """Build the contract's table from kept lines, in order of patient and date."""
    import pandas as pd

    kept = (served == np.arange(len(lines))).nonzero()[0]
    kind = lines.kind[kept]
    groups = Served(frame, course, lines, served, kept)
    # Stops and horizons of a patient's sites are one line where they say the same.
    kept, groups = one_ending(kept, kind, lines, course, groups)
    patient = course.patient[lines.site[kept]]
    kind = lines.kind[kept]
    at = np.where(lines.due[kept] == NEVER, lines.scan[kept], lines.due[kept])
    at = np.where(kind >= STOP, np.where(kind == STOP, course.stop[lines.site[kept]], LAST_DAY), at)
    # A stop comes after everything of the same day, the horizon comes last; lines arrive nearly in order.
    key = (course.rank[patient] << 34) + ((np.minimum(at, LAST_DAY) + LAST_DAY) << 2) + (kind >= STOP)
    order = np.argsort(key, kind="stable")
    kept, patient, kind = kept[order], patient[order], kind[order]
    shown = lines.take(kept)
    site = shown.site
    words = VisitWords(patterns)
    phase_code = words.code(pattern[site], shown.phase, kind)
    flags = {
        "unscheduled": shown.unscheduled,
        "reanchored": any_served(lines.reanchored, served)[kept] & (kind == VISIT),
        "booked": booked[kept] == INSIDE,
        "outside": booked[kept] == OUTSIDE,
        "lapsed": booked[kept] == LAPSED,
        "astray": booked[kept] == ASTRAY,
        "ahead": (kind == STOP) & (course.stop[site] > request.today),
        "provisional": any_served(np.array([p.provisional for p in patterns])[pattern[lines.site]], served)[kept]
        & (kind == VISIT),
        "progressed": any_served(
            course.progressed[lines.site] & (lines.due >= course.progression[lines.site]) & (lines.kind == VISIT),
            served,
        )[kept]
        & (kind == VISIT)
        & (shown.state == OPEN),
        "no_mri": course.no_mri[site] & (shown.state == OPEN) & (kind == VISIT),
        "no_gadolinium": course.no_gadolinium[site] & (shown.state == OPEN) & (kind == VISIT),
        "merged": groups.several(kept) & (kind == VISIT) & (shown.state != DONE),
    }
    tiered = request.plan.tiered
    reason, basis, why = words.reasons(
        phase_code, flags, kind, course.stop_code[site], course.stop_words, tiered, request.rulebook
    )
    # A merged visit is one that serves all: its window is what the served windows have in common.
    earliest, latest = shown.earliest, shown.latest
    planned = _planned(plan_grid, shown)
    number = _numbered(patient, kind)
    tier = pd.Categorical.from_codes(
        np.where(kind < STOP, risk.tier[site], -1), dtype=pd.CategoricalDtype(list(TIERS), ordered=True)
    )
    result = {
        "patient_id": frame["patient_id"].to_numpy()[site],
        "site_ids": groups.names(kept),
        "visit": pd.array(number, dtype="Int64"),
        "phase": words.column(phase_code, 0),
        "earliest": _day(earliest),
        "due": _day(shown.due),
        "latest": _day(latest),
        "status": pd.Categorical.from_codes(status[kept], dtype=pd.CategoricalDtype(list(VISIT_STATUSES))),
        "satisfied_by": _day(shown.scan),
        "risk_group": tier,
        "plan": words.column(phase_code, 1),
        "rule": words.column(phase_code, 2),
        "basis": basis,
        "reason": reason,
        **planned,
        "protocol": _protocol(request.rulebook, (kind == VISIT) & (shown.state == OPEN) & ~course.no_mri[site]),
    }
    table = pd.DataFrame(result, copy=False)
    if request.keys:
        table["visit_key"] = _keys(frame, shown)
        table["booked_date"] = _day(booked_day[kept])
        table["stop_date"] = _day(np.where(kind == STOP, course.stop[site], NEVER))
        table["mri_contraindicated"] = course.no_mri[site] & (kind == VISIT)
    if request.short:
        table["why"] = why
    for name in frame.columns:
        if name in course.passed_through:
            # A column of the user's that is called like one of ours keeps its cells under another name.
            table[f"cohort_{name}" if name in table else name] = frame[name].to_numpy()[site]
    return table


def _protocol(rulebook: Rulebook, ahead: Flags) -> Any:
    """Name the MRI protocol of each visit still to come (`rules show protocol/…` lists its sequences)."""
    import pandas as pd

    name = f"protocol/{rulebook.profile.protocol}"
    has = ahead & bool(rulebook.profile.protocol)
    return pd.Categorical.from_codes(np.where(has, 0, -1), dtype=pd.CategoricalDtype([name]))


def _day(days: Ints) -> npt.NDArray[np.datetime64]:
    return days.astype("datetime64[D]").astype("datetime64[s]")


def _numbered(patient: Ints, kind: Ints) -> Any:
    """Number each patient's visits from 1; other lines have none."""
    import pandas as pd

    is_visit = kind == VISIT
    number = pd.Series(is_visit.astype(np.int64)).groupby(patient).cumsum()
    return number.astype("Int64").mask(~pd.Series(is_visit)).array


def _planned(grid: Grid, shown: Lines) -> dict[str, Any]:
    """Give the plan's own dates of each visit number; empty where the plan has no such visit."""
    result: dict[str, Any] = {}
    column = shown.visit - 1
    has = (column >= 0) & (column < grid.width)
    at = grid.of[shown.site] * grid.width + np.where(has, column, 0)
    for name, days in (("planned_earliest", grid.earliest), ("planned_due", grid.due), ("planned_latest", grid.latest)):
        own = days.ravel()[at] if grid.width else np.full(len(at), NEVER, dtype=np.int64)
        result[name] = _day(np.where(has, own, NEVER))
    return result


def _keys(frame: pd.DataFrame, shown: Lines) -> list[str]:
    """Name each visit so that it keeps its name however its date moves: patient, site, course, number in the series."""
    ids = frame["patient_id"].to_numpy()[shown.site]
    sites = frame["site_id"].to_numpy()[shown.site]
    zero = frame["sbrt_date"].to_numpy().astype("datetime64[D]").astype(str)[shown.site]
    parts = zip(ids, sites, zero, shown.visit.tolist(), shown.kind.tolist(), strict=True)
    # As JSON: no two visits share a name, whatever characters an id holds.
    return [json.dumps([p, s, z, v]) if k == VISIT else "" for p, s, z, v, k in parts]
