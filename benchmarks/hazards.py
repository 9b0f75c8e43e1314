"""Time the fits behind `intervals` and see what their intervals are worth, ratios in one run.

    python benchmarks/hazards.py [--cohorts 500] [--seeds 6]

R with msm is used where `Rscript` finds it. lifelines' piecewise exponential, with entry, is the other yardstick.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from helpers.loop_reference import FOLDER, months

from sbrt_followup.arrays import Floats
from sbrt_followup.estimators import illness_death, piecewise
from sbrt_followup.estimators.illness_death import Seen, seen
from sbrt_followup.surveillance import hazard_models, resampling
from sbrt_followup.surveillance.hazards import Rates

TRUE = {
    "low": Rates((0.0,), (0.00637,), 0.0066),
    "intermediate": Rates((0.0,), (0.01233,), 0.0066),
    "high": Rates((0.0, 13.2), (0.03946, 0.00869), 0.0066),
}
SHARES = {"low": 0.52, "intermediate": 0.07, "high": 0.41}  # the mix of the simulation document; a second one below
EVEN = {"low": 0.39, "intermediate": 0.36, "high": 0.25}
R_CODE = """
suppressMessages(library(msm)); d <- read.csv(commandArgs(TRUE)[1])
Q <- rbind(c(0,.02,.007), c(0,0,.007), c(0,0,0))
f <- function() msm(s~t, subject=id, data=d, qmatrix=Q, deathexact=3, censor=99, censor.states=list(c(1,2)), control=list(reltol=1e-10, fnscale=1000, maxit=500))
invisible(f()); cat(min(sapply(1:3, function(i) system.time(f())["elapsed"])))
"""


def seconds(work: Callable[[], object], repeats: int = 9) -> float:
    work()
    taken = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return min(taken)


def draw(n: int, rates: Rates, rng: np.random.Generator, gap: float, factor: float = 1.0) -> Seen:
    """Draw patients scanned about every `gap` months, lost between 12 and 72 months, dying more often once progressed."""
    onset = rates.reached(rng.exponential(size=n))
    unaffected = rng.exponential(1 / rates.death_clear, n)
    death = np.where(unaffected < onset, unaffected, onset + rng.exponential(1 / (rates.death_clear * factor), n))
    lost = rng.uniform(12, 72, n)
    until = np.minimum(death, lost)
    visits = np.cumsum(rng.normal(gap, 0.33, (n, int(80 / gap))).clip(0.5), axis=1)
    done = visits <= until[:, None]
    hit = done & (visits >= onset[:, None])
    right = np.where(hit.any(axis=1), np.where(hit, visits, np.inf).min(axis=1), np.inf)
    left = np.where(done & (visits < np.minimum(right, onset)[:, None]), visits, 0.0).max(axis=1)
    any_mri = done.any(axis=1)
    return seen(left[any_mri], right[any_mri], until[any_mri], (death <= lost)[any_mri])


def starts(tier: str) -> tuple[float, ...]:
    return TRUE[tier].from_months


def costs() -> None:
    late = months("high400", second_mri=True)
    at = np.array([0.0, 13.2])
    ours = seconds(lambda: piecewise.fit(piecewise.exposed(late.left, late.right, at, late.entry)))
    from lifelines import PiecewiseExponentialFitter

    used = ~(~late.found & (late.left <= late.entry))

    def theirs() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            PiecewiseExponentialFitter([13.2]).fit_interval_censoring(
                late.left[used], late.right[used], entry=late.entry[used]
            )

    other = seconds(theirs, 2)
    print(
        f"one break, late entry, 332 patients: {1e3 * ours:.2f} ms, {ours / other:.4f} x lifelines ({1e3 * other:.0f} ms)"
    )
    data = months("high400")
    mine = seconds(lambda: illness_death.fit(data))
    print(f"illness-death, 395 patients: {1e3 * mine:.2f} ms{_against_msm(data, mine)}")
    rng = np.random.default_rng(1)
    for n in (10_000, 100_000):
        large = draw(n, TRUE["high"], rng, 3.0)
        usual = seconds(lambda d=large: piecewise.fit(piecewise.exposed(d.left, d.right, at)), 2)  # type: ignore[misc]
        both = seconds(lambda d=large: illness_death.fit(d, (0.0, 13.2)), 2)  # type: ignore[misc]
        print(f"{n:,} patients: one break {usual:.3f} s, illness-death with a break {both:.3f} s")
    begin = time.process_time()
    for tier, share in SHARES.items():
        own = draw(round(446 * share), TRUE[tier], rng, 2.0)
        grid = hazard_models.grid_of(own)
        grid = grid if grid.size else np.arange(3.0, 37.0)
        ties = illness_death.constant_deaths(2)
        resampling.sample(own, np.arange(len(own)), 1000, 1, starts=(0.0,), grid=grid, ties=ties, step=lambda: None)
    print(
        f"1,000 samples x 3 tiers of 446, the break estimated anew in each: {time.process_time() - begin:.0f} s of one core"
    )


def _against_msm(data: Seen, ours: float) -> str:
    if shutil.which("Rscript") is None:
        return " (no R here)"
    lines = ["id,t,s"]
    for k in range(len(data)):
        rows = [(0.0, 1)] + ([(data.left[k], 1)] if data.left[k] > 0 else [])
        if data.found[k]:
            rows.append((data.right[k], 2))
        if data.until[k] > rows[-1][0]:
            rows.append((data.until[k], 3 if data.died[k] else 2 if data.found[k] else 99))
        lines += [f"{k},{t},{s}" for t, s in rows]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.csv"
        path.write_text("\n".join(lines))
        done = subprocess.run(["Rscript", "-e", R_CODE, str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        return " (R without msm)"
    return f", {ours / float(done.stdout):.3f} x R msm ({1e3 * float(done.stdout):.0f} ms)"


def recovery(seeds: int) -> None:
    """Fit 20,000 patients drawn at the published rates, under the review's gaps."""
    logs: dict[str, list[Floats]] = {tier: [] for tier in TRUE}
    for seed in range(seeds):
        rng = np.random.default_rng(100 + seed)
        for tier, share in EVEN.items():
            fit = illness_death.fit(draw(round(20_000 * share), TRUE[tier], rng, 2.5), starts(tier))
            logs[tier].append(np.log(fit.progression / np.array(TRUE[tier].progression)))
    for tier, found in logs.items():
        mean, error = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / np.sqrt(seeds)
        shown = "; ".join(f"{100 * m:+.1f} % (standard error {100 * e:.1f})" for m, e in zip(mean, error, strict=True))
        print(f"recovery, {tier}: hazard off by {shown}")


