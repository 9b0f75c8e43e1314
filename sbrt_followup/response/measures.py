"""How each MRI differs from the ones before it: references, changes and the facts that criteria ask.

Changes are in percent of the compared value (diameter in mm, area as a ratio), rounded to 9 decimals so that a value on a
threshold compares exactly. A change against nothing is not known; from a size of 0 to any it is without end (infinite).
`first` is the published first scan (where this MRI is the published second one), `previous` is the last
MRI before that has the measurement; `nadir` the smallest before, the baseline included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import NEVER, Flags, Floats, Ints
from ..rulebook.conditions import Interval, Levels, unknown_column
from ..sites.scans import NONE, Scans
from ..tables.columns import IMAGING
from ..vocabulary import FACTS

if TYPE_CHECKING:
    import pandas as pd

DECIMALS = 9
CHANGE_FACT = {"gtv_cc": "gtv_change_percent", "diameter_mm": "diameter_change_mm", "area_mm2": "area_ratio"}
COLUMN_OF = {
    "gtv_change_percent": "gtv_cc",
    "diameter_change_mm": "diameter_mm",
    "area_ratio": "area_mm2",
    "vp_change_percent": "vp",
    "ktrans_change_percent": "ktrans",
    "kep_change_percent": "kep",
    "ve_change_percent": "ve",
    "epidural_change": "bilsky",
    "paraspinal_change": "paraspinal",
    "confinement": "confined_to_vertebra",
    "biopsy_result": "biopsy",
    "pet_result": "pet",
    "earlier_bilsky": "bilsky",
    "gtv_ratio": "gtv_cc",
    "t2_ratio_change_percent": "t2_ratio",
    "omed_change_percent": "omed_mg",
    "pain_baseline": "pain_score",
    "pain_drop_points": "pain_score",
    "pain_drop_percent": "pain_score",
    "intervening_therapy": "intervening_therapy_date",
}
"""The column behind each fact that is worked out from one; a fact that is read has its own name."""

NOT_OF_THE_IMAGE = ("mri_coverage", "pain_score", "omed_mg", "sins_pain")
"""Recorded beside an MRI, not seen on it: alone they are no reading."""

NUMBERS = tuple(s.name for s in IMAGING if s.kind in ("number", "integer"))
LABELS = tuple(s.name for s in IMAGING if s.kind == "choice" and s.name in FACTS)
TEXTS = ("scanner", "protocol_id", "reader")


@dataclass(frozen=True)
class Measured:
    """What the MRIs recorded, one array per column; numbers NaN, labels and texts as codes, -1 where missing."""

    numbers: Mapping[str, Floats]
    labels: Mapping[str, Ints]
    therapy: Ints
    """The last start of another therapy recorded up to each MRI, as a whole day after treatment; NEVER without one."""


def measured(imaging: pd.DataFrame, scans: Scans) -> Measured:
    """Take the columns of the imaging frame in the order of the scans."""
    import pandas as pd

    numbers = {name: imaging[name].to_numpy(dtype=np.float64)[scans.row] for name in NUMBERS}
    labels = {name: imaging[name].cat.codes.to_numpy().astype(np.int64)[scans.row] for name in LABELS}
    for name in TEXTS:
        labels[name] = pd.factorize(imaging[name])[0].astype(np.int64)[scans.row]
    return Measured(numbers, labels, _therapy(imaging, scans))


def _therapy(imaging: pd.DataFrame, scans: Scans) -> Ints:
    """Carry the latest recorded start forward within each site; one before treatment or after the MRI is not meant."""
    day = imaging["intervening_therapy_date"].to_numpy().astype("datetime64[D]").astype(np.int64)[scans.row]
    day = np.where((day > scans.day - scans.since) & (day <= scans.day), day, NEVER)
    latest = np.full(len(day), NEVER, dtype=np.int64)
    for here in scans.turns:
        start = scans.start[here]
        latest[start] = np.maximum(latest[start], day[here])
        day[here] = latest[start]
    return day


@dataclass(frozen=True)
class References:
    """The place of the compared scan of each MRI, per comparison; NONE where there is none."""

    baseline: Ints
    previous: Ints
    nadir: Ints

    def of(self, name: str) -> Ints:
        """Give one comparison's references by name."""
        found: Ints = getattr(self, name)
        return found


