"""Rows as text: CSV, JSON and Parquet from frames.

Dates are ISO, an unknown cell is empty (null in JSON, never NaN). What a spreadsheet would run as a formula is escaped with
an apostrophe, taken away again when the file is read (`tables.formulas`).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from ..problems import refuse
from ..tables.formulas import escape

if TYPE_CHECKING:
    import pandas as pd


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
            columns[name] = column.cat.rename_categories([escape(str(c)) for c in column.cat.categories])
        elif pd.api.types.is_object_dtype(column) or pd.api.types.is_string_dtype(column):
            columns[name] = column.map(lambda cell: escape(cell) if isinstance(cell, str) else cell)
        else:
            columns[name] = column
    return pd.DataFrame(columns, index=frame.index)


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
    """Give a JSON document; NaN is a programming error, not an output.

    A document that ends with its manifest is sealed: the manifest's `output.content_hash` is the SHA-256 of the document as
    it reads without that entry (`unsealed`).
    """
    text = json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    if not (body and list(body)[-1] == "manifest" and text.endswith(_OPEN_END)):
        return text
    seal = f'{{\n   "content_hash": "{_hash(text)}"\n  }}'
    return text.removesuffix(_OPEN_END) + f',\n  "output": {seal}' + _OPEN_END


_OPEN_END = "\n }\n}\n"


def _hash(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def unsealed(body: Mapping[str, Any]) -> str:
    """Give the hash that a sealed JSON document should have."""
    manifest = {name: value for name, value in body["manifest"].items() if name != "output"}
    return _hash(json.dumps({**body, "manifest": manifest}, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


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
def parquet_writer(file: IO[bytes]) -> Iterator[Callable[[pd.DataFrame], None]]:
    """Write a Parquet file part by part; needs the extra `parquet`."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise refuse(
            "needs-extra", "writing Parquet needs pyarrow", hint="pip install 'sbrt-followup[parquet]'"
        ) from None
    from concurrent.futures import Future, ThreadPoolExecutor

    writer: Any = None
    pending: Future[None] | None = None

    def put(frame: pd.DataFrame) -> None:
        nonlocal writer
        table = pa.Table.from_pandas(frame, preserve_index=False)
        if writer is None:
            writer = pq.ParquetWriter(file, table.schema)
        writer.write_table(table.cast(writer.schema))

    # One part is written while the next is computed; never more than one waits.
    with ThreadPoolExecutor(1) as thread:

        def write(frame: pd.DataFrame) -> None:
            nonlocal pending
            if pending is not None:
                pending.result()
            pending = thread.submit(put, frame)

        yield write
        if pending is not None:
            pending.result()
        if writer is not None:
            writer.close()
