"""`curves` as a user meets it: JSON laid beside R's numbers, tables, figures, refusals."""

import json
from pathlib import Path

import pytest
from helpers.reference_data import FOLDER, GROUP_COLUMN, TAU_MONTHS, close, numbers
from typer.testing import CliRunner

from sbrt_followup.cli.app import app
from sbrt_followup.problems import InputRefused

ROWS = """patient_id,site_id,sbrt_date,progression_date,progression_site,death_date,last_followup_date,arm,bilsky,paraspinal,sins
A,T1,2020-01-01,2020-06-01,local,,2021-06-01,x,1b,yes,9
A,T5,2020-01-01,,,,2021-06-01,x,0,no,3
B,T1,2020-01-01,,,2020-09-01,2020-09-01,y,0,no,3
C,T1,2020-01-01,,,,2022-01-01,y,0,no,
D,T1,2020-01-01,2020-03-01,distant_spine,,2022-01-01,x,1b,no,5
"""


def run(*arguments):
    result = CliRunner().invoke(app, ["curves", *(str(a) for a in arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def as_json(*arguments):
    return json.loads(run(*arguments, "--format", "json", "--quiet").stdout)


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.csv"
    path.write_text(ROWS)
    return path


@pytest.mark.parametrize("name", ["colon", "bmt"])
def test_json_laid_beside_r(name):
    expected = numbers(name)
    months = next(iter(expected["groups"].values()))["km"]["months"]
    shared = (FOLDER / f"{name}.csv", "--by", GROUP_COLUMN[name], "--times", ",".join(map(str, months)))
    km = as_json(*shared, "--estimator", "km", "--tau", TAU_MONTHS[name])
    cif = as_json(*shared)
    assert (km["schema_version"], km["estimator"], cif["estimator"]) == (1, "km", "cif")
    assert km["ci"] == {"level": 0.95, "type": "log-log"}
    for by_km, by_cif in zip(km["groups"], cif["groups"], strict=True):
        r = expected["groups"][by_km["group"]]
        assert [by_km[k] for k in ("n", "events", "competing")] == [r[k] for k in ("n", "events", "competing")]
        assert by_km["censored"] == r["n"] - r["events"] - r["competing"]
        for key, theirs in (("estimate", "surv"), ("std_error", "std_err"), ("ci_low", "lower"), ("ci_high", "upper")):
            got = [float("nan") if m[key] is None else m[key] for m in by_km["landmarks"]]
            close(got, r["km"][theirs])
        assert [m["n_risk"] for m in by_km["landmarks"]] == r["km"]["n_risk"]
        median = [by_km["median_days"][k] for k in ("estimate", "ci_low", "ci_high")]
        assert median == r["km_median_days"]
        close([by_km["rmst_days"][k] for k in ("estimate", "std_error")], r["rmst_days"])
        followed = [by_km["followup_median_days"][k] for k in ("estimate", "ci_low", "ci_high")]
        assert followed == r["followup_median_days"]
        close([m["estimate"] for m in by_cif["landmarks"]], r["cif_progression"]["est"])
        close([m["std_error"] ** 2 for m in by_cif["landmarks"]], r["cif_progression"]["var"])
        assert sum(row["n_event"] for row in by_km["curve"]) == r["events"]
        assert by_km["curve"][0]["n_risk"] == r["n"]
    tests = {t["name"]: t for t in cif["tests"] if t["groups"] == "all"}
    logrank, gray, other = (tests[n] for n in ("logrank", "gray", "gray_competing"))
    close([logrank["statistic"], logrank["df"], logrank["p_value"]], expected["logrank"].values())
    close([gray["statistic"], gray["p_value"], gray["df"]], expected["gray_progression"])
    close([other["statistic"], other["p_value"], other["df"]], expected["gray_death"])
    pairs = {" vs ".join(t["groups"]): t for t in cif["tests"] if t["name"] == "logrank" and t["groups"] != "all"}
    for pair, p, holm in zip(*(expected["pairwise_logrank"][k] for k in ("pairs", "p", "holm")), strict=True):
        found = pairs.get(pair) or pairs[" vs ".join(reversed(pair.split(" vs ")))]
        close([found["p_value"], found["p_adjusted"]], [p, holm])


def test_the_same_call_gives_the_same_bytes(small):
    first = run(small, "--by", "arm", "--format", "json").stdout
    assert first == run(small, "--by", "arm", "--format", "json").stdout
    assert "NaN" not in first
    assert '"patient_id"' not in first


def test_one_group_has_no_test(small):
    body = as_json(small)
    assert [g["group"] for g in body["groups"]] == ["all"]
    assert body["tests"] == []


def test_two_groups_have_the_overall_test_only(small):
    body = as_json(small, "--by", "arm", "--endpoint", "progression_or_death")
    assert [(t["name"], t["groups"]) for t in body["tests"]] == [("logrank", "all")]
    assert body["estimator"] == "km"


def test_tiers_come_from_the_rules_and_undecided_ones_are_listed(small):
    body = as_json(small, "--by", "risk_group")
    # C has no SINS, so that its tier is open; A has its worst site's.
    assert {g["group"]: g["n"] for g in body["groups"]} == {"low": 1, "intermediate": 1, "high": 1}
    assert body["excluded"] == [{"row": 5, "reason": "risk_group is undecided: a fact it needs is missing"}]
    assert "assumption" in body["grouping"]["note"]
    assert body["grouping"]["basis"] == "assumption"
    assert "logrank_trend" in {t["name"] for t in body["tests"]}
    assert "published split is not available" in run(small, "--by", "risk_group", "--format", "table").stdout


def test_sites_are_clustered_in_every_test(small):
    body = as_json(small, "--endpoint", "local_progression", "--unit", "site", "--by", "arm")
    assert [g["n"] for g in body["groups"]] == [3, 2]
    gray = next(t for t in body["tests"] if t["name"] == "gray")
    assert 0 < gray["p_value"] < 1
    assert gray["caution"] == "a group has fewer than 20 patients"
    with pytest.raises(InputRefused) as refused:
        run(small, "--unit", "site")
    assert "local_progression and vcf only" in str(refused.value.problems[0])


def test_a_small_group_keeps_its_p_value_in_json_but_not_in_print(small):
    body = as_json(small, "--by", "arm")
    logrank = next(t for t in body["tests"] if t["name"] == "logrank")
    assert logrank["p_value"] is not None
    assert logrank["caution"] == "a group has fewer than 20 patients"
    printed = run(small, "--by", "arm", "--format", "table").stdout
    assert "p = " not in printed
    assert "not given: fewer than 20 patients in a group" in printed
    assert "p = 0.003" in run(FOLDER / "bmt.csv", "--by", "disease", "--format", "table").stdout


def with_clear_mri(path):
    """The bone marrow cohort with a clear MRI 90 days before each progression."""
    import pandas as pd

    frame = pd.read_csv(FOLDER / "bmt.csv", parse_dates=["progression_date", "sbrt_date"])
    clear = (frame["progression_date"] - pd.Timedelta(days=90)).where(frame["progression_date"].notna())
    frame.assign(last_clear_mri_date=clear.clip(lower=frame["sbrt_date"])).to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    "table",
    ["landmarks", "groups", "quantiles", "curve", "tests", "at-risk", "km-cif-gap", "censoring", "late-deaths", "scan-gaps",
     "policies", "unresolved", "null-check", "excluded"],
)  # fmt: skip
def test_every_table_as_csv(small, table):
    ask = {"null-check": ("--null-check", "--simulations", "10")}.get(table, ())
    if table in ("policies", "unresolved"):
        small.with_name("mri.csv").write_text(
            "patient_id,site_id,mri_date,gtv_cc\nA,T1,2019-12-20,2\nB,T1,2020-06-01,3\n"
        )
        ask = ("--policy", "all", "--imaging", small.with_name("mri.csv"), "--on-error", "exclude")
    source = FOLDER / "bmt.csv" if table == "null-check" else small
    by = "disease" if table == "null-check" else "arm"
    if table == "null-check":
        source = with_clear_mri(small.with_name("bmt.csv"))
    lines = run(source, "--by", by, "--format", "csv", "--table", table, "--quiet", *ask).stdout.splitlines()
    assert "," in lines[0]
    assert "nan" not in "\n".join(lines).lower()


def test_at_risk_adds_up_at_every_month(small):
    body = as_json(FOLDER / "bmt.csv", "--by", "disease")
    sizes = {g["group"]: g["n"] for g in body["groups"]}
    for row in body["at_risk"]:
        assert row["n_risk"] + row["events"] + row["competing"] + row["censored"] == sizes[row["group"]]


def test_kaplan_meier_of_progression_says_that_it_overstates(small):
    assert "overstates" in run(small, "--estimator", "km", "--format", "csv").stderr
    assert "overstates" not in run(small, "--endpoint", "death", "--format", "csv").stderr


def test_figures_are_written_once_with_their_manifest(small, tmp_path):
    for ending, start in ((".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")):
        path = tmp_path / f"curves{ending}"
        run(small, "--by", "arm", "--figure", path, "--format", "csv")
        assert path.read_bytes().startswith(start)
        trace = json.loads(path.with_name(path.name + ".manifest.json").read_text())
        assert trace["command"] == "curves"
        assert str(small) not in json.dumps(trace)
        with pytest.raises(InputRefused):
            run(small, "--figure", path)
    with pytest.raises(InputRefused) as refused:
        run(small, "--figure", tmp_path / "curves.bmp")
    assert ".png, .svg, .pdf" in str(refused.value.problems[0])


def test_the_methods_say_what_was_done(small):
    plain = as_json(small)["methods"]
    assert "Aalen–Johansen" in plain
    assert "Kaplan–Meier with" not in plain
    said = as_json(
        small, "--endpoint", "local_progression", "--unit", "site", "--estimator", "km", "--ci-type", "plain",
        "--level", "0.9", "--by", "arm", "--landmark", "1", "--censor-at", "last_contact", "--retreatment", "ignore",
    )["methods"]  # fmt: skip
    for words in (
        "treated site", "clustered by patient", "90 % plain", "event-free on day 30", "the day last known alive.",
        "Re-treatment of a site was ignored", "elsewhere in the spine",
    ):  # fmt: skip
        assert words in said
    compared = as_json(FOLDER / "bmt.csv", "--by", "disease", "--weights", "0,1")["methods"]
    assert "rho = 0, gamma = 1" in compared
    assert "Holm" in compared


def test_strata_divide_the_tests_not_the_curves(tmp_path):
    import pandas as pd

    path = tmp_path / "colon.csv"
    frame = pd.read_csv(FOLDER / "colon.csv")
    frame.assign(half=["first", "second"] * (len(frame) // 2) + ["first"] * (len(frame) % 2)).to_csv(path, index=False)
    plain, divided = as_json(path, "--by", "arm"), as_json(path, "--by", "arm", "--strata", "half")
    assert divided["groups"] == plain["groups"]
    assert [t["p_value"] for t in divided["tests"]] != [t["p_value"] for t in plain["tests"]]
    assert "stratified by half" in divided["methods"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--endpoint", "progresion"), "did you mean 'progression'"),
        (("--endpoint", "vcf"), "no column 'vcf_date', so that vcf cannot be seen"),
        (("--by", "arm", "--strata", "arm"), "leaves nothing to compare"),
        (("--seed", "-1"), "--seed takes"),
        (("--quantiles", "0,50"), "--quantiles takes"),
        (("--table", "policies"), "needs --policy"),
        (("--table", "null-check"), "needs --null-check"),
        (("--estimator", "turnbull", "--weights", "1,0"), "--weights"),
        (("--estimator", "turnbull", "--censor-at", "last_contact"), "--censor-at"),
        (("--estimator", "turnbull"), "--imaging FILE"),
        (("--estimator", "kaplan"), "--estimator takes km, cif, turnbull"),
        (("--by", "amr"), "did you mean 'arm'"),
        (("--times", "6,x"), "--times takes numbers"),
        (("--times", "0"), "--times takes months above 0"),
        (("--tau", "-1"), "--tau takes"),
        (("--ci-type", "wald"), "--ci-type takes"),
        (("--level", "95"), "--level takes"),
        (("--weights", "1"), "--weights takes"),
        (("--landmark", "0"), "--landmark takes"),
        (("--as-of", "yesterday"), "--as-of takes"),
        (("--table", "everything"), "--table takes"),
        (("--entry", "seen"), "no column 'seen'"),
    ],
)
def test_a_wrong_call_is_refused_with_the_way_out(small, arguments, message):
    with pytest.raises(InputRefused) as refused:
        run(small, *arguments)
    assert message in str(refused.value.problems[0])


def test_dates_alone_are_enough(tmp_path):
    path = tmp_path / "dates.csv"
    path.write_text(
        "patient_id,sbrt_date,last_followup_date,x,progression_date\n1,2020-01-01,2021-01-01,a,\n2,2020-01-01,2021-01-01,b,\n"
    )
    body = as_json(path, "--by", "x")
    assert [(g["n"], g["events"]) for g in body["groups"]] == [(1, 0), (1, 0)]
    assert all(t["p_value"] is None for t in body["tests"])
    codes = {c["code"] for c in body["cautions"]}
    assert {"no-event", "small-group", "beyond-follow-up", "tau-beyond-follow-up"} <= codes
    assert body["groups"][0]["landmarks"][3]["estimate"] is None


def test_scans_give_the_last_clear_mri_and_the_gaps(tmp_path, small):
    scans = tmp_path / "scans.csv"
    scans.write_text(
        "patient_id,site_id,mri_date,completed\n"
        "A,T1,2020-03-01,yes\nA,T1,2020-06-01,yes\nB,T1,2019-12-01,yes\nB,T1,2020-04-01,yes\nC,T1,2020-07-01,no\n"
        "C,T1,2020-05-01,yes\nC,T1,2020-09-01,yes\n"
    )
    body = as_json(small, "--imaging", scans)
    assert body["scan_gaps"][0]["source"] == "imaging"
    assert body["scan_gaps"][0]["gaps"] == 5
    reasons = {e["reason"]: e["number"] for e in body["censoring"]}
    assert reasons == {"event": 2, "death first": 1, "last clear MRI": 1}
    assert body["late_deaths"][0]["longest_days"] == 153


def test_the_null_check_is_in_json_tables_and_methods():
    body = as_json(FOLDER / "bcdeter.csv", "--by", "arm", "--null-check", "--simulations", "20", "--seed", "4")
    check = body["null_check"]
    assert (check["replicates"], check["seed"], check["scans_from"]) == (20, 4, "event intervals")
    assert {t["name"] for t in check["tests"]} == {"gray", "logrank"}
    assert check["sentence"] in body["methods"]
    lines = run(
        FOLDER / "bcdeter.csv", "--by", "arm", "--null-check", "--simulations", "20", "--seed", "4", "--format", "csv", "--table",
        "null-check", "--quiet",
    ).stdout.splitlines()  # fmt: skip
    assert len(lines) == 1 + len(check["tests"]) + len(check["landmarks"])
    assert as_json(FOLDER / "bmt.csv")["null_check"] is None
    with pytest.raises(InputRefused):
        run(FOLDER / "bmt.csv", "--null-check")  # nothing is known of its scans


def made(path, arms=("x", "y"), patients=30, sites=1):
    """Patients of several arms, some of whose sites progress, some of whom die; seen from a day of their own on."""
    rows = ["patient_id,site_id,sbrt_date,seen,progression_date,progression_site,death_date,last_followup_date,arm"]
    for arm in arms:
        for p in range(patients):
            for s in range(sites):
                progressed = f"2020-{2 + (7 * p + s) % 11:02}-11,local" if (p + s) % 3 == 0 else ","
                died = f"2022-0{1 + p % 9}-01" if p % 4 == 1 else ""
                rows.append(
                    f"{arm}{p},T{s + 1},2020-01-01,2020-01-{1 + p % 9:02},{progressed},{died},{died or '2022-12-01'},{arm}"
                )
    path.write_text("\n".join(rows) + "\n")
    return path


def test_twenty_means_patients_where_sites_are_counted(tmp_path):
    ask = ("--endpoint", "local_progression", "--unit", "site", "--by", "arm")
    few = as_json(made(tmp_path / "few.csv", patients=15, sites=2), *ask)
    assert [g["n"] for g in few["groups"]] == [30, 30]
    assert {t["caution"] for t in few["tests"]} == {"a group has fewer than 20 patients"}
    many = as_json(made(tmp_path / "many.csv", patients=20, sites=2), *ask)
    assert {t["caution"] for t in many["tests"]} == {None}


def test_with_late_entry_grays_test_says_where_its_variance_is_from(tmp_path):
    body = as_json(made(tmp_path / "late.csv"), "--by", "arm", "--entry", "seen")
    gray = next(t for t in body["tests"] if t["name"] == "gray")
    assert 0 < gray["p_value"] <= 1
    assert "Gray's test (jackknife variance)" in body["methods"]
    assert "delayed entry" in body["methods"]


def test_a_table_without_the_outcome_is_refused_not_read_as_nobody_had_it(tmp_path):
    path = tmp_path / "bare.csv"
    path.write_text("patient_id,sbrt_date,last_followup_date\n1,2020-01-01,2021-01-01\n2,2020-01-01,2021-01-01\n")
    for endpoint in ("progression", "local_progression", "death", "progression_or_death", "vcf"):
        with pytest.raises(InputRefused) as refused:
            run(path, "--endpoint", endpoint)
        assert all("cannot be seen" in str(p) for p in refused.value.problems)
    with pytest.raises(InputRefused) as refused:
        run(path, "--endpoint", "local_progression")
    assert len(refused.value.problems) == 2


def test_an_empty_group_does_not_hide_the_p_value_of_the_others(tmp_path):
    path = made(tmp_path / "two.csv", patients=25)
    with path.open("a") as file:
        file.write("z1,T1,2020-01-01,2020-01-02,,,,,z\n")
    body = as_json(path, "--by", "arm")
    assert [(g["group"], g["n"]) for g in body["groups"]] == [("x", 25), ("y", 25), ("z", 0)]
    overall = next(t for t in body["tests"] if t["groups"] == "all")
    assert overall["caution"] is None


def test_intervals_that_the_null_check_finds_too_short_are_cautioned_against(tmp_path):
    codes = {
        c["code"]
        for c in as_json(with_clear_mri(tmp_path / "b.csv"), "--null-check", "--simulations", "300")["cautions"]
    }
    assert "intervals-too-short" in codes


def test_many_rows_left_out_for_what_they_lack_are_said_aloud(small):
    body = as_json(small, "--by", "bilsky")
    said = [c["message"] for c in body["cautions"] if c["code"] == "many-excluded"]
    assert len(said) == 1
    assert "differs between the sites" in said[0]


def test_the_policy_s_rule_documents_are_in_the_manifest(tmp_path, small):
    (tmp_path / "mri.csv").write_text("patient_id,site_id,mri_date,gtv_cc\nA,T1,2019-12-20,2\nB,T1,2020-06-01,3\n")
    body = as_json(small, "--policy", "confirmation", "--imaging", tmp_path / "mri.csv", "--on-error", "exclude")
    kinds = {r["document"].split("/")[0] for r in body["manifest"]["rules"]}
    assert {"response", "pseudoprogression", "risk"} <= kinds


def test_quantiles_stand_in_json_and_in_print_where_asked_for():
    body = as_json(FOLDER / "bmt.csv", "--by", "disease", "--estimator", "km")
    for group in body["groups"]:
        shares = {q["share"]: q for q in group["quantiles_days"]}
        assert set(shares) == {0.25, 0.5, 0.75}
        assert {k: shares[0.5][k] for k in group["median_days"]} == group["median_days"]
    printed = run(FOLDER / "bmt.csv", "--by", "disease", "--quantiles", "10,30", "--format", "table").stdout
    assert "By when so many have had the event" in printed
    assert "By when" not in run(FOLDER / "bmt.csv", "--by", "disease", "--format", "table").stdout


def test_a_curve_carried_on_where_nobody_is_at_risk_says_so(tmp_path):
    path = tmp_path / "ended.csv"
    rows = [f"{k},2020-01-01,,2020-0{k}-15,2020-0{k}-15" for k in range(2, 9)]
    path.write_text("\n".join(["patient_id,sbrt_date,progression_date,death_date,last_followup_date", *rows]) + "\n")
    body = as_json(path, "--times", "3,24")
    assert body["groups"][0]["landmarks"][1]["estimate"] == 0
    assert [c["message"] for c in body["cautions"] if c["code"] == "carried-on"] == [
        "nobody is at risk at month 24: the curve has reached its end and is carried on"
    ]


def test_tests_may_be_stratified_by_the_tier_of_the_rules(small):
    sample = Path(__file__).parents[2] / "sample_cohorts" / "synthetic_446.csv"
    body, plain = as_json(sample, "--by", "histology", "--strata", "risk_group"), as_json(sample, "--by", "histology")
    assert "stratified by risk_group" in body["methods"]
    assert [t["statistic"] for t in body["tests"]] != [t["statistic"] for t in plain["tests"]]
    assert "risk/chen-2024" in {r["document"] for r in body["manifest"]["rules"]}
    undecided = as_json(small, "--by", "arm", "--strata", "risk_group")["excluded"]
    assert any("risk_group" in e["reason"] for e in undecided)  # C's tier is open


def test_deaths_long_after_the_last_mri_by_either_rule(tmp_path):
    path = tmp_path / "cohort.csv"
    path.write_text(
        "patient_id,sbrt_date,last_clear_mri_date,progression_date,death_date,last_followup_date\n"
        "A,2015-01-01,2015-04-01,2015-07-01,,2016-01-01\nB,2015-01-01,,,,2020-01-01\nC,2015-01-01,2016-01-01,,,2020-01-01\n"
    )
    usual, other = as_json(path, "--times", "6"), as_json(path, "--times", "6", "--death-within", "any")
    assert usual["groups"][0]["landmarks"][0]["estimate"] == 0.5
    assert other["groups"][0]["landmarks"][0]["estimate"] == pytest.approx(1 / 3)
    assert [row["estimate"] for row in usual["sensitivity"]] == pytest.approx([0.5, 1 / 3])
    assert [row["estimate"] for row in other["sensitivity"]] == pytest.approx([1 / 3, 0.5])
    assert "(assumption)" in usual["methods"]
    assert other["death_within_days"] is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--death-within", "soon"), "--death-within takes months"),
        (("--death-within", "-1"), "--death-within takes months"),
        (("--death-within", "6", "--endpoint", "death"), "--death-within goes with"),
        (("--death-within", "6", "--censor-at", "last_contact"), "last_contact"),
        (("--death-within", "6", "--estimator", "turnbull"), "turnbull"),
        (("--distant", "drop", "--endpoint", "local_progression"), "--distant takes"),
        (("--distant", "ignore"), "--distant goes with"),
        (("--require-mri", "2"), "--require-mri counts MRIs"),
    ],
)
def test_options_of_the_risk_set_are_refused_where_they_mean_nothing(small, arguments, said):
    with pytest.raises(InputRefused) as refused:
        as_json(small, *arguments)
    assert said in str(refused.value.problems[0])


SIZES = """patient_id,sbrt_date,progression_date,last_followup_date,size,cost
A,2020-01-01,2020-06-01,2021-01-01,<=20,$\\foo$
B,2020-01-01,,2021-03-01,<=20,$20k-$40k
C,2020-01-01,2020-08-01,2021-01-01,20-50,$\\foo$
D,2020-01-01,2020-03-01,2021-01-01,>50,$20k-$40k
"""


@pytest.fixture
def sized(tmp_path):
    path = tmp_path / "sized.csv"
    path.write_text(SIZES)
    return path


def test_a_trend_runs_over_a_declared_order_only(sized):
    with pytest.raises(InputRefused) as refused:
        as_json(sized, "--by", "size", "--trend")
    assert "--order" in str(refused.value.problems[0])
    body = as_json(sized, "--by", "size", "--trend", "--order", "<=20;20-50;>50")
    assert [g["group"] for g in body["groups"]] == ["<=20", "20-50", ">50"]
    assert "<=20 1, 20-50 2, >50 3" in body["methods"]
    backwards = as_json(sized, "--by", "size", "--trend", "--order", ">50;20-50;<=20")
    assert [g["group"] for g in backwards["groups"]] == [">50", "20-50", "<=20"]
    for wrong in (">50;20-50", ">50;20-50;<=20;more", ">50;20-50;<=20;>50"):
        with pytest.raises(InputRefused):
            as_json(sized, "--by", "size", "--order", wrong)
    with pytest.raises(InputRefused):
        as_json(sized, "--engine", "duckdb")


def test_names_and_titles_are_never_read_as_tex(sized, tmp_path):
    drawn = tmp_path / "cost.svg"
    run(sized, "--by", "cost", "--figure", drawn, "--title", "Cost $5 to $6", "--quiet")
    text = drawn.read_text()
    assert "Cost $5 to $6" in text
    assert "$20k-$40k" in text
    assert "$\\foo$" in text


def test_text_tables_keep_every_number_within_80_columns(tmp_path):
    rows = ["patient_id,sbrt_date,progression_date,last_followup_date,nodal"]
    for n in range(60):
        month = f"{2001 + n // 3}-0{1 + n % 9}-11"
        rows.append(
            f"P{n},2000-01-01,{month if n % 2 else ''},{month},{'ten or more nodes' if n % 2 else 'none of them'}"
        )
    path, printed = tmp_path / "nodal.csv", tmp_path / "nodal.txt"
    path.write_text("\n".join(rows) + "\n")
    body = as_json(path, "--by", "nodal", "--estimator", "km", "--times", "24,60,120")
    run(
        path,
        "--by",
        "nodal",
        "--estimator",
        "km",
        "--times",
        "24,60,120",
        "--format",
        "table",
        "-o",
        printed,
        "--quiet",
    )
    text = printed.read_text()
    assert max(map(len, text.splitlines())) <= 80
    words = {w.strip("()") for w in text.split()}
    for group in body["groups"]:
        for figure in (group["followup_median_days"], group["median_days"]):
            assert all(f"{days / 30.4375:.1f}" in words for days in figure.values() if days is not None)
