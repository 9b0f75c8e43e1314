"""Problems of a table, one line a row: file, row, column, code, what is wrong, what to do; never a cell's content."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..problems import Problem
from .files import write_whole
from .tabular import csv_bytes

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 8
COLUMNS = ("file", "row", "column", "severity", "code", "problem", "hint")


def row_list(problems: Sequence[Problem]) -> pd.DataFrame:
    """Spread problems over their rows; one without rows stands on a line of its own."""
    import pandas as pd

    lines = []
    for problem in problems:
        file = problem.source.file if problem.source else ""
        line = problem.source.line if problem.source and problem.source.line else None
        message = problem.message.split(": ", 1)[-1] if problem.rows else problem.message
        said = (problem.column, problem.severity, problem.code, message, problem.hint)
        lines += [(file, row, *said) for row in problem.rows or (line,)]
    frame = pd.DataFrame(lines, columns=list(COLUMNS))
    return frame.assign(row=frame["row"].astype("Int64"))


def kind_list(problems: Sequence[Problem]) -> pd.DataFrame:
    """Give one line a kind of problem, with how many rows have it and the first of them."""
    import pandas as pd

    lines = []
    for problem in problems:
        rows = list(problem.rows)
        shown = ", ".join(map(str, rows[:SHOWN])) + (f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else "")
        message = problem.message.split(": ", 1)[-1] if rows else problem.message
        text = f"{message}{'. ' + problem.hint if problem.hint else ''}"
        file = problem.source.file if problem.source else ""
        lines.append((file, shown, problem.column, problem.severity, problem.code, text))
    return pd.DataFrame(lines, columns=["file", "rows", "column", "severity", "code", "problem"])


def write_row_list(path: Path, problems: Sequence[Problem]) -> None:
    """Write the list as CSV, over an older one: it is made anew at each try."""
    write_whole(path, csv_bytes(row_list(problems)))
