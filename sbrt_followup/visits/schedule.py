"""Every patient's visits to the horizon, each with its reason: the main job.

Dates come from `visits` (one site's series) and `merging` (one MRI for several sites); here they get their status as of
a day, their stops, and the words that explain them. The same inputs give the same lines in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..problems import InputRefused, Problem
from ..sites.coverage import booked_days, coverage, done, scan_dates
from ..sites.history import course_of, in_order
from ..sites.risk import SiteRisk, site_risk
from .merging import merge
from .patterns import Request, patterns_of
from .series import join, planned_grid, site_lines
from .status import after_stop, answered, bookings, fold_bookings, in_common, statuses, stopped_lines
from .visit_table import visit_table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Scheduled:
    """The visits of a cohort, whose tier still waits for data, and what the readings ask for (`response.requests`)."""

    visits: pd.DataFrame
    waiting: pd.DataFrame
    asked: pd.DataFrame


def schedule(frame: pd.DataFrame, imaging: pd.DataFrame | None, request: Request) -> Scheduled:
    """Schedule every site of a cohort frame; with an imaging frame past visits are done, missed or overdue.

    Raises InputRefused for a completed scan or a death after the as-of day.
    """
    _refuse_future(frame, imaging, request)
    frame = in_order(frame)
    risk = site_risk(frame, request.rulebook)
    patterns, pattern = patterns_of(request, risk.tier)
    course = course_of(frame)
    course = replace(course, booked=booked_days(course.booked, frame, imaging, request.today))
    pairs = coverage(frame, imaging)
    scans = scan_dates(pairs, course)
    plan_grid = planned_grid(course.time_zero, pattern, patterns)
    lines = site_lines(course.time_zero, pattern, patterns, scans, plan_grid)
    lines = join([stopped_lines(lines, course), *after_stop(frame, pairs, course)])
    # A site whose follow-up stopped neither leads nor joins a visit of one that goes on.
    ended = course.ended(request.today)[lines.site]
    served = merge(lines, course.patient[lines.site] * 2 + ended)
    booked = bookings(lines, course, request, answered(course, scans, patterns, pattern))
    lines = in_common(lines, served)
    status = statuses(lines, course, request, imaging is not None)
    status, booked, booked_day = fold_bookings(lines, course, status, booked, served)
    visits = visit_table(
        frame, course, lines, status, booked, booked_day, served, risk, patterns, pattern, plan_grid, request
    )
    from .confirming import asked_for, placed

    asked = asked_for(frame, imaging, request.rulebook, request.as_of, course)
    return Scheduled(
        placed(visits, asked, frame, request.as_of),
        waiting_for(frame, risk) if request.plan.tiered else waiting_for(frame.iloc[:0], None),
        asked,
    )


def _refuse_future(frame: pd.DataFrame, imaging: pd.DataFrame | None, request: Request) -> None:
    import pandas as pd

    day = pd.Timestamp(request.as_of)
    problems: list[Problem] = []

    def check(table: pd.DataFrame, rows: Any, column: str, what: str) -> None:
        found = table.loc[rows, "row"].tolist()
        if found:
            shown = ", ".join(str(r) for r in found[:10]) + (f" and {len(found) - 10} more" if len(found) > 10 else "")
            word = "row" if len(found) == 1 else "rows"
            problems.append(
                Problem(
                    "after-as-of",
                    f"{word} {shown}, column {column}: {what} after the as-of day",
                    hint="Set a later --as-of.",
                )
            )

    check(frame, frame["death_date"] > day, "death_date", "a death")
    if imaging is not None:
        check(imaging, (imaging["mri_date"] > day) & done(imaging), "mri_date", "a completed MRI")
    if problems:
        raise InputRefused(problems)


def waiting_for(frame: pd.DataFrame, risk: SiteRisk | None) -> pd.DataFrame:
    """List the sites whose tier is not decided, with the facts to ask for."""
    import pandas as pd

    columns = ["patient_id", "site_id", "possible_groups", "missing"]
    if risk is None:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    decisions = risk.decisions
    rows = (decisions.outcome < 0).nonzero()[0]
    tiers = decisions.table.outcomes
    # Few cases stand for many sites: one text for each.
    cases, at = np.unique(decisions.case[rows], return_inverse=True)
    facts = decisions.facts
    possible = [";".join(t for t, can in zip(tiers, decisions.possible[c], strict=True) if can) for c in cases]
    missing = [";".join(f for f, m in zip(facts, decisions.decisive[c], strict=True) if m) for c in cases]
    return pd.DataFrame(
        {
            "patient_id": frame["patient_id"].to_numpy()[rows],
            "site_id": frame["site_id"].to_numpy()[rows],
            "possible_groups": np.array(possible, dtype=object)[at],
            "missing": np.array(missing, dtype=object)[at],
        },
        columns=columns,
    )


def chunks(frame: pd.DataFrame, size: int) -> Iterator[pd.DataFrame]:
    """Split a cohort by patient into parts of about so many rows, in order of patient; every patient stays whole."""
    import pandas as pd

    codes = pd.factorize(frame["patient_id"], sort=True)[0]
    order = np.argsort(codes, kind="stable")
    codes = codes[order]
    start = 0
    while start < len(frame):
        stop = min(start + size, len(frame))
        while stop < len(frame) and codes[stop] == codes[stop - 1]:
            stop += 1
        yield frame.iloc[order[start:stop]].reset_index(drop=True)
        start = stop
