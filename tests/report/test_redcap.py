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


def held(name: str, text: str) -> None:
    path = FOLDER / name
    if UPDATE:
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, "run UPDATE_DOCS=1 pytest tests/report/test_redcap.py"


def test_the_shipped_files_are_the_programs() -> None:
    held("sbrt_followup_instruments.csv", data_dictionary())
    held("map.yaml", export_map())


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
