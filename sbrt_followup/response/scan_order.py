"""Which MRIs are the published first and second scan: those nearest to the days a document names, whatever other MRIs there are.

What can be said on an MRI's own day counts: it is the published scan as long as none before it lies nearer to the day
(on a tie the earlier stays).
"""

from __future__ import annotations

import numpy as np

from ..arrays import Flags, Ints
from ..rulebook.conditions import Facts
from ..rulebook.criteria import Criterion
from ..sites.scans import NONE, Scans
from ..vocabulary import FACTS
from .answers import Answer, ask
from .measures import last_known, yes_no

NAMES = FACTS["scan_order"].levels
PAIRS = FACTS["scan_pair"].levels
WITH_BASELINE = {"first": "baseline_first", "second": "baseline_second"}


def scan_order(criterion: Criterion, facts: Facts, scans: Scans, counts: Flags) -> Answer:
    """Ask which published scan each MRI is; only MRIs that count can be one (those with the measure that is compared)."""
    could = ask(
        criterion, {**facts, "nearest_so_far": yes_no("nearest_so_far", counts, counts | True)}, None, len(scans)
    )
    nearest = np.zeros(len(scans), dtype=bool)
    for i in range(len(criterion.outcomes)):
        day = criterion.meaning(i).nearest_to
        if day is None:
            continue
        own = (could.outcome == i) & ~scans.baseline & counts
        far = np.abs(scans.since - float(day.value))
        best = np.full(len(scans), np.inf)
        for here in scans.turns:
            start = scans.start[here]
            nearer = own[here] & (far[here] < best[start])
            nearest[here[nearer]] = True
            best[start[nearer]] = far[here[nearer]]
    known = yes_no("nearest_so_far", nearest, np.ones(len(scans), dtype=bool))
    return ask(criterion, {**facts, "nearest_so_far": known}, None, len(scans))


def first_scan(order: Answer, scans: Scans) -> Ints:
    """Give, for MRIs that are the published second scan, the place of the first one before them; NONE elsewhere."""
    codes = order.codes(NAMES)
    first = np.where(scans.baseline, False, codes == NAMES.index("first"))
    before = last_known(first, scans)
    return np.where((codes == NAMES.index("second")) & ~scans.baseline, before, NONE)


def pair_codes(comparison: str, reference: Ints, order: Answer) -> Ints:
    """Give the published pair of scans that each comparison is, `other` for all the rest."""
    codes, other = order.codes(NAMES), PAIRS.index("other")
    if comparison == "first":
        return np.where(reference >= 0, PAIRS.index("first_second"), other)
    if comparison != "baseline":
        return np.full(len(reference), other, dtype=np.int64)
    first, second = (np.where(codes == NAMES.index(n), PAIRS.index(WITH_BASELINE[n]), other) for n in WITH_BASELINE)
    return np.where(first != other, first, second)
