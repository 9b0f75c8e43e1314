"""Why: the full chain for one patient, from facts over conditions and rules to citations, as a value.

Every line says where it comes from. Nothing is computed anew: the same evaluator gives the verdicts.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from ..rulebook.conditions import Facts, Levels, decimal, evaluate
from ..rulebook.explaining import Explanation, Line, Step, verdict_of
from ..rulebook.library import Rulebook
from ..rulebook.model import Document
from ..rulebook.offsets import visit_offsets
from ..rulebook.sins import item_range
from ..sites.facts import SiteFacts
from ..sites.risk import SiteRisk, site_risk
from .patterns import Request, patterns_of
from .visit_words import phase_words

if TYPE_CHECKING:
    import pandas as pd


def explain(frame: pd.DataFrame, visits: pd.DataFrame, request: Request, visit: int | None = None) -> Explanation:
    """Explain one patient's tiers and visits (or one visit); the frames hold that patient only."""
    rulebook = request.rulebook
    risk = site_risk(frame, rulebook)
    steps: list[Step] = []
    for row in range(len(frame)):
        name = f"site {frame['site_id'].iloc[row]}, treated {str(frame['sbrt_date'].iloc[row])[:10]}"
        steps.append(Step(f"Facts of {name}", tuple(_facts(frame, row))))
        total = float(frame["sins"].iloc[row])
        given = None if np.isnan(total) else total
        steps.append(Step(f"SINS of {name}", tuple(_sins(risk.facts, rulebook, row, given))))
        steps.append(Step(f"Risk tier of {name}", tuple(_tier(risk, row))))
        if request.plan.tiered and risk.tier[row] < 0:
            steps.append(Step(f"What the missing facts would change for {name}", tuple(_stakes(risk, request, row))))
    steps.append(Step(f"Plan {request.plan.name}", tuple(_plan(request, risk))))
    steps.append(Step("Visits", tuple(_visits(visits, visit))))
    cited = {key for step in steps for line in step.lines for key in line.cites}
    used: list[Document] = [request.plan, rulebook.risk, rulebook.sins]
    cited |= {c.key for document in used for c in document.citations}
    return Explanation(tuple(steps), tuple(r for r in rulebook.evidence.sources if r.key in cited))


_FACTS = (
    "level", "histology", "fractions", "dose_gy", "lesion_type", "bilsky", "paraspinal", "sins", "sins_pain", "sins_alignment",
    "sins_collapse", "sins_posterolateral",
)  # fmt: skip


def _facts(frame: pd.DataFrame, row: int) -> Iterator[Line]:
    import pandas as pd

    for name in _FACTS:
        cell: Any = frame[name].iloc[row]
        known = cell is not None and not pd.isna(cell)
        shown = f"{cell:g}" if known and isinstance(cell, float) else str(cell)
        yield Line(f"{name}: {shown}" if known else f"{name}: not given, and not filled in")


def _sins(facts: SiteFacts, rulebook: Rulebook, row: int, given: float | None) -> Iterator[Line]:
    low, high = facts.sins_low[row], facts.sins_high[row]
    document = rulebook.sins
    for item in document.items if given is None else ():
        column = facts.facts[item.fact]
        assert isinstance(column, Levels)
        possible = column.possible[row : row + 1]
        several = facts.several_levels[row : row + 1] if item.fact == "level" else np.zeros(1, dtype=bool)
        least, most = item_range(item, possible, several)
        points = f"{least[0]:g} points" if least[0] == most[0] else f"{least[0]:g} to {most[0]:g} points, not given"
        convention = "; several levels, the worst counts" if several[0] else ""
        yield Line(
            f"{item.id}: {points}{convention}", basis=document.several_levels.basis if several[0] else document.basis,
            rule=f"{document.name}#{item.id}", cites=tuple(c.key for c in document.citations), depth=1,
        )  # fmt: skip
    if low == high:
        category = next(c.id for c in document.categories if c.from_ <= low <= c.to)
        source = " (as given)" if given is not None else ""
        yield Line(f"total {low:g}{source}: {category.replace('_', ' ')}", basis=document.basis, rule=document.name)
    else:
        spanned = [c.id.replace("_", " ") for c in document.categories if c.from_ <= high and c.to >= low]
        yield Line(
            f"total between {low:g} and {high:g}: {' or '.join(spanned)}", basis=document.basis, rule=document.name
        )


def _one(facts: Facts, row: int) -> Facts:
    return {name: type(c)(*(getattr(c, f)[row : row + 1] for f in c.__dataclass_fields__)) for name, c in facts.items()}


