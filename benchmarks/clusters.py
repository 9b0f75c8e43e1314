"""How often Gray's and the log-rank test at 5 % reject under equal hazards where sites share a patient, or enter late.

    python benchmarks/clusters.py [--cohorts 4000]

120 patients, three sites each; events at a median of 42 months, death at 49, loss after 20 to 200; the sites of a patient
share death, loss and a gamma frailty. Groups are of the patient or of the site. With late entry half of the sites come
under observation up to 40 months after SBRT. Beside the tests of `--unit site` stand the usual ones that take sites for
patients; the interval-censored test sees one group scanned every 3 months, the other every 5. Seeded: the same call gives the same figures.
"""

import argparse
from dataclasses import replace
from multiprocessing import Pool

import numpy as np

from sbrt_followup.estimators import clustering, comparisons
from sbrt_followup.estimators.clustering import Members
from sbrt_followup.estimators.interval_comparison import Intervals, interval_test

PATIENTS, SITES = 120, 3
Cell = tuple[float, str, bool, int]  # variance of the frailty, what is grouped, late entry, seed


def cohort(cell: Cell) -> tuple[list[Members], Intervals]:
    """Two groups of sites with one hazard; and what scans say of them."""
    frailty, grouped, late, seed = cell
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(PATIENTS), SITES)
    shared = rng.gamma(1 / frailty, frailty, PATIENTS) if frailty else np.ones(PATIENTS)
    death, lost = rng.exponential(70, PATIENTS)[patient], rng.uniform(20, 200, PATIENTS)[patient]
    event = rng.exponential(60, len(patient)) / shared[patient]
    end = np.minimum(death, lost)
    time = np.ceil(np.minimum(event, end))
    status = np.where(event <= end, 1, np.where(death <= lost, 2, 0))
    group = rng.integers(0, 2, PATIENTS)[patient] if grouped == "patients" else rng.integers(0, 2, len(patient))
    entry = np.minimum(rng.integers(0, 40, len(patient)) * (rng.random(len(patient)) < 0.5), time - 1.0)
    gap = np.array([3.0, 5.0])[group]
    right = np.ceil(event / gap) * gap
    found = right <= end
    seen = Intervals(
        np.where(found, right - gap, np.floor(end / gap) * gap), np.where(found, right, np.inf), group, patient
    )
    groups = (group == place for place in range(2))
    return [Members(time[own], status[own], patient[own], entry[own] if late else None) for own in groups], seen


def p_values(cell: Cell) -> tuple[float, ...]:
    """Gray's, the log-rank and the interval-censored test, each clustered and as usual (NaN where there is none)."""
    groups, seen = cohort(cell)
    counts = [[group.counts() for group in groups]]
    gray = comparisons.gray_from_score(*clustering.gray_score([groups]))
    logrank = comparisons.from_score("logrank", *clustering.logrank_score([groups]), counts)
    usual = np.nan if cell[2] else comparisons.gray(counts).p_value
    interval = (
        np.full(2, np.nan) if cell[2] else [interval_test(s, 2).p_value for s in (seen, replace(seen, cluster=None))]
    )
    return gray.p_value, usual, logrank.p_value, comparisons.logrank(counts).p_value, *interval


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohorts", type=int, default=4000)
    options = parser.parse_args()
    error = 100 * np.sqrt(0.05 * 0.95 / options.cohorts)
    print(f"rejected at 5 %, of {options.cohorts:,} cohorts (binomial standard error {error:.2f} points)")
    print(
        f"{'frailty':>7} {'groups of':>10} {'entry':>6} {'Gray':>8} {'usual':>8} {'log-rank':>9} {'usual':>7} {'interval':>9} {'usual':>7}"
    )
    with Pool() as pool:
        for frailty in (0.0, 1.0, 3.0):
            for grouped in ("patients", "sites"):
                for late in (False, True):
                    cells = [(frailty, grouped, late, seed) for seed in range(options.cohorts)]
                    p = np.array(pool.map(p_values, cells, chunksize=50))
                    size = 100 * np.mean(p < 0.05, axis=0)
                    size[np.isnan(p).all(axis=0)] = np.nan
                    shown = " ".join("       –" if np.isnan(value) else f"{value:6.1f} %" for value in size)
                    print(f"{frailty:7g} {grouped:>10} {'late' if late else 'day 0':>6} {shown}", flush=True)


if __name__ == "__main__":
    main()
