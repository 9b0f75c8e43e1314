"""The results of `policy` as tables: one list of rows each, every number kept, nothing rounded."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...surveillance.compared import Compared
from ...surveillance.detection import Detection, Mixed
from ...surveillance.plan_comparison import Scored

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]
NINETY = 0.9


def _measures(given: Mixed, within: tuple[float, ...]) -> Row:
    found = given.total("found")
    rows: Row = {
        "mris_per_patient": given.total("mris"),
        "mris_per_patient_year": given.mris_per_year,
        "found": found,
        "yield_per_mri": found / given.total("mris") if given.total("mris") else None,
        "mris_per_found": given.mris_per_found,
        "mean_delay_months": given.mean_delay,
        "delay_90th_centile_months": given.delay_centile(NINETY),
        **{f"found_within_{m:g}_months": float(given.share_found_within(m)[0]) for m in within},
        "undetected_months": given.total("undetected_months"),
        "undetected_months_to_horizon": given.total("undetected_to_horizon"),
        "died_undetected": given.total("died_undetected"),
        "died_undetected_to_horizon": given.total("died_to_horizon"),
        "onsets": given.total("onsets"),
    }
    return rows


def plans(result: Compared) -> list[Row]:
    """Give one row per schedule, over all groups."""
    return [_plan(s, result) for s in result.scored]


def _plan(scored: Scored, result: Compared) -> Row:
    row = {
        "plan": scored.candidate.name,
        "kind": scored.candidate.origin,
        **_measures(scored.given, result.asked.within),
        "weighted_undetected_months": scored.undetected,
        "hazards": " and ".join(result.hazards.known),
    }
    alarms = scored.alarms
    if alarms is not None:
        found = scored.given.total("found")
        later = alarms.delay_months / found if found else 0.0
        row |= {
            "false_alarms_per_site": alarms.seen,
            "false_alarms_equivocal_per_site": alarms.shielded,
            "confirming_mris": alarms.confirming_mris,
            "mean_delay_with_confirming_months": scored.given.mean_delay + later,
        }
    for name, spread in scored.spread.items():
        row |= {f"{name}_ci_low": spread.low, f"{name}_ci_high": spread.high}
    return row


def groups(result: Compared) -> list[Row]:
    """Give one row per schedule and group."""
    return [
        {
            "plan": s.candidate.name,
            "kind": s.candidate.origin,
            "group": group,
            "share": share,
            **_measures(Mixed((1.0,), (part,)), result.asked.within),
        }
        for s in result.scored
        for group, share, part in zip(result.setting.groups, result.setting.shares, s.given.parts, strict=True)
    ]


def visits(result: Compared) -> list[Row]:
    """Give every visit of every schedule, with what is done and found there."""
    return [
        {
            "plan": s.candidate.name,
            "group": group,
            "visit": k,
            "month": month,
            "done": done,
            "found": found,
            "yield": found / done if done else None,
        }
        for s in result.scored
        for group, part in zip(result.setting.groups, s.given.parts, strict=True)
        for k, month, done, found in _visits(part)
    ]


def _visits(part: Detection) -> list[tuple[int, float, float, float]]:
    columns = zip(part.visits.tolist(), part.done.tolist(), part.found_at.tolist(), strict=True)
    return [(k, *row) for k, row in enumerate(columns, 1)]


def hazards(result: Compared) -> list[Row]:
    """Give the hazards everything rests on."""
    rows = []
    for own in result.hazards.groups:
        rates = own.rates
        ends = [*rates.from_months[1:], None]
        for k, (begin, end, rate) in enumerate(zip(rates.from_months, ends, rates.progression, strict=True)):
            rows.append(
                {
                    "group": own.group,
                    "share": dict(zip(result.setting.groups, result.setting.shares, strict=True)).get(own.group, 0.0),
                    "from_month": begin,
                    "until_month": end,
                    "hazard_per_month": rate,
                    "std_error_log": own.std_error_log[k] if own.std_error_log else None,
                    "death_clear_per_month": rates.death_clear,
                    "death_after_per_month": rates.after,
                    "known": own.known,
                    "source": own.source,
                }
            )
    return rows


def chosen(result: Compared) -> list[Row]:
    """Give the phases of the best plan in whole weeks."""
    rows = []
    for group, plan in result.chosen.items():
        begin = plan.first
        for number, stretch in enumerate(plan.stretches, 1):
            rows.append(
                {
                    "group": group,
                    "phase": number,
                    "first_mri_week": plan.first,
                    "from_week": begin,
                    "until_week": stretch.until,
                    "every_weeks": stretch.every,
                    "mris": plan.mris,
                    "undetected_months": plan.undetected,
                }
            )
            begin = stretch.until if stretch.until is not None else begin
    return rows


def frontier(result: Compared) -> list[Row]:
    """Give the frontier of each family of schedules."""
    return [
        {"kind": origin, "mris_per_patient": mris, "weighted_undetected_months": months, "mean_delay_months": delay}
        for origin, points in result.frontier.items()
        for mris, months, delay in points
    ]


TABLES: dict[str, Callable[[Compared], list[Row]]] = {
    "plans": plans,
    "groups": groups,
    "visits": visits,
    "hazards": hazards,
    "best": chosen,
    "frontier": frontier,
}


def frame(result: Compared, table: str) -> pd.DataFrame:
    """Give one table as a frame."""
    import pandas as pd

    rows = TABLES[table](result)
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=["plan"])


def document(result: Compared, methods: str, manifest: dict[str, Any]) -> dict[str, Any]:
    """Give the whole result as one JSON document (schema_version 1): null where not known, never NaN."""
    from ..curves.curve_document import clean

    body = {
        "schema_version": 1,
        "endpoint": result.hazards.endpoint,
        "unit": result.hazards.unit,
        "horizon_months": result.setting.horizon,
        "sensitivity": result.setting.sensitivity,
        "budget_mris": result.budget,
        "mix": {"shares": dict(result.mix.shares), "source": result.mix.source, "known": result.mix.known},
        "weights": dict(zip(result.setting.groups, result.setting.weights, strict=True)),
        "plans": plans(result),
        "groups": groups(result),
        "visits": visits(result),
        "hazards": hazards(result),
        "best": chosen(result),
        "simplicity_cost": result.simplicity_cost,
        "frontier": frontier(result),
        "limits": {"level": result.asked.level, "draws": result.drawn, "gaps_weeks": list(result.gaps)},
        "stop": {
            "hazard_per_month": result.stop_hazard,
            "groups": [{"group": g.group, "from_month": g.stop_from} for g in result.groups],
        },
        "cautions": [{"code": c.code, "group": c.group, "message": c.message} for c in result.cautions],
        "methods": methods,
        "manifest": manifest,
    }
    cleaned = clean(body)
    assert isinstance(cleaned, dict)
    return cleaned
