"""The REDCap instruments and their map: as the shipped files, and an export of theirs gives the right lists."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

from helpers.commands import command

from sbrt_followup.report.redcap import COLUMNS, data_dictionary, export_map
from sbrt_followup.tables.columns import COHORT, IMAGING
from sbrt_followup.tables.map_reading import read_map
from sbrt_followup.tables.records import read_cohort, read_imaging

FOLDER = Path(__file__).parents[2] / "sample_cohorts" / "redcap"
UPDATE = bool(os.environ.get("UPDATE_DOCS"))


ROWS = (
    {"record_id": "1", "death_date": "2025-03-01"},
    {
        "record_id": "1",
        "form": "sbrt_course",
        "sbrt_date": "2024-11-30",
        "level": "T8",
        "histology": "renal_cell",
        "paraspinal": "yes",
        "bilsky": "1b",
    },
    {
        "record_id": "1",
        "form": "spine_mri",
        "mri_date": "2025-02-20",
        "mri_site_id": "T8",
        "gtv_cc": "12.5",
        "completed": "yes",
    },
    {"record_id": "2"},
    {
        "record_id": "2",
        "form": "sbrt_course",
        "sbrt_date": "2025-01-31",
        "level": "L3",
        "histology": "breast",
        "paraspinal": "no",
        "bilsky": "0",
    },
    {
        "record_id": "2",
        "form": "sbrt_course",
        "instance": "2",
        "sbrt_date": "2025-02-14",
        "level": "T12",
        "histology": "breast",
    },
    {
        "record_id": "2",
        "form": "spine_mri",
        "mri_date": "2025-05-02",
        "mri_site_id": "L3",
        "gtv_cc": "8.0",
        "completed": "yes",
    },
)


def export() -> str:
    """An export of the project, as REDCap writes it: the fields of all forms beside each other."""
    fields = [row[0] for row in csv.reader(io.StringIO(data_dictionary()))][2:]
    names = ["record_id", "redcap_repeat_instrument", "redcap_repeat_instance", *fields]
    lines = []
    for row in ROWS:
        form = row.get("form", "")
        repeat = {"redcap_repeat_instrument": form, "redcap_repeat_instance": row.get("instance", "1") if form else ""}
        lines.append([{**row, **repeat}.get(name, "") for name in names])
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([names, *lines])
    return buffer.getvalue()


def held(name: str, text: str) -> None:
    path = FOLDER / name
    if UPDATE:
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, "run UPDATE_DOCS=1 pytest tests/report/test_redcap.py"


def test_the_shipped_files_are_the_programs() -> None:
    held("sbrt_followup_instruments.csv", data_dictionary())
    held("map.yaml", export_map())
    held("export.csv", export())


def test_the_dictionary_has_redcaps_columns_and_unique_names() -> None:
    rows = list(csv.reader(io.StringIO(data_dictionary())))
    assert tuple(rows[0]) == COLUMNS
    assert len(COLUMNS) == 18
    assert {len(row) for row in rows} == {18}
    names = [row[0] for row in rows[1:]]
    assert len(set(names)) == len(names)
    assert all((name == name.lower() and len(name) <= 26) or name in {"gadolinium_contraindication"} for name in names)
    wanted = {spec.name for spec in (*COHORT, *IMAGING)} - {"patient_id"}
    assert wanted <= {name.removeprefix("mri_") for name in names} | set(names)


def test_an_export_is_read_raw_and_labelled(tmp_path: Path) -> None:
    how = read_map(FOLDER / "map.yaml")
    raw = FOLDER / "export.csv"
    labelled = tmp_path / "labelled.csv"
    text = (
        raw.read_text()
        .replace("sbrt_course", "SBRT course")
        .replace("spine_mri", "Spine MRI")
        .replace("renal_cell", "renal cell")
    )
    labelled.write_text(text)
    for path in (raw, labelled):
        cohort = read_cohort(path, column_map=how.cohort)
        assert cohort.frame["patient_id"].tolist() == ["1", "2", "2"]
        assert cohort.frame["death_date"].notna().tolist() == [True, False, False]
        assert cohort.frame["histology"].tolist() == ["renal_cell", "breast", "breast"]
        assert len(read_imaging(path, column_map=how.imaging).frame) == 2


def test_the_dead_are_not_called() -> None:
    done = command(
        "worklist",
        "export.csv",
        "--imaging",
        "export.csv",
        "--map",
        "map.yaml",
        "--as-of",
        "2025-06-15",
        "-f",
        "csv",
        cwd=FOLDER,
    )
    status = {row["patient_id"]: row["status"] for row in csv.DictReader(io.StringIO(done.stdout))}
    assert done.returncode == 0, done.stderr
    assert status["1"] == "stopped"
