"""The results of `curves` as tables: one list of rows each, every number kept, nothing rounded.

A caution stands in the row it concerns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ...outcomes.accounts import Ending, LateDeaths, ScanGaps
from ...outcomes.analysis import GroupResult
from ...outcomes.curves import Curves, Unresolved

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]


def _caution(result: Curves, group: str) -> str:
    return "; ".join(c.message for c in result.cautions if c.group == group)


def landmarks(result: Curves) -> list[Row]:
    """Give each group's curve at the stated months."""
    return [
        {
            "group": g.label,
            "n": g.counts.n,
            "months": mark.months,
            "n_risk": mark.n_risk,
            "estimate": mark.estimate,
            "std_error": mark.std_error,
            "ci_low": mark.ci_low,
            "ci_high": mark.ci_high,
            "caution": _caution(result, g.label),
        }
        for g in result.analysis.groups
        for mark in g.landmarks
    ]


def groups(result: Curves) -> list[Row]:
    """Give one row per group: numbers, median, means, follow-up."""
    return [
        {
            "group": g.label,
            "n": g.counts.n,
            "events": g.counts.events,
            "competing": g.counts.competing,
            "censored": g.counts.censored,
            "median_days": g.median.estimate,
            "median_low": g.median.ci_low,
            "median_high": g.median.ci_high,
            "tau_months": result.analysis.method.tau_months,
            "rmst_days": g.restricted_mean.estimate,
            "rmst_std_error": g.restricted_mean.std_error,
            "time_lost_days": g.restricted_loss.estimate,
            "time_lost_std_error": g.restricted_loss.std_error,
            "followup_median_days": g.follow_up.estimate,
            "followup_low": g.follow_up.ci_low,
            "followup_high": g.follow_up.ci_high,
            "caution": _caution(result, g.label),
        }
        for g in result.analysis.groups
    ]


def quantiles(result: Curves) -> list[Row]:
    """Give the days by which stated shares have had the event."""
    analysis = result.analysis
    return [
        {"group": g.label, "share": share, "days": q.estimate, "ci_low": q.ci_low, "ci_high": q.ci_high}
        for g in analysis.groups
        for share, q in zip(analysis.method.quantiles, g.quantiles, strict=True)
    ]


def curve(result: Curves) -> list[Row]:
    """Give every step of every curve; of interval-censored data every interval that carries mass."""
    return [{"group": g.label, **row} for g in result.analysis.groups for row in (intervals(g) or steps(g))]


def steps(group: GroupResult) -> list[Row]:
    """Give the steps of one group's curve."""
    c, s = group.counts, group.curve
    columns = {
        "time_days": c.time, "n_risk": c.n_risk, "n_event": c.n_event, "n_competing": c.n_competing,
        "n_censor": c.n_censor, "estimate": s.estimate, "std_error": s.std_error, "ci_low": s.ci_low,
        "ci_high": s.ci_high,
    }  # fmt: skip
    return _rows(columns) if group.fit is None else []


def intervals(group: GroupResult) -> list[Row]:
    """Give the intervals of one group's interval-censored curve."""
    if group.fit is None:
        return []
    f = group.fit.npmle
    return _rows(
        {
            "left_days": f.left_days, "right_days": f.right_days, "mass": f.mass, "surv_low": f.surv_low,
            "surv_high": f.surv_high, "ci_low": group.fit.ci_low, "ci_high": group.fit.ci_high,
        }
    )  # fmt: skip


def _rows(columns: dict[str, Any]) -> list[Row]:
    cells = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in cells]


def tests(result: Curves) -> list[Row]:
    """Give every test; `printable` says whether its p-value belongs in figures and printed tables."""
    analysis = result.analysis
    return [
        {
            "name": t.name,
            "groups": ";".join(t.groups) if t.groups else "all",
            "statistic": t.statistic,
            "df": t.df,
            "p_value": t.p_value,
            "p_adjusted": t.p_adjusted,
            "caution": "" if analysis.printable(t) else "a group has fewer than 20 patients",
        }
        for t in analysis.tests
    ]


def at_risk(result: Curves) -> list[Row]:
    """Give who is left and who has gone at the start of each period."""
    return [{"group": g.label, **asdict(row)} for g in result.analysis.groups for row in g.at_risk]


def gaps(result: Curves) -> list[Row]:
    """Give one minus Kaplan–Meier beside the incidence."""
    return [
        {
            "group": g.label,
            "months": gap.months,
            "one_minus_km": gap.one_minus_km,
            "incidence": gap.incidence,
            "difference": gap.difference,
        }
        for g in result.analysis.groups
        for gap in g.gaps
    ]


def endings(result: Curves) -> list[Row]:
    """Give why follow-up for the endpoint ended, by group."""
    return [asdict(row) for row in result.endings]


