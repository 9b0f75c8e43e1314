"""The same table in every form a clinic may bring it: CSV, xlsx, Parquet, odd line ends, odd column names."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sbrt_followup.problems import InputRefused
from sbrt_followup.tables.records import ColumnMap, Records, cohort_of, read_cohort, read_imaging

CSV = "patient_id,site_id,sbrt_date,sins,paraspinal,note\n001,A,2024-01-31,7,yes,None\n002,B,2024-02-29,,no,NA\n"


def written(folder: Path, data: str | bytes, name: str = "cohort.csv") -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def sheet(folder: Path, rows: list[list[Any]]) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    book.save(folder / "cohort.xlsx")
    return folder / "cohort.xlsx"


def code_of(path: Path, **options: Any) -> str:
    with pytest.raises(InputRefused) as refused:
        read_cohort(path, **options)
    (problem,) = refused.value.problems
    return problem.code


def facts(records: Records) -> list[tuple[Any, ...]]:
    frame = records.frame
    shown = frame["sbrt_date"].dt.strftime("%Y-%m-%d")
    return list(
        zip(frame["patient_id"], frame["site_id"], shown, frame["sins"].fillna(-1), frame["paraspinal"], strict=True)
    )


def test_all_cells_are_text_and_only_the_empty_cell_is_missing(tmp_path: Path) -> None:
    frame = read_cohort(written(tmp_path, CSV)).frame
    assert frame["patient_id"].tolist() == ["001", "002"]
    assert frame["note"].tolist() == ["None", "NA"]
    assert frame["sins"].isna().tolist() == [False, True]
    assert frame["row"].tolist() == [2, 3]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace(",", ";"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: text.rstrip("\n"),
        lambda text: text + "\n\n",
        lambda text: "\n".join(",".join(f'"{c}"' for c in line.split(",")) for line in text.splitlines()),
        lambda text: text.replace("\n", " \n").replace(",", " , "),
    ],
    ids=["bom", "semicolon", "crlf", "cr", "no last end", "blank lines", "quoted", "spaces"],
)
def test_forms_of_csv(tmp_path: Path, change: Any) -> None:
    plain = read_cohort(written(tmp_path, CSV))
    other = read_cohort(written(tmp_path, change(CSV), "other.csv"))
    assert facts(other) == facts(plain)
    assert other.frame["row"].tolist() == [2, 3]


def test_blank_lines_keep_the_row_numbers(tmp_path: Path) -> None:
    text = "\n" + CSV.replace("\n002", "\n\n002")
    assert read_cohort(written(tmp_path, text)).frame["row"].tolist() == [3, 5]


def test_a_cell_may_hold_a_line_break_and_strange_separators(tmp_path: Path) -> None:
    text = 'patient_id,sbrt_date,note\nA,2024-01-31,"two\nlines\u2028and\x0bmore"\nB,2024-02-01,"5"" screw"\n'
    frame = read_cohort(written(tmp_path, text)).frame
    assert frame["patient_id"].tolist() == ["A", "B"]
    assert frame["note"].iloc[1] == '5" screw'


def test_semicolons_with_decimal_points(tmp_path: Path) -> None:
    text = "patient_id;sbrt_date;dose_gy;note\nA;2024-01-31;24.5;a, b, c and d\n"
    frame = read_cohort(written(tmp_path, text)).frame
    assert frame["dose_gy"].tolist() == [24.5]
    assert frame["note"].tolist() == ["a, b, c and d"]


def test_a_header_alone_is_a_cohort_of_none(tmp_path: Path) -> None:
    assert len(read_cohort(written(tmp_path, "patient_id,sbrt_date\n")).frame) == 0


def test_xlsx_holds_the_same_as_csv(tmp_path: Path) -> None:
    rows = [line.split(",") for line in CSV.splitlines()]
    assert facts(read_cohort(sheet(tmp_path, rows))) == facts(read_cohort(written(tmp_path, CSV)))


def test_xlsx_numbers_dates_and_flags(tmp_path: Path) -> None:
    path = sheet(
        tmp_path,
        [
            ["patient_id", "site_id", "sbrt_date", "sins", "paraspinal"],
            ["001", "A", datetime(2024, 1, 31), 7, True],
            [None, None, None, None, None],
            ["002", "B", date(2024, 2, 29), None, False],
        ],
    )
    records = read_cohort(path)
    assert facts(records) == facts(read_cohort(written(tmp_path, CSV)))
    assert records.frame["row"].tolist() == [2, 4]
    # A real date needs no --date-format, and is not hurt by one.
    assert facts(read_cohort(path, date_format="%d.%m.%Y")) == facts(records)


def test_xlsx_refusals(tmp_path: Path) -> None:
    assert code_of(sheet(tmp_path, [])) == "empty-file"
    assert code_of(sheet(tmp_path, [["patient_id", "site_id"], ["A", "1"]])) == "missing-column"
    assert code_of(sheet(tmp_path, [["patient_id", "sbrt_date"], ["A", "2024-01-31", "x"]])) == "unnamed-column"
    assert code_of(sheet(tmp_path, [["patient_id", "sbrt_date", "sins"], ["A", "2024-01-31", 19]])) == "out-of-range"
    assert code_of(sheet(tmp_path, [["A", datetime(2024, 1, 31)], ["B", datetime(2024, 1, 31)]])) == "no-header"
    assert code_of(written(tmp_path, CSV, "not.xlsx")) == "not-a-workbook"


def test_parquet_holds_the_same_as_csv(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "patient_id": ["001", "002"],
            "site_id": ["A", "B"],
            "sbrt_date": pd.to_datetime(["2024-01-31", "2024-02-29"]),
            "sins": pd.array([7, None], dtype="Int64"),
            "paraspinal": [True, False],
        }
    )
    plain = facts(read_cohort(written(tmp_path, CSV)))
    for variant in (
        frame,
        frame.set_index("patient_id"),
        frame.assign(sbrt_date=frame["sbrt_date"].dt.date),
        frame.assign(sbrt_date=frame["sbrt_date"].dt.strftime("%Y-%m-%d"), sins=["7", None], paraspinal=["yes", "no"]),
        frame.astype({"patient_id": "category"}),
    ):
        variant.to_parquet(tmp_path / "cohort.parquet")
        assert facts(read_cohort(tmp_path / "cohort.parquet")) == plain


def test_parquet_refusals(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "cohort.parquet"

    def code(**columns: Any) -> str:
        pd.DataFrame({"patient_id": ["A"], "sbrt_date": pd.to_datetime(["2024-01-31"]), **columns}).to_parquet(path)
        return code_of(path)

    assert code(sins=[19.0]) == "out-of-range"
    assert code(sins=[7.5]) == "out-of-range"
    assert code(sins=[float("inf")]) == "out-of-range"
    assert code(row=[1]) == "reserved-column"
    assert code(death_date=pd.to_datetime(["2023-01-01"])) == "impossible-dates"
    assert code(death_date=[date(9999, 12, 31)]) == "not-a-date"
    assert code_of(written(tmp_path, CSV, "not.parquet")) == "not-parquet"
    twice = pa.table([pa.array(["A"]), pa.array(["B"])], names=["patient_id", "patient_id"])
    pq.write_table(twice, path)
    assert code_of(path) == "repeated-column"


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert code_of(tmp_path / "absent.csv") == "unreadable"
    assert code_of(tmp_path) == "unreadable"


def test_dates_in_another_form_need_to_be_announced(tmp_path: Path) -> None:
    path = written(tmp_path, "patient_id,sbrt_date\nA,31.01.2024\nB,29.02.2024\n")
    assert code_of(path) == "not-a-date"
    days = read_cohort(path, date_format="%d.%m.%Y").frame["sbrt_date"].dt.strftime("%Y-%m-%d").tolist()
    assert days == ["2024-01-31", "2024-02-29"]
    # 3 April or 4 March: the announced form alone decides.
    path = written(tmp_path, "patient_id,sbrt_date\nA,2024-04-03\n")
    assert read_cohort(path, date_format="%Y-%d-%m").frame["sbrt_date"].iloc[0] == pd.Timestamp("2024-03-04")


@pytest.mark.parametrize("date_format", ["%d", "%d.%m", "%Y-%m", "%H:%M", "%Q", "", "dd.yyyy", "%"])
def test_a_date_format_without_day_month_and_year_is_refused(tmp_path: Path, date_format: str) -> None:
    """`%d` alone would read every date as a day of January 1900."""
    assert code_of(written(tmp_path, "patient_id,sbrt_date\nA,31\n"), date_format=date_format) == "bad-date-format"


def test_columns_and_values_can_be_mapped(tmp_path: Path) -> None:
    path = written(tmp_path, "Pat;Datum;Weichteil\n001;31.01.2024;J\n002;29.02.2024;N\n")
    mapped = ColumnMap(
        {"patient_id": "Pat", "sbrt_date": "Datum", "paraspinal": "Weichteil"}, {"paraspinal": {"J": "yes", "N": "no"}}
    )
    frame = read_cohort(path, column_map=mapped, date_format="%d.%m.%Y").frame
    assert frame["patient_id"].tolist() == ["001", "002"]
    assert frame["paraspinal"].tolist() == ["yes", "no"]
    assert code_of(path, column_map=ColumnMap({"patient_id": "Patient"})) == "no-header"


def test_unknown_columns_are_kept(tmp_path: Path) -> None:
    records = read_cohort(written(tmp_path, CSV))
    assert records.extra_columns == ("note",)
    assert records.given == {"patient_id", "site_id", "sbrt_date", "sins", "paraspinal"}


def test_the_site_defaults_to_the_level_then_to_1(tmp_path: Path) -> None:
    text = "patient_id,sbrt_date,level\nA,2024-01-31,t10\nB,2024-01-31,l1 – l3\nC,2024-01-31,\n"
    frame = read_cohort(written(tmp_path, text)).frame
    assert frame["site_id"].tolist() == ["T10", "L1-L3", "1"]


def test_one_patient_by_options_is_a_cohort_of_one() -> None:
    records = cohort_of([{"patient_id": "patient", "sbrt_date": "2024-01-31", "sins": "7"}])
    assert len(records.frame) == 1
    assert records.frame["sins"].tolist() == [7.0]


def test_the_hash_is_of_the_content(tmp_path: Path) -> None:
    one = read_cohort(written(tmp_path, CSV, "a.csv"))
    two = read_cohort(written(tmp_path, CSV, "b.csv"))
    three = read_cohort(written(tmp_path, CSV + "003,C,2024-01-31,,,\n", "c.csv"))
    assert one.content_hash == two.content_hash != three.content_hash


def test_an_imaging_table_with_its_own_kinds(tmp_path: Path) -> None:
    text = "patient_id,site_id,mri_date,gtv_cc,t2_pattern,completed\nA,1,2024-05-01,2.5,mixed,yes\nA,,2024-08-01,,,no\n"
    frame = read_imaging(written(tmp_path, text)).frame
    assert frame["gtv_cc"].tolist()[0] == 2.5
    assert frame["completed"].tolist() == ["yes", "no"]
