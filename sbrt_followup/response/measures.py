"""How each MRI differs from the ones before it: references, changes and the facts that criteria ask.

Changes are in percent of the compared value (diameter in mm, area as a ratio), rounded to 9 decimals so that a value on a
threshold compares exactly. A change against a reference of 0, or against nothing, is not known. `previous` is the last
MRI before that has the measurement; `nadir` the smallest before, the baseline included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Flags, Floats, Ints
from ..rulebook.conditions import Column, Facts, Interval, Levels, unknown_column
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
}
"""The column behind each fact that is worked out from one; a fact that is read has its own name."""

NOT_OF_THE_IMAGE = ("mri_coverage", "pain_score", "omed_mg")
"""Recorded beside an MRI, not seen on it: alone they are no reading."""

NUMBERS = tuple(s.name for s in IMAGING if s.kind == "number")
LABELS = tuple(s.name for s in IMAGING if s.kind == "choice" and s.name in FACTS)
TEXTS = ("scanner", "protocol_id", "reader")


@dataclass(frozen=True)
class Measured:
    """What the MRIs recorded, one array per column; numbers NaN, labels and texts as codes, -1 where missing."""

    numbers: Mapping[str, Floats]
    labels: Mapping[str, Ints]


def measured(imaging: pd.DataFrame, scans: Scans) -> Measured:
    """Take the columns of the imaging frame in the order of the scans."""
    import pandas as pd

    numbers = {name: imaging[name].to_numpy(dtype=np.float64)[scans.row] for name in NUMBERS}
    labels = {name: imaging[name].cat.codes.to_numpy().astype(np.int64)[scans.row] for name in LABELS}
    for name in TEXTS:
        labels[name] = pd.factorize(imaging[name])[0].astype(np.int64)[scans.row]
    return Measured(numbers, labels)


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
    """Give the change of a measure against compared values, NaN where not known."""
    if measure == "diameter_mm":
        difference: Floats = np.round(values - then, DECIMALS)
        return difference
    if measure == "area_mm2":
        ratio: Floats = np.divide(values, then, out=np.full(len(values), np.nan), where=then > 0)
        rounded: Floats = np.round(ratio, DECIMALS)
        return rounded
    return percent(values, then)


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


def scan_facts(frame: pd.DataFrame, scans: Scans, read: Measured, site: Facts) -> dict[str, Column]:
    """Give the facts of each MRI that compare it with those before, and those of its site."""
    facts: dict[str, Column] = {}
    for name, column in site.items():
        facts[name] = (
            Levels(column.possible[scans.site])
            if isinstance(column, Levels)
            else Interval(column.low[scans.site], column.high[scans.site])
        )
    for name in LABELS:
        facts[name] = levels(name, read.labels[name])
    facts["pain_score"] = interval("pain_score", read.numbers["pain_score"])
    facts["days_since_sbrt"] = whole(np.maximum(scans.since, 1))
    facts["scan_number"] = whole(np.maximum(scans.number, 1))
    facts["gtv_baseline_cc"] = interval("gtv_baseline_cc", _at_baseline(read.numbers["gtv_cc"], scans))
    for name in ("vp", "ktrans", "kep", "ve"):
        values = read.numbers[name]
        facts[f"{name}_change_percent"] = interval(
            f"{name}_change_percent", percent(values, _at_baseline(values, scans))
        )
    pain, before = read.numbers["pain_score"], _at_baseline(read.numbers["pain_score"], scans)
    facts["pain_baseline"] = interval("pain_baseline", before)
    facts["pain_drop_points"] = interval("pain_drop_points", np.round(before - pain, DECIMALS))
    facts["pain_drop_percent"] = interval("pain_drop_percent", -percent(pain, before))
    facts["bilsky"], facts["epidural_change"] = _epidural(frame, scans, read)
    facts["paraspinal_change"] = _paraspinal(frame, scans, read)
    for name, column_name in (
        ("scanner", "other_scanner"),
        ("protocol_id", "other_protocol"),
        ("reader", "other_reader"),
    ):
        facts[column_name] = _differs(column_name, read.labels[name], scans)
    return facts


def _at_baseline(values: Floats, scans: Scans) -> Floats:
    return np.where(scans.baseline[scans.start], values[scans.start], np.nan) if len(values) else values


def _with_cohort_baseline(frame: pd.DataFrame, name: str, scans: Scans, codes: Ints) -> Ints:
    """Take the cohort's value where the baseline MRI has none: both are recorded before treatment."""
    of_site = label_codes(frame[name])[scans.site]
    return np.where(scans.baseline & (codes < 0), of_site, codes)


def _lowest_before(codes: Ints, scans: Scans, start: Ints) -> Ints:
    """Give the lowest known code before each MRI, the site's own at first; -1 where none is known."""
    values = np.where(codes < 0, np.nan, codes.astype(np.float64))
    place = lowest_known(values, scans)
    low = np.where(place >= 0, codes[np.maximum(place, 0)], -1)
    return np.where(start < 0, low, np.where(low < 0, start, np.minimum(low, start)))


def _epidural(frame: pd.DataFrame, scans: Scans, read: Measured) -> tuple[Levels, Levels]:
    now = _with_cohort_baseline(frame, "bilsky", scans, read.labels["bilsky"])
    own = label_codes(frame["bilsky"])[scans.site]
    # The baseline MRI outranks the cohort's grade; without one the cohort's grade is the only one before treatment.
    own = np.where(scans.baseline[scans.start], -1, own) if len(now) else own
    then = _lowest_before(now, scans, own)
    order = FACTS["epidural_change"].levels
    kind = np.select(
        [(now < 0) | (then < 0), now < then, now == then, then == 0],
        [-1, order.index("decreased"), order.index("unchanged"), order.index("new")],
        order.index("increased"),
    )
    return levels("bilsky", now), levels("epidural_change", kind)


def _paraspinal(frame: pd.DataFrame, scans: Scans, read: Measured) -> Levels:
    now = _with_cohort_baseline(frame, "paraspinal", scans, read.labels["paraspinal"])
    own = label_codes(frame["paraspinal"])[scans.site]
    own = np.where(scans.baseline[scans.start], -1, own) if len(now) else own
    then = _lowest_before(now, scans, own)
    order = FACTS["paraspinal_change"].levels
    kind = np.select(
        [now < 0, now == 0, then < 0, then == 0],
        [-1, order.index("absent"), -1, order.index("new")],
        order.index("known"),
    )
    return levels("paraspinal_change", kind)


def _differs(name: str, codes: Ints, scans: Scans) -> Levels:
    """Tell whether an MRI was made or read differently than its baseline or the MRI before."""
    if not len(codes):
        return levels(name, codes)
    at = np.where(scans.baseline[scans.start], scans.start, scans.before)
    pairs = [np.where(r >= 0, codes[np.maximum(r, 0)], -1) for r in (at, scans.before)]
    known = [(p >= 0) & (codes >= 0) for p in pairs]
    other = [k & (p != codes) for k, p in zip(known, pairs, strict=True)]
    return yes_no(name, other[0] | other[1], (known[0] & known[1]) | other[0] | other[1])