def _tier(risk: SiteRisk, row: int) -> Iterator[Line]:
    decisions, table = risk.decisions, risk.rulebook.risk
    facts = _one(risk.facts.facts, row)
    features = table.feature_conditions
    case = decisions.case[row]
    for feature in table.features:
        verdict = verdict_of(*evaluate(feature.when, features, facts, 1))
        why = f" – {feature.why}" if feature.why else ""
        yield Line(
            f"{feature.id}: {feature.when}{why}", verdict, feature.basis, f"{table.name}#{feature.id}", feature.cites
        )
    for rule in table.rules:
        verdict = verdict_of(*evaluate(rule.when, features, facts, 1))
        yield Line(f"{rule.id} → {rule.then}: {rule.when}", verdict, rule.basis, f"{table.name}#{rule.id}", rule.cites)
    missing = [f for f, m in zip(decisions.facts, decisions.missing[case], strict=True) if m]
    decisive = [f for f, m in zip(decisions.facts, decisions.decisive[case], strict=True) if m]
    possible = [t for t, can in zip(table.outcomes, decisions.possible[case], strict=True) if can]
    if risk.tier[row] >= 0:
        same = f", the same under every value of {', '.join(missing)}" if missing else ""
        yield Line(f"tier: {table.outcomes[risk.tier[row]]}{same}", basis=table.basis, rule=table.name)
    else:
        yield Line(
            f"tier: not decided; possible: {', '.join(possible)}; supply {', '.join(decisive)}", basis=table.basis
        )
    if risk.robust[row]:
        yield Line(
            "robust: the same tier under every monotone split and every listed cut", basis=table.sensitivity.basis
        )
    else:
        yield Line("not robust to the unpublished split; another tier under:", basis=table.sensitivity.basis)
        for flip in risk.flips[row]:
            yield Line(flip, depth=1)


def _stakes(risk: SiteRisk, request: Request, row: int) -> Iterator[Line]:
    """Say how many visits each still possible tier would mean, beside the plan followed meanwhile."""
    patterns, _ = patterns_of(request, np.array([-1]))
    horizon = request.horizon or request.plan.horizon.value
    decisions = risk.decisions
    now = {v.months for v in visit_offsets(patterns[-1].schedule, horizon)}
    yield Line(
        f"meanwhile {patterns[-1].plan.name}: {len(now)} visits to month {decimal(Fraction(horizon))}",
        rule=patterns[-1].plan.name,
    )
    for tier, can in zip(decisions.table.outcomes, decisions.possible[decisions.case[row]], strict=True):
        schedule = request.plan.schedule_for(tier)
        if can and schedule is not None:
            then = {v.months for v in visit_offsets(schedule, horizon)}
            yield Line(f"{tier}: {len(then)} visits, {len(then ^ now)} visits added, dropped or moved", depth=1)


def _plan(request: Request, risk: SiteRisk) -> Iterator[Line]:
    patterns, pattern = patterns_of(request, risk.tier)
    for number in sorted(set(pattern.tolist())):
        one = patterns[number]
        tiers = "/".join(one.schedule.tiers)
        if one.provisional:
            yield Line(
                f"the tier is not decided: {one.plan.name} is followed meanwhile",
                basis=request.plan.basis,
                rule=request.plan.name,
            )
        for phase in (None, *one.schedule.phases):
            _, rule, basis, text = phase_words(one, phase)
            cites = one.schedule.first.cites if phase is None else phase.cites
            yield Line(f"[{tiers}] {text}", basis=basis, rule=rule, cites=cites)
        for name in ("anchor", "tolerance", "horizon"):
            part: Any = getattr(one.plan, name)
            shown = part.from_.replace("_", " ") if name == "anchor" else f"{decimal(part.value)} {part.unit}"
            yield Line(
                f"{name}: {shown}{' – ' + part.why if part.why else ''}",
                basis=part.basis,
                rule=f"{one.plan.name}#{name}",
            )
        for deviation in one.plan.deviations:
            yield Line(
                f"deviates at {deviation.at}: {deviation.why} (approved by {deviation.approved_by})",
                basis="local",
                rule=one.plan.name,
            )


def _visits(visits: pd.DataFrame, only: int | None) -> Iterator[Line]:
    for line in visits.itertuples():
        if only is not None and str(line.visit) != str(only):
            continue
        number = f"visit {line.visit}" if str(line.visit) != "<NA>" else str(line.phase)
        window = f", window {str(line.earliest)[:10]} to {str(line.latest)[:10]}" if str(line.earliest) != "NaT" else ""
        due = f" due {str(line.due)[:10]}" if str(line.due) != "NaT" else ""
        done = f", MRI {str(line.satisfied_by)[:10]}" if str(line.satisfied_by) != "NaT" else ""
        yield Line(
            f"{number} (site {line.site_ids}){due}{window}{done}: {line.status} – {line.reason}",
            basis=str(line.basis),
            rule=str(line.rule),
        )
