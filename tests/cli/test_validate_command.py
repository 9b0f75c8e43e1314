import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers.scanned_cohorts import RATES, TIERS, as_tables
from helpers.scored_cohorts import EXPECTED, tiers446
from typer.testing import CliRunner

from sbrt_followup.cli.app import app
from sbrt_followup.problems import InputRefused
from sbrt_followup.surveillance.detection import Flow
from sbrt_followup.surveillance.hazards import GroupHazards, Hazards, to_json

SAMPLES = Path(__file__).parents[2] / "sample_cohorts"
SCORES = "12=risk12,24=risk24,48=risk48"


def run(*arguments):
    result = CliRunner().invoke(app, ["validate", *(str(a) for a in arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def as_json(*arguments):
    return json.loads(run(*arguments, "--format", "json", "--quiet").stdout)


def refused(*arguments):
    with pytest.raises(InputRefused) as caught:
        run(*arguments)
    return caught.value.problems


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    frame = tiers446()
    date = pd.Timestamp("2010-01-01") + pd.to_timedelta(frame["time"], unit="D")
    table = pd.DataFrame(
        {
            "patient_id": frame["id"],
            "sbrt_date": "2010-01-01",
            "progression_date": date.where(frame["status"] == 1),
            "death_date": date.where(frame["status"] == 2),
            "last_followup_date": date,
        }
    )
    path = tmp_path_factory.mktemp("validate") / "tiers.csv"
    table.join(frame[["tier", "risk12", "risk24", "risk48", "marker"]]).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def scanned(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scanned")
    patients, scans = as_tables(4000, seed=21)
    patients.to_csv(folder / "cohort.csv", index=False)
    scans.to_csv(folder / "mri.csv", index=False)
    return folder / "cohort.csv", folder / "mri.csv"


def test_the_json_holds_the_contracts_keys_and_r_s_numbers(cohort):
    body = as_json(cohort, "--score", SCORES, "--by", "tier")
    assert body["schema_version"] == 1 and body["endpoint"] == "progression" and body["unit"] == "patient"
    assert body["score"] == "risk12, risk24, risk48" and body["excluded"] == []
    assert [h["months"] for h in body["horizons"]] == [12, 24, 48]
    for found in body["horizons"]:
        expected = EXPECTED[f"tiers446_{found['months']}"]
        assert list(found) == [
            "months", "n", "events", "competing", "auc", "brier", "observed", "expected", "oe", "calibration", "c_index",
            "net_benefit", "scan_days",
        ]  # fmt: skip
        assert found["auc"]["estimate"] == pytest.approx(expected["auc"]["estimate"], abs=1e-9)
        assert list(found["auc"]) == ["estimate", "std_error", "ci_low", "ci_high"]
        assert found["brier"]["model"] == pytest.approx(expected["brier"]["model"], abs=1e-9)
        assert found["brier"]["null"] == pytest.approx(expected["brier"]["null"], abs=1e-9)
        assert found["brier"]["scaled"] == pytest.approx(expected["brier"]["ipa"], abs=1e-9)
        assert found["observed"]["estimate"] == pytest.approx(expected["observed"]["aj"], abs=1e-9)
        assert found["observed"]["std_error"] == pytest.approx(expected["observed"]["se"], abs=1e-9)
        assert found["expected"] == pytest.approx(expected["expected"], abs=1e-9)
        assert found["oe"]["ci_low"] == pytest.approx(expected["oe"]["lower"], abs=1e-9)
        slope = found["calibration"]["slope"]["estimate"]
        assert slope == pytest.approx(expected["calibration_slope"]["estimate"], abs=1e-5)
        assert found["c_index"]["wolbers"] == pytest.approx(expected["wolbers_c"], abs=1e-9)
        own = expected["harrell_c_cause_specific"]["estimate"]
        assert found["c_index"]["harrell_cause_specific"] == pytest.approx(own, abs=1e-9)
        assert [b["threshold"] for b in found["net_benefit"]] == expected["decision"]["threshold"]
        assert [b["model"] for b in found["net_benefit"]] == pytest.approx(expected["decision"]["model"], abs=1e-9)
        assert [b["all"] for b in found["net_benefit"]] == pytest.approx(expected["decision"]["all"], abs=1e-9)
        assert found["scan_days"] == dict.fromkeys(("found", "expected_found", "oe", "naive_oe_if_perfect"))
    assert "no-scan-days" in [c["code"] for c in body["cautions"]]


def test_a_perfect_model_is_perfect_on_its_own_scan_days_and_seems_not_to_be(scanned):
    body = as_json(scanned[0], "--imaging", scanned[1], "--score", SCORES)
    first = body["horizons"][0]
    assert first["oe"]["ci_high"] < 1  # over-predicts, any other tool would say
    assert first["scan_days"]["naive_oe_if_perfect"] == pytest.approx(first["oe"]["estimate"], abs=0.05)
    for found in body["horizons"]:
        assert abs(found["scan_days"]["oe"] - 1) < 3 / np.sqrt(found["scan_days"]["found"])
    assert "no-scan-days" not in [c["code"] for c in body["cautions"]]


def test_a_plain_score_has_discrimination_only(cohort):
    body = as_json(cohort, "--score", "marker", "--times", "24")
    (found,) = body["horizons"]
    assert found["auc"]["estimate"] == pytest.approx(EXPECTED["tiers446_marker_24"]["auc"]["estimate"], abs=1e-9)
    assert found["expected"] is None and found["brier"]["model"] is None and found["net_benefit"] == []
    assert found["oe"] == {"estimate": None, "ci_low": None, "ci_high": None}


def test_tiers_of_the_rules_have_published_and_derived_risks():
    body = as_json(
        SAMPLES / "synthetic_446.csv", "--imaging", SAMPLES / "synthetic_446_imaging.csv", "--by", "risk_group"
    )
    known = {r["months"]: r["known"] for r in body["risks"]}
    assert known == {12: "derived", 24: "derived", 48: "published"}
    tiers = {g["group"]: g["expected"] for g in body["groups"] if g["months"] == 48}
    assert tiers == pytest.approx({"low": 0.234, "intermediate": 0.39, "high": 0.518})
    assert body["grouping"]["basis"] == "assumption"
    assert {d["document"] for d in body["manifest"]["rules"]} >= {"risk/chen-2024", "simulation/spine-progression"}
    assert body["horizons"][0]["scan_days"]["expected_found"] > 0


def test_groups_of_an_own_column_need_an_order(cohort, tmp_path):
    table = pd.read_csv(cohort).assign(arm=lambda t: t["tier"].map({"low": "x", "intermediate": "y", "high": "z"}))
    table.to_csv(tmp_path / "c.csv", index=False)
    (problem,) = refused(tmp_path / "c.csv", "--by", "arm", "--times", "24")
    assert problem.code == "no-order"
    straight = as_json(tmp_path / "c.csv", "--by", "arm", "--times", "24", "--order", "x;y;z")
    turned = as_json(tmp_path / "c.csv", "--by", "arm", "--times", "24", "--order", "z;y;x")
    one, other = (b["horizons"][0]["auc"]["estimate"] for b in (straight, turned))
    assert one > 0.6 and one + other == pytest.approx(1)
    assert [g["group"] for g in turned["groups"]] == ["z", "y", "x"]


def test_wrong_scores_are_named_by_row_without_their_value(cohort, tmp_path):
    table = pd.read_csv(cohort, dtype=str)
    table.loc[3, "risk24"], table.loc[5, "risk24"] = "SECRET", "24"
    table.to_csv(tmp_path / "c.csv", index=False)
    problems = refused(tmp_path / "c.csv", "--score", "24=risk24")
    assert len(problems) == 2
    assert "row 5, column risk24: is not a number" in str(problems[0])
    assert "row 7, column risk24: is not a risk between 0 and 1" in str(problems[1])
    assert not re.search("SECRET|T006", " ".join(map(str, problems)))


def test_a_missing_score_leaves_the_patient_out_and_says_so(cohort, tmp_path):
    table = pd.read_csv(cohort, dtype=str)
    table.loc[3, "risk24"] = None
    table.to_csv(tmp_path / "c.csv", index=False)
    body = as_json(tmp_path / "c.csv", "--score", "24=risk24")
    assert body["excluded"] == [{"row": 5, "reason": "the score is missing"}]
    assert body["horizons"][0]["n"] == 445


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], "no-model"),
        (["--score", "risk99"], "unknown-column"),
        (["--score", "24=risk24", "--times", "12"], "no-risk"),
        (["--score", "x=risk24"], "not-allowed"),
        (["--score", "24=risk24", "--thresholds", "0,1"], "not-allowed"),
        (["--score", "24=risk24", "--level", "95"], "not-allowed"),
        (["--by", "tier", "--times", "99"], "beyond-follow-up"),
        (["--score", "24=risk24", "--unit", "site"], "unit-site"),
        (["--score", "24=risk24", "--table", "nothing"], "not-allowed"),
    ],
)
def test_what_cannot_be_done_is_refused(cohort, arguments, code):
    assert [p.code for p in refused(cohort, *arguments)] == [code]


