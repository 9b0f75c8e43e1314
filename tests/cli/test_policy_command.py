import json
from pathlib import Path

import pandas as pd
import pytest
from helpers.scanned_cohorts import FORMS, RATES, SHARES, TIERS
from typer.testing import CliRunner

from sbrt_followup.cli.app import app
from sbrt_followup.problems import InputRefused
from sbrt_followup.surveillance.hazards import GroupHazards, Hazards, to_json

SAMPLES = Path(__file__).parents[2] / "sample_cohorts"
FEW = ("--draws", "20")


def run(*arguments, command="policy"):
    result = CliRunner().invoke(app, [*command.split(), *(str(a) for a in arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def as_json(*arguments):
    return json.loads(run(*FEW, *arguments, "--format", "json", "--quiet").stdout)


def refused(*arguments):
    with pytest.raises(InputRefused) as caught:
        run(*arguments)
    return caught.value.problems


@pytest.fixture(scope="module")
def body():
    return as_json("--plan", "mri-review-2025,chen-2024", "--every", "3,6", "--death", "0.0066", "--budget", "9.07")


def test_the_reference_plans_come_out_of_the_rule_documents(body):
    names = {"mri-review-2025": "review", "chen-2024": "chen", "every 3 months": "every_3", "every 6 months": "every_6"}
    for row in body["groups"]:
        if row["plan"] not in names:
            continue
        expected = FORMS["plans"][names[row["plan"]]][row["group"]]
        assert row["mris_per_patient"] == pytest.approx(expected["mris"], abs=1e-9)
        assert row["found"] == pytest.approx(expected["found"], abs=1e-9)
        assert row["mean_delay_months"] == pytest.approx(expected["mean_delay"], abs=1e-9)
        assert row["undetected_months"] == pytest.approx(expected["undetected_months_per_patient"], abs=1e-9)
        assert row["died_undetected"] == pytest.approx(expected["died_undetected"], abs=1e-9)
        assert row["found_within_3_months"] == pytest.approx(expected["share_found_within_3_months"], abs=1e-9)
    rows = {row["plan"]: row for row in body["plans"]}
    assert rows["chen-2024"]["mris_per_patient"] == pytest.approx(9.07, abs=0.005)
    assert rows["chen-2024"]["mean_delay_months"] == pytest.approx(1.85, abs=0.006)
    assert rows["square-root rule"]["mean_delay_months"] == pytest.approx(1.73, abs=0.006)
    assert body["mix"]["shares"] == pytest.approx(dict(zip(TIERS, SHARES, strict=True)))


def test_nothing_derived_or_assumed_goes_unsaid(body):
    codes = [c["code"] for c in body["cautions"]]
    assert {"hazards-derived", "mix", "no-proof"} <= set(codes)
    assert {row["known"] for row in body["hazards"]} == {"derived"}
    assert body["mix"]["known"] == "derived, an assumption"
    documents = {d["document"] for d in body["manifest"]["rules"]}
    assert {"plan/chen-2024", "simulation/spine-progression", "pseudoprogression/default"} <= documents


def test_the_best_plan_keeps_to_the_budget_and_beats_the_others(body):
    rows = {row["plan"]: row for row in body["plans"]}
    best, optimum = rows["whole weeks"], rows["optimum"]
    assert best["mris_per_patient"] <= 9.07 and optimum["mris_per_patient"] <= 9.07
    assert optimum["weighted_undetected_months"] < best["weighted_undetected_months"]
    assert best["weighted_undetected_months"] < rows["chen-2024"]["weighted_undetected_months"]
    assert best["undetected_difference_ci_low"] is not None
    assert {row["group"] for row in body["best"]} == set(TIERS)
    assert 0 <= body["simplicity_cost"] < 0.05
    assert all(isinstance(row["every_weeks"], int) and row["phase"] <= 3 for row in body["best"])


def test_false_alarms_and_confirming_mris_are_counted(body):
    for row in body["plans"]:
        # Every six months the first MRI comes after the window.
        inside = row["plan"] != "every 6 months"
        assert 0 <= row["false_alarms_equivocal_per_site"] <= row["false_alarms_per_site"] <= 0.14
        assert (row["false_alarms_equivocal_per_site"] > 0) == (row["confirming_mris"] > 0) == inside
        assert row["mean_delay_with_confirming_months"] >= row["mean_delay_months"]


def test_an_mri_that_misses_finds_later():
    sharp, dull = (as_json("--plan", "chen-2024", "--sensitivity", s) for s in ("1", "0.8"))
    one, other = (b["plans"][0]["mean_delay_months"] for b in (sharp, dull))
    assert other > one + 0.3
    assert "optimum-without-misses" in [c["code"] for c in dull["cautions"]]


def test_hazards_of_intervals_are_read(tmp_path):
    groups = tuple(
        GroupHazards(t, RATES[t], "fitted", "cohort X", n=100, std_error_log=(0.1,) * len(RATES[t].progression))
        for t in TIERS
    )
    (tmp_path / "h.json").write_text(json.dumps({"schema_version": 1, "hazards": to_json(Hazards(groups))}))
    body = as_json("--plan", "chen-2024", "--hazards", tmp_path / "h.json")
    assert {row["known"] for row in body["hazards"]} == {"fitted"}
    assert body["mix"]["known"] == "cohort" and body["mix"]["shares"]["high"] == pytest.approx(1 / 3)
    assert "hazards-derived" not in [c["code"] for c in body["cautions"]]
    deadlier = as_json("--plan", "chen-2024", "--hazards", tmp_path / "h.json", "--death", "0.02")
    assert {row["death_clear_per_month"] for row in deadlier["hazards"]} == {0.02}
    assert deadlier["plans"][0]["mris_per_patient"] < body["plans"][0]["mris_per_patient"]


def test_a_model_without_deaths_is_not_taken_in_silence(tmp_path):
    phases = [{"from_month": 0, "until_month": None, "events": 9, "hazard_per_month": 0.01, "std_error_log": 0.3}]
    group = {"group": "all", "n": 50, "events": 9, "chosen": "exponential"}
    models = [{"model": "exponential", "status": "fitted", "phases": phases, "death_clear_per_month": None}]
    (tmp_path / "i.json").write_text(json.dumps({"schema_version": 1, "groups": [{**group, "models": models}]}))
    body = as_json("--plan", "mri-review-2025", "--hazards", tmp_path / "i.json")
    assert "no-death" in [c["code"] for c in body["cautions"]]
    assert body["plans"][0]["mris_ci_low"] is not None
    body = as_json("--plan", "mri-review-2025", "--hazards", tmp_path / "i.json", "--death", "0.01")
    assert "no-death" not in [c["code"] for c in body["cautions"]]


def test_a_cohort_says_how_many_are_in_each_tier():
    body = as_json(SAMPLES / "synthetic_446.csv", "--plan", "chen-2024")
    assert body["mix"]["known"] == "cohort"
    assert body["mix"]["shares"] == pytest.approx({"low": 231 / 446, "intermediate": 37 / 446, "high": 178 / 446})
    assert "mix" not in [c["code"] for c in body["cautions"]]


def test_what_the_proposal_would_change_for_the_cohort_is_told(tmp_path):
    folder = tmp_path / "ours"
    plans = ("--plan", "mri-review-2025,chen-2024", "--as-of", "2025-06-01")
    done = run(SAMPLES / "synthetic_446.csv", *plans, "--draws", "0", "--plan-output", folder, "-f", "csv")
    assert "If signed, from mri-review-2025 to proposed-plan, as of 2025-06-01" in done.stderr
    written = json.loads((folder / "proposed-plan.yaml.manifest.json").read_text(encoding="utf-8"))
    assert {d["document"] for d in written["rules"]} >= {"response/next-step", "sins/fisher-2010"}


def test_stopping_is_only_spoken_of_when_a_lead_is_given(body):
    assert body["stop"]["hazard_per_month"] is None
    given = as_json("--plan", "chen-2024", "--lead", "4")
    assert given["stop"]["hazard_per_month"] > 0
    months = {g["group"]: g["from_month"] for g in given["stop"]["groups"]}
    assert months["low"] == 0 and months["high"] == pytest.approx(13.2)


def test_the_best_plan_becomes_an_overlay_that_must_be_signed(tmp_path):
    folder = tmp_path / "ours"
    done = run(*FEW, "--plan", "mri-review-2025,chen-2024", "--budget", "8", "--plan-output", folder, "-f", "csv")
    assert "rules impact COHORT --to ours" in done.stderr
    path = folder / "proposed-plan.yaml"
    unsigned = CliRunner().invoke(app, ["rules", "check", str(folder), "-q"])
    assert unsigned.exit_code != 0
    text = path.read_text(encoding="utf-8")
    assert "derived" in text and "hazards" in text
    path.write_text(text.replace('approved_by: ""', 'approved_by: "Dr A, 2026-01-01"'), encoding="utf-8")
    assert CliRunner().invoke(app, ["rules", "check", str(folder), "-q"]).exit_code == 0
    facts = (
        "--sbrt-date",
        "2026-01-31",
        "--bilsky",
        "2",
        "--paraspinal",
        "yes",
        "--sins",
        "12",
        "--as-of",
        "2026-02-01",
    )
    visits = run(*facts, "--plan", "proposed-plan", "--rules", folder, "-f", "csv", "-q", command="schedule").stdout
    due = pd.read_csv(pd.io.common.StringIO(visits))["due"]
    assert abs((pd.Timestamp(due[0]) - pd.Timestamp("2026-01-31")).days - 91) <= 2  # week 13
    (problem,) = refused(
        *FEW, "--plan", "mri-review-2025,chen-2024", "--budget", "8", "--plan-output", folder, "-f", "csv"
    )
    assert problem.code == "file-exists"


@pytest.mark.parametrize(
    ("arguments", "codes"),
    [
        (["--plan", "chen"], ["unknown-document"]),
        (["--budget", "0", "--sensitivity", "2", "--gaps", "9,3", "--draws", "5"], ["not-allowed"] * 4),
        (["--mix", "low=1,mild=2"], ["unknown-group"]),
        (["--weight", "low=1,mild=2"], ["unknown-group"]),
        (["--mix", "low"], ["not-allowed"]),
        (["--hazards", "nothing.json"], ["no-file"]),
        (["--table", "nothing"], ["not-allowed"]),
        (["--horizon", "2"], ["no-visits"] * 2),
        (["--death", "3"], ["not-allowed"]),
        (["--plan", "mri-review-2025", "--first", "104", "--horizon", "12"], ["first-after-horizon"]),
    ],
)
def test_what_cannot_be_done_is_refused(arguments, codes):
    assert [p.code for p in refused("--draws", "0", *arguments)][: len(codes)] == codes


def test_a_budget_too_small_is_said_with_the_least_possible():
    body = as_json("--plan", "mri-review-2025", "--budget", "1")
    (caution,) = [c for c in body["cautions"] if c["code"] == "budget-too-small"]
    assert "the fewest is" in caution["message"] and body["best"] == []


def test_mris_that_the_gaps_leave_no_room_for_are_said():
    body = as_json("--plan", "mri-review-2025", "--budget", "100")
    assert "budget-not-used" in [c["code"] for c in body["cautions"]]


def test_groups_that_are_no_tiers_go_with_a_plan_without_tiers(tmp_path):
    groups = (GroupHazards("all", RATES["low"], "fitted", "cohort X", n=50),)
    (tmp_path / "h.json").write_text(json.dumps(to_json(Hazards(groups))))
    body = as_json("--plan", "mri-review-2025", "--hazards", tmp_path / "h.json")
    assert {row["group"] for row in body["best"]} == {"all"}
    (problem,) = refused("--plan", "chen-2024", "--hazards", tmp_path / "h.json")
    assert problem.code == "no-schedule"


def test_the_printed_form_keeps_to_a_page_and_the_figure_is_drawn_alike(tmp_path):
    files = [tmp_path / "a.svg", tmp_path / "b.svg"]
    done = run(
        *FEW, "--plan", "mri-review-2025-tiered,chen-2024", "-f", "table", "--figure", files[0], "--figure", files[1]
    )
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "no proof" in done.stdout and "derived" in done.stdout
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize("table", ["plans", "groups", "visits", "hazards", "best", "frontier"])
def test_every_table_is_csv(table):
    lines = run("--draws", "0", "--plan", "chen-2024", "-f", "csv", "-q", "--table", table).stdout.splitlines()
    assert len(lines) > 1
