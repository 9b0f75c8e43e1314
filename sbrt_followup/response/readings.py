"""What each MRI says on its own day: sizes against earlier scans, signs, growth, state; columnar over all MRIs.

Each document is asked once the facts it names are known; what it gives is a fact for the next one (see `sequence`). Sizes
are held against several scans and the highest counts. A criterion whose facts were not recorded is listed as such and
weighs nothing. Nothing here looks at a later MRI.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..arrays import Flags, Floats, Ints
from ..rulebook.conditions import Column, Levels
from ..rulebook.criteria import Criterion
from ..rulebook.deciding import Decisions, decide
from ..rulebook.library import Rulebook
from ..sites.facts import SiteFacts, site_facts
from ..sites.scans import NONE, Scans, gather
from ..sites.windows import Windows, windows_of
from ..vocabulary import COMPARISONS, FACTS, SIZE_SIGNS, STATES
from .answers import Answer, Criteria, ask, criteria_of, facts_of, highest, take
from .measures import (
    CHANGE_FACT,
    COLUMN_OF,
    NOT_OF_THE_IMAGE,
    Measured,
    References,
    at,
    change,
    interval,
    measured,
    references,
    yes_no,
)
from .scan_facts import scan_facts
from .scan_order import first_scan, pair_codes, scan_order
from .sequence import SIZES, WEIGHING, in_order

if TYPE_CHECKING:
    import pandas as pd

NO, YES, NOT_KNOWN = 0, 1, -1
STATE = {name: i for i, name in enumerate(STATES)}
CURRENT = ("baseline", "first", "previous", "nadir")


@dataclass(frozen=True)
class Sized:
    """One measure against one comparison: the change and what its document says of it."""

    comparison: str
    values: Floats
    """The change, per asked row (`answer.rows`)."""
    pair: Ints
    """The published pair of scans, per MRI."""
    answer: Answer
    sign: Levels
    """What it says of the size, per asked row."""


@dataclass
class Readings:
    """Every MRI's reading; arrays run over `scans`."""

    rulebook: Rulebook
    criteria: Criteria
    frame: pd.DataFrame
    scans: Scans
    read: Measured
    site: SiteFacts
    windows: Windows
    imaging: pd.DataFrame
    """The imaging frame that was read."""
    facts: dict[str, Column]
    references: Mapping[str, References]
    sized: list[Sized] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    """Per document id, sizes excepted."""
    disagree: Flags = field(default_factory=lambda: np.zeros(0, dtype=bool))
    """One measure or comparison shows growth and another a decrease from baseline."""
    confinement_disagrees: Flags = field(default_factory=lambda: np.zeros(0, dtype=bool))
    """Growth inside the bone was recorded together with new paraspinal disease."""

    @property
    def called(self) -> Ints:
        """The state on the day of each MRI, its place in STATES."""
        answer = self.answers[self.criteria.once["state"].id]
        names = np.array([STATE[o] for o in answer.criterion.outcomes], dtype=np.int64)
        state = answer.values(names, STATE["indeterminate"])
        state = np.where(self.has_finding, state, STATE["not_read"])
        return np.where(self.scans.baseline, STATE["baseline"], state)

    @cached_property
    def findings(self) -> tuple[str, ...]:
        """The columns of the imaging table that are a reading: those that the profile's documents ask for."""
        asked = {COLUMN_OF.get(f, f) for c in self.criteria.all for f in facts_of(c)}
        asked |= {c.measure for c in self.criteria.sizes if c.measure}
        known = [n for n in (*self.read.numbers, *self.read.labels) if n in asked and n not in NOT_OF_THE_IMAGE]
        return tuple(known)

    @cached_property
    def has_finding(self) -> Flags:
        """The MRI has a reading: at least one finding that the profile's documents ask for was recorded."""
        result = np.zeros(len(self.scans), dtype=bool)
        for name in self.findings:
            values = self.read.numbers.get(name)
            result |= self.read.labels[name] >= 0 if values is None else ~np.isnan(values)
        return result

    def answer(self, role: str) -> Answer:
        """Give the answer of the one criterion with a role."""
        return self.answers[self.criteria.once[role].id]  # type: ignore[index]

    def imaging_columns(self, places: Ints, kept: Sequence[str]) -> pd.DataFrame:
        """Give the rows of the imaging frame behind some MRIs, all but the kept columns empty; the site is named."""
        rows = self.imaging.iloc[self.scans.row[places]].reset_index(drop=True)
        empty = rows.iloc[:0].reindex(range(len(rows)))
        site = self.frame["site_id"].to_numpy()[self.scans.site[places]]
        return empty.assign(**{name: rows[name] for name in kept}).astype(rows.dtypes.to_dict()).assign(site_id=site)

    def seen_undecided(self, alert: Answer) -> Flags:
        """Tell the MRIs on which an alert's finding, the document's first fact, was seen and its urgency is not decided."""
        d = alert.decisions
        seen: Flags = (d.case_outcome < 0) & ~d.missing[:, 0]
        return seen[d.case] & ~self.scans.baseline

    @property
    def urgent(self) -> Ints:
        """YES, NO, or NOT_KNOWN per MRI: any alert, all alerts clear, or not all recorded."""
        yes = np.zeros(len(self.scans), dtype=bool)
        clear = np.ones(len(self.scans), dtype=bool)
        for c in self.criteria.alerts:
            flag = np.array([c.meaning(i).urgent for i in range(len(c.outcomes))], dtype=np.int64)
            value = self.answers[c.id].values(flag, NOT_KNOWN)
            yes |= value == YES
            clear &= value == NO
        return np.where(self.scans.baseline, NO, np.where(yes, YES, np.where(clear, NO, NOT_KNOWN)))


