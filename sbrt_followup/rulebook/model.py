"""What a rule document holds, as frozen values. Every document opens with the same header (`Document`).

Values compare by identity (trees compare by content, `reading.plain`). Numbers are exact (`Fraction`); each carries its unit, its basis and its sources, on itself or on the rule around it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from ..problems import Source
from .conditions import Condition
from .parsing import Node, Sequence
from .structure import DATE, Notes, number

Kind = Literal["risk", "plan", "pseudoprogression", "response", "sins", "protocol", "simulation", "profile", "evidence"]
Basis = Literal["published", "derived", "interpretation", "local", "assumption"]
Tier = Literal["low", "intermediate", "high", "any"]
Pick = Literal["min", "middle", "max"]
ReadLevel = Literal["full_text", "abstract", "secondary", "derived", "not_found"]

ID = r"[a-z0-9][a-z0-9-]*"
VERSION = r"\d+\.\d+\.\d+"
HASH = r"sha256:[0-9a-f]{64}"
IN_DAYS = "a date written YYYY-MM-DD"


def _id() -> Any:
    return field(metadata={"pattern": ID, "says": "lower-case words joined by -"})


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Citation:
    """A source and where in it."""

    key: str
    locator: str
    source: Source


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Verification:
    """Who checked the document, for exactly this content."""

    who: str
    role: str
    date: str = field(metadata={"pattern": DATE, "says": IN_DAYS})
    content_hash: str = field(metadata={"pattern": HASH, "says": "sha256: and 64 hexadecimal digits"})


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Waiver:
    """An audit finding that stands on purpose, with the reason."""

    code: str
    reason: str
    source: Source
    example: str = field(
        default="",
        metadata={"says": "the counter-example it covers, as the audit prints it; without it every one of the code"},
    )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Deviation:
    """One approved change of an overlay: where, why, by whom."""

    at: str
    why: str
    approved_by: str
    source: Source


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Extends:
    """The base an overlay was approved against."""

    document: str
    version: str = field(metadata={"pattern": VERSION, "says": "three numbers, major.minor.patch"})
    content_hash: str = field(metadata={"pattern": HASH, "says": "sha256: and 64 hexadecimal digits"})
    source: Source


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Document:
    """What every document opens with."""

    id: str = field(metadata={"pattern": ID, "says": "lower-case words joined by -, unique within its kind"})
    version: str = field(metadata={"pattern": VERSION, "says": "three numbers, major.minor.patch"})
    kind: Kind
    title: str
    basis: Basis
    verified: tuple[Verification, ...]
    citations: tuple[Citation, ...] = ()
    review_by: str = field(
        default="", metadata={"pattern": DATE, "says": IN_DAYS + ", when the sources are due for another look"}
    )
    effective_from: str = field(default="", metadata={"pattern": DATE, "says": IN_DAYS})
    superseded_by: str = ""
    notes: str = ""
    waivers: tuple[Waiver, ...] = ()
    source: Source = field(default_factory=lambda: Source(""))
    content_hash: str = ""
    extends: Extends | None = field(default=None, init=False)
    deviations: tuple[Deviation, ...] = field(default=(), init=False)

    @property
    def name(self) -> str:
        """The document's full name, `plan/chen-2024`."""
        return f"{self.kind}/{self.id}"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Quantity:
    """A number with its unit and how well it is known."""

    value: Fraction
    unit: Literal["days", "months"]
    basis: Basis
    source: Source
    cites: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Span:
    """A number, or a published range [min, max]."""

    low: Fraction
    high: Fraction
    source: Source

    @staticmethod
    def from_node(node: Node, notes: Notes) -> Span:
        """Read `3` or `[2, 3]`."""
        if isinstance(node, Sequence):
            if len(node.items) != 2:
                raise notes.fail("not-a-range", "a range is a list of two, [min, max]", node.source)
            low, high = (number(item, notes) for item in node.items)
            if low >= high:
                raise notes.fail("range-reversed", "the range runs backwards", node.source, "Write [min, max].")
        else:
            low = high = number(node, notes)
        if low <= 0:
            raise notes.fail("out-of-range", "a time here is above 0", node.source)
        return Span(low=low, high=high, source=node.source)

    def pick(self, how: Pick | None) -> Fraction:
        """Take the written pick; a single number needs none."""
        return {"min": self.low, "max": self.high}.get(how or "middle", (self.low + self.high) / 2)

    @property
    def ranged(self) -> bool:
        """Whether a pick is needed."""
        return self.low != self.high


# ---- decision tables ----


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Feature:
    """A named condition that rules count."""

    id: str = _id()
    when: Condition
    basis: Basis
    source: Source
    cites: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Rule:
    """When its condition holds, its outcome follows."""

    id: str = _id()
    when: Condition
    then: str
    basis: Basis
    source: Source
    cites: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Cut:
    """The cuts of a feature's first condition that the unpublished split could use."""

    feature: str
    at_least: tuple[str, ...]
    source: Source


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Sensitivity:
    """What else the unpublished split could be."""

    splits: Literal["monotone"]
    cuts: tuple[Cut, ...]
    basis: Basis
    source: Source
    why: str = ""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DecisionTable(Document):
    """Rules from facts to one of a few outcomes, mildest first; hits are unique; `otherwise` is an outcome or none."""

    outcomes: tuple[str, ...]
    features: tuple[Feature, ...] = ()
    rules: tuple[Rule, ...]
    otherwise: str

    @property
    def feature_conditions(self) -> dict[str, Condition]:
        """The named conditions, by name."""
        return {feature.id: feature.when for feature in self.features}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RiskTable(DecisionTable):
    """Tiers of risk, with what the unpublished split could be."""

    course: Quantity
    sensitivity: Sensitivity


