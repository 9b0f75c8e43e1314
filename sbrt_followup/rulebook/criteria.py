"""What a response document and an MRI protocol hold: decision tables with the meaning of each outcome.

A criterion decides from a few facts of one MRI. Its `role` says where its answer goes: `gives` names the fact that its
outcomes become for the next document, `undecided` the level that fact takes when the facts do not decide. A sign
that `weighs` enters the state; one that does not is only listed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from ..problems import Source, nearest
from ..vocabulary import COMPARISONS, FACTS, REQUESTS
from .model import ID, Basis, DecisionTable, Document, Quantity
from .structure import Notes

Role = Literal[
    "scan_order",
    "size",
    "epidural",
    "neurology",
    "sign",
    "alert",
    "caution",
    "spread",
    "pain",
    "pain_consensus",
    "growth",
    "state",
    "growth_course",
    "course",
    "next_step",
]
ONCE: tuple[Role, ...] = (
    "scan_order", "epidural", "neurology", "spread", "growth", "state", "growth_course", "course", "next_step",
)  # fmt: skip
Sign = Literal["supports", "opposes", "confounds", "none"]
Measure = Literal["gtv_cc", "diameter_mm", "area_mm2"]
Compared = Literal["baseline", "first", "previous", "nadir", "first_growth", "peak"]


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """What an outcome says to the reader and to the next document."""

    outcome: str
    says: str
    source: Source
    level: str = ""
    sign: Sign = "none"
    weighs: bool = True
    yields: bool = False
    """A sign that weighs only where growth is not clear."""
    urgent: bool = False
    disputed: str = ""
    asks_for: str = ""
    request: str = ""
    """A code of REQUESTS: what the outcome asks of the person who must act."""
    within: Quantity | None = None
    """The last day for the next step, counted from the MRI."""
    not_before: Quantity | None = None
    """The first day on which an MRI can settle the question, counted from the MRI that asks."""
    nearest_to: Quantity | None = None
    """Of the MRIs with this outcome the one nearest to this many days after treatment has it, the others `otherwise`."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One scan a size is compared with; `growth_only`: a decrease against it says nothing about response."""

    to: Compared = field(metadata={"key": "with"})
    growth_only: bool
    source: Source


@dataclass(frozen=True, kw_only=True)
class Repeatability:
    """The premise behind the false-alarm rate: the limit holds this share of the test–retest differences."""

    limit_percent: Fraction
    coverage_percent: Fraction
    basis: Basis
    why: str
    source: Source
    cites: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Contradiction:
    """What a rule of the table contradicts, in words: the rule stands, and the reader is told."""

    rule: str
    says: str
    source: Source


@dataclass(frozen=True, kw_only=True, eq=False)
class Criterion(DecisionTable):
    """One criterion of response assessment."""

    role: Role
    meanings: tuple[Meaning, ...]
    gives: str = ""
    undecided: str = ""
    measure: Measure | None = None
    compare: tuple[Comparison, ...] = ()
    repeatability: Repeatability | None = None
    contradictions: tuple[Contradiction, ...] = ()

    def meaning(self, outcome: int) -> Meaning:
        """Give the meaning of an outcome by its place."""
        name = self.outcomes[outcome]
        return next(m for m in self.meanings if m.outcome == name)

    def contradiction(self, rule: int) -> str:
        """Say what a rule contradicts, by its place; empty where nothing."""
        if not 0 <= rule < len(self.rules):
            return ""
        return next((c.says for c in self.contradictions if c.rule == self.rules[rule].id), "")

    def level(self, outcome: int) -> str:
        """Give the level of the given fact that an outcome stands for."""
        return self.meaning(outcome).level or self.outcomes[outcome]


@dataclass(frozen=True, kw_only=True)
class Imaged:
    """One series of an MRI protocol, and the columns of the imaging table that it serves."""

    id: str = field(metadata={"pattern": ID})
    says: str
    contrast: Literal["before", "agent", "dynamic", "after"]
    basis: Basis
    source: Source
    serves: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Protocol(Document):
    """What an MRI should hold: series in order, and what must stay the same."""

    field_strength: str
    series: tuple[Imaged, ...]
    every_time: tuple[str, ...]


def check_criterion(table: Criterion, notes: Notes) -> None:
    """Note what makes a criterion unusable beyond what any decision table must hold."""
    named = [m.outcome for m in table.meanings]
    for meaning in table.meanings:
        if meaning.outcome not in table.outcomes:
            notes.add(
                "unknown-outcome",
                f"'{meaning.outcome}' is not one of the outcomes",
                meaning.source,
                nearest(meaning.outcome, table.outcomes),
            )
        if meaning.request and meaning.request not in REQUESTS:
            notes.add(
                "unknown-request",
                f"'{meaning.request}' is nothing that a reading can ask for ({', '.join(REQUESTS)})",
                meaning.source,
                nearest(meaning.request, REQUESTS),
            )
        if not meaning.request and table.role == "next_step":
            notes.add(
                "missing-key",
                f"an outcome of the next step needs 'request', one of {', '.join(REQUESTS)}",
                meaning.source,
            )
        for time in (meaning.within, meaning.not_before, meaning.nearest_to):
            if time is not None and (time.unit != "days" or time.value <= 0):
                notes.add("wrong-unit", "the time to the next step is counted in days, above 0", time.source)
    for c in table.contradictions:
        if c.rule not in (ids := [r.id for r in table.rules]):
            notes.add("unknown-rule", f"'{c.rule}' is not one of the rules", c.source, nearest(c.rule, ids))
    if len(set(named)) < len(named):
        notes.add("repeated-id", "an outcome has two meanings", table.source)
    if missing := [o for o in table.outcomes if o not in named]:
        notes.add("missing-meaning", f"no meaning for: {', '.join(missing)}", table.source)
    if table.gives:
        _check_levels(table, notes)
    elif table.undecided:
        notes.add("missing-key", "'undecided' needs 'gives', the fact it is a level of", table.source)
    if (table.role == "size") != (table.measure is not None and bool(table.compare)):
        notes.add("missing-key", "'measure' and 'compare' go with the role size", table.source)
    seen = [c.to for c in table.compare]
    if len(set(seen)) < len(seen):
        notes.add("repeated-value", f"a comparison stands twice (of {', '.join(COMPARISONS)})", table.source)


def _check_levels(table: Criterion, notes: Notes) -> None:
    fact = FACTS.get(table.gives)
    if fact is None or not fact.finite:
        notes.add(
            "unknown-fact", f"no fact with levels is called '{table.gives}'", table.source, nearest(table.gives, FACTS)
        )
        return
    given = [(m.level or m.outcome, m.source) for m in table.meanings]
    given += [(table.undecided, table.source)] if table.undecided else []
    for level, source in given:
        if level not in fact.levels:
            notes.add(
                "unknown-level", f"'{level}' is not a level of '{fact.name}'", source, nearest(level, fact.levels)
            )
