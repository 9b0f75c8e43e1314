"""Escaped text: nothing a spreadsheet would run, under any list separator; and what is read back is what was written."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbrt_followup.report.spreadsheet import workbook
from sbrt_followup.report.tabular import csv_bytes, parquet_bytes
from sbrt_followup.tables.formulas import bare, escape
from sbrt_followup.tables.records import read_cohort

SIGNS = st.text(alphabet="=+-@'\";,|\t\r\n a1.＝＋０", max_size=12)
NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?")


@given(SIGNS | st.text(max_size=20))
def test_an_escaped_text_is_given_back_as_it_was(text: str) -> None:
    assert bare(escape(text)) == text


@given(SIGNS)
@pytest.mark.parametrize("separator", [";", "\t", "|", None])
def test_whatever_separates_the_cells_none_begins_a_formula(separator: str | None, text: str) -> None:
    escaped = escape(text)
    lines = re.split(r"[\n\r]", escaped)
    cells = [cell for line in lines for cell in (line.split(separator) if separator else [line])]
    assert not [c for c in cells if c.startswith(tuple("=+-@＝＋－＠")) and not _number(c)]


def _number(cell: str) -> bool:
    return NUMBER.match(cell) is not None


@pytest.mark.parametrize("text", ["-17", "+4.5", "-2,5", "P-1", "a;b", "O'Neill", "x'=1", "12;-3", ""])
def test_numbers_and_plain_texts_stay_as_they_are(text: str) -> None:
    assert escape(text) == text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("x;=1+41;y", "x;'=1+41;y"), ("=1", "'=1"), ("'=1", "''=1"), ("A1;@x", "A1;'@x"), ("＝1", "'＝1")],
)
def test_an_apostrophe_goes_before_what_would_run(text: str, escaped: str) -> None:
    assert escape(text) == escaped


IDS = st.text(alphabet=st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12)
EDGES = st.sampled_from(
    ["-17", "=1+1", "+49", "@x", "'-17", "''=x", "001", "1e5", "TRUE", "＝1", "a=b", "#N/A", "'", "-"]
)


@given(st.lists(EDGES | IDS, min_size=1, max_size=8, unique_by=str.casefold))
@pytest.mark.parametrize("format_", ["csv", "xlsx", "parquet"])
def test_ids_survive_every_format(tmp_path_factory: pytest.TempPathFactory, format_: str, ids: list[str]) -> None:
    frame = pd.DataFrame({"patient_id": ids, "sbrt_date": pd.Timestamp("2024-01-10")})
    data = {
        "csv": csv_bytes, "xlsx": lambda f: workbook(f, {"as_of": "2024-06-01"}, ()), "parquet": parquet_bytes,
    }[format_](frame)  # fmt: skip
    path: Path = tmp_path_factory.mktemp("round") / f"c.{format_}"
    path.write_bytes(data)
    assert read_cohort(str(path)).frame["patient_id"].tolist() == ids
