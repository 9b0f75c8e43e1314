"""The JSON of `curves`, schema_version 1: null where not reached or not estimable, never NaN.

The keys of the contract come first; `cautions`, `at_risk`, `km_cif_gap`, `censoring`, `late_deaths`, `scan_gaps`,
`death_within_days`, `sensitivity`, `policy`, `policies`, `policy_curves`, `unresolved`, `null_check`, `grouping` and `methods` are added to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...estimators.comparisons import Comparison
from ...estimators.survival import Estimate
from ...outcomes.analysis import Analysis, GroupResult
from ...outcomes.curves import Curves
from ...timing import analysis_days
from ..tabular import json_value
from . import curve_tables
from .methods import null_check_sentence

SCHEMA_VERSION = 1


def document(result: Curves, methods: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Give the whole result as one JSON document."""
    analysis = result.analysis
    method = analysis.method
    question = analysis.study.question
    body = {
        "schema_version": SCHEMA_VERSION,
        "endpoint": question.endpoint,
        "estimator": method.estimator,
        "unit": question.unit,
        "ci": {"level": method.level, "type": method.ci_type},
        "groups": _groups(result),
        "tests": [_test(t, analysis) for t in analysis.tests],
        "excluded": curve_tables.excluded(result),
        "cautions": [{"code": c.code, "group": c.group, "message": c.message} for c in result.cautions],
        "at_risk": curve_tables.at_risk(result),
        "km_cif_gap": curve_tables.gaps(result),
        "censoring": curve_tables.endings(result),
        "late_deaths": curve_tables.late_deaths(result),
        "scan_gaps": curve_tables.scan_gaps(result),
        "death_within_days": question.death_within_days,
        "sensitivity": curve_tables.sensitivity(result),
        "policy": result.policy or None,
        "policies": curve_tables.policies(result),
        "policy_curves": [
            {"policy": name, "group": g.label, "curve": curve_tables.intervals(g) or curve_tables.steps(g)}
            for name, other in result.others
            for g in other.groups
        ],
        "unresolved": curve_tables.unresolved(result),
        "null_check": _null_check(result),
        "grouping": _grouping(result),
        "methods": methods,
        "manifest": dict(manifest),
    }
    cleaned = clean(body)
    assert isinstance(cleaned, dict)
    return cleaned


def clean(value: Any) -> Any:
    """Make a nested value fit for JSON: NaN and infinity are null, whole months and days are integers."""
    if isinstance(value, Mapping):
        return {key: clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return json_value(value)


def _null_check(result: Curves) -> dict[str, Any] | None:
    check = result.null_check
    if check is None:
        return None
    return {
        "replicates": check.replicates,
        "seed": check.seed,
        "scans_from": check.scans_from,
        "frailty": check.frailty,
        "tests": [
            {"name": t.name, "size": t.size, "margin": t.margin, "replicates": t.replicates} for t in check.tests
        ],
        "landmarks": [
            {
                "group": m.group,
                "months": m.months,
                "truth": m.truth,
                "mean_estimate": m.mean,
                "bias": m.bias,
                "coverage": m.coverage,
                "replicates": m.replicates,
            }
            for m in check.landmarks
        ],
        "sentence": null_check_sentence(result),
    }


def _grouping(result: Curves) -> dict[str, Any] | None:
    if result.grouping is None:
        by = result.prepared and result.prepared.by
        return {"by": by, "basis": None, "note": None} if by else None
    return {"by": result.grouping.name, "basis": result.grouping.basis or None, "note": result.grouping.note or None}


def _groups(result: Curves) -> list[dict[str, Any]]:
    return [_group(g, result.analysis) for g in result.analysis.groups]


def _group(group: GroupResult, analysis: Analysis) -> dict[str, Any]:
    counts, tau = group.counts, analysis.method.tau_months
    mean, lost = group.restricted_mean, group.restricted_loss
    body: dict[str, Any] = {
        "group": group.label,
        "n": counts.n,
        "events": counts.events,
        "competing": counts.competing,
        "censored": counts.censored,
        "curve": curve_tables.intervals(group) or curve_tables.steps(group),
        "landmarks": [
            {
                "months": mark.months,
                "n_risk": mark.n_risk,
                "estimate": mark.estimate,
                "std_error": mark.std_error,
                "ci_low": mark.ci_low,
                "ci_high": mark.ci_high,
                **_bounds(group, mark.months),
            }
            for mark in group.landmarks
        ],
        "median_days": _with_limits(group.median),
        "quantiles_days": [
            {"share": share, **_with_limits(number)}
            for share, number in zip(analysis.method.quantiles, group.quantiles, strict=True)
        ],
        "rmst_days": {"tau_months": tau, "estimate": mean.estimate, "std_error": mean.std_error},
        "followup_median_days": _with_limits(group.follow_up),
    }
    if analysis.method.estimator == "cif":
        body["time_lost_days"] = {"tau_months": tau, "estimate": lost.estimate, "std_error": lost.std_error}
    if group.fit is not None:
        fit = group.fit.npmle
        body["loglik"] = fit.loglik
        body["certificate"] = {"kkt_gap": fit.kkt_gap, "iterations": fit.iterations}
    return body


def _bounds(group: GroupResult, months: float) -> dict[str, float]:
    if group.fit is None:
        return {}
    low, high = group.fit.bounds(analysis_days(months))
    return {"surv_low": low, "surv_high": high}


def _with_limits(number: Estimate) -> dict[str, float]:
    return {"estimate": number.estimate, "ci_low": number.ci_low, "ci_high": number.ci_high}


def _test(test: Comparison, analysis: Analysis) -> dict[str, Any]:
    return {
        "name": test.name,
        "groups": list(test.groups) if test.groups else "all",
        "statistic": test.statistic,
        "df": test.df,
        "p_value": test.p_value,
        "p_adjusted": test.p_adjusted,
        "caution": None if analysis.printable(test) else "a group has fewer than 20 patients",
    }