def coverage(cohorts: int) -> None:
    """How often the profile limits hold the true interval, 446 patients a cohort."""
    rng = np.random.default_rng(7)
    held: dict[str, list[bool]] = {}
    for _ in range(cohorts):
        for tier, share in EVEN.items():
            own = draw(round(446 * share), TRUE[tier], rng, 2.5)
            fit = hazard_models.both("illness_death_break", own, hazard_models.Wanted(0.05), starts(tier))
            for k, phase in enumerate(fit.phases):
                if phase.interval is not None:
                    truth = -np.log(0.95) / TRUE[tier].progression[k]
                    held.setdefault(f"{tier} from month {phase.from_month:g}", []).append(
                        phase.interval.ci_low <= truth <= phase.interval.ci_high
                    )
    for name, inside in held.items():
        print(f"coverage of 95 % limits, {name}: {100 * np.mean(inside):.1f} % of {len(inside)}")


def bias() -> None:
    """The interval under the usual method and under illness-death where progression raises mortality; death 0.03 a month."""
    rng = np.random.default_rng(3)
    for factor in (1.0, 2.0, 5.0):
        rates = Rates((0.0,), (0.03946,), 0.03)
        data = draw(40_000, rates, rng, 6.0, factor)
        usual = piecewise.fit(piecewise.exposed(data.left, data.right, np.zeros(1))).hazard[0]
        own = illness_death.fit(data).progression[0]
        print(
            f"death x {factor:g} after progression, MRI every 6 months: interval usual {0.03946 / usual:.2f} x, illness-death {0.03946 / own:.2f} x the true one"
        )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cohorts", type=int, default=500)
    options.add_argument("--seeds", type=int, default=6)
    asked = options.parse_args()
    assert FOLDER.exists()
    costs()
    recovery(asked.seeds)
    coverage(asked.cohorts)
    bias()


if __name__ == "__main__":
    main()