def read(frame: pd.DataFrame, imaging: pd.DataFrame, rulebook: Rulebook, as_of: int) -> Readings:
    """Read every MRI up to a day against the rulebook."""
    criteria = criteria_of(rulebook)
    scans = gather(frame, imaging, as_of)
    taken = measured(imaging, scans)
    site = site_facts(frame, rulebook.sins)
    windows = windows_of(rulebook, site.facts, len(frame))
    facts = scan_facts(frame, scans, taken, site, rulebook.sins)
    refs: dict[str, References] = {
        c.measure: references(taken.numbers[c.measure], scans) for c in criteria.sizes if c.measure
    }
    reading = Readings(rulebook, criteria, frame, scans, taken, site, windows, imaging, facts, refs)
    before = np.where(scans.before >= 0, scans.since[np.maximum(scans.before, 0)], np.iinfo(np.int32).min)
    # Without any MRI before, growth seen now may have begun at any time: the window counts as just past.
    facts["window_place"] = windows.places(scans.site, scans.since, before)
    _at_hand(reading)
    for step in in_order(criteria):
        if step.name == SIZES:
            _sizes(reading)
        elif step.name == WEIGHING:
            _weigh(reading)
        else:
            _ask(reading, step.criterion)
    return reading


def _ask(reading: Readings, c: Criterion | None) -> None:
    """Ask one criterion of every MRI, and keep the fact it gives."""
    assert c is not None
    n = len(reading.scans)
    if c.role == "scan_order":
        answer = scan_order(c, reading.facts, reading.scans, np.ones(n, dtype=bool))
    else:
        answer = ask(c, reading.facts, None, n)
    reading.answers[c.id] = answer
    if c.gives and c.role != "state":
        reading.facts[c.gives] = answer.given


def _at_hand(reading: Readings) -> None:
    """Turn what may be missing into facts that say so; new paraspinal disease is growth beyond the bone."""
    facts = reading.facts
    confinement = _said("confinement", facts["confined_to_vertebra"], ("beyond", "bone_only"), "not_recorded")
    order = FACTS["paraspinal_change"].levels
    paraspinal = facts["paraspinal_change"]
    assert isinstance(paraspinal, Levels)
    beyond = paraspinal.possible == 1 << order.index("new")
    place = FACTS["confinement"].levels
    reading.confinement_disagrees = beyond & (confinement.possible == 1 << place.index("bone_only"))
    facts["confinement"] = Levels(np.where(beyond, 1 << place.index("beyond"), confinement.possible))
    facts["biopsy_result"] = _said("biopsy_result", facts["biopsy"], ("negative", "positive"), "none")
    facts["pet_result"] = _said("pet_result", facts["pet"], ("negative", "positive"), "none")


def _said(name: str, column: Column, known: tuple[str, str], missing: str) -> Levels:
    """Turn a label that may be missing into a fact that says so: not recorded is a level of its own."""
    assert isinstance(column, Levels)
    order = FACTS[name].levels
    bits = column.possible
    code = np.where(bits == 1, order.index(known[0]), order.index(known[1]))
    return Levels(1 << np.where((bits & (bits - 1)) != 0, order.index(missing), code))


