"""The JSON of `validate`, schema_version 1: null where not known, never NaN.

The keys of the contract come first; `groups`, `calibration_curve`, `scan_day_details`, `between_mris`, `published`, `sample_size`,
`checklist`, `cautions`, `grouping`, `risks`, `apparent` and `methods` are added to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...surveillance.validated import Validation
from ...surveillance.validation import Horizon, Number
from ..curves.curve_document import clean
from . import validation_tables as tables

SCHEMA_VERSION = 1


def document(result: Validation, methods: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Give the whole result as one JSON document."""
    grouping = result.grouping
    body = {
        "schema_version": SCHEMA_VERSION,
        "endpoint": result.question.endpoint,
        "unit": result.question.unit,
        "score": result.model.name,
        "horizons": [_horizon(h) for h in result.horizons],
        "excluded": tables.excluded(result),
        "groups": tables.groups(result),
        "calibration_curve": tables.calibration(result),
        "scan_day_details": tables.scan_days(result),
        "between_mris": tables.between(result),
        "published": tables.published(result),
        "sample_size": tables.sample_size(result),
        "checklist": tables.tripod(result),
        "cautions": [{"code": c.code, "group": c.group, "message": c.message} for c in result.cautions],
        "grouping": None if grouping is None else {"by": grouping.name, "basis": grouping.basis or None, "note": grouping.note or None},
        "risks": [{"months": m, "known": k, "source": result.model.source or None} for m, k in result.model.known.items()],
        "apparent": result.asked.apparent,
        "ci": {"level": result.asked.level},
        "methods": methods,
        "manifest": dict(manifest),
    }  # fmt: skip
    cleaned = clean(body)
    assert isinstance(cleaned, dict)
    return cleaned


def _horizon(h: Horizon) -> dict[str, Any]:
    scans = h.scans
    return {
        "months": h.months,
        "n": h.n,
        "events": h.events,
        "competing": h.competing,
        "auc": _number(h.auc),
        "brier": {
            "model": h.brier,
            "null": h.brier_null,
            "scaled": h.scaled_brier,
            "std_error": h.brier_error,
        },
        "observed": {"estimate": h.observed.estimate, "std_error": h.observed.std_error},
        "expected": h.expected,
        "oe": {"estimate": h.oe.estimate, "ci_low": h.oe.ci_low, "ci_high": h.oe.ci_high},
        "calibration": {
            "intercept": {"estimate": h.intercept.estimate, "std_error": h.intercept.std_error},
            "slope": {"estimate": h.slope.estimate, "std_error": h.slope.std_error},
        },
        "c_index": {"wolbers": h.wolbers, "harrell_cause_specific": h.harrell, "uno_cause_specific": h.uno},
        "net_benefit": [{"threshold": b.threshold, "model": b.model, "all": b.all} for b in h.benefit],
        "scan_days": {
            "found": scans.found if scans else None,
            "expected_found": scans.expected_found if scans else None,
            "oe": scans.oe if scans else None,
            "naive_oe_if_perfect": h.naive_oe_if_perfect,
        },
    }


def _number(number: Number) -> dict[str, float]:
    return {
        "estimate": number.estimate,
        "std_error": number.std_error,
        "ci_low": number.ci_low,
        "ci_high": number.ci_high,
    }
