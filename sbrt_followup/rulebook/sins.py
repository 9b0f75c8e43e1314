"""The SINS document applied to columns of facts: the range of totals each site could have, and its category."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..arrays import Flags
from ..vocabulary import FACTS
from .conditions import Facts, Levels
from .model import Item, SinsScore

Points = npt.NDArray[np.float64]


def item_range(item: Item, possible: npt.NDArray[np.int64], together: Flags) -> tuple[Points, Points]:
    """Give the least and most points of one item, given the possible levels.

    Where `together` is true the levels are all part of the site (several vertebrae), so the worst one counts.
    """
    levels = FACTS[item.fact].levels
    points = np.zeros(len(levels))
    for score in item.scores:
        for label in score.any_of:
            points[levels.index(label)] = score.points
    values, codes = np.unique(possible, return_inverse=True)
    sets = [points[[i for i in range(len(levels)) if int(bits) >> i & 1]] for bits in values]
    least = np.array([s.min() for s in sets])[codes]
    most = np.array([s.max() for s in sets])[codes]
    return np.where(together, most, least), most


def total_range(sins: SinsScore, facts: Facts, together: Flags) -> tuple[Points, Points]:
    """Give the least and most total of each site; a component nobody supplied can be anything."""
    rows = len(together)
    low, high = np.zeros(rows), np.zeros(rows)
    none_together = np.zeros(rows, dtype=bool)
    for item in sins.items:
        column = facts.get(item.fact)
        every = (1 << len(FACTS[item.fact].levels)) - 1
        possible = column.possible if isinstance(column, Levels) else np.full(rows, every, dtype=np.int64)
        item_low, item_high = item_range(item, possible, together if item.fact == "level" else none_together)
        low += item_low
        high += item_high
    return low, high


def categories(sins: SinsScore, low: Points, high: Points) -> npt.NDArray[np.int64]:
    """Give the index of the category that holds the whole range, -1 where it spans several."""
    starts = np.array([c.from_ for c in sins.categories])
    first = np.searchsorted(starts, low, side="right") - 1
    last = np.searchsorted(starts, high, side="right") - 1
    return np.where(first == last, first, -1)
