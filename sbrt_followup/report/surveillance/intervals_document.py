"""The JSON of `intervals`, schema_version 1: null where not known, never NaN.

The keys of the contract come first, in the document and in every group, model and phase; the others are added to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...surveillance.cohort_intervals import Intervals
from ...surveillance.group_intervals import GroupIntervals
from ...surveillance.hazard_models import ModelFit, Phase
from ...surveillance.hazards import to_json
from ..curves.curve_document import clean
from . import intervals_tables as tables

SCHEMA_VERSION = 1


def document(result: Intervals, methods: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Give the whole result as one JSON document."""
    grouping, hazards = result.grouping, result.hazards
    body = {
        "schema_version": SCHEMA_VERSION,
        "unit": result.question.unit,
        "groups": [_group(own) for own in result.groups],
        "excluded": tables.excluded(result),
        "endpoint": result.question.endpoint,
        **({"hazards": to_json(hazards)} if hazards.groups else {}),
        "tests": tables.tests(result),
        "sensitivity": tables.sensitivity(result),
        "entry": tables.entry(result),
        "monitor": tables.monitor(result) or None,
        "alarms": tables.alarms(result) or None,
        "cautions": [{"code": c.code, "group": c.group, "message": c.message} for c in result.cautions],
        "grouping": None
        if grouping is None
        else {"by": grouping.name, "basis": grouping.basis or None, "note": grouping.note or None},
        "ci": {"level": result.asked.level},
        "scans_from": result.scans_from,
        "methods": methods,
        "manifest": dict(manifest),
    }
    cleaned = clean(body)
    assert isinstance(cleaned, dict)
    return cleaned


def _group(own: GroupIntervals) -> dict[str, Any]:
    return {
        "group": own.group,
        "n": len(own.observed.seen),
        "events": own.observed.events,
        "chosen": own.chosen,
        "models": [_model(own, fit) for fit in own.fits],
        "why": own.why,
        "loglik_ceiling": own.ceiling,
        "progressions_before_entry": own.observed.before_entry,
        "hazard_upper_95_per_month": own.hazard_upper,
    }


def _model(own: GroupIntervals, fit: ModelFit) -> dict[str, Any]:
    return {
        "model": fit.model,
        "status": fit.status,
        "reason": fit.reason or None,
        "loglik": fit.loglik,
        "aic": fit.aic,
        "phases": [_phase(own, phase) for phase in fit.phases],
        "death_clear_per_month": fit.death_clear,
        "death_after_per_month": fit.death_after,
        "parameters": fit.parameters or None,
        "mortality_after": fit.tied or None,
        "equal_yield_visits_months": list(fit.visits),
        "shape": dict(fit.shape) or None,
    }


def _phase(own: GroupIntervals, phase: Phase) -> dict[str, Any]:
    gap = phase.interval
    return {
        "from_month": phase.from_month,
        "until_month": phase.until_month,
        "events": phase.events,
        "hazard_per_month": phase.hazard,
        "std_error_log": phase.std_error_log,
        "interval_months": {
            "yield_percent": 100 * own.yield_share,
            "estimate": gap.estimate if gap else None,
            "ci_low": gap.ci_low if gap else None,
            "ci_high": gap.ci_high if gap else None,
            "method": gap.method if gap else None,
        },
        "interval_alive_and_scanned_months": phase.interval_with_deaths,
        "hazard_upper_95_per_month": phase.hazard_upper,
    }
