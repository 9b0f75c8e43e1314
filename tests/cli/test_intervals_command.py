import csv
import io
import json
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers.loop_reference import cohort as scanned
from helpers.loop_reference import expected
from typer.testing import CliRunner

from sbrt_followup.cli.app import app
from sbrt_followup.problems import InputRefused
from sbrt_followup.surveillance.hazards import from_json

SAMPLES = Path(__file__).parents[2] / "sample_cohorts"
PHASE = ["from_month", "until_month", "events", "hazard_per_month", "std_error_log", "interval_months"]
MODELS = ["exponential", "break", "weibull", "illness_death", "illness_death_break"]


def run(*arguments):
    result = CliRunner().invoke(app, ["intervals", *(str(a) for a in arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def as_json(*arguments):
    return json.loads(run(*arguments, "--format", "json", "--quiet").stdout)


def refused(*arguments):
    with pytest.raises(InputRefused) as caught:
        run(*arguments)
    return [p.code for p in caught.value.problems]


def table_of(name):
    """Write a reference cohort in our columns; days of death as whole days."""
    own = scanned(name)

    def dates(days):
        known = np.isfinite(days)
        day = pd.Timestamp("2015-01-01") + pd.to_timedelta(np.where(known, np.floor(days), 0), unit="D")
        return pd.Series(day.strftime("%Y-%m-%d")).where(known, "")

    return pd.DataFrame(
        {
            "patient_id": [f"{name}-{k}" for k in range(len(own.left))],
            "sbrt_date": "2015-01-01",
            "arm": name,
            "last_clear_mri_date": dates(np.where(own.left > 0, own.left, np.nan)),
            "progression_date": dates(own.right),
            "death_date": dates(own.death),
            "last_followup_date": dates(own.last_alive),
            "second_mri": dates(own.second_mri),
        }
    )


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    path = tmp_path_factory.mktemp("intervals") / "two.csv"
    pd.concat([table_of("exp300"), table_of("high400")]).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def given(cohort):
    return as_json(cohort, "--by", "arm", "--yield", 5, "--break-at", 13.2)


def model_of(document, group, model):
    own = next(g for g in document["groups"] if g["group"] == group)
    return next(m for m in own["models"] if m["model"] == model)


def test_the_json_is_the_contract_s(given):
    assert list(given)[:4] == ["schema_version", "unit", "groups", "excluded"]
    assert given["schema_version"] == 1
    assert given["unit"] == "patient"
    assert given["manifest"]["command"] == "intervals"
    for group in given["groups"]:
        assert list(group)[:5] == ["group", "n", "events", "chosen", "models"]
        assert [m["model"] for m in group["models"]] == MODELS
        for model in group["models"]:
            assert list(model)[:8] == [
                "model", "status", "reason", "loglik", "aic", "phases", "death_clear_per_month", "death_after_per_month",
            ]  # fmt: skip
            assert model["status"] == "fitted"
            for phase in model["phases"]:
                assert list(phase)[:6] == PHASE
                assert list(phase["interval_months"]) == ["yield_percent", "estimate", "ci_low", "ci_high", "method"]
    assert "NaN" not in json.dumps(given)


@pytest.mark.parametrize("name", ["exp300", "high400"])
def test_the_numbers_are_r_s(given, name):
    known = expected("ic_parametric")[name]["all"]
    group = next(g for g in given["groups"] if g["group"] == name)
    assert (group["n"], group["events"]) == (known["n"], known["events"])
    flat = model_of(given, name, "exponential")
    assert flat["loglik"] == pytest.approx(known["exponential"]["loglik"], abs=1e-8)
    gap = flat["phases"][0]["interval_months"]
    r = known["exponential"]["interval_months"]
    assert [gap["estimate"], gap["ci_low"], gap["ci_high"]] == pytest.approx([r["estimate"], r["profile_low"], r["profile_high"]], rel=1e-7)  # fmt: skip
    assert flat["phases"][0]["std_error_log"] == pytest.approx(known["exponential"]["se_log"], rel=1e-7)
    two = model_of(given, name, "break")
    assert [p["hazard_per_month"] for p in two["phases"]] == pytest.approx(known["piecewise_13.2"]["hazard_per_month"], rel=1e-7)  # fmt: skip
    assert [p["interval_months"]["estimate"] for p in two["phases"]] == pytest.approx(known["piecewise_13.2"]["interval_months"], rel=1e-7)  # fmt: skip
    assert model_of(given, name, "weibull")["loglik"] == pytest.approx(known["weibull"]["loglik"], abs=1e-8)
    rates = expected("ic_illness_death")[name]["rates"]
    both = model_of(given, name, "illness_death")
    # Days of death are whole here, so that mortality moves by a thousandth or two.
    assert both["phases"][0]["hazard_per_month"] == pytest.approx(rates[0], rel=1e-4)
    assert [both["death_clear_per_month"], both["death_after_per_month"]] == pytest.approx(rates[1:], rel=3e-3)


def test_a_break_is_chosen_where_it_is_called_for(given):
    flat, broken = given["groups"]
    assert (flat["chosen"], broken["chosen"]) == ("illness_death", "illness_death_break")
    phases = model_of(given, "high400", "illness_death_break")["phases"]
    assert [(p["from_month"], p["until_month"]) for p in phases] == [(0, 13.2), (13.2, None)]
    assert [p["interval_months"]["method"] for p in phases] == ["profile", "profile"]
    assert sum(p["events"] for p in phases) == broken["events"]


def test_the_hazards_of_the_chosen_models_can_be_read_by_the_next_command(given):
    hazards = from_json(given)
    assert [g.group for g in hazards.groups] == ["exp300", "high400"]
    high = hazards.of("high400")
    phases = model_of(given, "high400", "illness_death_break")["phases"]
    assert high.rates.from_months == (0.0, 13.2)
    assert high.rates.progression == pytest.approx([p["hazard_per_month"] for p in phases])
    assert high.known == "fitted"


def test_late_entry_refuses_what_has_no_maximum_and_counts_what_lies_before(cohort):
    late = as_json(cohort, "--by", "arm", "--yield", 5, "--break-at", 13.2, "--entry", "second_mri")
    known = expected("ic_parametric")["high400"]["second_mri"]
    own = next(g for g in late["groups"] if g["group"] == "high400")
    assert (own["n"], own["events"], own["progressions_before_entry"]) == (known["n"], known["events"], 55)
    weibull = model_of(late, "high400", "weibull")
    assert (weibull["status"], weibull["phases"], weibull["loglik"]) == ("refused", [], None)
    assert "no interior maximum" in weibull["reason"]
    assert model_of(late, "exp300", "weibull")["status"] == "fitted"
    two = model_of(late, "high400", "break")
    assert [p["hazard_per_month"] for p in two["phases"]] == pytest.approx(known["piecewise_13.2"]["hazard_per_month"], rel=1e-7)  # fmt: skip
    three = [row for row in late["entry"] if row["group"] == "high400"]
    assert [row["n"] for row in three] == [395, 332, 332]
    # Selecting those with two MRIs without allowing for it makes the hazard look smaller.
    assert three[1]["hazard_per_month"] < three[2]["hazard_per_month"]


def test_an_estimated_break_has_limits_from_samples_and_a_tested_p_value(cohort):
    found = as_json(cohort, "--by", "arm", "--yield", 5, "--simulations", 39, "--bootstrap", 20)
    high = next(g for g in found["groups"] if g["group"] == "high400")
    assert high["chosen"] == "illness_death_break"
    phases = model_of(found, "high400", "illness_death_break")["phases"]
    assert phases[0]["until_month"] == pytest.approx(14.6)
    assert [p["interval_months"]["method"] for p in phases] == ["bootstrap", "bootstrap"]
    for p in phases:
        gap = p["interval_months"]
        assert gap["ci_low"] < gap["estimate"] < gap["ci_high"]
    test = next(t for t in found["tests"] if t["group"] == "high400")
    assert test["break_p_value"] == pytest.approx(1 / 40)
    assert test["break_likelihood_ratio"] == pytest.approx(expected("ic_parametric")["high400"]["all"]["break_profile"]["lr_against_constant"], abs=0.1)  # fmt: skip
    assert next(g for g in found["groups"] if g["group"] == "exp300")["chosen"] == "illness_death"
    assert len(from_json(found).of("high400").draws) == 20


def test_each_group_may_have_its_own_yield_and_break(cohort):
    own = as_json(cohort, "--by", "arm", "--yield", "exp300=3.75,high400=5", "--break-at", "high400=13.2")
    assert model_of(own, "exp300", "break")["status"] == "refused"
    gap = model_of(own, "exp300", "exponential")["phases"][0]
    assert gap["interval_months"]["yield_percent"] == 3.75
    assert gap["interval_months"]["estimate"] == pytest.approx(-math.log(1 - 0.0375) / gap["hazard_per_month"])


def test_few_events_give_a_bound_and_no_interval(tmp_path):
    few = table_of("exp300")
    keep = (few["progression_date"] == "") | (few["progression_date"].ne("").cumsum() <= 3)
    path = tmp_path / "few.csv"
    few[keep].to_csv(path, index=False)
    document = as_json(path, "--yield", 5)
    (own,) = document["groups"]
    assert (own["events"], own["chosen"]) == (3, None)
    assert {m["status"] for m in own["models"]} == {"refused"}
    assert own["hazard_upper_95_per_month"] > 0
    assert "hazards" not in document


def test_rows_without_any_mri_are_listed(tmp_path):
    table = table_of("exp300")
    table.loc[0, ["last_clear_mri_date", "progression_date"]] = ""
    path = tmp_path / "one.csv"
    table.to_csv(path, index=False)
    document = as_json(path, "--yield", 5, "--break-at", "none")
    assert document["groups"][0]["n"] == len(table) - 1
    assert [e["reason"] for e in document["excluded"]] == ["no follow-up MRI: nothing is known of progression"]


def test_order_of_rows_does_not_matter(cohort, given, tmp_path):
    path = tmp_path / "shuffled.csv"
    pd.read_csv(cohort, dtype=str).sample(frac=1, random_state=4).to_csv(path, index=False)
    other = as_json(path, "--by", "arm", "--yield", 5, "--break-at", 13.2)
    for name in ("exp300", "high400"):
        one, two = (model_of(d, name, "illness_death_break") for d in (given, other))
        assert [p["hazard_per_month"] for p in one["phases"]] == pytest.approx([p["hazard_per_month"] for p in two["phases"]], rel=1e-9)  # fmt: skip


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ([], "no-yield"),
        (["--yield", "0"], "not-allowed"),
        (["--yield", "60"], "not-allowed"),
        (["--yield", "five"], "not-a-number"),
        (["--yield", "5,6"], "not-a-number"),
        (["--yield", "5", "--break-at", "-3"], "not-allowed"),
        (["--yield", "5", "--model", "cox"], "not-allowed"),
        (["--yield", "5", "--bootstrap", "5"], "not-allowed"),
        (["--yield", "5", "--entry", "nowhere"], "unknown-column"),
        (["--yield", "5", "--endpoint", "death"], "not-allowed"),
        (["--yield", "5", "--unit", "site"], "unit-site"),
        (["--yield", "5", "--mortality-after-progression", "0"], "not-allowed"),
        (["--by", "arm", "--yield", "exp300=5"], "no-yield"),
        (["--by", "arm", "--yield", "exp300=5,other=5"], "unknown-group"),
        (["--by", "arm", "--yield", "5", "--plan-output", "nobody"], "no-schedule"),
    ],
)
def test_what_cannot_be_is_refused(cohort, more, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert (
        code in refused(cohort, *more, "--simulations", 0, "--bootstrap", 0)
        if "--bootstrap" not in more
        else code in refused(cohort, *more)
    )


def test_second_mri_needs_the_mris(tmp_path):
    path = tmp_path / "c.csv"
    table_of("exp300").drop(columns="second_mri").to_csv(path, index=False)
    assert refused(path, "--yield", 5, "--entry", "second_mri") == ["no-imaging"]


def test_the_tables_hold_what_they_say(cohort):
    def rows(table):
        text = run(
            cohort, "--by", "arm", "--yield", 5, "--break-at", 13.2, "--table", table, "--format", "csv", "--quiet"
        ).stdout
        return list(csv.DictReader(io.StringIO(text)))

    first = rows("intervals")
    assert [r["group"] for r in first] == ["exp300", "high400", "high400"]
    for r in first:
        weeks = float(r["hazard_per_month"]) * int(r["weeks_rounded"]) * 7 / 30.4375
        assert float(r["yield_percent_at_weeks"]) == pytest.approx(100 * -math.expm1(-weeks))
    assert len(rows("models")) == 10
    assert {r["model"] for r in rows("visits")} == {"weibull", "illness_death", "illness_death_break"}
    factors = [r["times_that_before"] for r in rows("sensitivity") if r["group"] == "exp300"]
    assert factors[1:] == ["1.0", "2.0", "5.0"]


def test_sensitivity_shortens_the_interval_with_the_mortality_after_progression(given):
    gaps = [
        r["interval_months"]
        for r in given["sensitivity"]
        if r["group"] == "exp300" and r["mortality_after"] == "assumed"
    ]
    assert gaps == sorted(gaps, reverse=True)
    assert len(set(gaps)) == 3


def test_printed_within_80_columns_and_drawn_the_same_twice(cohort, tmp_path):
    options = (cohort, "--by", "arm", "--yield", 5, "--break-at", 13.2, "--quiet")
    run(*options, "--format", "table", "-o", tmp_path / "a.txt", "--figure", tmp_path / "a.png")
    run(*options, "--format", "csv", "--figure", tmp_path / "b.png")
    text = (tmp_path / "a.txt").read_text()
    assert max(len(line) for line in text.splitlines()) <= 80
    assert re.search(r"4\.8 \(3\.9.*6\.0\)", text)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.slow
def test_a_plan_is_written_to_sign_and_nobody_follows_it_before(tmp_path):
    ours = tmp_path / "ours"
    options = (
        SAMPLES / "synthetic_446.csv", "--by", "risk_group", "--yield", "low=3.75,intermediate=3.75,high=5", "--break-at", "high=13.2",
        "--plan", "chen-2024", "--as-of", "2024-12-31",
    )  # fmt: skip
    result = run(*options, "--plan-output", ours, "--format", "csv")
    assert "If signed, from chen-2024 to fitted-plan" in result.stderr
    assert "MRIs to the horizon" in result.stderr
    plan = (ours / "fitted-plan.yaml").read_text()
    check = CliRunner().invoke(app, ["rules", "check", str(ours)])
    assert check.exit_code == 1
    (ours / "fitted-plan.yaml").write_text(
        plan.replace('approved_by: ""', 'approved_by: "Head of radiation oncology, 2025-01-10"')
    )
    assert CliRunner().invoke(app, ["rules", "check", str(ours)]).exit_code == 0
    due = CliRunner().invoke(
        app,
        ["schedule", str(SAMPLES / "synthetic_446.csv"), "--rules", str(ours), "--plan", "fitted-plan", "--as-of", "2024-12-31", "-f", "csv", "-q"],
    )  # fmt: skip
    lines = list(csv.DictReader(io.StringIO(due.stdout)))
    due_of = {(r["patient_id"], r["site_ids"], r["visit"]): r for r in lines if r["risk_group"] == "low" and r["due"]}
    gaps = [
        (pd.Timestamp(r["planned_due"]) - pd.Timestamp(due_of[p, s, "1"]["planned_due"])).days
        for (p, s, v), r in due_of.items()
        if v == "2" and (p, s, "1") in due_of and ";" not in s
    ]
    assert np.median(gaps) == pytest.approx(6.1 * 30.4375, abs=3)
    assert "basis: local" in plan
    assert "n 227" in plan
    with pytest.raises(InputRefused):
        run(*options, "--plan-output", ours)


def test_what_mris_found_is_held_against_known_hazards(tmp_path):
    sample = (SAMPLES / "synthetic_446.csv", "--by", "risk_group", "--yield", 5, "--break-at", "high=13.2")
    imaged = (*sample, "--imaging", SAMPLES / "synthetic_446_imaging.csv")
    found = as_json(*imaged, "--expected", "published")
    whole = {row["group"]: row for row in found["monitor"] if row["year"] is None}
    assert sum(row["found"] for row in whole.values()) == sum(g["events"] for g in found["groups"])
    assert all(row["oe_ci_low"] < 1 < row["oe_ci_high"] for row in whole.values())
    assert {row["first_alarm"] for row in found["alarms"]} == {None}
    earlier = tmp_path / "intervals.json"
    earlier.write_text(json.dumps(found))
    again = as_json(*imaged, "--expected", earlier)
    # Fitted here, expected here: what was found is what was expected, but for mortality after progression.
    assert all(row["oe"] == pytest.approx(1.0, abs=0.03) for row in again["monitor"] if row["year"] is None)
    assert refused(*sample, "--expected", "published") == ["no-imaging"]
    assert refused(*imaged, "--table", "monitor") == ["not-allowed"]


def test_sites_of_a_patient_are_resampled_together(cohort, tmp_path):
    table = table_of("exp300").assign(progression_site=lambda t: np.where(t["progression_date"] == "", "", "local"))
    twice = pd.concat([table.assign(site_id="T10"), table.assign(site_id="L2")])
    path = tmp_path / "sites.csv"
    twice.to_csv(path, index=False)
    options = (
        "--yield",
        5,
        "--break-at",
        "none",
        "--endpoint",
        "local_progression",
        "--unit",
        "site",
        "--bootstrap",
        100,
    )
    document = as_json(path, *options)
    assert document["unit"] == "site"
    flat = next(m for m in document["groups"][0]["models"] if m["model"] == "exponential")
    gap = flat["phases"][0]["interval_months"]
    assert gap["method"] == "bootstrap"
    assert document["groups"][0]["n"] == 2 * 295
    # Every site has a twin in its patient: twice the variance of unrelated ones.
    assert document["tests"][0]["design_effect"] == pytest.approx(2.0, abs=0.6)
    assert any("design effect" in c["message"] for c in document["cautions"])
