"""Time validation of a risk model and comparison of plans, ratios in one run.

    python benchmarks/surveillance.py [--repeats 5]

R with the package riskRegression (Debian: r-cran-riskregression) is used where `Rscript` is found, for AUC and Brier score with
standard errors on the reference cohort of 446; only the call is timed, never reading.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sbrt_followup.estimators.accuracy import auc, brier, weigh
from sbrt_followup.surveillance.detection import detect
from sbrt_followup.surveillance.hazards import Rates
from sbrt_followup.surveillance.optimum import Days, Limits, exact
from sbrt_followup.surveillance.phased import Weeks
from sbrt_followup.surveillance.plan_comparison import Best, Setting

FOLDER = Path(__file__).parents[1] / "tests" / "reference" / "loop"
MONTH = 30.4375
R_CODE = """
suppressMessages({library(survival); library(prodlim); library(riskRegression)}); d <- read.csv(commandArgs(TRUE)[1])
f <- function() Score(list(m=matrix(d$risk24, ncol=1)), formula=Hist(time, status)~1, data=d, times=24*30.4375, cause=1,
  cens.model="km", conf.int=TRUE, metrics=c("auc", "brier"), null.model=FALSE)
invisible(f()); cat(min(sapply(1:5, function(i) system.time(f())["elapsed"])))
"""


def seconds(work: Callable[[], object], repeats: int) -> float:
    work()
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def accuracy(time_: np.ndarray, status: np.ndarray, risk: np.ndarray, day: float) -> tuple[float, float]:
    people = weigh(time_, status, day)
    return auc(people, risk).std_error(), brier(people, risk).std_error()


def report(what: str, taken: float, limit: str, against: float | None = None) -> None:
    ratio = "" if against is None else f"{taken / against:8.4f} × of {against:.3f} s"
    print(f"{what:58} {taken:9.5f} s  limit {limit:12} {ratio}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    file = FOLDER / "tiers446.csv"
    rows = np.genfromtxt(file, delimiter=",", names=True, dtype=None, encoding="utf-8")
    small = rows["time"].astype(float), rows["status"], rows["risk24"], 24 * MONTH
    r = None
    if shutil.which("Rscript"):
        r = float(
            subprocess.run(["Rscript", "-e", R_CODE, str(file)], capture_output=True, text=True, check=True).stdout
        )
    report("AUC and Brier with errors, 446", seconds(lambda: accuracy(*small), repeats), "0.05 × R", r)
    rng = np.random.default_rng(1)
    n = 1_000_000
    large = (np.ceil(rng.exponential(900, n)), rng.choice(3, n, p=[0.4, 0.4, 0.2]), rng.random(n), 730.0)
    report("AUC and Brier with errors, 1,000,000", seconds(lambda: accuracy(*large), 1), "3 s")

    forms = json.loads((FOLDER / "policy_closed_forms.json").read_text(encoding="utf-8"))
    assumed = forms["assumptions"]
    rates = {
        tier: Rates(tuple(float(b) for b, _ in h), tuple(rate for _, rate in h), assumed["death_per_month"])
        for tier, h in assumed["hazards_per_month"].items()
    }
    plans = [(plan[tier]["visits"], rates[tier]) for plan in forms["plans"].values() for tier in rates]
    report("four plans × three tiers", seconds(lambda: [detect(v, own, 60.0) for v, own in plans], repeats), "0.05 s")
    report(
        "optimum to the day, one tier",
        seconds(lambda: exact(Days(rates["high"], 60.0), 0.07387, Limits(14)), repeats),
        "0.15 s",
    )
    shares = tuple(assumed["mix"][tier] for tier in rates)
    setting = Setting(tuple(rates), tuple(rates.values()), shares, (1.0,) * 3, 60.0)

    def frontier() -> object:
        return Best(setting, Limits(35), [Weeks(13, 5, 27, 3)] * 3).frontier(6.0, 12.0)

    report("frontier of 25 points: optimum, rule of thumb, whole weeks", seconds(frontier, 1), "10 s")


if __name__ == "__main__":
    main()