def test_one_horizon_beyond_follow_up_does_not_take_the_others_along(cohort):
    body = as_json(cohort, "--by", "tier", "--times", "24,99")
    near, far = body["horizons"]
    assert near["auc"]["estimate"] is not None and far["auc"]["estimate"] is None and far["n"] == 446
    assert [c["code"] for c in body["cautions"]] == ["beyond-follow-up"]


def test_an_apparent_score_is_declared(cohort):
    body = as_json(cohort, "--score", "24=risk24", "--apparent")
    assert body["apparent"] and "apparent" in [c["code"] for c in body["cautions"]]


def test_hazards_fitted_to_this_table_are_apparent(cohort, tmp_path):
    groups = tuple(GroupHazards(tier, RATES[tier], "fitted", "intervals") for tier in TIERS)
    digest = as_json(cohort, "--by", "tier", "--times", "24")["manifest"]["inputs"][0]["content_hash"]
    told = {}
    for name, hashed in (("here.json", digest), ("elsewhere.json", "sha256:0")):
        inputs = {"inputs": [{"role": "cohort", "content_hash": hashed}]}
        (tmp_path / name).write_text(json.dumps({"hazards": to_json(Hazards(groups)), "manifest": inputs}))
        told[name] = as_json(cohort, "--by", "tier", "--times", "24", "--hazards", tmp_path / name)
    assert told["here.json"]["apparent"] and not told["elsewhere.json"]["apparent"]
    assert {r["known"] for r in told["here.json"]["risks"]} == {"fitted"}
    expected = float(Flow(RATES["high"]).onsets(24.0))
    high = next(g for g in told["here.json"]["groups"] if g["group"] == "high")
    assert high["expected"] == pytest.approx(expected)


