"""Workbooks whole: every sheet, row, column and formula accounted for, in .xlsx, .ods and .xls."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from sbrt_followup.problems import InputRefused
from sbrt_followup.tables.layout import Layout
from sbrt_followup.tables.mapping import TableMap
from sbrt_followup.tables.records import Records, read_cohort

HEADER = ["patient_id", "sbrt_date", "death_date"]


def book(path: Path, rows: list[list[Any]], touch: Callable[[Any], None] | None = None) -> Path:
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    if touch is not None:
        touch(made)
    made.save(path)
    return path


def rewritten(path: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """Change the parts of a workbook, as other programs or an attacker would write them."""
    target = path.with_name("changed" + path.suffix)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return target


def refused(path: Path, how: TableMap | None = None) -> tuple[str, str]:
    with pytest.raises(InputRefused) as caught:
        read_cohort(path, column_map=how)
    return caught.value.problems[0].code, str(caught.value.problems[0])


def ids(records: Records) -> list[str]:
    return list(records.frame["patient_id"])


TEN = [HEADER, *([f"P{i}", date(2025, 1, 31), date(2025, 3, 1) if i == 1 else None] for i in range(10))]


def test_the_size_that_a_sheet_claims_is_not_believed(tmp_path: Path) -> None:
    path = rewritten(
        book(tmp_path / "a.xlsx", TEN),
        lambda _, data: re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:B4"', data),
    )
    frame = read_cohort(path).frame
    assert len(frame) == 10
    assert frame["death_date"].notna().sum() == 1


def test_a_formula_without_a_stored_value_is_refused_by_cell(tmp_path: Path) -> None:
    path = book(tmp_path / "f.xlsx", [HEADER, ["P1", date(2025, 1, 31), "=B2+60"]])
    code, said = refused(path)
    assert code == "formula-without-value"
    assert "row 2, column death_date" in said
    assert "save" in said
    assert "B2" not in said


def test_a_formula_in_a_column_of_the_users_own_stops_nothing(tmp_path: Path) -> None:
    path = book(tmp_path / "f.xlsx", [[*HEADER, "age"], ["P1", date(2025, 1, 31), None, "=1+1"]])
    records = read_cohort(path)
    assert ids(records) == ["P1"]
    assert any("'age'" in note for note in records.notes)


def test_a_formula_with_its_value_is_read(tmp_path: Path) -> None:
    path = book(tmp_path / "f.xlsx", [HEADER, ["P1", date(2025, 1, 31), "=B2+60"]])
    valued = rewritten(
        path,
        lambda _, data: (
            data.replace(b"<f>B2+60</f><v />", b"<f>B2+60</f><v>45748</v>")
            .replace(b"<f>B2+60</f><v></v>", b"<f>B2+60</f><v>45748</v>")
            .replace(b"<f>B2+60</f><v/>", b"<f>B2+60</f><v>45748</v>")
        ),
    )
    serial = TableMap(
        dates={"death_date": (__import__("sbrt_followup.tables.dates", fromlist=["style_of"]).style_of("serial"),)}
    )
    assert read_cohort(valued, column_map=serial).frame["death_date"].dt.strftime("%Y-%m-%d").tolist() == ["2025-04-01"]


def test_an_error_cell_is_no_value(tmp_path: Path) -> None:
    def touch(made: Any) -> None:
        made.active["C2"].value, made.active["C2"].data_type = "#REF!", "e"

    code, said = refused(book(tmp_path / "e.xlsx", [HEADER, ["P1", date(2025, 1, 31), None]], touch))
    assert (code, "row 2, column death_date" in said) == ("error-cell", True)


def test_two_ids_that_a_spreadsheet_made_one_are_refused(tmp_path: Path) -> None:
    rows = [HEADER[:2], [110101199003078515, date(2025, 1, 10)], [110101199003078513, date(2025, 3, 10)]]
    code, said = refused(book(tmp_path / "l.xlsx", rows))
    assert code == "long-number"
    assert "rows 2, 3, column patient_id" in said
    assert "1101" not in said


def test_a_number_is_read_as_its_format_shows_it(tmp_path: Path) -> None:
    def pad(made: Any) -> None:
        made.active["A2"].number_format = "0000000"

    assert ids(read_cohort(book(tmp_path / "p.xlsx", [HEADER[:2], [123, date(2025, 1, 10)]], pad))) == ["0000123"]


def test_several_sheets_are_never_chosen_silently(tmp_path: Path) -> None:
    def second(made: Any) -> None:
        made.active.title = "2024"
        other = made.create_sheet("2025")
        other.append(HEADER[:2])
        other.append(["Q1", date(2025, 2, 1)])

    path = book(tmp_path / "two.xlsx", [HEADER[:2], ["P1", date(2024, 1, 10)]], second)
    code, said = refused(path)
    assert code == "which-sheet"
    assert "'2024', '2025'" in said
    assert ids(read_cohort(path, column_map=TableMap(layout=Layout(sheet="2025")))) == ["Q1"]
    assert refused(path, TableMap(layout=Layout(sheet="2023")))[0] == "unknown-sheet"


def test_a_hidden_sheet_is_never_read(tmp_path: Path) -> None:
    def hide(made: Any) -> None:
        other = made.create_sheet("Now")
        other.append(HEADER[:2])
        other.append(["Q1", date(2025, 2, 1)])
        made.active = 1
        made.worksheets[0].sheet_state = "hidden"

    path = book(tmp_path / "h.xlsx", [HEADER[:2], ["OLD", date(2024, 1, 10)]], hide)
    records = read_cohort(path)
    assert ids(records) == ["Q1"]
    assert any("hidden" in note for note in records.notes)
    assert refused(path, TableMap(layout=Layout(sheet="Sheet")))[0] == "unknown-sheet"


def test_a_sheet_without_our_columns_is_left_with_a_note(tmp_path: Path) -> None:
    def notes(made: Any) -> None:
        made.create_sheet("Notes").append(["call back on Monday"])

    records = read_cohort(book(tmp_path / "n.xlsx", TEN, notes))
    assert len(records.frame) == 10
    assert any("'Notes'" in note for note in records.notes)


def test_a_stray_cell_far_away_is_refused_quickly(tmp_path: Path) -> None:
    def stray(made: Any) -> None:
        made.active["XFD1048576"] = "x"

    assert refused(book(tmp_path / "s.xlsx", TEN, stray))[0] == "stray-cell"


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", TEN)
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    changed = rewritten(path, lambda name, data: bomb + data if name.endswith("workbook.xml") else data)
    assert refused(changed)[0] == "not-a-workbook"


def test_a_date_beyond_all_calendars_says_nothing_of_its_cell(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def wild(made: Any) -> None:
        made.active["B2"] = 99999999
        made.active["B2"].number_format = "dd.mm.yyyy"

    code, said = refused(book(tmp_path / "w.xlsx", TEN, wild))
    assert code == "not-a-date"
    assert "99999999" not in said + "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("data", "suffix"),
    [
        (b"", ".xlsx"),
        (b"PK\x03\x04 broken", ".xlsx"),
        (b"<html><table><tr><td>Meier</td></tr></table></html>", ".xls"),
        (b"patient_id,sbrt_date\n", ".ods"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 broken", ".xls"),
    ],
)
def test_what_is_no_workbook_is_said_to_be_none(tmp_path: Path, data: bytes, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    path.write_bytes(data)
    code, said = refused(path)
    assert code in ("not-a-workbook", "empty-file")
    assert "Meier" not in said


def test_old_workbooks_keep_dates_formats_and_errors(tmp_path: Path) -> None:
    xlwt = pytest.importorskip("xlwt")
    made = xlwt.Workbook()
    sheet = made.add_sheet("A")
    for c, name in enumerate(HEADER):
        sheet.write(0, c, name)
    sheet.write(1, 0, 17, xlwt.easyxf(num_format_str="00000"))
    sheet.write(1, 1, datetime(2025, 1, 31), xlwt.easyxf(num_format_str="DD.MM.YYYY"))
    made.save(str(tmp_path / "a.xls"))
    records = read_cohort(tmp_path / "a.xls")
    assert ids(records) == ["00017"]
    assert records.frame["sbrt_date"].dt.strftime("%Y-%m-%d").tolist() == ["2025-01-31"]
    sheet.write(1, 2, xlwt.Formula("B2+60"))
    made.save(str(tmp_path / "f.xls"))
    assert refused(tmp_path / "f.xls")[0] == "formula-without-value"


def test_open_documents_keep_padding_and_hidden_tables(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    pytest.importorskip("odf")
    path = tmp_path / "a.ods"
    pd.DataFrame({"patient_id": [17], "sbrt_date": [datetime(2025, 1, 31)]}).to_excel(path, engine="odf", index=False)
    assert ids(read_cohort(path)) == ["17"]

    def repeat(name: str, data: bytes) -> bytes:
        cell = b'<table:table-cell office:value-type="string" table:number-columns-repeated="999999999">'
        return data.replace(b"<table:table-cell ", cell[:-1] + b" ", 1) if name == "content.xml" else data

    assert refused(rewritten(path, repeat))[0] in ("stray-cell", "not-a-workbook")


def test_a_protected_workbook_is_called_so(tmp_path: Path) -> None:
    path = tmp_path / "locked.xlsx"
    path.write_bytes(
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600
    )
    code, said = refused(path)
    assert code == "locked"
    assert "password" in said
