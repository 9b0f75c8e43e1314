"""`assess` as users call it: formats, event dates that schedule and curves read, cards, reasoning, figures, refusals."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

COHORT = """patient_id,sbrt_date,level,histology,bilsky,sins,note
A,2020-01-01,T10,breast,0,5,x
B,2020-01-01,L2,renal_cell,,,y
"""
IMAGING = """patient_id,mri_date,gtv_cc,bilsky,confined_to_vertebra,mri_coverage,new_spine_metastasis,t2_pattern,pain_score
A,2019-12-20,4.0,0,,,,,7
A,2020-04-02,5.9,0,yes,,,mixed,0
A,2020-08-31,4.1,0,,,,,
A,2021-03-02,6.2,0,,,,,
A,2021-06-01,7.0,2,,whole_spine,yes,,
B,2019-12-20,10,,,,,,
B,2020-04-10,13,,,,,,
B,2020-05-10,13,,,,,,
"""


@pytest.fixture
def tables(tmp_path: Path) -> tuple[str, str]:
    (tmp_path / "c.csv").write_text(COHORT)
    (tmp_path / "i.csv").write_text(IMAGING)
    return str(tmp_path / "c.csv"), str(tmp_path / "i.csv")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sbrt_followup", *arguments], capture_output=True, text=True, check=False
    )


def read(tables: tuple[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return run("assess", tables[0], "--imaging", tables[1], "--as-of", "2021-07-01", *arguments)


def test_csv_has_one_line_per_mri_and_nothing_else_on_stdout(tables: tuple[str, str]) -> None:
    done = read(tables)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert len(lines) == 9
    assert lines[0].startswith("patient_id,site_id,sbrt_date,mri_date,scan,days,months,state,called,urgent,gtv_cc,")
    assert "histological reference standard" in done.stderr


def test_json_holds_readings_sites_confirming_visits_and_the_manifest(tables: tuple[str, str]) -> None:
    body = json.loads(read(tables, "-f", "json", "-q").stdout)
    assert [r["state"] for r in body["rows"] if r["patient_id"] == "A"] == [
        "baseline", "pseudoprogression", "stable", "progression", "progression",
    ]  # fmt: skip
    assert [r["called"] for r in body["rows"] if r["patient_id"] == "A"][1:] == [
        "equivocal", "stable", "equivocal", "progression",
    ]  # fmt: skip
    assert [(v["patient_id"], v["due"], v["basis"]) for v in body["confirming_visits"]] == [
        ("B", "2020-06-07", "assumption")
    ]
    site = body["sites"][0]
    assert (site["progression_date"], site["progression_date_confirmation"], site["progression_date_detected"]) == (
        "2021-03-02", "2021-06-01", "2020-04-02",
    )  # fmt: skip
    assert site["last_clear_mri_date"] == "2020-08-31"
    assert body["sites"][1]["unresolved"] == "yes"
    named = {d["document"] for d in body["manifest"]["rules"]}
    assert {"response/volume-growth", "pseudoprogression/default", "protocol/review-2025-3t"} <= named
    assert "p" not in body["manifest"]["arguments"].get("patient", "")
    assert "NaN" not in json.dumps(body)


@pytest.mark.slow
def test_event_dates_are_a_cohort_that_schedule_and_curves_read(tables: tuple[str, str], tmp_path: Path) -> None:
    out = tmp_path / "events.csv"
    assert read(tables, "--endpoints", str(out), "-q").returncode == 0
    text = out.read_text()
    assert "2021-03-02" in text and "note" in text.splitlines()[0]
    assert (tmp_path / "events.csv.manifest.json").exists()
    assert run("schedule", str(out), "--as-of", "2021-07-01", "-q").returncode == 0
    curves = run("curves", str(out), "--by", "histology", "-f", "json", "-q")
    assert curves.returncode == 0
    assert {g["group"]: g["events"] for g in json.loads(curves.stdout)["groups"]} == {"breast": 1, "renal_cell": 0}
    assert read(tables, "--endpoints", str(out), "-q").returncode == 2  # no overwrite without --force


@pytest.mark.slow
def test_policies_date_the_same_course_differently(tables: tuple[str, str]) -> None:
    found = {}
    for policy in ("first_growth", "confirmation", "detected"):
        header, first, *_ = read(tables, "--sites", "--policy", policy, "-q").stdout.splitlines()
        found[policy] = dict(zip(header.split(","), first.split(","), strict=True))["progression_date"]
    assert found == {"first_growth": "2021-03-02", "confirmation": "2021-06-01", "detected": "2020-04-02"}


def test_one_line_per_patient(tables: tuple[str, str]) -> None:
    lines = read(tables, "--patients", "-q").stdout.splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("A,T10,2020-01-01,2021-03-02,")


@pytest.mark.slow
def test_a_card_says_what_would_count_before_the_scan(tables: tuple[str, str]) -> None:
    page = read(tables, "--card", "--scan-date", "2020-08-31", "--patient", "A", "-q").stdout
    assert "BEFORE THE MRI OF 2020-08-31" in page
    assert "volume at least 4.44 cc (≥ 10.9 % against baseline, 4 cc on 2019-12-20)" in page
    assert "growth open since 2020-04-02" in page
    assert "sagittal T1 TSE" in page
    assert "7.0" not in page  # nothing of later MRIs
    body = json.loads(read(tables, "--card", "--scan-date", "2020-08-31", "-f", "json", "-q").stdout)
    findings = {f["finding"]: f for f in body["cards"][0]["findings"]}
    assert findings["back to the smallest size so far"]["state"] == "stable"
    assert findings["new cord compression"]["urgent"] == "yes"


def test_the_reasoning_ends_in_citations(tables: tuple[str, str]) -> None:
    text = read(tables, "--reasoning", "--patient", "A", "-q").stdout
    assert "[met]     gtv_change_percent ≥ 10.9 percent" in text
    assert "jabehdarmaralani2021:" in text
    assert "not recorded, and not filled in" in text
    explained = run(
        "explain", tables[0], "--patient", "A", "--imaging", tables[1], "--as-of", "2021-07-01", "-q"
    ).stdout
    assert "MRI of 2020-04-02, site T10, day 92: equivocal on the day, pseudoprogression in retrospect" in explained


def test_the_summary_counts_with_denominators_beside_published_figures(tables: tuple[str, str]) -> None:
    text = read(tables, "--summary", "-q").stdout
    assert "T2 pattern at the last MRI,all,mixed,1,1,100.0,,86.1,hwang2012,secondary" in text
    # The score alone stands beside no trial; the consensus, without doses, counts nobody.
    assert '"pain, traditional, at 3 months",all,complete,1,1,100.0,,,,,' in text
    assert "pain by the consensus at 3 months,all,complete,0,0,,,35.0,sahgal2021,secondary" in text
    assert "volume at the last MRI,lumbar,increased,1,1,100.0" in text


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["course", "spider", "waterfall", "swimmer"])
def test_figures_are_drawn_and_the_same_each_time(tables: tuple[str, str], tmp_path: Path, kind: str) -> None:
    first, second = tmp_path / "a.svg", tmp_path / "b.svg"
    for path in (first, second):
        done = read(tables, "--figure", str(path), "--draw", kind, "-q")
        assert done.returncode == 0, done.stderr
    assert first.read_bytes() == second.read_bytes()
    assert b"<svg" in first.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--policy", "best"), "--policy"), (("--sites", "--card"), "exclude each other"), (("--scan-date", "2020-01-01"), "--card"),
        (("--draw", "pie", "--figure", "x.png"), "--draw"), (("--figure", "x.doc"), "figure"), (("--patient", "nobody"), "no such patient"),
        (("--card", "--scan-date", "1.2.2020"), "YYYY-MM-DD"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_without_a_traceback(tables: tuple[str, str], arguments: tuple[str, ...], word: str) -> None:  # fmt: skip
    done = read(tables, *arguments)
    assert done.returncode == 2
    assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_assess_needs_an_imaging_table(tables: tuple[str, str]) -> None:
    done = run("assess", tables[0])
    assert done.returncode == 2
    assert "--imaging" in done.stderr


def test_mris_that_took_no_part_are_told_once_per_reason_and_all_listed_in_the_manifest(
    tables: tuple[str, str], tmp_path: Path
) -> None:
    header, *rows = IMAGING.splitlines()
    missed = [f"A,2021-04-{day:02},,,,,,," for day in range(10, 18)]
    late = ["B,2030-01-01,9,,,,,,"]
    done = [
        f"{header},completed",
        *(f"{row}," for row in rows),
        *(f"{row},no" for row in missed),
        *(f"{row}," for row in late),
    ]
    Path(tables[1]).write_text("\n".join(done) + "\n")
    out = tmp_path / "read.csv"
    said = read(tables, "--output", str(out))
    assert said.returncode == 0
    told = [line for line in said.stderr.splitlines() if "took no part" in line]
    assert told == [
        "imaging rows 10, 11, 12, 13, 14 and 3 more (the manifest lists them) took no part: not done",
        "imaging row 18 took no part: after the as-of day",
    ]
    imaging = json.loads(Path(f"{out}.manifest.json").read_text())["inputs"][1]
    assert [e["row"] for e in imaging["excluded"]] == list(range(10, 19))
    assert imaging["rows_used"] == 8
