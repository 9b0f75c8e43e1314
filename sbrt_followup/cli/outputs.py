"""A result → stdout or a file, in the format asked for, with its manifest."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..problems import nearest, refuse
from .inputs import say

if TYPE_CHECKING:
    import pandas as pd

ENDINGS = {
    ".csv": "csv", ".json": "json", ".xlsx": "xlsx", ".parquet": "parquet", ".ics": "ics", ".md": "markdown", ".txt": "table",
    ".sarif": "sarif", ".html": "html",
}  # fmt: skip
TABULAR = ("table", "csv", "json", "parquet", "xlsx")


@dataclass(frozen=True)
class Destination:
    """Where a result goes and how."""

    format: str
    path: Path | None
    force: bool
    quiet: bool


@dataclass(frozen=True)
class Result:
    """A table with what belongs to it; `body` holds what JSON says beside the rows, `rows` is its key there."""

    frame: pd.DataFrame
    title: str
    rows: str
    manifest: Callable[[], Mapping[str, Any]]
    body: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()
    narrow: Sequence[str] = ()
    """The columns a person sees in a terminal, most needed first; none: all."""


def destination(
    format_: str | None, output: Path | None, force: bool, quiet: bool, allowed: Sequence[str] = TABULAR
) -> Destination:
    """Settle the format (by option, by the file's ending, by the terminal) before any work is done."""
    from ..report.files import check_free

    if output is not None:
        check_free(output, force)
    chosen = format_
    if chosen is None and output is not None:
        # The longer ending first: plain JSON names patients, FHIR does not.
        fhir = output.name.lower().endswith(".fhir.json")
        chosen = "fhir" if fhir else ENDINGS.get(output.suffix.lower())
        if chosen is None:
            raise refuse(
                "unknown-format",
                f"the ending '{output.suffix}' names no format",
                hint=f"Give --format {' | '.join(allowed)}.",
            )
    if chosen is None:
        chosen = "table" if sys.stdout.isatty() else "csv"
    if chosen not in allowed:
        raise refuse("unknown-format", f"the format '{chosen}' is not available here", hint=nearest(chosen, allowed))
    if chosen in ("xlsx", "parquet") and output is None and sys.stdout.isatty():
        raise refuse("needs-output", f"{chosen} is not for a terminal", hint="Add --output FILE.")
    return Destination(chosen, output, force, quiet)


def deliver(result: Result, to: Destination, others: Mapping[str, Callable[[], bytes]] | None = None) -> None:
    """Render a result and write it; `others` render further formats. A file gets its manifest beside it."""
    from ..report import files

    if to.format == "table" and to.path is None:
        _print(result)
    else:
        data = _render(result, to.format, others or {})
        if to.path is None:
            sys.stdout.buffer.write(data)
            sys.stdout.flush()
        else:
            files.write_bytes(to.path, data, to.force)
            if to.format != "json":
                beside = to.path.with_name(to.path.name + ".manifest.json")
                files.write_bytes(beside, files.json_text(result.manifest()).encode(), force=True)
            say(f"written: {to.path.name} ({len(result.frame)} rows)", to.quiet)
    if to.format != "table" or to.path is not None:
        for note in result.notes:
            say(note, to.quiet)


def _render(result: Result, format_: str, others: Mapping[str, Callable[[], bytes]]) -> bytes:
    from ..report import files

    if format_ in others:
        return others[format_]()
    if format_ == "csv":
        return files.csv_bytes(result.frame)
    if format_ == "parquet":
        return files.parquet_bytes(result.frame)
    if format_ == "table":
        from ..report.console import table_text

        return table_text(_narrow(result), result.title, list(result.notes)).encode()
    if format_ == "xlsx":
        from ..report.spreadsheet import workbook

        return workbook(result.frame, result.manifest(), result.notes)
    body = {"schema_version": 1, **result.body, result.rows: files.json_rows(result.frame)}
    return files.json_text({**body, "notes": list(result.notes), "manifest": dict(result.manifest())}).encode()


def _narrow(result: Result) -> pd.DataFrame:
    return result.frame[list(result.narrow)] if result.narrow else result.frame


def _print(result: Result) -> None:
    from ..report.console import print_table

    print_table(_narrow(result), result.title, list(result.notes))
