"""The words for endpoints, estimators and tests in tables, figures and the methods paragraph."""

from __future__ import annotations

FREE_OF = {
    "progression": "Free of spine progression",
    "local_progression": "Free of local progression",
    "death": "Overall survival",
    "progression_or_death": "Progression-free survival",
    "vcf": "Free of vertebral compression fracture",
}
EVENT = {
    "progression": "spine progression",
    "local_progression": "local progression",
    "death": "death",
    "progression_or_death": "progression or death",
    "vcf": "vertebral compression fracture",
}
TEST = {
    "logrank": "log-rank test",
    "logrank_trend": "log-rank test for trend",
    "fleming_harrington": "Fleming–Harrington test",
    "gray": "Gray's test",
    "gray_competing": "Gray's test for the competing event",
    "interval_score": "interval-censored score test",
    "interval_trend": "interval-censored test for trend",
}
ESTIMATOR = {
    "km": "Kaplan–Meier",
    "cif": "cumulative incidence with death competing (Aalen–Johansen)",
    "turnbull": "interval-censored maximum likelihood (Turnbull)",
}


def curve_name(estimator: str, endpoint: str) -> str:
    """Name what a curve shows."""
    return f"Cumulative incidence of {EVENT[endpoint]}" if estimator == "cif" else FREE_OF[endpoint]


def p_text(p_value: float) -> str:
    """Write a p-value as journals print it."""
    if p_value < 0.001:
        return "p < 0.001"
    digits = 3 if p_value < 0.1 else 2
    return f"p = {p_value:.{digits}f}"


def months(value: float) -> str:
    """Write a number of months without trailing zeros."""
    return f"{value:g}"
