"""Synthetic cohorts: seeded, labelled, read back by every command, and near the published landmarks they are made for."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from fractions import Fraction
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from sbrt_followup.cli.app import app
from sbrt_followup.problems import InputRefused
from sbrt_followup.report.tabular import csv_bytes
from sbrt_followup.rulebook.library import Rulebook, load, read
from sbrt_followup.rulebook.model import Plan
from sbrt_followup.rulebook.simulation import Simulation, look_up, with_assumed
from sbrt_followup.sites.risk import by_patient, site_risk
from sbrt_followup.synthetic.cohort import Synthetic, simulate
from sbrt_followup.tables.records import read_cohort, read_imaging

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "sample_cohorts" / "synthetic_446.csv"
SAMPLE_SEED = 43
NAME = "spine-progression"
# Chen 2024, abstract (3 years second hand): cumulative incidence of spine progression.
PUBLISHED = {12: 0.192, 24: 0.267, 36: 0.328, 48: 0.353}
PUBLISHED_TIERS = {"low": 0.234, "intermediate": 0.390, "high": 0.518}


@dataclass(frozen=True)
class Case:
    book: Rulebook
    document: Simulation

    def draw(
        self, patients: int = 60, sites: int | None = 130, seed: int = 5, plan: str = "mri-review-2025", **values: str
    ) -> Synthetic:
        document = with_assumed(self.document, {name: Fraction(v) for name, v in values.items()})
        return simulate(self.book, document, self.book.get(Plan, plan), patients=patients, sites=sites, seed=seed)


@pytest.fixture(scope="module")
def case() -> Case:
    book = load()
    return Case(book, book.get(Simulation, NAME))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sbrt_followup", *arguments], cwd=ROOT, capture_output=True, text=True, encoding="utf-8"
    )


def curves(cohort: Path, *arguments: str) -> pd.DataFrame:
    done = run("curves", str(cohort), "-q", "-f", "csv", *arguments)
    assert done.returncode == 0, done.stderr
    return pd.read_csv(StringIO(done.stdout))


def test_the_same_seed_gives_the_same_rows_and_another_seed_others(case: Case) -> None:
    one, two, other = case.draw(), case.draw(), case.draw(seed=6)
    assert one.cohort.equals(two.cohort) and one.imaging.equals(two.imaging)
    assert not one.cohort.equals(other.cohort)


@pytest.mark.parametrize("plan", ["mri-review-2025", "mri-review-2025-tiered", "chen-2024"])
def test_every_row_is_labelled_and_can_be_read(case: Case, tmp_path: Path, plan: str) -> None:
    made = case.draw(plan=plan)
    assert (made.cohort["synthetic"] == "yes").all() and (made.imaging["synthetic"] == "yes").all()
    assert (made.cohort["patient_id"].nunique(), len(made.cohort)) == (60, 130)
    assert not made.cohort.duplicated(["patient_id", "site_id"]).any()
    (tmp_path / "cohort.csv").write_bytes(csv_bytes(made.cohort))
    (tmp_path / "imaging.csv").write_bytes(csv_bytes(made.imaging))
    assert len(read_cohort(tmp_path / "cohort.csv").frame) == 130
    assert len(read_imaging(tmp_path / "imaging.csv").frame) == len(made.imaging)


def test_sizes_are_the_published_ones_unless_given(case: Case) -> None:
    made = simulate(case.book, case.document, case.book.plan, seed=1)
    assert (made.cohort["patient_id"].nunique(), len(made.cohort)) == (446, 1039)


def test_progression_is_found_at_an_mri_that_took_place_while_alive(case: Case) -> None:
    made = case.draw(patients=400, sites=500)
    cohort, imaging = made.cohort, made.imaging
    done = imaging.loc[imaging["completed"] == "yes"].groupby(["patient_id", "site_id"])["mri_date"].agg(set)
    found = cohort.dropna(subset=["progression_date"])
    assert len(found) > 50
    for line in found.itertuples():
        assert line.progression_date in done[line.patient_id, line.site_id]
        if line.last_clear_mri_date is not pd.NaT:
            assert line.last_clear_mri_date in done[line.patient_id, line.site_id]
            assert line.last_clear_mri_date < line.progression_date
    assert not (imaging.merge(cohort[["patient_id", "site_id", "death_date"]]).eval("mri_date > death_date")).any()


def test_missed_mris_are_listed_show_nothing_and_are_as_many_as_asked_for(case: Case) -> None:
    imaging = case.draw(patients=400, sites=400, missed_mri="30").imaging
    after = imaging.loc[imaging.groupby("patient_id").cumcount() > 0]
    missed = after["completed"] == "no"
    assert abs(missed.mean() - 0.3) < 4 * np.sqrt(0.3 * 0.7 / len(after))
    assert after.loc[missed, ["gtv_cc", "bilsky", "new_spine_metastasis"]].isna().all(axis=None)


def test_without_jitter_and_misses_mris_come_on_the_plans_days(case: Case) -> None:
    made = case.draw(mri_jitter="0", missed_mri="0", plan="mri-review-2025")
    first = made.imaging.merge(made.cohort[["patient_id", "site_id", "sbrt_date"]])
    days = (first["mri_date"] - first["sbrt_date"]).dt.days
    # 3, 5.5, 8, 10.5 and 13 analysis months, each counted from the MRI before in whole days.
    assert sorted(set(days[days > 0]))[:5] == [91, 167, 243, 319, 395]


def test_each_patient_has_the_tier_that_was_drawn(case: Case) -> None:
    made = case.draw(patients=3000, sites=6000)
    frame = made.cohort.assign(sins=np.nan)
    tiers = by_patient(site_risk(frame.assign(row=range(len(frame))), case.book), frame)["risk_group"]
    drawn = [look_up(m.share, case.book.evidence) for m in case.document.mix]
    for tier, percent in zip(("low", "intermediate", "high"), drawn, strict=True):
        share = percent / sum(drawn)
        assert abs((tiers == tier).mean() - share) < 4 * np.sqrt(share * (1 - share) / 3000)


def test_the_rates_are_those_of_the_bibliography(case: Case) -> None:
    rates = [look_up(h.rate, case.book.evidence) for h in case.document.progression]
    # 3.75 % in 6.0 and 3.1 months, 5 % in 1.3 and 5.9 (Chen 2024, abstract).
    expected = [-np.log(1 - p) / every for p, every in ((0.0375, 6.0), (0.0375, 3.1), (0.05, 1.3), (0.05, 5.9))]
    assert np.allclose(rates, expected, atol=5e-6)


def test_a_large_cohort_has_the_published_curve(case: Case, tmp_path: Path) -> None:
    made = case.draw(patients=8000, sites=8000)
    (tmp_path / "large.csv").write_bytes(csv_bytes(made.cohort))
    table = curves(tmp_path / "large.csv", "--times", "12,24,36,48").set_index("months")
    for month, published in PUBLISHED.items():  # the hazards themselves are rounded, and death is approximate
        assert abs(table.loc[month, "estimate"] - published) < 0.015 + 3 * table.loc[month, "std_error"]


@pytest.mark.slow
def test_the_sample_cohort_meets_the_published_landmarks_within_sampling_error() -> None:
    table = curves(SAMPLE, "--times", "12,24,36,48").set_index("months")
    for month, published in PUBLISHED.items():
        assert abs(table.loc[month, "estimate"] - published) < table.loc[month, "std_error"]
    tiers = curves(SAMPLE, "--by", "risk_group", "--times", "48").set_index("group")
    for tier, published in PUBLISHED_TIERS.items():
        assert abs(tiers.loc[tier, "estimate"] - published) < tiers.loc[tier, "std_error"]


def test_the_sample_cohort_can_be_made_again(case: Case) -> None:
    made = simulate(case.book, case.document, case.book.plan, seed=SAMPLE_SEED)
    assert SAMPLE.read_bytes() == csv_bytes(made.cohort)
    assert SAMPLE.with_name("synthetic_446_imaging.csv").read_bytes() == csv_bytes(made.imaging)


def test_assess_finds_in_the_mris_what_the_cohort_says(tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    imaging = str(SAMPLE.with_name("synthetic_446_imaging.csv"))
    done = run(
        "assess",
        str(SAMPLE),
        "--imaging",
        imaging,
        "--as-of",
        "2025-01-01",
        "--endpoints",
        str(events),
        "-q",
        "-f",
        "csv",
    )
    assert done.returncode == 0, done.stderr
    said, seen = pd.read_csv(SAMPLE), pd.read_csv(events)
    both = said.merge(seen, on=["patient_id", "site_id"], suffixes=("", "_seen"))
    assert len(both) == len(said)
    assert (both["progression_date"].notna() == both["progression_date_seen"].notna()).mean() > 0.98
    either = both["progression_date"].notna() & both["progression_date_seen"].notna()
    assert (both["progression_date"] == both["progression_date_seen"])[either].mean() > 0.9


def test_sites_of_a_patient_progress_together_as_often_as_asked_for(case: Case) -> None:
    def pairs(spread: str) -> float:
        cohort = case.draw(patients=1500, sites=3000, local="100", spread=spread).cohort
        per = (
            cohort.assign(event=cohort["progression_date"].notna()).groupby("patient_id")["event"].agg(["sum", "size"])
        )
        return float((per["sum"] > 1).sum() / ((per["sum"] > 0) & (per["size"] > 1)).sum())

    assert pairs("0") == 0.0
    assert 0.25 < pairs("60") < 0.9


@pytest.mark.parametrize(("patients", "sites"), [(60, 10), (0, 0), (2, 100)])
def test_impossible_sizes_are_refused(case: Case, patients: int, sites: int) -> None:
    with pytest.raises(InputRefused):
        case.draw(patients=patients, sites=sites)


def test_a_share_above_one_is_refused() -> None:
    done = run("simulate", "--missed", "2", "-f", "csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--missed takes a share" in done.stderr


def test_a_rate_that_does_not_stand_in_the_bibliography_is_refused(tmp_path: Path) -> None:
    text = (ROOT / "rules" / "simulation" / f"{NAME}.yaml").read_text(encoding="utf-8")
    (tmp_path / "other.yaml").write_text(
        text.replace(f"id: {NAME}", "id: other").replace("finding: hazard-low", "finding: hazard-lo"), encoding="utf-8"
    )
    _, problems = read(tmp_path)
    assert [(p.code, "hazard-low" in p.hint) for p in problems] == [("unknown-finding", True)]


def test_options_that_no_cohort_can_have_are_named_in_one_go() -> None:
    call = ["simulate", "--seed", "-1", "--missed", "1.5", "--jitter", "-2", "--local", "2", "--patients", "0"]
    with pytest.raises(InputRefused) as refused:
        CliRunner().invoke(app, call, catch_exceptions=False)
    said = " ".join(str(p) for p in refused.value.problems)
    assert all(flag in said for flag in ("--seed", "--missed", "--jitter", "--local", "--patients"))
    with pytest.raises(InputRefused) as refused:
        CliRunner().invoke(app, ["simulate", "--patients", "2", "--sites", "9999"], catch_exceptions=False)
    assert "Ask for 2 to" in str(refused.value.problems[0])


def test_an_unshifted_onset_lets_an_interval_censored_method_find_the_rates_again(case: Case, tmp_path: Path) -> None:
    from sbrt_followup.estimators import illness_death
    from sbrt_followup.outcomes.question import Question
    from sbrt_followup.outcomes.study import study
    from sbrt_followup.outcomes.tiers import tier_of_rows
    from sbrt_followup.rulebook.simulation import with_onset
    from sbrt_followup.surveillance.observed import observe

    rate = look_up(case.document.progression[0].rate, case.book.evidence)
    found = {}
    for published in (False, True):
        made = simulate(
            case.book, with_onset(case.document, published), case.book.get(Plan, "mri-review-2025"),
            patients=4000, sites=4000, seed=3,
        )  # fmt: skip
        made.cohort.to_csv(path := tmp_path / "c.csv", index=False)
        frame = read_cohort(str(path)).frame
        tiers = tier_of_rows(frame, case.book, "patient")
        low = observe(study(frame, Question(30), by=tiers), frame, None).groups[0]
        early = illness_death.fit(low.seen, (0.0, 6.0))
        found[published] = early.progression[0] / rate
    assert found[True] == pytest.approx(1.0, abs=0.2)
    assert found[False] > 1.15 * found[True]
    assert case.document.onset_shifted
