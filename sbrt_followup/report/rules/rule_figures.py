"""Plans as timelines: every visit with its window per tier, pseudo-progression windows behind them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...problems import Source, refuse
from ...rulebook.conditions import decimal
from ...rulebook.library import Rulebook
from ...rulebook.model import Document, Plan, PseudoprogressionWindow
from ...rulebook.offsets import visit_offsets
from ...timing import DAYS_PER_MONTH
from ..files import check_free, write_bytes

SHADES = ("#d0d7de", "#ffd8a8", "#c3b1e1", "#b7e4c7", "#ffc9c9")
LINE = "#0b3d62"


def draw_plan(book: Rulebook, documents: Sequence[Document], path: Path, force: bool) -> None:
    """Draw the plans among some documents, with the profile's windows."""
    plans = [d for d in documents if isinstance(d, Plan)]
    if not plans:
        raise refuse("no-plan", "a figure shows plans: name one, e.g. plan/chen-2024")
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise refuse("unknown-format", "a figure ends in .png, .svg or .pdf", Source(path.name))
    check_free(path, force)
    write_bytes(path, figure(plans, book.windows, path.suffix.lower()[1:]), force)


def figure(plans: Sequence[Plan], windows: Sequence[PseudoprogressionWindow], kind: str) -> bytes:
    """Give the timelines of some plans as an image."""
    import io

    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = [(plan, schedule) for plan in plans for schedule in plan.schedules]
    height = 1.6 + 0.55 * len(rows) + 0.32 * len(windows)
    with plt.rc_context({"font.size": 9, "svg.hashsalt": "sbrt-followup"}):
        fig, axes = plt.subplots(figsize=(11, height))
        _windows(axes, windows, len(rows))
        labels = []
        for row, (plan, schedule) in enumerate(rows):
            tier = ", ".join(schedule.tiers)
            labels.append(plan.id if tier == "any" else f"{plan.id}\n{tier}")
            _course(axes, plan, schedule, len(rows) - 1 - row)
        axes.set_yticks(range(len(rows)), labels[::-1])
        axes.set_ylim(-0.9 - 0.62 * len(windows), len(rows) - 0.4)
        last = float(max(plan.horizon.value for plan in plans))
        axes.set_xlim(0, last + 1)
        axes.set_xticks(range(0, int(last) + 1, 6))
        axes.set_xlabel("months since the last fraction")
        axes.set_title(
            "Planned MRIs (dots) with their windows (bars), before neighbouring windows are cut",
            loc="left",
            fontsize=10,
        )
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color="#eaeef2", linewidth=0.6)
        axes.set_axisbelow(True)
        fig.tight_layout()
        buffer = io.BytesIO()
        metadata = {"Date": None} if kind == "svg" else None
        fig.savefig(buffer, format=kind, dpi=150, metadata=metadata)
        plt.close(fig)
    return buffer.getvalue()


def _course(axes: Any, plan: Plan, schedule: Any, row: int) -> None:
    tolerance = plan.tolerance.value / DAYS_PER_MONTH
    for number, visit in enumerate(visit_offsets(schedule, plan.horizon.value)):
        start = float(min(visit.earliest, visit.months - tolerance))
        stop = float(max(visit.latest, visit.months + tolerance))
        # Windows of neighbours may touch or cross: they alternate in height to stay apart.
        y = row + (0.09 if number % 2 else -0.09)
        axes.plot([start, stop], [y, y], color="#8fb4cf", linewidth=3.2, solid_capstyle="butt", zorder=2)
        axes.plot([float(visit.months)], [y], "o", color=LINE, markersize=4.2, zorder=3)
    for phase in schedule.phases:
        if phase.end is not None:
            end = float(phase.end)
            axes.plot([end, end], [row - 0.3, row + 0.3], color="#57606a", linewidth=1, linestyle=":", zorder=1)
            axes.annotate(
                f"month {decimal(phase.end)}", (end, row + 0.3), fontsize=7, color="#57606a", ha="center", va="bottom"
            )


def _windows(axes: Any, windows: Sequence[PseudoprogressionWindow], rows: int) -> None:
    for number, document in enumerate(windows):
        start, stop = (float(d / DAYS_PER_MONTH) for d in (document.window.from_, document.window.to + 1))
        y = -0.95 - 0.62 * number
        shade = SHADES[number % len(SHADES)]
        axes.axvspan(start, stop, ymin=0, ymax=1, color=shade, alpha=0.22, linewidth=0, zorder=0)
        axes.plot([start, stop], [y, y], color=shade, linewidth=6, solid_capstyle="butt", zorder=2)
        text = f"pseudo-progression {document.id}: days {document.window.from_} to {document.window.to}"
        axes.annotate(text, (stop, y), xytext=(5, 0), textcoords="offset points", fontsize=7.5, va="center")
