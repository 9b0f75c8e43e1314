"""A user's file → a table of cells with row numbers, whatever its format: text, workbook, Parquet, or text from stdin."""

from __future__ import annotations

import hashlib
import re
import sys
import warnings
from pathlib import Path

from .formulas import without_escapes
from .layout import Layout, Raw, Wanted, refused

LARGEST = 4_000_000_000
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(//|[^/\\0-9])")
_DRIVE = re.compile(r"[A-Za-z]:")
_HTML = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|table|\?xml|head|meta)", re.IGNORECASE)


def check_local(path: str) -> None:
    """Refuse a path with a scheme (https://, s3://, file:): this program opens files of this machine only."""
    if "://" in path or (_SCHEME.match(path) and not _DRIVE.match(path)):
        hint = "Copy the file to this machine and name it by its path."
        raise refused(
            "not-a-local-file", "a path with a scheme is not opened: there is no network here", "the path", hint
        )


def read_bytes(path: str) -> bytes:
    """Read a whole file, or stdin for `-`, up to a bound; raises InputRefused with what the machine said."""
    if path == "-":
        if sys.stdin is None:
            raise refused("unreadable", "cannot be read: it is closed", "stdin")
        return _bounded(sys.stdin.buffer.read(LARGEST + 1), "stdin")
    check_local(path)
    name = Path(path).name
    try:
        with Path(path).open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise refused("unreadable", f"cannot be read: {error.strerror or 'I/O error'}", name) from None
    except ValueError:
        raise refused("unreadable", "cannot be read: no file can have such a name", "the path") from None
    except (OverflowError, MemoryError):
        raise refused(
            "too-large", "does not fit into memory", name, "Use a Parquet file, or split the table."
        ) from None
    return _bounded(data, name)


def _bounded(data: bytes, name: str) -> bytes:
    if len(data) > LARGEST:
        raise refused("too-large", "larger than 4 GB", name, "Use a Parquet file, or split the table.")
    return data


def read_raw(path: str, layout: Layout | None = None, wanted: Wanted | None = None) -> Raw:
    """Read a table, its format told by its content; text cells as text, other cells as stored.

    `layout` says where the table lies; `wanted` are the names by which its header is known. Raises InputRefused.
    """
    data = read_bytes(path)
    name = "stdin" if path == "-" else Path(path).name
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    with warnings.catch_warnings():
        # A library's warning may hold a cell, and names no file: what matters is said in our own words.
        warnings.simplefilter("ignore")
        return _read(
            data, name, digest, "" if path == "-" else Path(path).suffix.lower(), layout or Layout(), wanted or Wanted()
        )


def _read(data: bytes, name: str, digest: str, suffix: str, layout: Layout, wanted: Wanted) -> Raw:
    from .columnar import MARK, read_columnar
    from .workbook import is_workbook, read_workbook, sheet_place

    if suffix in (".parquet", ".pq") or data.startswith(MARK):
        return Raw(read_columnar(data, name), digest, name)
    if is_workbook(data):
        frame, notes, found, marks, sheets = read_workbook(data, name, layout, wanted)
        return Raw(frame, digest, sheet_place(name, found), notes, marks.epoch_1904, found, sheets)
    check_text(data, name, suffix)
    if layout.sheet:
        raise refused("unknown-sheet", "a sheet was named, but the file is no workbook", name)
    from .delimited import read_delimited

    frame, notes, found = read_delimited(data, name, layout, wanted)
    return Raw(without_escapes(frame) if b"'" in data else frame, digest, name, notes, layout=found)


def check_text(data: bytes, name: str, suffix: str) -> None:
    """Refuse what is no text table: a workbook that is none, a web page."""
    if suffix in (".xlsx", ".xlsm", ".xls", ".ods", ".xlsb"):
        if not data.strip():
            raise refused("empty-file", "the file is empty", name)
        what = (
            "a web page that only bears the name of a workbook" if _HTML.match(data) else "not readable as a workbook"
        )
        hint = "Open it in a spreadsheet program and save it as .xlsx."
        if _HTML.match(data) or suffix != ".xls":
            raise refused("not-a-workbook", what, name, hint)
    if _HTML.match(data):
        raise refused("not-a-table", "a web page or XML, not a table", name, "Save the table as CSV or .xlsx.")


def texts_of(rows: list[dict[str, str]]) -> Raw:
    """Turn mappings of texts into a table as if it had been read from a file; without a hash, it could be guessed back."""
    import pandas as pd

    frame = pd.DataFrame(rows, dtype=object)
    frame = frame.where(frame.notna() & (frame != ""), None)
    frame.insert(0, "row", range(2, len(frame) + 2))
    return Raw(frame, "", "options")
