"""Plans as timelines: every visit with its window per tier, pseudo-progression windows behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...problems import refuse
from ...rulebook.conditions import decimal
from ...rulebook.library import Rulebook
from ...rulebook.model import Document, Plan, PseudoprogressionWindow
from ...rulebook.offsets import visit_offsets
from ...timing import DAYS_PER_MONTH
from ..drawing import image

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHADES = ("#d0d7de", "#ffd8a8", "#c3b1e1", "#b7e4c7", "#ffc9c9")
LINE = "#0b3d62"


def plan_figure(book: Rulebook, documents: Sequence[Document], kind: str) -> bytes:
    """Draw the plans among some documents, with the profile's windows, as a file of this kind (`.png`, `.svg` or `.pdf`)."""
    plans = [d for d in documents if isinstance(d, Plan)]
    if not plans:
        raise refuse("no-plan", "a figure shows plans: name one, e.g. plan/chen-2024")
    return image(lambda: figure(plans, book.windows), kind)


def figure(plans: Sequence[Plan], windows: Sequence[PseudoprogressionWindow]) -> Figure:
    """Lay out the timelines of some plans."""
    from matplotlib.figure import Figure

    rows = [(plan, schedule) for plan in plans for schedule in plan.schedules]
    drawn = Figure(figsize=(11, 1.6 + 0.55 * len(rows) + 0.32 * len(windows)))
    axes = drawn.add_subplot()
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
    title = "Planned MRIs (dots) with their windows (bars), before neighbouring windows are cut"
    axes.set_title(title, loc="left", fontsize=10)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#eaeef2", linewidth=0.6)
    axes.set_axisbelow(True)
    drawn.tight_layout()
    return drawn


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