def held_against(
    c: Criterion, comparison: str, now: Floats, then: Floats, pair: Ints, size: Column
) -> tuple[Floats, Decisions]:
    """Hold a measure against the compared values; rows without a change have no say (NaN)."""
    assert c.measure is not None
    values = change(c.measure, now, then)
    facts: dict[str, Column] = {
        CHANGE_FACT[c.measure]: interval(CHANGE_FACT[c.measure], values),
        "scan_pair": Levels(1 << pair),
        "compared_with": Levels(np.full(len(now), 1 << COMPARISONS.index(comparison), dtype=np.int64)),
        "gtv_baseline_cc": size,
    }
    return values, decide(c, facts, len(now))


def _sizes(reading: Readings) -> None:
    scans = reading.scans
    n = len(scans)
    found: list[Levels] = []
    grown, shrunk = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    above = np.zeros(n, dtype=bool)
    for c in reading.criteria.sizes:
        assert c.measure is not None
        refs, numbers = reading.references[c.measure], reading.read.numbers[c.measure]
        order = scan_order(reading.criteria.once["scan_order"], reading.facts, scans, ~np.isnan(numbers))
        first = first_scan(order, scans)
        for comparison in c.compare:
            if comparison.to not in CURRENT:
                continue
            reference = _compared(refs, comparison.to, first)
            rows = ((reference >= 0) & ~np.isnan(change(c.measure, numbers, at(numbers, reference)))).nonzero()[0]
            pair = pair_codes(comparison.to, reference, order)
            values, decisions = held_against(
                c, comparison.to, numbers[rows], numbers[reference[rows]], pair[rows],
                take(reading.facts, "gtv_baseline_cc", rows),
            )  # fmt: skip
            answer = Answer(c, decisions, rows, n)
            sized = Sized(
                comparison.to,
                values,
                pair,
                answer,
                _growth_only(answer.given) if comparison.growth_only else answer.given,
            )
            reading.sized.append(sized)
            bits = np.ones(n, dtype=np.int64)  # not_measured
            bits[rows] = sized.sign.possible
            found.append(Levels(bits))
            grown |= bits >= 1 << SIZE_SIGNS.index("equivocal_growth")
            if comparison.to == "baseline":
                shrunk |= bits == 1 << SIZE_SIGNS.index("decreased")
                least = 1 << SIZE_SIGNS.index("equivocal_growth")
                above |= (bits & -bits) >= least
    reading.facts["size_sign"] = highest(found, n)
    reading.disagree = grown & shrunk
    reading.facts["above_baseline"] = yes_no("above_baseline", above, np.ones(n, dtype=bool))


def _compared(refs: References, comparison: str, first: Ints) -> Ints:
    """Give the compared scan of each MRI; the same scan under another name is compared once."""
    if comparison == "first":
        return first
    reference = refs.of(comparison)
    if comparison in ("previous", "nadir"):
        reference = np.where((reference == refs.baseline) | (reference == first), NONE, reference)
    if comparison == "nadir":
        reference = np.where(reference == refs.previous, NONE, reference)
    return reference


def _growth_only(sign: Levels) -> Levels:
    """Read a decrease as no growth: against a later scan it says nothing about response."""
    smaller, same = (1 << SIZE_SIGNS.index(n) for n in ("decreased", "unchanged"))
    return Levels(np.where((sign.possible & smaller) != 0, sign.possible & ~smaller | same, sign.possible))


def sign_values(c: Criterion) -> tuple[Ints, Ints]:
    """Give +1, -1 or 0 per outcome (supports, opposes, neither), and whether it weighs."""
    sign = {"supports": 1, "opposes": -1}
    meanings = [c.meaning(i) for i in range(len(c.outcomes))]
    return (
        np.array([sign.get(m.sign, 0) for m in meanings], dtype=np.int64),
        np.array([m.weighs and m.sign in sign for m in meanings], dtype=np.int64),
    )


def _weigh(reading: Readings) -> None:
    """Sum up the signs that weigh, and those that weigh even where growth is clear."""
    n = len(reading.scans)
    supports, opposes, firm = np.zeros(n, dtype=bool), reading.disagree.copy(), reading.disagree.copy()
    for c in reading.criteria.signs:
        answer = reading.answers[c.id]
        sign, weighs = sign_values(c)
        gives_way = np.array([c.meaning(i).yields for i in range(len(c.outcomes))], dtype=np.int64)
        value = answer.values(sign * weighs, 0)
        supports |= value > 0
        opposes |= value < 0
        firm |= (value < 0) & (answer.values(gives_way, 1) == 0)
    order = FACTS["soft_signs"].levels
    code = np.select(
        [supports & opposes, supports, opposes], [order.index("both"), order.index("for"), order.index("against")]
    )
    reading.facts["soft_signs"] = Levels(1 << code.astype(np.int64))
    reading.facts["firm_opposition"] = yes_no("firm_opposition", firm, np.ones(n, dtype=bool))
