"""Tables at a terminal: they fit, and no date or id is ever lost."""

from __future__ import annotations

import io
import re
import sys

import pandas as pd
import pytest
from helpers.visits_frames import every_status, frame, line
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from sbrt_followup.report.console import SYMBOLS, print_table, table_text

NARROW = ["patient_id", "site_ids", "visit", "phase", "earliest", "due", "latest", "status"]
DATE = re.compile(r"\d{4}-\d\d-\d\d")


def dates(visits: pd.DataFrame) -> list[str]:
    columns = visits.select_dtypes("datetime")
    return sorted(str(day)[:10] for day in columns.to_numpy().ravel() if not pd.isna(day))


def column_of(text: str, heading: str) -> str:
    """What stands in one column, folded lines joined."""
    lines = text.partition("No room here")[0].splitlines()
    top = next(i for i, one in enumerate(lines) if heading in one)
    start = lines[top].index(heading)
    rest = re.search(r"\s(?=\S)", lines[top][start:])
    stop = None if rest is None else start + rest.end()
    return "".join(one[start:stop].strip() for one in lines[top + 2 :])


def test_a_schedule_fits_80_columns_with_every_date_id_and_status() -> None:
    text = table_text(every_status()[NARROW], "title", ["a note"])
    assert all(cell_len(one) <= 80 for one in text.splitlines())
    assert sorted(DATE.findall(text)) == dates(every_status()[NARROW])
    for status in set(every_status()["status"]):
        assert f"{SYMBOLS[status]} {status}" in text
    assert text.startswith("title")
    assert text.rstrip().endswith("a note")


@settings(deadline=None, max_examples=60)
@given(st.text("ABC-12 ", min_size=1, max_size=60).map(str.strip).filter(bool), st.integers(20, 120))
def test_whatever_the_ids_and_the_width_no_date_or_id_is_cut(name: str, width: int) -> None:
    visits = frame(line(1, "2025-06-20", "due", patient_id=name, site_ids="T10;L1-L3"), line(2, "2025-09-20", "upcoming", patient_id=name, site_ids="T10"))  # fmt: skip
    text = table_text(visits[NARROW], "t", [], width)
    assert sorted(DATE.findall(text)) == dates(visits[NARROW])
    assert column_of(text, "patient").replace(" ", "") == name.replace(" ", "") * 2
    assert {"due", "upcoming"} <= set(text.split())
    if width >= 80:
        assert all(cell_len(one) <= width for one in text.splitlines())


def test_columns_without_room_are_named_never_dropped_in_silence() -> None:
    visits = every_status().drop(columns="visit_key")
    text = table_text(visits, "t", [])
    shown = visits.select_dtypes("datetime")
    assert len(DATE.findall(text)) == len(dates(shown))
    note = " ".join(text[text.index("No room here for") :].split())
    for name in ("phase", "reason", "rule"):
        assert name in note
    assert "No room here" not in table_text(visits, "t", [], 400)


def test_a_cell_cannot_move_the_cursor_or_turn_the_text_about() -> None:
    text = table_text(
        frame(line(1, "2025-06-20", "due", patient_id="\x1b[2J\x07A\u202eB", site_ids="x\ny"))[NARROW], "t", []
    )
    assert not [c for c in text if c in "\x1b\x07\u202e"]
    assert "\ufffd[2J\ufffdA\ufffdB" in text
    assert "x\ufffdy" in text


@pytest.mark.parametrize("wanted", [True, False])
def test_colour_only_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch, wanted: bool) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    if not wanted:
        monkeypatch.setenv("NO_COLOR", "1")
    print_table(every_status()[NARROW], "t", [], 80)
    assert (re.search(r"\x1b\[[0-9;]*3[0-7]m", out.getvalue()) is not None) == wanted
    assert "! overdue" in out.getvalue()
