"""How many patients are in each group: as given, as counted, or a document's assumption, and which of these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..problems import InputRefused, Problem, nearest, refuse
from ..vocabulary import TIERS
from .document_rates import ALL
from .hazards import Hazards


@dataclass(frozen=True)
class Mix:
    """Shares of patients in each group, and where they come from."""

    shares: Mapping[str, float]
    source: str
    known: str
    """published, derived, assumption, cohort or given."""


def mix_of(hazards: Hazards, derived: Mapping[str, float], given: Mapping[str, float] | None, source: str) -> Mix:
    """Settle the shares of the groups: as given, else as counted where hazards were fitted, else the document's."""
    names = [g.group for g in hazards.groups]
    if given is not None:
        unknown = [name for name in given if name not in names]
        if unknown:
            raise InputRefused(
                Problem("unknown-group", f"--mix names no group '{name}'", hint=nearest(name, names))
                for name in unknown
            )
        whole = sum(given.values())
        return Mix({name: share / whole for name, share in given.items()}, "as given", "given")
    counted = {g.group: float(g.n) for g in hazards.groups if g.n is not None}
    if len(counted) == len(names) and any(n > 0 for n in counted.values()):
        whole = sum(counted.values())
        return Mix(
            {name: n / whole for name, n in counted.items()}, "patients that the hazards were fitted to", "cohort"
        )
    if set(names) <= set(TIERS):
        return Mix(dict(derived), source, "derived, an assumption")
    if names == [ALL] or len(names) == 1:
        return Mix({names[0]: 1.0}, "one group", "given")
    raise refuse("no-mix", "the shares of the groups are not known", hint=f"Give --mix {'=…,'.join(names)}=….")
