"""Forty ways of writing the same 300 patients: read right, or refused with the cure; never other dates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from helpers import clinics

from sbrt_followup.problems import InputRefused
from sbrt_followup.sites.placing import place
from sbrt_followup.tables.columns import COHORT, IMAGING
from sbrt_followup.tables.map_reading import read_map
from sbrt_followup.tables.map_writing import map_text
from sbrt_followup.tables.mapping import TableMap
from sbrt_followup.tables.proposing import propose
from sbrt_followup.tables.records import Records, read_cohort, read_imaging

WAYS = clinics.WAYS
SAMPLED = 60
"""Patients in the everyday run; all 300 in the slow one."""


def mapped(folder: Path, files: clinics.Files) -> tuple[Records, Records] | str:
    """Read two files by the map that is proposed for them; or the code of why not."""
    proposals = [
        propose(str(files[0]), "cohort", COHORT, TableMap()),
        propose(str(files[1]), "imaging", IMAGING, TableMap()),
    ]
    if any(proposal.questions for proposal in proposals):
        return "asked"
    path = folder / "map.yaml"
    path.write_text(map_text(proposals), encoding="utf-8")
    how = read_map(path)
    try:
        cohort = read_cohort(files[0], column_map=how.cohort)
        imaging = read_imaging(files[1], column_map=how.imaging)
        return cohort, place(cohort, imaging, "refuse").imaging
    except InputRefused as refused:
        assert all(p.rows or p.code == "ids-do-not-match" for p in refused.problems)
        assert all(p.hint for p in refused.problems), "a refusal says what to do"
        return refused.problems[0].code


def cells(frame: pd.DataFrame, columns: tuple[str, ...]) -> list[tuple[Any, ...]]:
    shown = {}
    for column in columns:
        series = frame[column]
        if column in clinics.DATES:
            shown[column] = pd.to_datetime(series).dt.strftime("%Y-%m-%d")
        elif column in ("sins", "dose_gy", "gtv_cc"):
            shown[column] = series.astype(float).map(lambda x: "" if pd.isna(x) else f"{x:g}")
        else:
            shown[column] = series.astype(object)
    made = pd.DataFrame(shown)
    return sorted(map(tuple, made.where(made.notna(), "").astype(str).to_numpy().tolist()))


def hold(way: clinics.Way, folder: Path, patients: int) -> None:
    cohort, imaging = clinics.truth(patients)
    outcome = mapped(folder, way.write(folder, cohort, imaging))
    if way.code:
        assert outcome == way.code
        return
    assert not isinstance(outcome, str), outcome
    assert cells(outcome[0].frame, clinics.COHORT) == cells(pd.DataFrame(cohort), clinics.COHORT)
    assert cells(outcome[1].frame, clinics.IMAGING) == cells(pd.DataFrame(imaging), clinics.IMAGING)


@pytest.mark.parametrize("way", WAYS, ids=lambda w: w.name)
def test_a_way_of_writing_gives_the_truth_or_a_cure(way: clinics.Way, tmp_path: Path) -> None:
    hold(way, tmp_path, SAMPLED)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS, ids=lambda w: w.name)
def test_a_whole_clinic_gives_the_truth_or_a_cure(way: clinics.Way, tmp_path: Path) -> None:
    hold(way, tmp_path, 300)


def test_at_least_nine_of_ten_ways_need_no_hand() -> None:
    read = sum(1 for way in WAYS if not way.code)
    assert len(WAYS) >= 40
    assert read * 10 >= len(WAYS) * 9
