"""Net benefit of acting where the foretold risk exceeds a threshold, with a competing event.

Conventions (Vickers & Elkin 2006; with competing events van Geloven and others, BMJ 2022;377:e069249). Whoever is above
the threshold p is acted on: true positives are their share × the incidence of the event among them by the horizon, by
Aalen–Johansen; false positives their share × the rest, weighed with the odds p / (1 − p). Acting on nobody has net benefit 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..arrays import Floats, Ints
from .calibration import observed
from .counts import CENSORED


@dataclass(frozen=True)
class Benefit:
    """Net benefit at one threshold: acting by the model, and on everybody. NaN where it cannot be told."""

    threshold: float
    model: float
    all: float


def net_benefit(
    time: Floats, status: Ints, risk: Floats, horizon: float, thresholds: Sequence[float]
) -> tuple[Benefit, ...]:
    """Give the decision curve at these thresholds (shares between 0 and 1)."""
    everybody = incidence_by(time, status, horizon)
    found = []
    for p in thresholds:
        odds = p / (1.0 - p)
        above = risk > p
        share = float(above.mean())
        own = incidence_by(time[above], status[above], horizon) if share else 0.0
        found.append(Benefit(p, share * (own - (1.0 - own) * odds), everybody - (1.0 - everybody) * odds))
    return tuple(found)


def incidence_by(time: Floats, status: Ints, horizon: float) -> float:
    """Give the incidence by the horizon; NaN where nobody is followed so long and not all have failed."""
    if not known(time, status, horizon):
        return float("nan")
    return observed(time, status, horizon).estimate


def known(time: Floats, status: Ints, horizon: float) -> bool:
    """Tell whether the curve is known at the horizon: somebody is followed so long, or nobody was lost at the end."""
    if not len(time):
        return False
    last = time.max()
    return bool(last >= horizon or (status[time == last] != CENSORED).all())
