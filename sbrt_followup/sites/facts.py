"""A typed cohort frame → columns of facts. Nothing missing is filled in: an empty cell leaves every value possible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..arrays import Flags
from ..rulebook.conditions import Column, Facts, Interval, Levels, unknown_column
from ..rulebook.model import SinsScore
from ..rulebook.sins import total_range
from ..tables.columns import COHORT
from ..tables.spine_levels import spine_range
from ..vocabulary import FACTS, SPINE_LEVELS

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class SiteFacts:
    """The facts of each treated site, with the range its SINS could have."""

    facts: Facts
    sins_low: npt.NDArray[np.float64]
    sins_high: npt.NDArray[np.float64]
    several_levels: Flags
    disagrees: Flags
    """The given SINS total lies outside what its components allow."""


def level_column(texts: pd.Series[Any]) -> tuple[Levels, Flags]:
    """Give the levels of each site as bits, and where they are several."""
    import pandas as pd

    codes, distinct = pd.factorize(texts)
    every = (1 << len(SPINE_LEVELS)) - 1
    # The last entry is what a missing level, code -1, could be.
    bits, several = [every] * (len(distinct) + 1), [False] * (len(distinct) + 1)
    for code, text in enumerate(distinct):
        span = spine_range(str(text))
        if span is not None:
            bits[code] = sum(1 << i for i in range(span[0], span[1] + 1))
            several[code] = span[1] > span[0]
    return Levels(np.array(bits, dtype=np.int64)[codes]), np.array(several, dtype=bool)[codes]


def column_of(frame: pd.DataFrame, name: str) -> Column:
    """Give one declared column as a column of facts."""
    fact = FACTS[name]
    unknown = unknown_column(fact, len(frame))
    series = frame[name]
    if isinstance(unknown, Levels):
        codes = series.cat.codes.to_numpy().astype(np.int64)
        return Levels(np.where(codes < 0, unknown.possible, 1 << np.maximum(codes, 0)))
    values = series.to_numpy(dtype=np.float64)
    missing = np.isnan(values)
    return Interval(np.where(missing, unknown.low, values), np.where(missing, unknown.high, values))


def site_facts(frame: pd.DataFrame, sins: SinsScore) -> SiteFacts:
    """Give the facts of each row of a cohort frame."""
    declared = [spec.name for spec in COHORT if spec.name in FACTS and spec.name not in ("level", "sins")]
    facts: dict[str, Column] = {name: column_of(frame, name) for name in declared if name in frame}
    facts["level"], several = level_column(frame["level"])
    low, high = total_range(sins, facts, several)
    given = frame["sins"].to_numpy(dtype=np.float64)
    known = ~np.isnan(given)
    disagrees = known & ((given < low) | (given > high))
    low, high = np.where(known, given, low), np.where(known, given, high)
    facts["sins"] = Interval(low, high)
    return SiteFacts(facts, low, high, several, disagrees)
