"""What a tier would be under every split the unpublished model could have: enumerated, not guessed.

A split maps the features (each present or not) onto all three tiers and is monotone: one more adverse feature never
lowers the tier. It is combined with every cut the document lists. Monotone and paraspinal as recorded are assumptions.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from ..arrays import Flags
from ..vocabulary import FACTS
from .conditions import Condition, Facts, Test, evaluate
from .deciding import Cover, FactSpace, answers, cover, decide, fact_space
from .model import RiskTable

# Four features have 7 581 monotone maps onto three tiers, five have 7 828 354.
MOST_FEATURES = 4


@dataclass(frozen=True)
class Variant:
    """The document's own split with one cut moved: which, and the tier of every cell (-1: none)."""

    label: str
    outcome: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Robustness:
    """Per case of rows: whether the tier holds under every variant, and what flips it."""

    cover: Cover
    robust: Flags
    """(cases,): one tier, whatever split, cut or missing value."""
    tier: npt.NDArray[np.int64]
    """(cases,): that tier, -1 where not robust."""
    flips: tuple[tuple[str, ...], ...]
    """Per case: the single cuts that give another tier with the document's own split, and whether a split does."""


def monotone_splits(features: int, tiers: int) -> npt.NDArray[np.int64]:
    """List every monotone map of feature sets onto all tiers, shape (maps, 2 ** features)."""
    # Set by set, smaller sets first: a set's tier is at least that of every set with one feature less.
    maps = np.arange(tiers, dtype=np.int64)[:, None]
    for full in range(1, 1 << features):
        less = [full & ~(1 << f) for f in range(features) if full >> f & 1]
        floor = maps[:, less].max(axis=1)
        grown = [np.column_stack([maps[floor <= tier], np.full((floor <= tier).sum(), tier)]) for tier in range(tiers)]
        maps = np.concatenate(grown)
    keep = np.ones(len(maps), dtype=bool)
    for tier in range(tiers):
        keep &= (maps == tier).any(axis=1)
    return maps[keep]


def _recut(condition: Condition, label: str) -> Condition:
    test = condition.parts[0]
    assert isinstance(test, Test)
    operand: str | Fraction = label if FACTS[test.fact].finite else Fraction(label)
    return replace(condition, parts=(replace(test, operands=(operand,)),))


def _cuts(table: RiskTable) -> Iterator[tuple[dict[str, Condition], tuple[str, ...]]]:
    """Walk every combination of cuts, as feature conditions and the labels of those that differ from the document's."""
    own = table.feature_conditions
    choices = [[(cut.feature, label) for label in cut.at_least] for cut in table.sensitivity.cuts]
    for combination in itertools.product(*choices):
        features = dict(own)
        moved = []
        for feature, label in combination:
            features[feature] = _recut(own[feature], label)
            if str(features[feature]) != str(own[feature]):
                moved.append(str(features[feature]))
        yield features, tuple(moved)


@dataclass(frozen=True)
class Sensitivity:
    """Every variant of one risk table over its finest fact space."""

    table: RiskTable

    @cached_property
    def tests(self) -> tuple[Test, ...]:
        """The tests of every cut, to cut the fact space finely enough."""
        return tuple(
            part
            for features, _ in _cuts(self.table)
            for condition in features.values()
            for part in condition.parts
            if isinstance(part, Test)
        )

    @cached_property
    def space(self) -> FactSpace:
        """The fact space that tells all cuts apart."""
        return fact_space(self.table, self.tests)

    @cached_property
    def own(self) -> npt.NDArray[np.int64]:
        """The document's own tier per cell."""
        return answers(self.table, self.tests).outcome

    @cached_property
    def range(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The lowest and highest tier of every cell over all splits and cuts."""
        maps = monotone_splits(len(self.table.features), len(self.table.outcomes))
        low = np.full(self.space.size, len(self.table.outcomes), dtype=np.int64)
        high = np.full(self.space.size, -1, dtype=np.int64)
        for features, _ in _cuts(self.table):
            present = np.zeros(self.space.size, dtype=np.int64)
            for i, condition in enumerate(features.values()):
                true, _unknown = evaluate(condition, {}, self.space.facts, self.space.size)
                present |= np.where(true, 1 << i, 0)
            tiers = maps[:, present]
            low, high = np.minimum(low, tiers.min(axis=0)), np.maximum(high, tiers.max(axis=0))
        return low, high

    @cached_property
    def single_cuts(self) -> tuple[Variant, ...]:
        """The document's own split with exactly one cut moved."""
        variants = []
        for features, moved in _cuts(self.table):
            if len(moved) == 1:
                recut = tuple(replace(f, when=features[f.id]) for f in self.table.features)
                varied = replace(self.table, features=recut)
                outcome = answers_on(varied, self.space)
                variants.append(Variant(moved[0], outcome))
        return tuple(variants)

    def of(self, facts: Facts, rows: int) -> Robustness:
        """Tell for every row whether its tier is robust, and what flips it where not."""
        covered = cover(self.space, facts, rows)
        low, high = self.range
        outcomes = len(self.table.outcomes)
        least = np.where(covered.allowed, low, outcomes).min(axis=1)
        most = np.where(covered.allowed, high, -1).max(axis=1)
        robust = least == most
        tiers = self.table.outcomes
        flips: list[tuple[str, ...]] = []
        for allowed in covered.allowed:
            own = set(self.own[allowed].tolist())
            found = [
                f"{variant.label}: {'/'.join(tiers[t] for t in sorted(other) if t >= 0)}"
                for variant in self.single_cuts
                if (other := set(variant.outcome[allowed].tolist())) != own
            ]
            if set(range(low[allowed].min(), high[allowed].max() + 1)) - own:
                spread = tiers[low[allowed].min() : high[allowed].max() + 1]
                found.append(f"another monotone split or cut: {'/'.join(spread)}")
            flips.append(tuple(found))
        return Robustness(covered, robust, np.where(robust, least, -1), tuple(flips))


def answers_on(table: RiskTable, space: FactSpace) -> npt.NDArray[np.int64]:
    """Answer a table on the cells of a given space, which must be at least as fine as its own."""
    return decide(table, space.facts, space.size).outcome


@lru_cache(maxsize=16)
def sensitivity(table: RiskTable) -> Sensitivity:
    """Give the variants of a risk table, enumerated once."""
    return Sensitivity(table)
