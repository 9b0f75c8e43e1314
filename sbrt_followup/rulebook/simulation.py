"""What a simulation document holds: where published rates stand in the bibliography, and every assumption beside them.

A rate is never typed twice: it is named by source, finding and `what`, and looked up. Shares need not add up to 100;
they are taken in proportion.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from typing import Literal

from ..problems import InputRefused, Problem, Source, nearest
from ..vocabulary import FACTS, TIERS
from .model import IN_DAYS, Basis, Document, Evidence, Tier, Value
from .structure import DATE, Notes


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Taken:
    """A number by its place in the bibliography."""

    key: str
    finding: str
    what: str
    source: Source

    @property
    def cites(self) -> tuple[str, ...]:
        """The source it comes from."""
        return (self.key,)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Assumed:
    """A number nobody has published."""

    value: Fraction
    unit: Literal["per_month", "percent", "percent_per_month", "days", "months", "cc", "log"]
    basis: Basis
    why: str
    source: Source
    cites: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """A percentage as a share of one; any other number as it is."""
        return float(self.value) / 100 if self.unit.startswith("percent") else float(self.value)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Treated:
    """When patients are treated, and the day follow-up ends for all."""

    from_: str = field(metadata={"key": "from", "pattern": DATE, "says": IN_DAYS})
    to: str = field(metadata={"pattern": DATE, "says": IN_DAYS})
    data_until: str = field(metadata={"pattern": DATE, "says": IN_DAYS})
    basis: Basis
    why: str
    source: Source
    cites: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Onset:
    """What the rates of progression date: progression as MRIs find it (it began earlier), or its onset itself."""

    rates_are: Literal["as_found", "published"]
    basis: Basis
    why: str
    source: Source
    cites: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TierShare:
    """The share of patients in a tier."""

    tier: Tier
    share: Taken
    source: Source


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Hazard:
    """A tier's rate of progression a month, until a month since time zero (its last stretch: without end)."""

    tier: Tier
    rate: Taken
    source: Source
    until: Taken | None = None
    interval: Taken | None = None
    """The published interval the rate is derived from: its confidence limits say how well the rate is known."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PseudoprogressionRate:
    """How often tumours swell and shrink again, and when they are largest."""

    share: Taken
    first_peak: Taken
    last_peak: Taken
    source: Source


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PublishedRisk:
    """A published incidence, to stand beside a cohort's own: of a tier or of a series, of one endpoint only."""

    of: str
    endpoint: Literal["progression", "local_progression"]
    months: int
    risk: Taken
    source: Source


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Assumptions:
    """What the published figures leave open."""

    lost_per_month: Assumed
    missed_mri: Assumed
    mri_jitter: Assumed
    local: Assumed
    spread: Assumed
    spread_delay: Assumed
    volume: Assumed
    volume_spread: Assumed
    shrinkage: Assumed
    growth: Assumed
    pseudo_growth: Assumed
    epidural_progression: Assumed