def late_deaths(result: Curves) -> list[Row]:
    """Give deaths counted as competing by the time since the last MRI."""
    return [asdict(row) for row in result.late_deaths]


def scan_gaps(result: Curves) -> list[Row]:
    """Give the gaps between scans by group."""
    return [asdict(row) for row in result.scan_gaps]


def excluded(result: Curves) -> list[Row]:
    """Give the rows not used, with the reason."""
    return [{"row": e.row, "reason": e.reason} for e in result.excluded]


def policies(result: Curves) -> list[Row]:
    """Give the landmarks under each event-date policy."""
    return [
        {
            "policy": name,
            "group": g.label,
            "events": g.counts.events,
            "months": mark.months,
            "n_risk": mark.n_risk,
            "estimate": mark.estimate,
            "std_error": mark.std_error,
            "ci_low": mark.ci_low,
            "ci_high": mark.ci_high,
        }
        for name, analysis in ((result.policy, result.analysis), *result.others)
        if result.policy
        for g in analysis.groups
        for mark in g.landmarks
    ]


def sensitivity(result: Curves) -> list[Row]:
    """Give the landmarks under either rule for deaths long after the last clear MRI: the one used, then the other."""
    return [
        {
            "rule": name,
            "group": g.label,
            "events": g.counts.events,
            "competing": g.counts.competing,
            "months": mark.months,
            "n_risk": mark.n_risk,
            "estimate": mark.estimate,
            "std_error": mark.std_error,
            "ci_low": mark.ci_low,
            "ci_high": mark.ci_high,
        }
        for name, analysis in result.sensitivity
        for g in analysis.groups
        for mark in g.landmarks
    ]


def unresolved(result: Curves) -> list[Row]:
    """Give how many have growth that was neither confirmed nor retracted by the end."""
    return [asdict(row) for row in result.unresolved]


def null_check(result: Curves) -> list[Row]:
    """Give the size of each test, and the bias and coverage of each landmark, under equal hazards."""
    check = result.null_check
    if check is None:
        return []
    sizes = [
        {"test": t.name, "group": "all", "months": None, "size": t.size, "margin": t.margin, "replicates": t.replicates}
        for t in check.tests
    ]
    marks = [
        {
            "test": None, "group": m.group, "months": m.months, "truth": m.truth, "mean_estimate": m.mean,
            "bias": m.bias, "coverage": m.coverage, "replicates": m.replicates,
        }
        for m in check.landmarks
    ]  # fmt: skip
    return [{name: row.get(name) for name in COLUMNS["null-check"]} for row in (*sizes, *marks)]


TABLES: dict[str, Callable[[Curves], list[Row]]] = {
    "landmarks": landmarks,
    "groups": groups,
    "quantiles": quantiles,
    "curve": curve,
    "tests": tests,
    "at-risk": at_risk,
    "km-cif-gap": gaps,
    "censoring": endings,
    "late-deaths": late_deaths,
    "scan-gaps": scan_gaps,
    "sensitivity": sensitivity,
    "policies": policies,
    "unresolved": unresolved,
    "null-check": null_check,
    "excluded": excluded,
}
"""The tables by the name that `--table` takes."""

COLUMNS: dict[str, tuple[str, ...]] = {
    "tests": ("name", "groups", "statistic", "df", "p_value", "p_adjusted", "caution"),
    "curve": (
        "group", "time_days", "n_risk", "n_event", "n_competing", "n_censor", "estimate", "std_error", "ci_low",
        "ci_high",
    ),
    "km-cif-gap": ("group", "months", "one_minus_km", "incidence", "difference"),
    "late-deaths": tuple(LateDeaths.__dataclass_fields__),
    "scan-gaps": tuple(ScanGaps.__dataclass_fields__),
    "censoring": tuple(Ending.__dataclass_fields__),
    "policies": ("policy", "group", "events", "months", "n_risk", "estimate", "std_error", "ci_low", "ci_high"),
    "sensitivity": (
        "rule", "group", "events", "competing", "months", "n_risk", "estimate", "std_error", "ci_low", "ci_high",
    ),
    "unresolved": tuple(Unresolved.__dataclass_fields__),
    "null-check": (
        "test", "group", "months", "size", "margin", "truth", "mean_estimate", "bias", "coverage", "replicates",
    ),
    "excluded": ("row", "reason"),
}  # fmt: skip
"""The columns of tables that can be empty."""


def frame(result: Curves, table: str) -> pd.DataFrame:
    """Give one table as a frame, with its columns also where it has no rows."""
    import pandas as pd

    rows = TABLES[table](result)
    return pd.DataFrame(rows, columns=list(COLUMNS[table]) if not rows and table in COLUMNS else None)
