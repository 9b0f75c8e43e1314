import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sbrt_followup.cli.app import app
from sbrt_followup.problems import InputRefused

START = date(2018, 1, 1)
# Far outside every pseudo-progression window, below 71.3 % (above it growth is clear at once): growth that a later scan confirms, leaves open, or takes back.
SCANS = {
    "confirmed": ((-10, 5.0), (200, 5.0), (700, 7.0), (800, 8.0)),
    "open": ((-10, 5.0), (200, 5.0), (700, 7.0)),
    "retracted": ((-10, 5.0), (200, 5.0), (700, 7.0), (800, 5.0)),
    "clear": ((-10, 5.0), (200, 5.0), (700, 5.0), (800, 5.0)),
}


def day(offset):
    return (START + timedelta(days=offset)).isoformat()


@pytest.fixture
def tables(tmp_path):
    cohort, imaging = tmp_path / "cohort.csv", tmp_path / "imaging.csv"
    lines = ["patient_id,site_id,sbrt_date,histology,death_date,last_followup_date,kind"]
    scans = ["patient_id,site_id,mri_date,mri_coverage,gtv_cc,confined_to_vertebra,completed,bilsky,paraspinal"]
    for kind, found in SCANS.items():
        dead = day(720) if kind == "open" else ""
        lines.append(f"{kind},T5,{day(0)},breast,{dead},{day(720) if dead else day(900)},{kind}")
        scans += [f"{kind},T5,{day(at)},segment,{size},yes,yes,0,no" for at, size in found]
    cohort.write_text("\n".join(lines) + "\n")
    imaging.write_text("\n".join(scans) + "\n")
    return cohort, imaging


def curves(cohort, *arguments):
    call = ["curves", str(cohort), "--by", "kind", "--times", "24", "--format", "json", "--quiet"]
    result = CliRunner().invoke(app, [*call, *(str(a) for a in arguments)])
    if result.exception is not None:
        raise result.exception
    return json.loads(result.stdout)


def events(body):
    return {g["group"]: [r["time_days"] for r in g["curve"] if r["n_event"]] for g in body["groups"] if g["events"]}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("first_growth", {"confirmed": [700]}),
        ("confirmation", {"confirmed": [800]}),
        ("detected", {"confirmed": [700], "open": [700], "retracted": [700]}),
    ],
)
def test_each_policy_dates_the_event_in_its_own_way(tables, policy, expected):
    cohort, imaging = tables
    body = curves(cohort, "--imaging", imaging, "--policy", policy)
    assert events(body) == expected
    assert body["policy"] == policy


def test_all_shows_every_policy_beside_the_primary_and_what_hangs_on_open_growth(tables):
    cohort, imaging = tables
    body = curves(cohort, "--imaging", imaging, "--policy", "all")
    assert body["policy"] == "first_growth"
    assert events(body) == {"confirmed": [700]}
    number = {(row["policy"], row["group"]): row["events"] for row in body["policies"]}
    named = dict.fromkeys(policy for policy, _ in number)
    assert list(named) == ["first_growth", "confirmation", "detected", "first_growth, unresolved counted as events"]
    assert {g for (p, g), n in number.items() if n and p.endswith("as events")} == {"confirmed", "open"}
    assert {row["group"]: row["unresolved"] for row in body["unresolved"]} == {
        "confirmed": 0, "open": 1, "retracted": 0, "clear": 0,
    }  # fmt: skip
    assert all("p_value" not in row for row in body["policies"])
    assert "no p-value" in body["methods"]


def test_without_a_policy_the_dates_are_the_cohorts_own(tables):
    cohort, imaging = tables
    with pytest.raises(InputRefused):  # the cohort has none
        curves(cohort, "--imaging", imaging)
    header, *rows = Path(cohort).read_text().splitlines()
    assert "progression_date" not in header
    Path(cohort).write_text("\n".join([f"{header},progression_date", *(f"{row}," for row in rows)]) + "\n")
    body = curves(cohort, "--imaging", imaging)
    assert (events(body), body["policy"], body["policies"]) == ({}, None, [])


def test_turnbull_takes_the_interval_before_the_dated_event(tables):
    cohort, imaging = tables
    body = curves(cohort, "--imaging", imaging, "--policy", "confirmation", "--estimator", "turnbull")
    confirmed = next(g for g in body["groups"] if g["group"] == "confirmed")
    assert [(r["left_days"], r["right_days"]) for r in confirmed["curve"]] == [(700, 800)]


def test_a_policy_needs_the_scans(tables):
    with pytest.raises(InputRefused) as refused:
        curves(tables[0], "--policy", "all")
    assert "--imaging" in str(refused.value.problems[0])
