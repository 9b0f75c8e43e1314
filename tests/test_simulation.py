"""Synthetic cohorts: seeded, labelled, in the contract's columns, and near the published landmarks they are made for."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sbrt_followup.outcomes.simulation import LABEL, Settings, rates_of, simulate
from sbrt_followup.problems import InputRefused
from sbrt_followup.records import read_cohort, read_imaging
from sbrt_followup.rulebook.library import load

ROOT = Path(__file__).parents[1]
SETTINGS = Settings(60, 130, 5, "mri-review-2025", 7.0, 0.05, 0.5, (2.0, 10.0), "2008-01-01")
# Chen 2024, abstract (3 years second hand): cumulative incidence of spine progression.
PUBLISHED = {12: 0.192, 24: 0.267, 36: 0.328, 48: 0.353}
PUBLISHED_TIERS = {"low": 0.234, "intermediate": 0.390, "high": 0.518}


def curves(*arguments: str) -> pd.DataFrame:
    done = subprocess.run(
        [sys.executable, "-m", "sbrt_followup", "curves", "sample_cohorts/synthetic_446.csv", "--as-of", "2030-01-01", "-q", "-f", "csv", *arguments],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    from io import StringIO

    return pd.read_csv(StringIO(done.stdout))


def test_the_same_seed_gives_the_same_rows_and_another_seed_others() -> None:
    rulebook = load()
    one, two, other = (simulate(rulebook, s) for s in (SETTINGS, SETTINGS, replace(SETTINGS, seed=6)))
    assert one[0].equals(two[0]) and one[1].equals(two[1])
    assert not one[0].equals(other[0])


@pytest.mark.parametrize("plan", ["mri-review-2025", "mri-review-2025-tiered", "chen-2024"])
def test_every_row_is_labelled_and_fits_the_contract(tmp_path: Path, plan: str) -> None:
    cohort, imaging = simulate(load(), replace(SETTINGS, plan=plan))
    assert (cohort[LABEL] == "yes").all() and (imaging[LABEL] == "yes").all()
    assert (cohort["patient_id"].nunique(), len(cohort)) == (60, 130)
    cohort.to_csv(tmp_path / "cohort.csv", index=False)
    imaging.to_csv(tmp_path / "imaging.csv", index=False)
    assert len(read_cohort(tmp_path / "cohort.csv").frame) == 130
    assert len(read_imaging(tmp_path / "imaging.csv").frame) == len(imaging)


def test_nothing_happens_after_death_and_progression_is_found_at_an_mri() -> None:
    cohort, imaging = simulate(load(), replace(SETTINGS, patients=400, sites=500))
    assert not (cohort["progression_date"] > cohort["death_date"]).any()
    scans = imaging.groupby("patient_id")["mri_date"].agg(set)
    found = cohort.dropna(subset=["progression_date"])
    assert len(found) and all(
        day in scans[who] for who, day in zip(found["patient_id"], found["progression_date"], strict=True)
    )


def test_the_rates_are_those_of_the_bibliography() -> None:
    rates = rates_of(load())
    # 1 − (1 − p) ** (1 / interval): 3.75 % in 6.0 and 3.1 months, 5 % in 1.3 and 5.9 (Chen 2024, abstract).
    expected = [-np.log(1 - 0.0375) / 6.0, -np.log(1 - 0.0375) / 3.1, -np.log(1 - 0.05) / 1.3]
    assert np.allclose(rates.early, expected, atol=5e-6)
    assert np.isclose(rates.late[2], -np.log(1 - 0.05) / 5.9, atol=5e-6)


def test_the_sample_cohort_meets_the_published_landmarks_within_sampling_error() -> None:
    table = curves("--times", "12,24,36,48").set_index("months")
    for month, published in PUBLISHED.items():
        assert abs(table.loc[month, "estimate"] - published) < 1.96 * table.loc[month, "std_error"]
    tiers = curves("--by", "risk_group", "--times", "48").set_index("group")
    for tier, published in PUBLISHED_TIERS.items():
        assert abs(tiers.loc[tier, "estimate"] - published) < 1.96 * tiers.loc[tier, "std_error"]


def test_the_sample_cohort_can_be_made_again() -> None:
    cohort, imaging = simulate(load(), replace(SETTINGS, patients=446, sites=1039, seed=27))
    stored = pd.read_csv(ROOT / "sample_cohorts" / "synthetic_446.csv", dtype=str, keep_default_na=False)
    assert stored["patient_id"].tolist() == cohort["patient_id"].tolist()
    assert stored["progression_date"].tolist() == cohort["progression_date"].dt.strftime("%Y-%m-%d").fillna("").tolist()
    assert len(pd.read_csv(ROOT / "sample_cohorts" / "synthetic_446_imaging.csv")) == len(imaging)


def test_fewer_sites_than_patients_are_refused() -> None:
    with pytest.raises(InputRefused):
        simulate(load(), replace(SETTINGS, sites=10))
