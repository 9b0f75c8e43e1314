"""A user's file → a table of texts with row numbers: CSV, Parquet, xlsx or stdin.

The header is row 1; blank rows are no rows but keep their number. A row that is too short or too long is refused.
"""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..problems import InputRefused, Problem, Source

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS_NAMED = 10
# A number or a date where a column's name should stand.
_DATUM = re.compile(r"[-+]?\d[\d.,/:\sTZ-]*")
_LINE_END = re.compile(r"\r\n?")
_OTHER_SEPARATORS = {"\t": "tabs", "|": "bars"}


def _refused(code: str, message: str, file: str, hint: str = "") -> InputRefused:
    return InputRefused([Problem(code, message, Source(file), hint=hint)])


def _read_bytes(path: str) -> bytes:
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise _refused("unreadable", f"cannot be read: {error.strerror or 'I/O error'}", Path(path).name) from None


def read_raw(path: str) -> tuple[pd.DataFrame, str, str]:
    """Read a table; CSV and xlsx cells as text, Parquet as stored. Gives the frame (first column `row`), the content hash
    and the name to show in problems."""
    data = _read_bytes(path)
    name = "stdin" if path == "-" else Path(path).name
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    suffix = "" if path == "-" else Path(path).suffix.lower()
    if suffix in (".parquet", ".pq"):
        return _read_parquet(data, name), digest, name
    if suffix in (".xlsx", ".xlsm"):
        return _read_xlsx(data, name), digest, name
    return _read_csv(data, name), digest, name


def _extra(package: str, extra: str, file: str) -> InputRefused:
    return _refused("needs-extra", f"reading this file needs {package}", file, f"pip install 'sbrt-followup[{extra}]'")


def _read_parquet(data: bytes, name: str) -> pd.DataFrame:
    import io

    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise _extra("pyarrow", "parquet", name) from None
    try:
        file = pq.ParquetFile(io.BytesIO(data))
        _header(file.schema_arrow.names, name)
        table = file.read()
    except pa.ArrowException:
        raise _refused("not-parquet", "not readable as Parquet", name) from None
    # An index that pandas once wrote is a column like any other.
    frame: pd.DataFrame = table.to_pandas(date_as_object=False, strings_to_categorical=True, ignore_metadata=True)
    frame.insert(0, "row", range(2, len(frame) + 2))
    return frame


def _read_xlsx(data: bytes, name: str) -> pd.DataFrame:
    import io
    import zipfile

    import pandas as pd

    try:
        import openpyxl
    except ImportError:
        raise _extra("openpyxl", "excel", name) from None
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError):
        raise _refused("not-xlsx", "not readable as an Excel workbook", name) from None
    sheets = book.worksheets
    rows = [list(row) for row in sheets[0].iter_rows(values_only=True)] if sheets else []
    if not any(_cell_text(c) for row in rows for c in row):
        raise _refused("empty-file", "the first sheet is empty", name)
    top = next(i for i, row in enumerate(rows) if any(_cell_text(c) for c in row))
    header = [_cell_text(c) or "" for c in rows[top]]
    width = max(i + 1 for i, c in enumerate(header) if c)
    body = [(number, row) for number, row in enumerate(rows[top + 1 :], top + 2) if any(_cell_text(c) for c in row)]
    for number, row in body:
        if any(_cell_text(c) for c in row[width:]):
            raise _refused("ragged-row", f"row {number} has cells beyond the header's columns", name)
    frame = pd.DataFrame({"row": [number for number, _ in body]})
    for i, column in enumerate(_header(header[:width], name)):
        frame[column] = _xlsx_column([row[i] if i < len(row) else None for _, row in body])
    return frame


def _xlsx_column(cells: list[Any]) -> pd.Series[Any]:
    """Keep a column of real dates as dates, whatever --date-format says; anything else becomes text."""
    from datetime import date

    import pandas as pd

    given = [c for c in cells if _cell_text(c) is not None]
    if given and all(isinstance(c, date) for c in given):
        days = [None if _cell_text(c) is None else c for c in cells]
        return pd.Series(days, dtype="datetime64[s]")
    return pd.Series([_cell_text(c) for c in cells], dtype=object)


