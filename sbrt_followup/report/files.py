"""Writing results: CSV, JSON and Parquet from frames; atomic, never over an existing file without force.

Dates are ISO, an unknown cell is empty (null in JSON, never NaN). A text cell that a spreadsheet would run as a
formula is escaped with an apostrophe.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..problems import Source, refuse

if TYPE_CHECKING:
    import pandas as pd

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def check_free(path: Path, force: bool) -> None:
    """Refuse to write over an existing file without force, or into a folder that is not there."""
    if path.exists() and not force:
        raise refuse("file-exists", "this file exists already", Source(str(path)), "Add --force to write over it.")
    if not path.parent.is_dir():
        raise refuse("no-folder", "the folder to write into does not exist", Source(str(path.parent)))


def write_bytes(path: Path, data: bytes, force: bool = False) -> None:
    """Write a file whole or not at all."""
    check_free(path, force)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def escape(text: str) -> str:
    """Make a text safe to open in a spreadsheet."""
    return "'" + text if text.startswith(FORMULA_STARTS) else text


def csv_text(frame: pd.DataFrame) -> str:
    """Give a frame as CSV."""
    return csv_bytes(frame).decode()


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """Give a frame as CSV in UTF-8, as pandas would write it; each distinct cell is put into words once."""
    shown = printable(frame)
    columns = [_cells(shown[name]) for name in shown.columns]
    if len(columns) == 1:
        columns = [[cell or b'""' for cell in columns[0]]]  # a blank line would be no row
    header = b",".join(_quoted(escape(str(name))) for name in shown.columns)
    return b"\n".join([header, *map(b",".join, zip(*columns, strict=True)), b""])


def _cells(column: pd.Series[Any]) -> list[bytes]:
    import numpy as np
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, values = column.cat.codes.to_numpy(), column.cat.categories
    else:
        codes, values = pd.factorize(column)
    texts = [_quoted(repr(float(v)) if isinstance(v, float) else str(v)) for v in values]
    cells: list[bytes] = np.array([*texts, b""], dtype=object)[codes].tolist()
    return cells


def _quoted(text: str) -> bytes:
    if any(c in text for c in ',"\n\r'):
        text = f'"{text.replace(chr(34), chr(34) * 2)}"'
    return text.encode()


def printable(frame: pd.DataFrame) -> pd.DataFrame:
    """Give a frame whose cells are ready for CSV: ISO dates, escaped texts, whole numbers as such."""
    import pandas as pd

    columns: dict[str, Any] = {}
    for name in frame.columns:
        column = frame[name]
        if pd.api.types.is_datetime64_any_dtype(column):
            codes, days = pd.factorize(column)
            shown = [day.strftime("%Y-%m-%d") for day in days]
            columns[name] = pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(shown))
        elif isinstance(column.dtype, pd.CategoricalDtype):
            columns[name] = (
                column.cat.rename_categories([escape(str(c)) for c in column.cat.categories])
                if _risky(column.cat.categories)
                else column
            )
        elif pd.api.types.is_object_dtype(column) or pd.api.types.is_string_dtype(column):
            columns[name] = column.map(lambda cell: escape(cell) if isinstance(cell, str) else cell)
        else:
            columns[name] = column
    return pd.DataFrame(columns, index=frame.index)


def _risky(texts: Any) -> bool:
    return any(str(t).startswith(FORMULA_STARTS) for t in texts)


def json_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Give a frame as a list of JSON objects."""
    names = list(frame.columns)
    columns = [[json_value(cell) for cell in frame[name].tolist()] for name in names]
    return [dict(zip(names, cells, strict=True)) for cells in zip(*columns, strict=True)]


def json_value(cell: Any) -> Any:
    """Give one cell as JSON: dates ISO, nothing known as null."""
    if cell is None or isinstance(cell, str | bool | int):
        return cell
    if isinstance(cell, float):
        return None if math.isnan(cell) or math.isinf(cell) else cell
    if hasattr(cell, "isoformat"):
        text = str(cell.isoformat())
        return None if text == "NaT" else text[:10]
    if type(cell).__name__ in ("NAType", "NaTType"):
        return None
    if hasattr(cell, "item"):
        return json_value(cell.item())
    return str(cell)


def json_text(body: Mapping[str, Any]) -> str:
    """Give a JSON document; NaN is a programming error, not an output."""
    return json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def parquet_bytes(frame: pd.DataFrame) -> bytes:
    """Give a frame as Parquet; needs the extra `parquet`."""
    import io

    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise refuse(
            "needs-extra", "writing Parquet needs pyarrow", hint="pip install 'sbrt-followup[parquet]'"
        ) from None
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False, engine="pyarrow")
    return buffer.getvalue()


@contextmanager
def parquet_writer(path: Path, force: bool) -> Iterator[Callable[[pd.DataFrame], None]]:
    """Write a Parquet file part by part, whole or not at all; needs the extra `parquet`."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise refuse(
            "needs-extra", "writing Parquet needs pyarrow", hint="pip install 'sbrt-followup[parquet]'"
        ) from None
    check_free(path, force)
    from concurrent.futures import Future, ThreadPoolExecutor

    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    writer: Any = None
    pending: Future[None] | None = None

    def put(frame: pd.DataFrame) -> None:
        nonlocal writer
        table = pa.Table.from_pandas(frame, preserve_index=False)
        if writer is None:
            writer = pq.ParquetWriter(temporary, table.schema)
        writer.write_table(table.cast(writer.schema))

    # One part is written while the next is computed; never more than one waits.
    with ThreadPoolExecutor(1) as thread:

        def write(frame: pd.DataFrame) -> None:
            nonlocal pending
            if pending is not None:
                pending.result()
            pending = thread.submit(put, frame)

        try:
            yield write
            if pending is not None:
                pending.result()
            if writer is not None:
                writer.close()
                temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
