"""The facts of each MRI that criteria ask: those read on it, those of its site, and how it compares with the MRIs before.

An item of the SINS that an MRI records outranks that of the cohort table; a new or progressive fracture is a collapse at
least. The baseline MRI outranks the cohort's grade of epidural disease; without one the cohort's grade is the only one
before treatment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..arrays import NEVER, Floats, Ints
from ..rulebook.conditions import Column, Interval, Levels
from ..rulebook.model import SinsScore
from ..rulebook.sins import item_range, total_range
from ..sites.facts import SiteFacts
from ..sites.scans import NONE, Scans
from ..vocabulary import COLLAPSED, FACTS
from .measures import (
    DECIMALS,
    LABELS,
    Measured,
    interval,
    label_codes,
    last_known,
    levels,
    lowest_known,
    percent,
    whole,
    yes_no,
)

if TYPE_CHECKING:
    import pandas as pd

SINS_ITEMS = ("sins_pain", "sins_alignment", "sins_collapse", "sins_posterolateral")


def scan_facts(
    frame: pd.DataFrame, scans: Scans, read: Measured, site: SiteFacts, score: SinsScore
) -> dict[str, Column]:
    """Give the facts of each MRI that compare it with those before, and those of its site."""
    facts: dict[str, Column] = {}
    for name, column in site.facts.items():
        facts[name] = _of_site(column, scans)
    for name in LABELS:
        if name not in SINS_ITEMS:
            facts[name] = levels(name, read.labels[name])
    facts |= _sins(scans, read, site, score)
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
    facts["omed_change_percent"] = interval("omed_change_percent", _omed_change(read.numbers["omed_mg"], scans))
    ratio = read.numbers["t2_ratio"]
    facts["t2_ratio_change_percent"] = interval("t2_ratio_change_percent", percent(ratio, _at_baseline(ratio, scans)))
    facts["gtv_ratio"] = interval("gtv_ratio", _gtv_ratio(read.numbers["gtv_cc"], scans))
    facts["baseline_age_days"] = interval("baseline_age_days", _baseline_age(scans))
    facts["intervening_therapy"] = yes_no("intervening_therapy", read.therapy != NEVER, np.ones(len(scans), dtype=bool))
    for name, column_name in (("hardware", "hardware_recorded"), ("mri_contraindication", "mri_contraindicated")):
        facts[column_name] = _or_not_recorded(column_name, facts[name])
    facts["bilsky"], facts["epidural_change"], facts["earlier_bilsky"] = _epidural(frame, scans, read)
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


def _omed_change(values: Floats, scans: Scans) -> Floats:
    """Give the change of the daily dose in percent; from none to any it is without end."""
    then = _at_baseline(values, scans)
    from_none = np.where(values > 0, np.inf, np.where(values == 0, 0.0, np.nan))
    return np.where(then == 0, from_none, percent(values, then))


def _gtv_ratio(values: Floats, scans: Scans) -> Floats:
    """Give the volume against the last one before it, the baseline included; NaN without one."""
    before = last_known(~np.isnan(values), scans)
    then = np.where(before == NONE, np.nan, values[np.maximum(before, 0)]) if len(values) else values
    result: Floats = np.divide(values, then, out=np.full(len(values), np.nan), where=then > 0)
    return np.round(result, DECIMALS)


def _baseline_age(scans: Scans) -> Floats:
    """Give the days from the baseline MRI of each MRI's site to time zero; NaN without a baseline."""
    if not len(scans):
        return np.zeros(0)
    return np.where(scans.baseline[scans.start], -scans.since[scans.start].astype(np.float64), np.nan)


def _or_not_recorded(name: str, column: Column) -> Levels:
    """Turn a yes/no that may be missing into a fact that says so: `no`, `yes`, `not_recorded`."""
    assert isinstance(column, Levels)
    order = FACTS[name].levels
    code = np.select([column.possible == 1, column.possible == 2], [order.index("no"), order.index("yes")], -1)
    return Levels(1 << np.where(code < 0, order.index("not_recorded"), code))


def _sins(scans: Scans, read: Measured, site: SiteFacts, score: SinsScore) -> dict[str, Column]:
    """Give the SINS and its items as they are on each MRI: what it recorded, else the site's; a fracture is a collapse."""
    here: dict[str, Column] = {}
    recorded = np.zeros(len(scans), dtype=bool)
    for name in SINS_ITEMS:
        own, then = levels(name, read.labels[name]).possible, site.facts[name]
        assert isinstance(then, Levels)
        known = read.labels[name] >= 0
        recorded |= known
        here[name] = Levels(np.where(known, own, then.possible[scans.site]))
    order = FACTS["sins_collapse"].levels
    then = here["sins_collapse"]
    assert isinstance(then, Levels)
    broken = (read.labels["vcf"] >= FACTS["vcf"].levels.index("progressive")) & (read.labels["sins_collapse"] < 0)
    collapsed = sum(1 << order.index(name) for name in COLLAPSED)
    lowest = then.possible & -then.possible
    after = np.where(broken, collapsed & ~(lowest - 1), then.possible)
    here["sins_collapse"] = Levels(after)
    low, high = total_range(
        score,
        {**here, **{n: _of_site(site.facts[n], scans) for n in ("level", "lesion_type")}},
        site.several_levels[scans.site],
    )
    given = site.facts["sins"]
    assert isinstance(given, Interval)
    total_low, total_high = given.low[scans.site], given.high[scans.site]
    # A total given without its items moves by what the collapse can have added.
    item = next(i for i in score.items if i.fact == "sins_collapse")
    apart = np.zeros(len(scans), dtype=bool)
    now_low, now_high = item_range(item, after, apart)
    then_low, then_high = item_range(item, then.possible, apart)
    top = float(FACTS["sins"].high or 0)
    total_low = np.where(broken, total_low + np.maximum(now_low - then_high, 0), total_low)
    total_high = np.where(broken, np.minimum(total_high + now_high - then_low, top), total_high)
    own_total = read.numbers["sins"]
    known = ~np.isnan(own_total)
    low = np.where(known, own_total, np.where(recorded, low, np.maximum(low, total_low)))
    high = np.where(known, own_total, np.where(recorded, high, np.minimum(high, total_high)))
    here["sins"] = Interval(np.minimum(low, high), np.maximum(low, high))
    return here


def _of_site(column: Column, scans: Scans) -> Column:
    if isinstance(column, Levels):
        return Levels(column.possible[scans.site])
    return Interval(column.low[scans.site], column.high[scans.site])


def _epidural(frame: pd.DataFrame, scans: Scans, read: Measured) -> tuple[Levels, Levels, Levels]:
    """Give the grade, how it compares with the lowest before, and whether there is one before."""
    now = _with_cohort_baseline(frame, "bilsky", scans, read.labels["bilsky"])
    own = label_codes(frame["bilsky"])[scans.site]
    own = np.where(scans.baseline[scans.start], -1, own) if len(now) else own
    then = _lowest_before(now, scans, own)
    order = FACTS["epidural_change"].levels
    kind = np.select(
        [(now < 0) | (then < 0), now < then, now == then, then == 0],
        [-1, order.index("decreased"), order.index("unchanged"), order.index("new")],
        order.index("increased"),
    )
    change = levels("epidural_change", kind)
    # No epidural disease now is none that is new, whatever was there before.
    clear = 1 << order.index("decreased") | 1 << order.index("unchanged")
    change = Levels(np.where((now == 0) & (then < 0), clear, change.possible))
    return levels("bilsky", now), change, yes_no("earlier_bilsky", then >= 0, np.ones(len(now), dtype=bool))


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
