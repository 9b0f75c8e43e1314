"""How often tests at 5 % reject although all groups have one hazard, on every plan's grid and every pair of grids.

    python benchmarks/sizes.py [--cohorts 4000] [--patients 150]

Patients a group, events and loss at 1.2 % a month each, 90 % of MRIs done, on the plan's days or within some days of them.
`interval_score` is the test of `--estimator turnbull`; the log-rank test of the days on which events were found stands
beside it, for what it is worth where groups are scanned differently. Seeded: the same call gives the same figures.
"""

import argparse
from itertools import combinations
from multiprocessing import Pool

import numpy as np
from scans import GRIDS, MONTH, observed

from sbrt_followup.estimators.comparisons import logrank
from sbrt_followup.estimators.counts import count
from sbrt_followup.estimators.interval_comparison import Intervals, interval_test

HAZARD = 0.012 / MONTH
TIERED = {
    "review by tier": ("review low", "review", "review high"),
    "chen by tier": ("chen low", "chen intermediate", "chen high"),
}
Cell = tuple[tuple[str, ...], float, int, int]  # grids, jitter in days, patients a group, seed


def p_values(cell: Cell) -> tuple[float, float]:
    """One cohort: the p-values of the interval test and of the log-rank test."""
    grids, jitter, patients, seed = cell
    rng = np.random.default_rng(seed)
    ends, counts = [], []
    for grid in grids:
        event, end = rng.exponential(1 / HAZARD, (2, patients))
        left, right = observed(event, end, GRIDS[grid], rng, jitter_days=jitter)
        found = np.isfinite(right)
        ends.append((left, right))
        counts.append(count(np.where(found, right, left), found.astype(np.int64)))
    left, right = (np.concatenate(side) for side in zip(*ends, strict=True))
    data = Intervals(left, right, np.repeat(np.arange(len(grids)), patients))
    return interval_test(data, len(grids)).p_value, logrank([counts]).p_value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohorts", type=int, default=4000)
    parser.add_argument("--patients", type=int, default=150)
    options = parser.parse_args()
    together = [(name, name) for name in GRIDS] + list(combinations(GRIDS, 2)) + list(TIERED.values())
    error = 100 * np.sqrt(0.05 * 0.95 / options.cohorts)
    print(f"rejected at 5 %, of {options.cohorts:,} cohorts (binomial standard error {error:.2f} points)")
    print(f"{'grids':45} {'jitter':>7} {'interval':>9} {'log-rank':>9}")
    with Pool() as pool:
        for grids in together:
            for jitter in (0.0, 10.0):
                cells = [(grids, jitter, options.patients, seed) for seed in range(options.cohorts)]
                p = np.array(pool.map(p_values, cells, chunksize=50))
                size = 100 * np.mean(p < 0.05, axis=0)
                print(f"{' v '.join(grids):45} {jitter:5g} d {size[0]:7.1f} % {size[1]:7.1f} %", flush=True)


if __name__ == "__main__":
    main()