UNITS = {
    "lost_per_month": "per_month", "missed_mri": "percent", "mri_jitter": "days", "local": "percent", "spread": "percent",
    "spread_delay": "months", "volume": "cc", "volume_spread": "log", "shrinkage": "percent_per_month",
    "growth": "percent_per_month", "pseudo_growth": "percent", "epidural_progression": "percent",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Treatment:
    """Fractions and dose, with their share."""

    fractions: int
    dose_gy: Fraction
    share: Fraction
    source: Source


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FactShares:
    """How often a treated site has each level of a fact."""

    fact: str
    shares: dict[str, Fraction]
    source: Source


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Simulation(Document):
    """What a synthetic cohort is drawn from."""

    patients: Taken
    sites: Taken
    treated: Treated
    mix: tuple[TierShare, ...]
    progression: tuple[Hazard, ...]
    death: Taken
    scan_gap: Taken
    detectable: Taken
    pseudoprogression: PseudoprogressionRate
    assumed: Assumptions
    treatments: tuple[Treatment, ...]
    facts: tuple[FactShares, ...]
    published_risks: tuple[PublishedRisk, ...] = ()
    onset: Onset | None = None

    @property
    def onset_shifted(self) -> bool:
        """Whether progression begins half a gap between MRIs before the day its rate gives."""
        return self.onset is None or self.onset.rates_are == "as_found"


def look_up(taken: Taken, evidence: Evidence) -> float:
    """Give a number from the bibliography; refuse where it does not stand there."""
    return float(found_value(taken, evidence).value)


def found_value(taken: Taken, evidence: Evidence) -> Value:
    """Give a number from the bibliography with its unit and limits; refuse where it does not stand there."""
    source = next((s for s in evidence.sources if s.key == taken.key), None)
    if source is None:
        raise _absent(
            f"no source is called '{taken.key}'", taken, nearest(taken.key, [s.key for s in evidence.sources])
        )
    finding = next((f for f in source.findings if f.id == taken.finding), None)
    if finding is None:
        known = [f.id for f in source.findings]
        raise _absent(f"'{taken.key}' has no finding '{taken.finding}'", taken, nearest(taken.finding, known))
    value = next((v for v in finding.values if v.what == taken.what), None)
    if value is None:
        known = [v.what for v in finding.values]
        raise _absent(f"'{taken.finding}' has no value '{taken.what}'", taken, nearest(taken.what, known))
    return value


def _absent(message: str, taken: Taken, hint: str) -> InputRefused:
    return InputRefused([Problem("unknown-finding", message, taken.source, hint=hint)])


def with_assumed(simulation: Simulation, values: Mapping[str, Fraction]) -> Simulation:
    """Put other values, in their own units, in place of named assumptions."""
    changed = {name: replace(getattr(simulation.assumed, name), value=value) for name, value in values.items()}
    notes = Notes()
    result = replace(simulation, assumed=replace(simulation.assumed, **changed))
    check_simulation(result, notes)
    if notes.problems:
        raise InputRefused(notes.problems)
    return result


def with_onset(simulation: Simulation, published: bool) -> Simulation:
    """Let the rates date the onset of progression itself, or progression as MRIs find it."""
    rates_are: Literal["as_found", "published"] = "published" if published else "as_found"
    onset = Onset(rates_are=rates_are, basis="assumption", why="As asked for.", source=simulation.source)
    return replace(simulation, onset=onset)


def lookups(simulation: Simulation) -> Iterator[Taken]:
    """Give every number that a simulation takes from the bibliography."""
    pseudo = simulation.pseudoprogression
    yield from (simulation.patients, simulation.sites, simulation.death, simulation.scan_gap, simulation.detectable)
    yield from (pseudo.share, pseudo.first_peak, pseudo.last_peak)
    yield from (m.share for m in simulation.mix)
    yield from (p.risk for p in simulation.published_risks)
    for hazard in simulation.progression:
        yield hazard.rate
        yield from (t for t in (hazard.until, hazard.interval) if t is not None)


def check_simulation(document: Simulation, notes: Notes) -> None:
    """Note what makes a simulation document unusable."""
    if tuple(m.tier for m in document.mix) != TIERS:
        notes.add("tier-without-share", f"the mix names {', '.join(TIERS)}, each once, in this order", document.source)
    for tier in TIERS:
        own = [h for h in document.progression if h.tier == tier]
        if not own or any(h.until is None for h in own[:-1]) or own[-1].until is not None:
            notes.add("hazard-not-joined", f"the hazard of '{tier}' needs stretches that follow one another, the last without 'until'",
                      document.source)  # fmt: skip
    for part in fields(document.assumed):
        if part.name == "source":
            continue
        assumed: Assumed = getattr(document.assumed, part.name)
        if assumed.unit != UNITS[part.name]:
            notes.add("wrong-unit", f"'{part.name}' is counted in {UNITS[part.name]}", assumed.source)
        elif assumed.value < 0 or (assumed.unit == "percent" and assumed.value > 100):
            notes.add("out-of-range", f"'{part.name}' lies outside what it can be", assumed.source)
    if not document.treated.from_ <= document.treated.to <= document.treated.data_until:
        notes.add("range-reversed", "treatment starts, then ends, then follow-up ends", document.treated.source)
    for entry in document.facts:
        _check_shares(entry, notes)
    if not document.treatments or any(t.share <= 0 or t.fractions < 1 for t in document.treatments):
        notes.add("out-of-range", "a treatment has a share above 0 and a fraction or more", document.source)


def _check_shares(entry: FactShares, notes: Notes) -> None:
    fact = FACTS.get(entry.fact)
    if fact is None or not fact.finite:
        notes.add(
            "unknown-fact", f"no fact with levels is called '{entry.fact}'", entry.source, nearest(entry.fact, FACTS)
        )
        return
    for label in entry.shares:
        if label not in fact.levels:
            notes.add(
                "unknown-level",
                f"'{label}' is not a level of '{entry.fact}'",
                entry.source,
                nearest(label, fact.levels),
            )
    if not entry.shares or min(entry.shares.values()) < 0 or not sum(entry.shares.values()):
        notes.add("out-of-range", "shares are 0 or more, and not all 0", entry.source)
