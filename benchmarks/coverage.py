"""How often the 95 % bootstrap interval of the interval-censored curve holds the true curve, on plans' grids.

    python benchmarks/coverage.py [--cohorts 1000] [--bootstrap 100]

One group, events and loss at 1.2 % a month each, 90 % of MRIs done, on the plan's days or within some days of them. At
the visit nearest to months 6, 12, 24 and 48 the curve is known but for chance; at those months themselves the likelihood
allows any curve between two visits, and an interval that holds them all covers more than its level. Cohorts without an
interval there (no event yet) are not counted. Seeded: the same call gives the same figures.
"""

import argparse
from multiprocessing import Pool

import numpy as np
from scans import GRIDS, MONTH, observed

from sbrt_followup.estimators.counts import count
from sbrt_followup.outcomes.interval_analysis import Intervals, fit

HAZARD = 0.012 / MONTH
MONTHS = np.array([6.0, 12.0, 24.0, 48.0])
OTHER_SEEDS = 1_000_000  # a bootstrap from the seed of its cohort would draw the same bits
Cell = tuple[str, float, int, int, int]  # grid, jitter in days, patients, bootstrap samples, seed


def held(cell: Cell) -> np.ndarray:
    """One cohort: for each visit, then each month, whether its interval holds the truth (NaN without interval)."""
    grid, jitter, patients, bootstrap, seed = cell
    rng = np.random.default_rng(seed)
    event, end = rng.exponential(1 / HAZARD, (2, patients))
    left, right = observed(event, end, GRIDS[grid], rng, jitter_days=jitter)
    found = np.isfinite(right)
    counts = count(np.where(found, right, left), found.astype(np.int64))
    visits = GRIDS[grid][np.abs(GRIDS[grid][:, None] - MONTHS).argmin(axis=0)]
    days = np.concatenate([np.floor(visits * MONTH + 0.5), MONTHS * MONTH])
    marks = fit(
        Intervals(left, right, np.arange(patients), counts), days, bootstrap=bootstrap, seed=seed + OTHER_SEEDS
    ).marks
    truth = np.exp(-HAZARD * days)
    inside = (marks.ci_low <= truth) & (truth <= marks.ci_high)
    return np.where(np.isfinite(marks.ci_low) & np.isfinite(marks.ci_high), inside, np.nan)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohorts", type=int, default=1000)
    parser.add_argument("--bootstrap", type=int, default=100)
    options = parser.parse_args()
    error = 100 * np.sqrt(0.05 * 0.95 / options.cohorts)
    print(f"held by the 95 % interval, of {options.cohorts:,} cohorts (binomial standard error {error:.2f} points)")
    print(f"{'grid':18} {'jitter':>6} {'n':>4}   {'visits next to 6, 12, 24, 48':32} at months 6, 12, 24, 48")
    with Pool() as pool:
        for grid in GRIDS:
            for jitter in (0.0, 10.0):
                for patients in (100, 300):
                    cells = [(grid, jitter, patients, options.bootstrap, seed) for seed in range(options.cohorts)]
                    share = 100 * np.nanmean(np.array(pool.map(held, cells, chunksize=10)), axis=0)
                    shown = [" ".join(f"{value:6.1f}" for value in half) for half in (share[:4], share[4:])]
                    print(f"{grid:18} {jitter:4g} d {patients:4}   {shown[0]:32} {shown[1]}", flush=True)


if __name__ == "__main__":
    main()
