"""The size at which a document would speak of growth, found in the document itself: no second copy of a threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Flags, Floats
from ..rulebook.conditions import Facts
from ..rulebook.criteria import Criterion
from ..rulebook.deciding import answers, cover
from ..vocabulary import FACTS
from .measures import CHANGE_FACT

SIGN_OF_UNIT = {"percent": "%"}


@dataclass(frozen=True)
class Thresholds:
    """Per row, the smallest change that counts as growth: its range over what is not known, NaN where none does."""

    criterion: Criterion
    low: Floats
    high: Floats
    above: Flags
    """The threshold itself does not count (`above`, not `at_least`)."""

    def texts(self) -> list[str]:
        """Each row's threshold in words."""
        assert self.criterion.measure is not None
        unit = FACTS[CHANGE_FACT[self.criterion.measure]].unit
        shown = f" {SIGN_OF_UNIT.get(unit, unit)}" if unit else "-fold"
        rows: dict[tuple[float, float, bool], str] = {}
        result = []
        for key in zip(self.low.tolist(), self.high.tolist(), self.above.tolist(), strict=True):
            if key not in rows:
                low, high, above = key
                known = low == high
                span = f"{low:g}{shown}" if known else f"{low:g} to {high:g}{shown} (depends on what is not recorded)"
                rows[key] = "" if np.isnan(low) else f"{'>' if above else '≥'} {span}"
            result.append(rows[key])
        return result


def growth_thresholds(criterion: Criterion, facts: Facts, rows: int) -> Thresholds:
    """Find each row's growth threshold; `facts` holds everything the document asks but the change."""
    assert criterion.measure is not None
    known = answers(criterion)
    space = known.space
    name = CHANGE_FACT[criterion.measure]
    k = next(i for i, one in enumerate(space.axes) if one.fact.name == name)
    grows = np.array([criterion.meaning(i).sign == "supports" for i in range(len(criterion.outcomes))])
    counts = (known.outcome >= 0) & grows[np.maximum(known.outcome, 0)]
    starts = np.array([low for low, _ in space.axes[k].ranges])
    start = starts[space.coordinates[:, k]]
    # All else fixed, the first change that counts: a line of cells along the change's axis.
    shape = tuple(len(a) for a in space.axes)
    first = np.where(counts, start, np.inf).reshape(shape).min(axis=k)
    covered = cover(space, {n: c for n, c in facts.items() if n != name}, rows)
    cases = len(covered.allowed)
    lines = covered.allowed.reshape((cases, *shape)).any(axis=k + 1).reshape(cases, first.size)
    flat = np.where(np.isinf(first.reshape(-1)), np.nan, first.reshape(-1))
    low = np.full(len(lines), np.nan)
    high = np.full(len(lines), np.nan)
    for case, allowed in enumerate(lines):
        values = flat[allowed]
        if not np.isnan(values).all():
            low[case], high[case] = np.nanmin(values), np.nanmax(values)
    # A cell that begins just above a round number stands for `above` that number.
    rounded = np.round(low, 9)
    above = low > rounded
    return Thresholds(criterion, rounded[covered.case], np.round(high, 9)[covered.case], above[covered.case])