def _cell_text(cell: Any) -> str | None:
    from datetime import date, datetime

    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == datetime.min.time() else cell.isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _header(names: list[str], file: str) -> list[str]:
    names = [n.strip() for n in names]
    if any(_DATUM.fullmatch(n) for n in names):
        # The names are not shown: they may well be a patient's.
        hint = "Write the columns' names into the first row, e.g. patient_id, sbrt_date."
        raise InputRefused([Problem("no-header", "the first row holds data, not names", Source(file, 1), hint=hint)])
    problems = []
    if "row" in names:
        problems.append(
            Problem(
                "reserved-column",
                "the name 'row' stands for the row's number here",
                Source(file, 1),
                hint="Rename the column.",
            )
        )
    for i, name in enumerate(names, 1):
        if not name:
            problems.append(Problem("unnamed-column", f"column {i} has no name in the header", Source(file, 1)))
        elif name in names[: i - 1]:
            problems.append(Problem("repeated-column", f"the column '{name}' stands twice", Source(file, 1)))
    if problems:
        raise InputRefused(problems)
    return names


def _read_csv(data: bytes, name: str) -> pd.DataFrame:
    import csv
    import io

    import pandas as pd

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = Source(name, data[: error.start].count(b"\n") + 1)
        problem = Problem("not-utf8", "not UTF-8 text", place, hint="Save the file as CSV UTF-8.")
        raise InputRefused([problem]) from None
    if "\x00" in text:
        raise _refused("not-text", "the file holds NUL bytes; it is not a CSV file", name)
    text = _LINE_END.sub("\n", text)
    body = text.lstrip("\n")
    if not body.strip():
        raise _refused("empty-file", "the file is empty", name)
    blank = len(text) - len(body)
    first, text = body.partition("\n")[0], body
    comma, semicolon = first.count(","), first.count(";")
    delimiter = ";" if semicolon > comma else ","
    names = next(csv.reader([first], delimiter=delimiter))
    if len(names) == 1 and (other := next((s for s in _OTHER_SEPARATORS if s in first), "")):
        hint = "Save the file with commas or semicolons."
        message = f"the columns are separated by {_OTHER_SEPARATORS[other]}"
        raise InputRefused([Problem("other-separator", message, Source(name, blank + 1), hint=hint)])
    header = _header(names, name)
    _check_widths(text, delimiter, len(header), name, blank)
    try:
        frame = pd.read_csv(
            io.StringIO(text),
            sep=delimiter,
            dtype=str,
            keep_default_na=False,
            na_values=[""],
            header=0,
            names=header,
            index_col=False,
            skip_blank_lines=False,
            quoting=csv.QUOTE_MINIMAL,
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError):
        raise _refused("not-csv", "not readable as CSV", name, "Check the quotes.") from None
    frame.insert(0, "row", range(blank + 2, blank + len(frame) + 2))
    return frame.loc[frame[header].notna().any(axis=1)].reset_index(drop=True)


def _check_widths(text: str, delimiter: str, width: int, name: str, blank: int) -> None:
    """Refuse rows with more or fewer cells than the header; blank lines are no rows."""
    import csv
    import io

    import numpy as np

    if '"' in text:
        counts = [len(row) for row in csv.reader(io.StringIO(text), delimiter=delimiter)]
        wrong = [i for i, n in enumerate(counts, 1) if n not in (0, width)]
    else:
        raw = np.frombuffer(text.encode() + b"\n", dtype=np.uint8)
        ends = (raw == 10).nonzero()[0]
        cells = np.diff(np.cumsum(raw == ord(delimiter))[ends], prepend=0) + 1
        sizes = np.diff(ends, prepend=-1) - 1
        wrong = [int(i) + 1 for i in ((cells != width) & (sizes > 0)).nonzero()[0]]
    if wrong:
        raise InputRefused(
            Problem(
                "ragged-row", f"row {blank + row} does not have the header's {width} cells", Source(name, blank + row)
            )
            for row in wrong[:MOST_ROWS_NAMED]
        )


def texts_of(rows: list[dict[str, str]]) -> tuple[pd.DataFrame, str, str]:
    """Turn mappings of texts into a table as if it had been read from a file."""
    import json

    import pandas as pd

    frame = pd.DataFrame(rows, dtype=object)
    frame = frame.where(frame.notna() & (frame != ""), None)
    frame.insert(0, "row", range(2, len(frame) + 2))
    return frame, "sha256:" + hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest(), "options"