def last_known(known: Flags, scans: Scans) -> Ints:
    """Give the place of the last MRI before each with a known value, NONE without one."""
    at = np.where(known, np.arange(len(known)), NONE)
    upto = np.maximum.accumulate(at) if len(at) else at
    before = np.concatenate([[NONE], upto[:-1]]) if len(at) else at
    return np.where(before >= scans.start, before, NONE)


def lowest_known(values: Floats, scans: Scans) -> Ints:
    """Give the place of the lowest value before each MRI (the latest of equal ones), NONE without one."""
    result = np.full(len(values), NONE, dtype=np.int64)
    best = np.full(len(values), np.inf)
    place = np.full(len(values), NONE, dtype=np.int64)
    for here in scans.turns:
        start = scans.start[here]
        result[here] = place[start]
        lower = values[here] <= best[start]
        best[start[lower]] = values[here[lower]]
        place[start[lower]] = here[lower]
    return result


def references(values: Floats, scans: Scans) -> References:
    """Find the scans that each value is compared with."""
    known = ~np.isnan(values)
    has_baseline = scans.baseline[scans.start] & known[scans.start] & ~scans.baseline
    return References(
        np.where(has_baseline, scans.start, NONE),
        np.where(scans.baseline, NONE, last_known(known, scans)),
        np.where(scans.baseline, NONE, lowest_known(values, scans)),
    )


def at(values: Floats, reference: Ints) -> Floats:
    """Give the value of the compared scan of each MRI, NaN without one."""
    if not len(values):
        return values
    result: Floats = np.where(reference >= 0, values[np.maximum(reference, 0)], np.nan)
    return result


def change(measure: str, values: Floats, then: Floats) -> Floats:
    """Give the change of a measure against compared values, NaN where not known, infinite where there was nothing before."""
    if measure == "diameter_mm":
        difference: Floats = np.round(values - then, DECIMALS)
        return difference
    nothing = then == 0
    from_nothing = np.where(values > 0, np.inf, np.where(values == 0, 1.0 if measure == "area_mm2" else 0.0, np.nan))
    if measure == "area_mm2":
        ratio = np.divide(values, then, out=np.full(len(values), np.nan), where=then > 0)
        result: Floats = np.where(nothing, from_nothing, np.round(ratio, DECIMALS))
        return result
    shares: Floats = np.where(nothing, from_nothing, percent(values, then))
    return shares


def percent(values: Floats, then: Floats) -> Floats:
    """Give the change in percent, rounded; NaN against nothing or 0."""
    share = np.divide(values - then, then, out=np.full(len(values), np.nan), where=then > 0)
    rounded: Floats = np.round(share * 100.0, DECIMALS)
    return rounded


def interval(name: str, values: Floats) -> Interval:
    """Give numbers as a column of facts; NaN is any number the fact can be."""
    unknown = unknown_column(FACTS[name], len(values))
    assert isinstance(unknown, Interval)
    missing = np.isnan(values)
    return Interval(np.where(missing, unknown.low, values), np.where(missing, unknown.high, values))


def whole(values: Ints) -> Interval:
    """Give whole numbers as a column of facts."""
    numbers = values.astype(np.float64)
    return Interval(numbers, numbers)


def levels(name: str, codes: Ints) -> Levels:
    """Give codes of a fact's levels as a column of facts; -1 is any level."""
    every = (1 << len(FACTS[name].levels)) - 1
    return Levels(np.where(codes < 0, every, 1 << np.maximum(codes, 0)))


def yes_no(name: str, true: Flags, known: Flags) -> Levels:
    """Give a yes/no fact as a column."""
    return levels(name, np.where(known, true.astype(np.int64), -1))


def label_codes(series: pd.Series[Any]) -> Ints:
    """Give the codes of a categorical column, -1 where missing."""
    return np.asarray(series.cat.codes.to_numpy(), dtype=np.int64)
