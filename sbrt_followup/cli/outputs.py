"""A result → stdout or a file, in the format asked for, with its manifest."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..problems import nearest, refuse
from .call import Trace, put_bytes
from .call import current as current

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
    manifest: Trace
    body: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()
    narrow: Sequence[str] = ()
    """The columns a person sees in a terminal, most needed first; none: all."""


def destination(
    format_: str | None, output: Path | None, force: bool, quiet: bool, allowed: Sequence[str] = TABULAR
) -> Destination:
    """Settle the format (by option, by the file's ending, by the terminal) before any work is done."""
    if output is not None:
        current().claim(output, force)
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
    """Render a result, to be written when all is rendered; `others` render further formats. A file gets its manifest."""
    call = current()
    if to.format == "table" and to.path is None:
        call.show(_printer(result))
        return
    data = _render(result, to.format, others or {})
    give(data, to, result.manifest, f" ({len(result.frame)} rows)")
    for note in result.notes:
        call.tell(note)


def give(data: bytes, to: Destination, trace: Trace, said: str = "") -> None:
    """Take the bytes of a result for its file, with its manifest beside it (JSON holds its own), or for stdout."""
    call = current()
    if to.path is None:
        call.show(lambda: put_bytes(data))
    else:
        call.write(to.path, data, to.force, None if to.format == "json" else trace, f"written: {to.path.name}{said}")


def check_figures(paths: Iterable[Path | None], force: bool) -> list[Path]:
    """Refuse figures that cannot be written, before any work is done; give those that were asked for."""
    from ..report.drawing import check_kind

    asked = [path for path in paths if path is not None]
    for path in asked:
        check_kind(path)
        current().claim(path, force)
    return asked


def draw_files(paths: Iterable[Path], drawn: Callable[[str], bytes], trace: Trace, force: bool) -> None:
    """Draw figures, each with its manifest; `drawn` gives the bytes of a kind (`.png`)."""
    for path in paths:
        current().write(path, drawn(path.suffix.lower()), force, trace, f"drawn: {path.name}")


def _render(result: Result, format_: str, others: Mapping[str, Callable[[], bytes]]) -> bytes:
    from ..report import tabular

    if format_ in others:
        return others[format_]()
    if format_ == "csv":
        return tabular.csv_bytes(result.frame)
    if format_ == "parquet":
        return tabular.parquet_bytes(result.frame)
    if format_ == "table":
        from ..report.console import table_text

        return table_text(_narrow(result), result.title, list(result.notes)).encode()
    if format_ == "xlsx":
        from ..report.spreadsheet import workbook

        return workbook(result.frame, result.manifest(), result.notes)
    body = {"schema_version": 1, **result.body, result.rows: tabular.json_rows(result.frame)}
    return tabular.json_text({**body, "notes": list(result.notes), "manifest": dict(result.manifest())}).encode()


def _narrow(result: Result) -> pd.DataFrame:
    return result.frame[list(result.narrow)] if result.narrow else result.frame


def _printer(result: Result) -> Callable[[], None]:
    from ..report.console import print_table

    frame, notes = _narrow(result), list(result.notes)
    return lambda: print_table(frame, result.title, notes)
