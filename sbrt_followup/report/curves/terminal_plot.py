"""A plain plot of curves in text, for a terminal without pictures: one letter per group, time across, per cent up."""

from __future__ import annotations

import numpy as np

from ...outcomes.analysis import Analysis
from ...timing import analysis_days

MARKS = "abcdefghijklmnopqrstuvwxyz"
INDENT, WIDEST, LONGEST = " " * 7, 78, 60  # of the legend's lines
MANY = "*"  # several curves in one place


def terminal_plot(analysis: Analysis, ticks: list[float], *, width: int = 58, height: int = 15) -> list[str]:
    """Draw the curves as lines of text."""
    groups = [g for g in analysis.groups if g.counts.n]
    last = ticks[-1]
    top = 1.0
    if analysis.method.estimator == "cif":
        highest = max((float(g.curve.estimate.max()) for g in groups if g.curve.time.size), default=1.0)
        top = min(1.0, max(0.2, float(np.ceil(highest * 10) / 10)))
    grid = [[" "] * (width + 1) for _ in range(height + 1)]
    for place, group in enumerate(groups):
        mark = MARKS[place % len(MARKS)]
        for column in range(width + 1):
            value = group.curve.step(analysis_days(last * column / width))[0]
            known = np.isfinite(value) and analysis_days(last * column / width) <= group.counts.last
            if not known:
                continue
            row = height - round(value / top * height)
            if 0 <= row <= height:
                cell = grid[row][column]
                grid[row][column] = mark if cell in (" ", mark) else MANY
    lines = []
    for row, cells in enumerate(grid):
        share = top * (height - row) / height
        label = f"{100 * share:4.0f} %" if row % 5 == 0 else " " * 6
        lines.append(f"{label} |{''.join(cells).rstrip()}")
    lines.append(" " * 7 + "+" + "-" * width)
    axis = [" "] * (width + 12)
    for tick in ticks:
        text = f"{tick:g}"
        at = 8 + round(tick / last * width) - len(text) // 2
        axis[at : at + len(text)] = list(text)
    lines.append("".join(axis).rstrip() + " months")
    return [*lines, *_legend([f"{MARKS[i % len(MARKS)]} = {_short(g.label)}" for i, g in enumerate(groups)])]


def _short(label: str) -> str:
    return label if len(label) <= LONGEST else label[: LONGEST - 1] + "…"


def _legend(entries: list[str]) -> list[str]:
    """Lay out the entries in lines of at most 78 characters."""
    lines = [INDENT]
    for entry in entries:
        if lines[-1] != INDENT and len(lines[-1]) + len(entry) > WIDEST:
            lines.append(INDENT)
        lines[-1] += entry + "   "
    return [line.rstrip() for line in lines]
