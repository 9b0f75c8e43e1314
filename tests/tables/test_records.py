"""Guards and what becomes of rows with problems: near names, unasked facts, exclude and keep, and the dead."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from helpers.commands import command

from sbrt_followup.problems import InputRefused
from sbrt_followup.tables.records import read_cohort


def file(folder: Path, text: str, name: str = "c.csv") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


@pytest.mark.parametrize("name", ["Death_Date", "death date", "DEATH-DATE", "deathdate", "death_dat", "deaht_date", "Stop Reason", "booked date", "Level", "Bilsky", "mri date", "Todesdatum", "Date de décès", "Overleden op"])  # fmt: skip
def test_a_name_that_is_nearly_ours_is_refused_with_the_name_meant(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputRefused) as refused:
        read_cohort(file(tmp_path, f"patient_id,sbrt_date,{name}\nA,2025-01-31,\n"))
    (problem,) = refused.value.problems
    assert problem.code == "near-name"
    assert "seems to be meant" in problem.message


@pytest.mark.parametrize("name", ["arm", "age", "note", "sex", "clinic", "pets", "referrer"])
def test_the_users_own_columns_are_kept(tmp_path: Path, name: str) -> None:
    assert read_cohort(file(tmp_path, f"patient_id,sbrt_date,{name}\nA,2025-01-31,x\n")).extra_columns == (name,)


def test_a_first_line_that_may_be_data_is_never_echoed(tmp_path: Path) -> None:
    for line in ("Meier,Hans,BWK acht,Mamma-Ca", "MRN77Zzyzx,31 Jan 2025,T10", '<html><body title="Meier">'):
        done = command("schedule", str(file(tmp_path, line + "\n" + line + "\n")), cwd=tmp_path)
        assert done.returncode == 2
        assert "Meier" not in done.stderr
        assert "Zzyzx" not in done.stderr


def test_a_path_with_a_scheme_is_refused(tmp_path: Path) -> None:
    for path in ("https://example.org/c.csv", "s3://bucket/c.parquet", "file:///c.csv"):
        done = command("risk", path, cwd=tmp_path)
        assert (done.returncode, "not-a-local-file" in done.stderr) == (2, True)
    done = command("curves", "http://127.0.0.1:9/x.parquet", "--prepared", "t,s", cwd=tmp_path)
    assert (done.returncode, "not-a-local-file" in done.stderr) == (2, True)


IMAGING = "patient_id,mri_date\nA,2025-02-20\nB,2025-02-20\n"
AS_OF = ("--as-of", "2025-06-15", "-f", "csv")


def statuses(text: str) -> dict[str, str]:
    return {row["patient_id"]: row["status"] for row in csv.DictReader(text.splitlines())}


def test_a_death_on_a_row_that_is_left_out_still_counts(tmp_path: Path) -> None:
    file(
        tmp_path,
        "patient_id,sbrt_date,level,bilsky,death_date\nA,2025-01-31,T8,0,\nA,2025-02-10,XX,0,2025-03-01\nB,2025-01-31,T8,0,\n",
    )
    file(tmp_path, IMAGING, "m.csv")
    done = command(
        "worklist", "c.csv", "--imaging", "m.csv", *AS_OF, "--on-error", "exclude", "--plan", "chen-2024", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert statuses(done.stdout)["A"] == "stopped"


@pytest.mark.parametrize("mode", ["exclude", "keep"])
def test_a_death_that_cannot_be_read_never_leaves_its_patient_on_the_list(tmp_path: Path, mode: str) -> None:
    text = "patient_id,sbrt_date,level,death_date\nA,2025-01-31,T8,\nA,2025-02-10,L3,soon\nB,2025-01-31,T8,\n"
    records = read_cohort(file(tmp_path, text), on_error=mode)
    assert records.frame["patient_id"].tolist() == ["B"]
    assert records.left_out is not None
    (line,) = records.left_out.to_dict("records")
    assert (line["patient_id"], line["rows"]) == ("A", "2;3")
    assert [e.row for e in records.excluded] == [2, 3]


def test_a_stop_of_the_patient_counts_on_every_site(tmp_path: Path) -> None:
    text = (
        "patient_id,sbrt_date,level,stop_reason,last_contact_date,progression_date\n"
        "A,2025-01-31,T8,,,\nA,2025-02-10,L3,hospice,2025-05-01,2025-01-01\nC,2025-02-10,L3,surgery,2025-05-01,2025-01-01\nC,2025-01-31,T8,,,\n"
    )
    frame = read_cohort(file(tmp_path, text), on_error="exclude").frame
    assert frame.set_index("patient_id")["stop_reason"].astype(object).fillna("").to_dict() == {"A": "hospice", "C": ""}


def test_who_is_left_out_wholly_has_a_line_with_reason_and_stop(tmp_path: Path) -> None:
    text = "patient_id,sbrt_date,level,death_date\nA,soon,T8,2025-03-01\n,2025-01-31,T8,\nB,2025-01-31,T8,\n"
    left = read_cohort(file(tmp_path, text), on_error="exclude").left_out
    assert left is not None
    assert left["rows"].tolist() == ["2", "3"]
    assert left["stopped"].tolist() == ["death", ""]
    assert all("column" in reason for reason in left["reason"])


def test_keep_takes_a_cell_as_unknown_and_says_so(tmp_path: Path) -> None:
    text = "patient_id,sbrt_date,level,sins,booked_date\nA,2025-01-31,T8,7?,tomorrow\n"
    records = read_cohort(file(tmp_path, text), on_error="keep")
    assert len(records.frame) == 1
    assert records.frame["sins"].isna().all()
    assert records.frame["booked_date"].isna().all()
    assert {c.code for c in records.cautions} == {"not-a-number", "not-a-date"}


def test_a_fact_that_no_rule_asks_for_never_stops_a_schedule(tmp_path: Path) -> None:
    file(tmp_path, "patient_id,sbrt_date,level,sins,bilsky\nA,2025-01-31,T8,7?,n/a\n")
    done = command("worklist", "c.csv", "--as-of", "2025-06-15", cwd=tmp_path)
    assert done.returncode == 0
    assert "taken as unknown" in done.stderr
    assert command("worklist", "c.csv", "--as-of", "2025-06-15", "--plan", "chen-2024", cwd=tmp_path).returncode == 2


def test_sins_against_level_and_lesion_type_alone_is_a_caution(tmp_path: Path) -> None:
    file(tmp_path, "patient_id,sbrt_date,level,lesion_type,sins\nA,2025-01-31,T12,lytic,3\n")
    done = command("risk", "c.csv", cwd=tmp_path)
    assert done.returncode == 0
    assert "caution: " in done.stderr
    file(tmp_path, "patient_id,sbrt_date,level,lesion_type,sins,sins_pain\nA,2025-01-31,T12,lytic,3,mechanical\n")
    assert "sins-disagrees" in command("risk", "c.csv", cwd=tmp_path).stderr


def test_mris_that_match_nobody_are_counted_first_and_refused(tmp_path: Path) -> None:
    file(tmp_path, "patient_id,sbrt_date,level\n0017,2025-01-31,T8\n")
    file(tmp_path, "patient_id,site_id,mri_date\n17,T8,2025-04-30\n", "m.csv")
    done = command("worklist", "c.csv", "--imaging", "m.csv", *AS_OF, "-q", cwd=tmp_path)
    assert done.returncode == 2
    assert "0 of 1 MRIs belong to a patient of the cohort" in done.stderr
    assert "leading zeros" in done.stderr


def test_quiet_hides_no_exclusion(tmp_path: Path) -> None:
    file(tmp_path, "patient_id,sbrt_date,level\nA,2025-01-31,T8\nB,2025-01-31,T9\n")
    file(tmp_path, "patient_id,mri_date\nA,2025-04-30\nB,2025-04-30\nb,2025-05-01\n", "m.csv")
    done = command("worklist", "c.csv", "--imaging", "m.csv", *AS_OF, "-q", cwd=tmp_path)
    assert done.returncode == 0
    assert "excluded: imaging row 4: its patient is not in the cohort; the id differs only in capital" in done.stderr


def test_sites_of_both_tables_are_read_as_levels(tmp_path: Path) -> None:
    file(tmp_path, "patient_id,sbrt_date,level\nA,2025-01-31,T8\nA,2025-01-31,L2-L3\n")
    file(tmp_path, "patient_id,site_id,mri_date\nA,t8,2025-04-30\nA,l2 - l3,2025-04-30\n", "m.csv")
    done = command("worklist", "c.csv", "--imaging", "m.csv", *AS_OF, cwd=tmp_path)
    assert "not in the cohort" not in done.stderr
    assert statuses(done.stdout)["A"] == "upcoming"


@pytest.mark.parametrize("column", ["sbrt_date", "booked_date"])
def test_a_year_far_ahead_is_a_slip(tmp_path: Path, column: str) -> None:
    row = {"sbrt_date": "2025-03-01", "booked_date": ""} | {column: "2052-06-20"}
    file(tmp_path, f"patient_id,sbrt_date,booked_date\nA,{row['sbrt_date']},{row['booked_date']}\n")
    done = command("worklist", "c.csv", *AS_OF, cwd=tmp_path)
    assert (done.returncode, "far-date" in done.stderr) == (2, True)


def test_every_row_is_written_on_demand(tmp_path: Path) -> None:
    rows = "".join(f"ZQ-{n},soon\n" for n in range(500))
    file(tmp_path, "patient_id,sbrt_date\n" + rows)
    done = command("risk", "c.csv", "--errors", "errors.csv", cwd=tmp_path)
    assert done.returncode == 2
    listed = list(csv.DictReader((tmp_path / "errors.csv").open()))
    assert [int(row["row"]) for row in listed] == list(range(2, 502))
    assert {(row["column"], row["code"]) for row in listed} == {("sbrt_date", "not-a-date")}
    assert "ZQ" not in (tmp_path / "errors.csv").read_text()


def test_a_month_is_never_filled_in_where_the_day_is_needed(tmp_path: Path) -> None:
    file(tmp_path, "cohort: {dates: {death_date: [YYYY-MM-DD, YYYY-MM]}}", "map.yaml")
    file(
        tmp_path,
        "patient_id,sbrt_date,level,death_date,last_contact_date\nA,2025-01-31,T8,2025-05,2025-05-20\nB,2025-01-31,T8,,\n",
    )
    file(tmp_path, "patient_id,mri_date\nA,2025-05-12\nB,2025-05-12\n", "m.csv")
    done = command("worklist", "c.csv", "--imaging", "m.csv", "--map", "map.yaml", *AS_OF, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert statuses(done.stdout)["A"] == "stopped"
    curves = command("curves", "c.csv", "--endpoint", "death", "--map", "map.yaml", cwd=tmp_path)
    assert "month" in curves.stderr
