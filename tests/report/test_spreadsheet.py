"""Workbooks: what goes in comes out, nothing runs as a formula, the same input gives the same bytes."""

from __future__ import annotations

import io
import sys
import time
from datetime import datetime
from typing import Any

import openpyxl
import pandas as pd
import pytest
from helpers.visits_frames import MANIFEST, every_status

from sbrt_followup.problems import InputRefused
from sbrt_followup.report.console import SYMBOLS
from sbrt_followup.report.spreadsheet import FILLS, workbook
from sbrt_followup.report.tabular import csv_text


def opened(frame: pd.DataFrame, notes: tuple[str, ...] = ("a note",)) -> Any:
    return openpyxl.load_workbook(io.BytesIO(workbook(frame, MANIFEST, notes)))


def cells(sheet: Any) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_dates_are_dates_numbers_numbers_and_the_unknown_is_empty() -> None:
    visits = every_status()
    sheet = opened(visits)["Rows"]
    names = [c.value for c in sheet[1]]
    assert names == list(visits.columns)
    due = names.index("due")
    for row, line in zip(sheet.iter_rows(min_row=2), visits.itertuples(), strict=True):
        assert row[due].value == (None if pd.isna(line.due) else line.due.to_pydatetime())
        assert row[due].value is None or row[due].number_format == "yyyy-mm-dd"
        assert row[names.index("visit")].value == (None if pd.isna(line.visit) else line.visit)
        assert row[names.index("patient_id")].value == line.patient_id


def test_status_is_a_symbol_and_a_word_before_it_is_a_colour() -> None:
    sheet = opened(every_status())["Rows"]
    at = [c.value for c in sheet[1]].index("status")
    for row, status in zip(sheet.iter_rows(min_row=2), every_status()["status"], strict=True):
        assert row[at].value == f"{SYMBOLS[status]} {status}"
        assert row[at].fill.fgColor.rgb[2:] == FILLS.get(status, "000000")


def test_it_can_be_worked_with_and_printed() -> None:
    visits = every_status()
    sheet = opened(visits)["Rows"]
    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref == f"A1:{openpyxl.utils.get_column_letter(visits.shape[1])}{len(visits) + 1}"
    assert sheet["A1"].font.bold
    assert sheet.column_dimensions["A"].width >= len("MRN-778899 Jane")
    assert (sheet.page_setup.orientation, sheet.print_title_rows) == ("landscape", "$1:$1")


def test_the_second_sheet_says_what_the_rows_rest_on() -> None:
    told = "\n".join(" ".join(map(str, row)) for row in cells(opened(every_status())["About"]))
    for words in (
        "note a note",
        "program sbrt-followup",
        "as_of 2025-06-15",
        "basis: assumption",
        "sha256:bb",
        "plan: x",
    ):
        assert words in told


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_text_runs_as_a_formula_in_a_cell_or_a_heading(start: str) -> None:
    text = f"{start}HYPERLINK(1)"
    frame = pd.DataFrame({"patient_id": [text], text: ["x"], "status": [text]})
    book = opened(frame, (text,))
    written = [cell for sheet in book for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)]
    assert len([c for c in written if "HYPERLINK" in c.value]) == 4
    assert not [c for c in written if c.data_type != "s"], "typed as text, so that no sign need be added"
    assert [c for c in written if c.value.startswith(start)] or start == "\r", (
        "XML gives a carriage return back as a line break"
    )
    heading, row = csv_text(frame).split("\n", 1)
    assert f"'{start}HYPERLINK" in heading
    assert f"'{start}HYPERLINK" in row


@pytest.mark.parametrize("text", ["#N/A", "#REF!", "001", "1e5", "TRUE", "2025-01-01"])
def test_a_text_stays_the_text_it_is(text: str) -> None:
    cell = opened(pd.DataFrame({"patient_id": [text]}))["Rows"]["A2"]
    assert (cell.value, cell.data_type) == (text, "s")


def test_control_characters_are_shown_and_counted_not_a_crash() -> None:
    book = opened(pd.DataFrame({"patient_id": ["a\x0bb", "c"], "x\x00y": ["\x1b[31m", ""]}))
    assert cells(book["Rows"]) == [["patient_id", "x\ufffdy"], ["a\ufffdb", "\ufffd[31m"], ["c", None]]
    assert "2 cell(s) hold control characters" in str(cells(book["About"]))


def test_numbers_without_a_value_are_empty() -> None:
    frame = pd.DataFrame({"x": [1.5, float("nan"), float("inf")], "y": pd.array([1, None, 3], dtype="Int64")})
    assert cells(opened(frame)["Rows"])[1:] == [[1.5, 1], [None, None], [None, 3]]


def test_a_text_that_excel_would_cut_is_refused_without_quoting_it() -> None:
    with pytest.raises(InputRefused) as refused:
        workbook(pd.DataFrame({"note": ["MRN-778899" * 4000]}), MANIFEST, [])
    assert refused.value.problems[0].code == "cell-too-long"
    assert "MRN" not in str(refused.value.problems[0])


def test_the_same_input_gives_the_same_bytes_whenever(monkeypatch: pytest.MonkeyPatch) -> None:
    first = workbook(every_status(), MANIFEST, [])
    later = time.localtime(time.time() + 86_400)
    monkeypatch.setattr(time, "localtime", lambda *_: later)
    assert workbook(every_status(), MANIFEST, []) == first
    properties = openpyxl.load_workbook(io.BytesIO(first)).properties
    assert properties.created == properties.modified == datetime(2025, 6, 15)


def test_a_table_of_none_opens_too() -> None:
    assert cells(opened(every_status().iloc[:0])["Rows"]) == [list(every_status().columns)]


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(InputRefused) as refused:
        workbook(every_status(), MANIFEST, [])
    assert "sbrt-followup[excel]" in refused.value.problems[0].hint
