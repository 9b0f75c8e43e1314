"""The results of `validate` as tables: one list of rows each, every number kept, nothing rounded."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...surveillance.validated import Validation
from ...surveillance.validation import Number, patients_for_slope, patients_needed
from ...vocabulary import TIERS
from .checklist import checklist

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]
CLOSE, CLOSER = 1.2, 1.1  # factors of O/E for which a sample size is given
SLOPE = 0.2  # limits of the slope, either way


def _named(name: str, number: Number, error: bool = True) -> Row:
    row = {name: number.estimate}
    if error:
        row[f"{name}_std_error"] = number.std_error
    return row | {f"{name}_ci_low": number.ci_low, f"{name}_ci_high": number.ci_high}


def horizons(result: Validation) -> list[Row]:
    """Give one row per horizon: every measure."""
    return [
        {
            "months": h.months,
            "n": h.n,
            "events": h.events,
            "competing": h.competing,
            **_named("auc", h.auc),
            "brier": h.brier,
            "brier_null": h.brier_null,
            "brier_scaled": h.scaled_brier,
            "brier_std_error": h.brier_error,
            **_named("observed", h.observed),
            "expected": h.expected,
            **_named("oe", h.oe, error=False),
            "intercept": h.intercept.estimate,
            "intercept_std_error": h.intercept.std_error,
            "slope": h.slope.estimate,
            "slope_std_error": h.slope.std_error,
            "ici": h.smooth.ici if h.smooth else None,
            "e50": h.smooth.centile(0.5) if h.smooth else None,
            "e90": h.smooth.centile(0.9) if h.smooth else None,
            "wolbers_c": h.wolbers,
            "harrell_c": h.harrell,
            "uno_c": h.uno,
            "risks": h.known or None,
            "refused": h.refused or None,
        }
        for h in result.horizons
    ]


def groups(result: Validation) -> list[Row]:
    """Give observed and foretold risk of each group at each horizon."""
    return [
        {
            "group": g.group,
            "months": h.months,
            "n": g.n,
            "events": g.events,
            "competing": g.competing,
            **_named("observed", g.observed),
            "expected": g.expected,
            **_named("oe", g.oe, error=False),
            "expected_found": g.expected_found,
            **_named("oe_scan_days", g.corrected, error=False),
            "risks": h.known or None,
        }
        for h in result.horizons
        for g in h.groups
    ]


def scan_days(result: Validation) -> list[Row]:
    """Give the correction for the days of scanning."""
    return [
        {
            "months": h.months,
            "found": h.scans.found,
            "expected_found": h.scans.expected_found,
            "oe": h.scans.oe,
            "oe_ci_low": h.scans.ci_low,
            "oe_ci_high": h.scans.ci_high,
            "naive_oe": h.oe.estimate,
            "naive_oe_if_perfect": h.naive_oe_if_perfect,
            "auc": h.auc.estimate,
            "auc_if_perfect": h.scans.auc_if_perfect,
            "auc_if_perfect_by_onset": h.true_auc,
        }
        for h in result.horizons
        if h.scans is not None
    ]


def between(result: Validation) -> list[Row]:
    """Give the risk by onset that the MRIs allow, if nobody died, beside the foretold one."""
    return [
        {"group": b.group, "months": b.months, "lowest": b.lowest, "highest": b.highest, "foretold": b.foretold}
        for b in result.between
    ]


def net_benefit(result: Validation) -> list[Row]:
    """Give the decision curve."""
    return [
        {
            "months": h.months,
            "threshold": b.threshold,
            "harm_to_benefit": b.threshold / (1 - b.threshold),
            "model": b.model,
            "all": b.all,
            "none": 0.0,
        }
        for h in result.horizons
        for b in h.benefit
    ]


def calibration(result: Validation) -> list[Row]:
    """Give the smooth calibration curve."""
    return [
        {"months": h.months, "foretold": r, "observed": o, "ci_low": low, "ci_high": high}
        for h in result.horizons
        if h.smooth is not None
        for r, o, low, high in zip(
            *(x.tolist() for x in (h.smooth.risk, h.smooth.observed, h.smooth.ci_low, h.smooth.ci_high)), strict=True
        )
    ]


def published(result: Validation) -> list[Row]:
    """Give published incidences of the same endpoint beside the cohort's own."""
    rows = []
    for p in result.published:
        at = next((h for h in result.horizons if h.months == p.months and not h.refused), None)
        own = None
        if at is not None:
            tier = next((g.observed for g in at.groups if g.group == p.of), None)
            own = tier if p.of in TIERS else at.observed
        rows.append(
            {
                "of": p.of,
                "months": p.months,
                "published": p.risk,
                "key": p.key,
                "observed": own.estimate if own else None,
                "ci_low": own.ci_low if own else None,
                "ci_high": own.ci_high if own else None,
            }
        )
    return rows


def sample_size(result: Validation) -> list[Row]:
    """Give the patients for which O/E would be known to within 20 % and 10 %."""
    return [
        {
            "months": h.months,
            "observed": h.observed.estimate,
            "n": h.n,
            "events": h.events,
            "for_20_percent": patients_needed(h.observed.estimate, CLOSE, result.asked.level),
            "for_10_percent": patients_needed(h.observed.estimate, CLOSER, result.asked.level),
            "for_slope_20_points": patients_for_slope(h, SLOPE, result.asked.level),
        }
        for h in result.horizons
        if not h.refused
    ]


def tripod(result: Validation) -> list[Row]:
    """Give the TRIPOD+AI checklist, filled in as far as the program knows."""
    return [{"item": e.item, "asks": e.asks, "answer": e.answer or None} for e in checklist(result)]


def excluded(result: Validation) -> list[Row]:
    """Give the rows left out."""
    return [{"row": e.row, "reason": e.reason} for e in result.excluded]


TABLES: dict[str, Callable[[Validation], list[Row]]] = {
    "horizons": horizons,
    "groups": groups,
    "scan-days": scan_days,
    "between-mris": between,
    "net-benefit": net_benefit,
    "calibration": calibration,
    "published": published,
    "sample-size": sample_size,
    "tripod": tripod,
    "excluded": excluded,
}


def frame(result: Validation, table: str) -> pd.DataFrame:
    """Give one table as a frame."""
    import pandas as pd

    rows = TABLES[table](result)
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=["months"])
