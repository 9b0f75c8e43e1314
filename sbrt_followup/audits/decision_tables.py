"""Proofs about decision tables, over every cell of their fact space: complete, without dead rules, monotone.

Overlaps are refused when a document is read. Unknowns need no proof of their own: a row with unknown facts is the set of
cells it could be, so what holds of every cell holds of every row.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..arrays import Flags
from ..problems import Source
from ..rulebook.conditions import Count
from ..rulebook.deciding import NO_MATCH, Answers, answers
from ..rulebook.model import DecisionTable, RiskTable
from .fact_cells import patient, smallest
from .findings import Finding, found

# Facts of which more is worse, whatever the table; levels run from mild to worse by the vocabulary.
WORSE_UPWARDS = (
    "bilsky", "paraspinal", "sins", "sins_pain", "sins_alignment", "sins_collapse", "sins_posterolateral", "lesion_type",
    "gtv_change_percent", "diameter_change_mm", "area_ratio", "size_sign", "neuro_decline", "vcf",
    "new_spine_metastasis",
)  # fmt: skip
ORDERED_ROLES = ("size", "alert")


def audit_table(table: DecisionTable) -> Iterator[Finding]:
    """Give every finding about one decision table."""
    known = answers(table, whole=True)
    yield from _incomplete(table, known)
    yield from _dead(table, known)
    yield from _idle(table, known)
    if isinstance(table, RiskTable) or getattr(table, "role", "") in ORDERED_ROLES:
        yield from _not_monotone(table, known)
    if isinstance(table, RiskTable):
        unpublished = [r for r in table.rules if r.basis != "published"]
        if unpublished:
            yield found(
                "unpublished-split", table,
                f"{len(unpublished)} of {len(table.rules)} rules that split patients into tiers are not published",
                unpublished[0].source, {"rule": unpublished[0].id},
            )  # fmt: skip


def _incomplete(table: DecisionTable, known: Answers) -> Iterator[Finding]:
    holes = known.outcome == NO_MATCH
    if holes.any():
        share = f"{int(holes.sum())} of {known.space.size} cells"
        yield found(
            "incomplete-table", table, f"no rule hits and there is no 'otherwise' for {share}", None,
            smallest(known.space, holes),
        )  # fmt: skip


def _dead(table: DecisionTable, known: Answers) -> Iterator[Finding]:
    for number, rule in enumerate(table.rules):
        if not known.hit[:, number].any():
            yield found("dead-rule", table, f"the rule '{rule.id}' hits no patient", rule.source, {"rule": rule.id})
    reached_otherwise = known.rule == len(table.rules)
    if table.otherwise in table.outcomes and table.otherwise == "none" and reached_otherwise.any():
        yield found(
            "ambiguous-otherwise", table, "an outcome is called 'none', so otherwise: none gives it instead of nothing",
            None, smallest(known.space, reached_otherwise),
        )  # fmt: skip
    elif table.otherwise in table.outcomes and table.otherwise != "none" and not reached_otherwise.any():
        yield found("dead-otherwise", table, "'otherwise' is never reached: the rules cover every patient")
    reached = {table.outcomes[i] for i in np.unique(known.outcome) if i >= 0}
    for outcome in table.outcomes:
        if outcome not in reached:
            yield found("dead-outcome", table, f"no patient gets the outcome '{outcome}'", None, {"outcome": outcome})


def _idle(table: DecisionTable, known: Answers) -> Iterator[Finding]:
    """Find facts and features that change nothing."""
    shape = tuple(len(a) for a in known.space.axes)
    cube = known.outcome.reshape(shape)
    for k, axis in enumerate(known.space.axes):
        if (cube == cube.take([0], axis=k)).all():
            yield found(
                "idle-fact", table, f"'{axis.fact.name}' is asked for, yet no outcome depends on it", None,
                {"fact": axis.fact.name},
            )  # fmt: skip
    counted = {name for rule in table.rules for part in rule.when.parts if isinstance(part, Count) for name in part.of}
    for feature in table.features:
        if feature.id not in counted:
            yield found(
                "idle-feature", table, f"no rule counts the feature '{feature.id}'", feature.source,
                {"feature": feature.id},
            )  # fmt: skip


def falls(known: Answers, axis: int) -> Flags:
    """Find the cells whose next worse neighbour along an axis has a milder outcome."""
    shape = tuple(len(a) for a in known.space.axes)
    cube = known.outcome.reshape(shape)
    here, worse = cube.take(range(shape[axis] - 1), axis=axis), cube.take(range(1, shape[axis]), axis=axis)
    lower = (worse < here) & (worse >= 0) & (here >= 0)
    last = np.zeros_like(cube.take([0], axis=axis), dtype=bool)
    return np.concatenate([lower, last], axis=axis).reshape(-1)


def _not_monotone(table: DecisionTable, known: Answers) -> Iterator[Finding]:
    for k, axis in enumerate(known.space.axes):
        if axis.fact.name not in WORSE_UPWARDS:
            continue
        fall = falls(known, k)
        if not fall.any():
            continue
        cell = int(fall.argmax())
        stride = int(np.prod([len(a) for a in known.space.axes[k + 1 :]], dtype=np.int64))
        mild, worse = patient(known.space, cell), patient(known.space, cell + stride)
        name = axis.fact.name
        tiers = [table.outcomes[int(known.outcome[c])] for c in (cell, cell + stride)]
        yield found(
            "tier-not-monotone", table,
            f"{name} {mild[name]} gives '{tiers[0]}', the worse {name} {worse[name]} gives '{tiers[1]}'",
            _place(table, known, cell + stride), worse,
        )  # fmt: skip


def _place(table: DecisionTable, known: Answers, cell: int) -> Source:
    rule = int(known.rule[cell])
    return table.rules[rule].source if rule < len(table.rules) else table.source
