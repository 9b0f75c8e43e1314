"""Whole outputs on the sample cohort; `UPDATE_GOLDEN=1 pytest tests/cli/test_golden.py` writes them anew: read the diff."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parents[1] / "golden"
COHORT = ["sample_cohorts/clinic.csv"]
BOTH = [*COHORT, "--imaging", "sample_cohorts/clinic_imaging.csv", "--as-of", "2025-06-15"]
CASES = {
    "schedule.csv": ["schedule", *BOTH, "--horizon", "24"],
    "schedule_tiered.csv": ["schedule", *BOTH, "--plan", "mri-review-2025-tiered", "--horizon", "24"],
    "schedule_chen.csv": ["schedule", *BOTH, "--plan", "chen-2024", "--horizon", "24"],
    "schedule.json": ["schedule", *BOTH, "--horizon", "9", "--format", "json"],
    "schedule.txt": ["schedule", *BOTH, "--horizon", "12", "--format", "table"],
    "schedule_without_imaging.csv": ["schedule", *COHORT, "--as-of", "2025-06-15", "--horizon", "12"],
    "worklist.txt": ["worklist", *BOTH, "--format", "table"],
    "worklist.json": ["worklist", *BOTH, "--format", "json"],
    "risk.csv": ["risk", *COHORT],
    "risk_patient.csv": ["risk", *COHORT, "--unit", "patient"],
    "risk.json": ["risk", *COHORT, "--format", "json"],
    "explain_P04.txt": ["explain", *BOTH, "--patient", "P04", "--plan", "chen-2024", "--horizon", "12"],
    "explain_P05.json": ["explain", *BOTH, "--patient", "P05", "--visit", "2", "--format", "json"],
}


@pytest.mark.parametrize("name", CASES)
def test_output_is_what_it_was(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sbrt_followup", *CASES[name]],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.write_text(done.stdout, encoding="utf-8")
    # Hashes follow every edit of a rule's wording; the rows must not.
    hide = re.compile(r"sha256:[0-9a-f]{64}")
    assert hide.sub("sha256", done.stdout) == hide.sub("sha256", path.read_text(encoding="utf-8"))
    assert all(len(line) <= 80 for line in done.stdout.splitlines()) or not name.endswith("t.txt") or "explain" in name
