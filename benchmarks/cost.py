"""What commands cost, as ratios in one interleaved run: `python benchmarks/cost.py [sites]` (default one million).

Ratios, not seconds: the machine's speed drifts. Needs the extra `parquet`.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

COMMAND = [sys.executable, "-m", "sbrt_followup"]
# Installed byte code is what a user runs.
ENV = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=ENV)
    return time.perf_counter() - start


def ratio(name: str, ours: list[str], other: list[str], limit: float, runs: int = 9) -> None:
    seconds(ours), seconds(other)
    pairs = [(seconds(ours), seconds(other)) for _ in range(runs)]
    value = statistics.median(a / b for a, b in pairs)
    print(f"{name}: {value:.2f} x (limit {limit:g}), median of {runs} pairs", flush=True)


def cohort(path: Path, sites: int, several: bool) -> None:
    """Patients with one to four sites, all tiers, some facts missing; synthetic, seeded."""
    rng = np.random.default_rng(1)
    many = rng.choice([1, 2, 3, 4], size=sites, p=[0.4, 0.2, 0.2, 0.2]) if several else np.ones(sites, dtype=int)
    patient = np.repeat(np.arange(sites), many)[:sites]
    first = np.datetime64("2020-01-01") + rng.integers(0, 1500, patient.max() + 1)
    place = np.arange(sites) - np.searchsorted(patient, patient)
    frame = pd.DataFrame(
        {
            "patient_id": [f"P{i:07d}" for i in patient],
            "site_id": [f"s{i}" for i in place],
            "sbrt_date": (first[patient] + rng.choice([0, 0, 0, 5, 40, 200], sites)).astype("datetime64[s]"),
            "bilsky": rng.choice(np.array(["0", "1a", "1b", "1c", "2", "3", None], dtype=object), sites),
            "paraspinal": rng.choice(np.array(["yes", "no", None], dtype=object), sites, p=[0.3, 0.65, 0.05]),
            "sins": np.where(rng.random(sites) < 0.05, np.nan, rng.integers(0, 19, sites)),
        }
    )
    frame.to_parquet(path, index=False)


def peak_mib(command: list[str]) -> tuple[float, float]:
    """Run one command; give its seconds and its own peak memory."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=ENV)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, process.stderr.read().decode() if process.stderr else ""
    return time.perf_counter() - start, usage.ru_maxrss / 1024


REWRITE = """
import sys, time
import pandas as pd
frame = pd.read_parquet(sys.argv[1])
start = time.perf_counter()
frame.to_parquet(sys.argv[2], index=False)
print(time.perf_counter() - start)
"""


def large(sites: int, several: bool, plan: str) -> None:
    """Schedule a large cohort, beside writing the very same table from memory."""
    import pyarrow.parquet as pq

    what = "one to four sites a patient" if several else "one site a patient"
    with tempfile.TemporaryDirectory() as folder:
        source, target, copy = (Path(folder) / n for n in ("cohort.parquet", "visits.parquet", "copy.parquet"))
        cohort(source, sites, several)
        call = [
            *COMMAND,
            "schedule",
            str(source),
            "--plan",
            plan,
            "--as-of",
            "2023-06-15",
            "-q",
            "--force",
            "-o",
            str(target),
        ]
        ratios, memory = [], 0.0
        for _ in range(3):
            ours, memory = peak_mib(call)
            written = subprocess.run(
                [sys.executable, "-c", REWRITE, str(target), str(copy)], check=True, capture_output=True, env=ENV
            )
            ratios.append(ours / float(written.stdout))
        rows = pq.read_metadata(target).num_rows
        value = statistics.median(ratios)
        print(
            f"schedule {sites} sites ({what}, {plan}, {rows} lines): {value:.2f} x writing the table (limit 3), peak {memory:.0f} MiB (limit 4096)",
            flush=True,
        )
        took, memory = peak_mib(
            [*COMMAND, "risk", str(source), "-q", "--force", "-o", str(Path(folder) / "risk.parquet")]
        )
        print(f"risk for {sites} sites: {took:.1f} s (limit 5), peak {memory:.0f} MiB", flush=True)


def main() -> None:
    python = [sys.executable, "-c"]
    ratio("--help v python -c pass", [*COMMAND, "--help"], [*python, "pass"], 16)
    one = [*COMMAND, "schedule", "--sbrt-date", "2025-01-31", "--bilsky", "1b", "--as-of", "2025-05-05", "-q"]
    ratio("schedule of one patient v its imports", one, [*python, "import typer, rich, yaml, pandas"], 1.3)
    sites = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    large(sites, several=False, plan="mri-review-2025")
    large(sites, several=True, plan="mri-review-2025-tiered")


if __name__ == "__main__":
    main()
