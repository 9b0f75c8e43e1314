"""Rates that no cohort was fitted for: those of a simulation document, each by its place in the bibliography.

Conventions. Rates per month, shares of 1. A rate derived from a published interval is as uncertain as that interval: the
standard error of its logarithm is the width of the published 95 % limits on a log scale. Those limits were very likely
computed per segment, so that a clinic's own, per patient, are wider.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from ..rulebook.model import Evidence
from ..rulebook.simulation import Simulation, Taken, found_value, look_up
from ..vocabulary import TIERS
from .hazards import GroupHazards, Hazards, Rates

LIMITS = 2 * float(ndtri(0.975))  # standard errors between the ends of a 95 % interval
ALL = "all"


def document_hazards(document: Simulation, evidence: Evidence, death: float | None = None) -> Hazards:
    """Give the hazards of a document's tiers; `death` (per month) replaces the document's own."""
    dying = look_up(document.death, evidence) if death is None else death
    keys = dict.fromkeys(h.rate.key for h in document.progression)
    source = f"{document.name}, from {', '.join(keys)}"
    groups = []
    for tier in TIERS:
        own = [h for h in document.progression if h.tier == tier]
        begins = (0.0, *(look_up(h.until, evidence) for h in own if h.until is not None))
        rates = Rates(begins, tuple(look_up(h.rate, evidence) for h in own), dying)
        errors = [_error(h.interval, evidence) for h in own]
        known = tuple(e for e in errors if e is not None)
        groups.append(
            GroupHazards(tier, rates, "derived", source, std_error_log=known if len(known) == len(errors) else ())
        )
    return Hazards(tuple(groups))


def _error(interval: Taken | None, evidence: Evidence) -> float | None:
    if interval is None:
        return None
    value = found_value(interval, evidence)
    if value.low is None or value.high is None:
        return None
    return float(np.log(float(value.high) / float(value.low))) / LIMITS


def document_mix(document: Simulation, evidence: Evidence) -> dict[str, float]:
    """Give the share of patients in each tier."""
    shares = {m.tier: look_up(m.share, evidence) for m in document.mix}
    whole = sum(shares.values())
    return {tier: share / whole for tier, share in shares.items()}


@dataclass(frozen=True)
class Published:
    """A published incidence by a month, of everybody, a tier or a named series."""

    of: str
    months: float
    risk: float
    key: str


def published_risks(document: Simulation, evidence: Evidence, endpoint: str) -> tuple[Published, ...]:
    """Give the published incidences of one endpoint; none are given for another."""
    return tuple(
        Published(p.of, float(p.months), look_up(p.risk, evidence) / 100, p.risk.key)
        for p in document.published_risks
        if p.endpoint == endpoint
    )