def test_hazards_that_lack_a_group_are_refused(cohort, tmp_path):
    groups = (GroupHazards("low", RATES["low"], "fitted", "intervals"),)
    (tmp_path / "h.json").write_text(json.dumps(to_json(Hazards(groups))))
    (problem,) = refused(cohort, "--by", "tier", "--times", "24", "--hazards", tmp_path / "h.json")
    assert problem.code == "unknown-group"


def test_the_printed_form_keeps_to_a_page_and_the_figure_is_drawn_alike(cohort, tmp_path):
    files = [tmp_path / "a.svg", tmp_path / "b.svg"]
    text = run(cohort, "--score", SCORES, "--by", "tier", "-f", "table", "--figure", files[0], "--figure", files[1])
    assert max(map(len, text.stdout.splitlines())) <= 80
    assert "O/E" in text.stdout and "TRIPOD" in text.stdout
    assert files[0].read_bytes() == files[1].read_bytes()
    assert (tmp_path / "a.svg.manifest.json").exists()


@pytest.mark.parametrize(
    "table", ["horizons", "groups", "net-benefit", "calibration", "published", "tripod", "excluded"]
)
def test_every_table_is_csv(cohort, table):
    lines = run(cohort, "--score", SCORES, "--by", "tier", "-f", "csv", "-q", "--table", table).stdout.splitlines()
    assert len(lines) > 1 or table == "excluded"