# ---- SINS ----


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Score:
    """The points of some labels."""

    points: int
    any_of: tuple[str, ...]
    source: Source
    name: str = ""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Item:
    """One component of the score."""

    id: str = _id()
    fact: str
    scores: tuple[Score, ...]
    source: Source


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Category:
    """A named stretch of totals, both ends included."""

    id: str
    from_: int = field(metadata={"key": "from"})
    to: int
    source: Source


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SeveralLevels:
    """How a site of several levels is scored."""

    take: Literal["worst"]
    basis: Basis
    source: Source
    why: str = ""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SinsScore(Document):
    """The Spinal Instability Neoplastic Score: items, points, categories."""

    unit: Literal["points"]
    items: tuple[Item, ...]
    categories: tuple[Category, ...]
    several_levels: SeveralLevels


# ---- plans ----


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Anchor:
    """What the next interval is counted from."""

    from_: Literal["last_mri", "time_zero"] = field(metadata={"key": "from"})
    basis: Basis
    source: Source
    why: str = ""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class First:
    """The first visit: at a month, or after the first interval but no later than a month."""

    id: str = _id()
    basis: Basis
    source: Source
    at: Fraction | None = None
    no_later_than: Fraction | None = None
    cites: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Phase:
    """Visits every so often until a month since time zero (the last phase: without end)."""

    id: str = _id()
    every: Span
    basis: Basis
    source: Source
    until: Span | None = None
    every_pick: Pick | None = None
    until_pick: Pick | None = None
    pick_basis: Basis | None = None
    interval_ci: Span | None = None
    target_yield_percent: Fraction | None = None
    cites: tuple[str, ...] = ()
    why: str = ""

    @property
    def interval(self) -> Fraction:
        """The interval in force, in months."""
        return self.every.pick(self.every_pick)

    @property
    def end(self) -> Fraction | None:
        """The month the phase ends, None for the last one."""
        return None if self.until is None else self.until.pick(self.until_pick)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Schedule:
    """One course of visits, for the tiers it names."""

    tiers: tuple[Tier, ...]
    first: First
    phases: tuple[Phase, ...]
    source: Source

    @property
    def first_offset(self) -> Fraction:
        """The first visit's offset, in months."""
        if self.first.at is not None:
            return self.first.at
        interval = self.phases[0].interval
        return interval if self.first.no_later_than is None else min(interval, self.first.no_later_than)

    def phase_at(self, offset: Fraction) -> Phase:
        """The phase that holds an offset: until is excluded (`offset < until`)."""
        return next(p for p in self.phases if p.end is None or offset < p.end)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Plan(Document):
    """When scans are due."""

    unit: Literal["months"]
    anchor: Anchor
    tolerance: Quantity
    horizon: Quantity
    schedules: tuple[Schedule, ...]
    risk: str = ""
    undecided: str = ""

    @property
    def tiered(self) -> bool:
        """Whether the visits depend on the risk tier."""
        return bool(self.risk)

    def schedule_for(self, tier: str) -> Schedule | None:
        """The schedule of a tier, or None."""
        return next((s for s in self.schedules if tier in s.tiers or "any" in s.tiers), None)


# ---- pseudo-progression ----


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Window:
    """Days since time zero, both ends included."""

    from_: int = field(metadata={"key": "from"})
    to: int
    basis: Basis
    source: Source
    cites: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PseudoprogressionWindow(Document):
    """The days in which growth inside the bone may be pseudo-progression, for whom."""

    unit: Literal["days"]
    window: Window
    shields: Literal["bone_only"]
    when: Condition | None = None
    unites_with: str = ""


# ---- profiles and evidence ----


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Profile(Document):
    """The documents used together."""

    plan: str
    risk: str
    sins: str
    pseudoprogression: tuple[str, ...] = ()
    response: tuple[str, ...] = ()
    protocol: str = ""
    death_within: Quantity | None = None
    """How long after the last clear MRI a death still counts as having come before progression."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Value:
    """A number a source gives."""

    value: Fraction
    unit: str
    source: Source
    low: Fraction | None = None
    high: Fraction | None = None
    what: str = ""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Finding:
    """One thing a source says, where, and how it was read."""

    id: str = _id()
    says: str
    locator: str
    read: ReadLevel
    source: Source
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SampleSize:
    """How many of what."""

    count: int
    of: str


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Reference:
    """One source of the rulebook."""

    key: str = field(metadata={"pattern": r"[a-z0-9]+", "says": "lower-case letters and digits"})
    citation: str
    design: str
    read: ReadLevel
    limits: tuple[str, ...]
    findings: tuple[Finding, ...]
    source: Source
    in_review: bool = False
    year: int | None = None
    doi: str = ""
    pmid: str = ""
    pmcid: str = ""
    n: SampleSize | None = None
    n_note: str = ""
    discrepancies: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class NotFound:
    """What was looked for and not found; never to be shown as published."""

    id: str = _id()
    what: str
    looked_in: str
    source: Source


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Evidence(Document):
    """The bibliography."""

    sources: tuple[Reference, ...]
    not_found: tuple[NotFound, ...] = ()
