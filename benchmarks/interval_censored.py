"""Time the interval-censored estimate against R's npsurv (and lifelines at n=1,000), interleaved on the same patients.

    python benchmarks/interval_censored.py [--repeats 3] [--sizes 1000,10000,50000]

R with the package npsurv (Debian: r-cran-npsurv) is used where `Rscript` is found; only the fit is timed, never reading.
"""

import argparse
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from scans import observed_progression

from sbrt_followup.estimators.interval_censored import npmle

R_CODE = """
suppressMessages(library(npsurv))
d <- read.csv(commandArgs(TRUE)[1]); o <- cbind(d$left, ifelse(is.na(d$right), Inf, d$right))
t <- system.time(fit <- npsurv(o))["elapsed"]
cat(sprintf("%.6f %.12f", t, fit$ll))
"""


def ours(left: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    start = time.perf_counter()
    estimate = npmle(left, right)
    return time.perf_counter() - start, estimate.loglik


def npsurv(file: Path) -> tuple[float, float]:
    done = subprocess.run(["Rscript", "-e", R_CODE, str(file)], capture_output=True, text=True, check=True)
    seconds, loglik = done.stdout.split()
    return float(seconds), float(loglik)


def lifelines(left: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    from lifelines.fitters.npmle import npmle as turnbull

    start = time.perf_counter()
    turnbull(left, right, verbose=False)
    return time.perf_counter() - start, float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sizes", default="1000,10000,50000")
    options = parser.parse_args()
    with_r = shutil.which("Rscript") is not None
    ours(*observed_progression(100, np.random.default_rng(0)))  # imports are not timed
    print(f"{'patients':>9} {'ours s':>9} {'npsurv s':>9} {'ratio':>7} {'loglik apart':>13}")
    for n in (int(size) for size in options.sizes.split(",")):
        left, right = observed_progression(n, np.random.default_rng(n))
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "intervals.csv"
            shown = np.where(np.isfinite(right), right, np.nan)
            np.savetxt(file, np.column_stack([left, shown]), delimiter=",", fmt="%g", header="left,right", comments="")
            mine, theirs = [], []
            for _ in range(options.repeats):
                mine.append(ours(left, right))
                theirs.append(npsurv(file) if with_r else (np.nan, np.nan))
        own, other = min(t for t, _ in mine), min(t for t, _ in theirs)
        print(f"{n:9,} {own:9.4f} {other:9.3f} {own / other:7.3f} {mine[0][1] - theirs[0][1]:13.2e}", flush=True)
        if n == 1000:
            print(f"          lifelines: {lifelines(left, right)[0]:.2f} s")


if __name__ == "__main__":
    main()
