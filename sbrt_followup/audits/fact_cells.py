"""Cells of a fact space as patients: the smallest one that shows a defect.

Smallest: fewest facts named, mildest values first. A fact that is not named may have any value, or be unknown.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from ..arrays import Flags
from ..rulebook.deciding import Axis, FactSpace


def short_number(low: float, high: float) -> str:
    """Give the shortest number inside a closed range, the smallest of those."""
    if math.isinf(low) and math.isinf(high):
        return "0"
    for places in range(9):
        step = 10.0**places
        value = math.floor(high * step) / step if math.isinf(low) else math.ceil(low * step) / step
        if low <= value <= high:
            return f"{value:.{places}f}" if places else f"{value:.0f}"
    return f"{low if not math.isinf(low) else high:g}"


def member(axis: Axis, cell: int) -> str:
    """Name a cell of an axis by its mildest member."""
    if axis.level_bits:
        bits = axis.level_bits[cell]
        return next(label for i, label in enumerate(axis.fact.levels) if bits >> i & 1)
    return short_number(*axis.ranges[cell])


def patient(space: FactSpace, cell: int) -> dict[str, str]:
    """Name every fact of a cell."""
    return {a.fact.name: member(a, int(space.coordinates[cell, k])) for k, a in enumerate(space.axes)}


def smallest(space: FactSpace, bad: Flags) -> dict[str, str]:
    """Give the smallest patient all of whose cells are bad; `bad` has one flag a cell, at least one of them set."""
    shape = tuple(len(a) for a in space.axes)
    cube = bad.reshape(shape)
    every = range(len(shape))
    for count in range(len(shape) + 1):
        for named in itertools.combinations(every, count):
            rest = tuple(k for k in every if k not in named)
            whole = cube.all(axis=rest) if rest else cube
            if not whole.any():
                continue
            at = np.argwhere(whole)[0] if count else np.zeros(0, dtype=np.int64)
            return {space.axes[k].fact.name: member(space.axes[k], int(i)) for k, i in zip(named, at, strict=True)}
    return {}
