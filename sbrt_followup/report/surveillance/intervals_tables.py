"""The results of `intervals` as tables: one list of rows each, every number kept, nothing rounded."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ...surveillance.cohort_intervals import Intervals
from ...surveillance.group_intervals import GroupIntervals

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]


def intervals(result: Intervals) -> list[Row]:
    """Give one row per group and phase of its chosen model; one without numbers where there is none."""
    rows: list[Row] = []
    for own in result.groups:
        fit = own.fit
        head = {"group": own.group, "n": len(own.observed.seen), "group_events": own.observed.events}
        if fit is None:
            rows.append(
                {
                    **head,
                    "model": None,
                    "yield_percent": 100 * own.yield_share,
                    "hazard_upper_95": own.hazard_upper,
                    "why": own.why,
                }
            )
            continue
        for place, phase in enumerate(fit.phases):
            gap, rounded = phase.interval, own.rounded[place]
            rows.append(
                {
                    **head,
                    "model": fit.model,
                    "from_month": phase.from_month,
                    "until_month": phase.until_month,
                    "events": phase.events,
                    "hazard_per_month": phase.hazard,
                    "std_error_log": phase.std_error_log,
                    "yield_percent": 100 * own.yield_share,
                    "interval_months": gap.estimate if gap else None,
                    "ci_low": gap.ci_low if gap else None,
                    "ci_high": gap.ci_high if gap else None,
                    "method": gap.method if gap else None,
                    "interval_alive_and_scanned": phase.interval_with_deaths,
                    "hazard_upper_95": phase.hazard_upper,
                    "months_rounded": rounded.months if rounded else None,
                    "yield_percent_at_months": 100 * rounded.yield_at_months if rounded else None,
                    "weeks_rounded": rounded.weeks if rounded else None,
                    "yield_percent_at_weeks": 100 * rounded.yield_at_weeks if rounded else None,
                    "death_clear_per_month": fit.death_clear,
                    "death_after_per_month": fit.death_after,
                    "why": own.why,
                }
            )  # fmt: skip
    return rows


def models(result: Intervals) -> list[Row]:
    """Give one row per group and model: likelihood beside that of the nonparametric curve, AIC, or why it was refused."""
    return [
        {
            "group": own.group,
            "model": fit.model,
            "chosen": fit.model == own.chosen,
            "status": fit.status,
            "reason": fit.reason or None,
            "events": own.observed.events,
            "parameters": fit.parameters or None,
            "loglik": fit.loglik,
            "loglik_ceiling": None if fit.death_clear is not None else own.ceiling,
            "aic": fit.aic,
            "break_month": fit.starts[1] if len(fit.starts) > 1 and not fit.visits else None,
            "interval_months": ";".join(f"{p.interval.estimate:.4f}" for p in fit.phases if p.interval) or None,
        }
        for own in result.groups
        for fit in own.fits
    ]


def visits(result: Intervals) -> list[Row]:
    """Give the months of MRIs of equal yield, of every fitted model without one interval and of the chosen one."""
    rows = []
    for own in result.groups:
        for fit in own.fits:
            months = fit.visits or (_phased_visits(own) if fit.model == own.chosen else ())
            rows += [
                {"group": own.group, "model": fit.model, "visit": k, "month": m, "yield_percent": 100 * own.yield_share}
                for k, m in enumerate(months, 1)
            ]
    return rows


def _phased_visits(own: GroupIntervals) -> tuple[float, ...]:
    """Give the months of MRIs of equal yield under phases, up to the last progression found."""
    from ...surveillance.hazards import Rates
    from ...surveillance.yields import equal_yield_visits

    fit = own.fit
    data = own.observed.seen
    if fit is None or not data.found.any():
        return ()
    rates = Rates((0.0, *fit.starts[1:]), tuple(fit.hazards.tolist()))
    last = float(data.right[data.found].max())
    begin = float(data.entry.min())
    return tuple(equal_yield_visits(own.yield_share, rates.cumulative, rates.reached, begin, last).tolist())


def tests(result: Intervals) -> list[Row]:
    """Give each group's test of a break and of unlike patients."""
    return [
        {
            "group": own.group,
            "break_likelihood_ratio": own.test.ratio if own.test else None,
            "break_p_value": own.test.p_value if own.test and own.test.simulations else None,
            "break_simulations": own.test.simulations if own.test else None,
            "break_ci_low": own.break_limits[0] if own.break_limits else None,
            "break_ci_high": own.break_limits[1] if own.break_limits else None,
            "frailty_variance": own.frailty.variance if own.frailty else None,
            "frailty_likelihood_ratio": own.frailty.ratio if own.frailty else None,
            "frailty_p_value": own.frailty.p_value if own.frailty else None,
            "design_effect": own.design_effect,
            "lifelines_difference": max((c.difference for c in own.checks), default=None),
        }
        for own in result.groups
    ]


