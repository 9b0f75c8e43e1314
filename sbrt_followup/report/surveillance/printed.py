"""What both printed forms share: short tables for people, numbers rounded here and nowhere else."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

NONE = "–"
PAGE = 80


def number(value: float | None, digits: int = 2) -> str:
    """Write a number, or a dash where it is not known."""
    return NONE if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def percent(value: float | None, digits: int = 1) -> str:
    """Write a share as per cent."""
    return NONE if value is None or not math.isfinite(value) else f"{100 * value:.{digits}f} %"


def limits(estimate: float, low: float, high: float, digits: int = 2) -> str:
    """Write an estimate with its limits, where it has any."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return number(estimate, digits)
    return f"{number(estimate, digits)} ({number(low, digits)}–{number(high, digits)})"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> Table:
    """Lay out rows of text, the first columns to the left, numbers to the right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    laid = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for place, name in enumerate(columns):
        laid.add_column(name, justify="left" if place < left else "right", overflow="fold", no_wrap=place >= left)
    for row in rows:
        laid.add_row(*(cell.replace("[", r"\[") for cell in row))
    return laid


def say(console: Console, text: str, *, bold: bool = False) -> None:
    """Print a line as it is."""
    console.print(text, style="bold" if bold else None, highlight=False, markup=False)


def terminal() -> Console:
    """Give the console to print on; away from a terminal a line is as wide as a page."""
    import sys

    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else PAGE)


def as_text(render: Callable[[Console], None]) -> str:
    """Give a printed form as text without colour, for a file."""
    import io

    from rich.console import Console

    buffer = io.StringIO()
    render(Console(file=buffer, width=PAGE, color_system=None))
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"
