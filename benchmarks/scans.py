"""Patients scanned by a plan's visits, for the simulations here: what is known of an event that scans find."""

import numpy as np

MONTH = 30.4375
HORIZON = 60.0


def visits(first: float, *phases: tuple[float, float], horizon: float = HORIZON) -> np.ndarray:
    """Months of a plan's visits: the first, then phases (until, every), the last one to the horizon."""
    months = [first]
    while months[-1] <= horizon:
        every = next(step for until, step in phases if months[-1] < until)
        months.append(months[-1] + every)
    return np.array(months[:-1])


ALWAYS = float("inf")
GRIDS = {
    "review": visits(3, (15, 2.5), (ALWAYS, 4.5)),
    "review high": visits(3, (18, 2), (ALWAYS, 3)),
    "review low": visits(3, (12, 3), (ALWAYS, 6)),
    "chen low": visits(3, (ALWAYS, 6)),
    "chen intermediate": visits(3, (ALWAYS, 3.1)),
    "chen high": visits(1.3, (13.2, 1.3), (ALWAYS, 5.9)),
}


def observed(
    event_days: np.ndarray,
    end_days: np.ndarray,
    grid: np.ndarray,
    rng: np.random.Generator,
    *,
    jitter_days: float = 0.0,
    attended: float = 0.9,
) -> tuple[np.ndarray, np.ndarray]:
    """What scans at a grid of months show: (last clear scan, scan that found the event or infinity], in whole days."""
    shape = (len(event_days), len(grid))
    days = grid * MONTH + rng.normal(0.0, 1.0, shape) * jitter_days
    days = np.sort(np.maximum(np.floor(days + 0.5), 1.0), axis=1)
    done = (rng.random(shape) < attended) & (days <= end_days[:, None])
    left = np.where(done & (days < event_days[:, None]), days, 0.0).max(axis=1)
    right = np.where(done & (days >= event_days[:, None]), days, np.inf).min(axis=1)
    return left, right


def observed_progression(n: int, rng: np.random.Generator, jitter_days: float = 10.0) -> tuple[np.ndarray, np.ndarray]:
    """Patients on the review's grid with events and loss at 1.2 % a month each."""
    event, end = rng.exponential(MONTH / 0.012, (2, n))
    return observed(event, end, GRIDS["review"], rng, jitter_days=jitter_days)