def sensitivity(result: Intervals) -> list[Row]:
    """Give the chosen model's intervals under other mortality after progression, the fitted one first."""
    rows: list[Row] = []
    for own in result.groups:
        fit = own.fit
        if fit is None or not own.sensitivity or not fit.death_clear:
            continue
        fitted = [p.interval.estimate if p.interval else None for p in fit.phases]
        rows += _phases(own, "fitted", (fit.death_after or 0.0) / fit.death_clear, fit.hazards.tolist(), fitted)
        for other in own.sensitivity:
            rows += _phases(own, "assumed", other.factor, other.hazards, other.intervals)
    return rows


def _phases(own: GroupIntervals, known: str, factor: float, hazards: Any, gaps: Any) -> list[Row]:
    fit = own.fit
    assert fit is not None
    return [
        {"group": own.group, "mortality_after": known, "times_that_before": factor, "from_month": p.from_month,
         "hazard_per_month": h, "interval_months": gap}
        for p, h, gap in zip(fit.phases, hazards, gaps, strict=True)
    ]  # fmt: skip


def entry(result: Intervals) -> list[Row]:
    """Give a constant hazard of all, of the selected and of the selected from entry on, with what lies before entry."""
    return [
        {"group": own.group, "people": v.people, "n": v.n, "events": v.events, "hazard_per_month": v.hazard,
         "interval_months": v.interval, "progressions_before_entry": own.observed.before_entry}
        for own in result.groups for v in own.variants
    ]  # fmt: skip


def curve(result: Intervals) -> list[Row]:
    """Give the nonparametric cumulative hazard by group: where its mass may lie, and the cumulative hazard after it."""
    rows = []
    for own in result.groups:
        if own.curve is None:
            continue
        for left, right, mass, surv in zip(
            own.curve.left_days, own.curve.right_days, own.curve.mass, own.curve.surv_low, strict=True
        ):
            if np.isfinite(right):
                total = float(-np.log(surv)) if surv > 0 else None
                rows.append(
                    {
                        "group": own.group,
                        "from_month": left,
                        "until_month": right,
                        "mass": mass,
                        "cumulative_hazard": total,
                    }
                )
    return rows


def monitor(result: Intervals) -> list[Row]:
    """Give what MRIs of patients clear before found by group and year, against what was expected; year empty: all."""
    watched = result.monitored
    return [
        {"group": y.group, "year": y.year, "mris": y.mris, "found": y.found, "expected": y.expected, "oe": y.oe, "oe_ci_low": y.ci_low,
         "oe_ci_high": y.ci_high, "power_if_doubled": y.power_doubled}
        for y in (watched.years if watched else ())
    ]  # fmt: skip


def alarms(result: Intervals) -> list[Row]:
    """Give the alarm of each group for a doubled hazard: how high it rose, its limit, the first day over it."""
    watched = result.monitored
    return [
        {"group": a.group, "highest": a.highest, "limit": a.limit, "first_alarm": a.first_alarm, "mris_to_false_alarm": a.run_length}
        for a in (watched.alarms if watched else ())
    ]  # fmt: skip


def excluded(result: Intervals) -> list[Row]:
    """Give every row left out, with the reason."""
    return [{"row": e.row, "reason": e.reason} for e in result.excluded]


TABLES: dict[str, Callable[[Intervals], list[Row]]] = {
    "intervals": intervals, "models": models, "visits": visits, "tests": tests, "sensitivity": sensitivity, "entry": entry,
    "curve": curve, "monitor": monitor, "alarms": alarms, "excluded": excluded,
}  # fmt: skip


def frame(result: Intervals, table: str) -> pd.DataFrame:
    """Give one table as a frame."""
    import pandas as pd

    return pd.DataFrame(TABLES[table](result))
