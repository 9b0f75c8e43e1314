"""A Parquet file → a table of values as stored, with row numbers."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from ..problems import InputRefused, Problem, Source
from .header import MOST_NAMES, looks_like_data, shown_name
from .layout import MOST_COLUMNS, refused

if TYPE_CHECKING:
    import pandas as pd

MARK = b"PAR1"
"""How such a file begins and ends."""
_HINT = "Write it again, or save it as CSV."


def read_columnar(data: bytes, file: str) -> pd.DataFrame:
    """Read a Parquet file; raises InputRefused for damage and for columns that hold no plain values."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        hint = "pip install 'sbrt-followup[parquet]'"
        raise refused("needs-extra", "reading this file needs pyarrow", file, hint) from None
    try:
        whole = pq.ParquetFile(io.BytesIO(data))
        schema = whole.schema_arrow
        names = [str(name) for name in schema.names]
        kinds = list(schema.types)
    except Exception:
        raise refused("not-parquet", "not readable as Parquet", file, _HINT) from None
    _check(names, [_is_plain(pa, kind) for kind in kinds], file)
    try:
        table = whole.read()
        # An index that pandas once wrote is a column like any other.
        frame: pd.DataFrame = table.to_pandas(
            date_as_object=False, strings_to_categorical=True, ignore_metadata=True, coerce_temporal_nanoseconds=False
        )
    except MemoryError:
        raise
    except Exception:
        raise refused("not-parquet", "not readable as Parquet", file, _HINT) from None
    frame.columns = names
    frame.insert(0, "row", range(2, len(frame) + 2))
    return frame


def _is_plain(pa: Any, kind: Any) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    nested = pa.types.is_nested(kind) or pa.types.is_duration(kind) or pa.types.is_interval(kind)
    binary = pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
    return not nested and not binary


def _check(names: list[str], plain: list[bool], file: str) -> None:
    place = Source(file, 1)
    problems = []
    if looks_like_data(names):
        problems.append(Problem("no-header", "the columns' names are data, not names", place))
        raise InputRefused(problems)
    if len(names) > MOST_COLUMNS:
        raise refused("too-many-columns", f"the table has more than {MOST_COLUMNS} columns", file)
    seen: set[str] = set()
    for i, (name, is_plain) in enumerate(zip(names, plain, strict=True), 1):
        if not name.strip():
            problems.append(Problem("unnamed-column", f"column {i} has no name", place))
        elif name == "row":
            hint = "Rename the column."
            message = "the name 'row' stands for the row's number here"
            problems.append(Problem("reserved-column", message, place, hint=hint))
        elif name in seen:
            problems.append(Problem("repeated-column", f"the column '{shown_name(name)}' stands twice", place))
        elif not is_plain:
            message = f"the column '{shown_name(name)}' holds lists, records or bytes, not plain values"
            problems.append(Problem("not-plain", message, place, hint="Leave it out or write it as text."))
        seen.add(name)
    if problems:
        raise InputRefused(problems[:MOST_NAMES])
