"""Limits of one parameter by its profile likelihood: where twice the log-likelihood has fallen by the quantile of χ²₁."""

from __future__ import annotations

from collections.abc import Callable

_WIDEST = 40.0  # standard errors searched; beyond it the likelihood is taken to have no limit on that side


def limits(
    profile: Callable[[float], float], best: float, std_error: float, loglik: float, level: float = 0.95
) -> tuple[float, float]:
    """Give the lower and upper limit; `profile` is the log-likelihood with the parameter held at a value and all else free.

    Infinite on a side on which the likelihood never falls so far.
    """
    from scipy.optimize import brentq
    from scipy.special import chdtri

    fall = float(chdtri(1, 1 - level)) / 2

    def excess(value: float) -> float:
        return profile(value) - loglik + fall

    found = []
    for way in (-1.0, 1.0):
        reach = 2.0
        while excess(best + way * reach * std_error) > 0 and reach < _WIDEST:
            reach *= 1.6
        edge = best + way * reach * std_error
        found.append(float(brentq(excess, best, edge, xtol=1e-10)) if reach < _WIDEST else way * float("inf"))
    return found[0], found[1]
