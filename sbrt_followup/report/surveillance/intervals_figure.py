"""The figure of `intervals`: hazard by month, fits over the nonparametric curve, intervals beside the plan in force.

Conventions. Colours are Okabe and Ito's; every group also has its own line style and marker, and its name beside it. The same
result gives the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...problems import refuse
from ...rulebook.model import Plan
from ...surveillance.cohort_intervals import Intervals
from ...surveillance.group_intervals import GroupIntervals
from ...surveillance.hazard_models import ModelFit
from ...surveillance.hazards import Rates
from ...vocabulary import TIERS
from ..curves.curve_figure import COLOURS
from ..curves.curve_words import EVENT
from ..drawing import image
from .intervals_text import span

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GREY = "#595959"
STYLES = ("-", (0, (5, 1.5)), (0, (1.5, 1)), "-.")
MARKERS = ("o", "s", "^", "D")


def figure_bytes(result: Intervals, kind: str, title: str, plan: Plan) -> bytes:
    """Draw as a file of this kind (`.png`, `.svg` or `.pdf`)."""
    return image(lambda: draw(result, title, plan), kind)


def draw(result: Intervals, title: str, plan: Plan) -> Figure:
    """Lay out the three panels."""
    from matplotlib.figure import Figure

    shown = [own for own in result.groups if own.fit is not None]
    if not shown:
        raise refuse("nothing-to-draw", "no group has a fitted hazard to draw")
    rows = sum(len(own.fit.phases) for own in shown if own.fit is not None)
    height = max(4.4, 1.9 + 0.42 * rows)
    figure = Figure(figsize=(12.5, height))
    event = EVENT[result.question.endpoint]
    heading = title or f"Hazard of {event} and the interval between MRIs for a target yield"
    figure.suptitle(heading, x=0.055, y=1 - 0.12 / height, ha="left", va="top", fontsize=11)
    axes = figure.subplots(1, 3, width_ratios=(1, 1, 1.15))
    for place, own in enumerate(shown):
        _hazard(axes[0], own, place)
        _cumulative(axes[1], own, place)
    _intervals(axes[2], shown, plan)
    end = max(_end(own) for own in shown)
    for panel, name in ((axes[0], "hazard per month"), (axes[1], "cumulative hazard")):
        panel.set_xlim(0, end * 1.02)
        panel.set_xticks(list(range(0, int(end) + 1, 12 if end > 30 else 6)))
        panel.set_xlabel("months since SBRT")
        panel.set_ylabel(name)
    axes[0].set_ylim(bottom=0)
    axes[0].set_title("Hazard by month", loc="left", fontsize=9)
    axes[0].legend(frameon=False, fontsize=8)
    axes[1].set_ylim(bottom=0)
    axes[1].set_title("Fits over the nonparametric curve", loc="left", fontsize=9)
    figure.subplots_adjust(left=0.055, right=0.985, top=1 - 0.72 / height, bottom=1.15 / height, wspace=0.34)
    figure.text(0.055, 0.14 / height, _note(result, plan), fontsize=7.5, color=GREY, va="bottom", linespacing=1.4)
    return figure


def _note(result: Intervals, plan: Plan) -> str:
    level = f"{100 * result.asked.level:g} %"
    lines = [
        f"Bands and bars: {level} limits. Steps: nonparametric estimate from intervals between MRIs (grey where its mass may lie). Thin lines: the same model with progression censored at the last clear MRI.",
        f"◇: intervals of the plan in force ({plan.name}).",
    ]
    if result.grouping is not None and result.grouping.note:
        lines[1] += f" Groups: {result.grouping.note}."
    return "\n".join(lines)


def _end(own: GroupIntervals) -> float:
    data = own.observed.seen
    return float(np.where(data.found, np.where(data.found, data.right, 0.0), data.left).max())


def _rates(fit: ModelFit) -> Rates:
    return Rates((0.0, *fit.starts[1:]), tuple(fit.hazards.tolist()))


def _hazard(axes: Axes, own: GroupIntervals, place: int) -> None:
    fit, colour = own.fit, COLOURS[place % len(COLOURS)]
    assert fit is not None
    end = _end(own)
    name = f"{own.group} ({own.observed.events} of {len(own.observed.seen)} found)"
    edges = [*fit.starts, end]
    x = np.repeat(edges, 2)[1:-1]
    axes.plot(x, np.repeat(fit.hazards, 2), color=colour, ls=STYLES[place % len(STYLES)], lw=1.8, label=name)
    for low, high, phase in zip(edges[:-1], edges[1:], fit.phases, strict=True):
        gap = phase.interval
        if gap is not None and np.isfinite([gap.ci_low, gap.ci_high]).all():
            scale = phase.hazard * gap.estimate
            axes.fill_between([low, high], scale / gap.ci_high, scale / gap.ci_low, color=colour, alpha=0.15, lw=0)


def _cumulative(axes: Axes, own: GroupIntervals, place: int) -> None:
    fit, colour = own.fit, COLOURS[place % len(COLOURS)]
    assert fit is not None
    months = np.linspace(0, _end(own), 400)
    if own.curve is not None:
        curve = own.curve
        kept = np.isfinite(curve.right_days) & (curve.surv_low > 0)
        rise = -np.log(curve.surv_low[kept])
        before = np.concatenate([[0.0], rise[:-1]])
        for left, right, low, high in zip(curve.left_days[kept], curve.right_days[kept], before, rise, strict=True):
            axes.fill_between([left, right], low, high, color=GREY, alpha=0.22, lw=0)
        axes.step(
            np.concatenate([[0.0], curve.right_days[kept]]),
            np.concatenate([[0.0], rise]),
            where="post",
            color=colour,
            lw=0.9,
            alpha=0.75,
        )
    axes.plot(months, _rates(fit).cumulative(months), color=colour, ls=STYLES[place % len(STYLES)], lw=1.8)
    usual = {"illness_death": "exponential", "illness_death_break": "break"}.get(fit.model)
    other = next((f for f in own.fits if f.model == usual and f.status == "fitted"), None)
    if other is not None:
        axes.plot(months, _rates(other).cumulative(months), color=colour, lw=0.7)
    axes.annotate(own.group, (months[-1], float(_rates(fit).cumulative(months[-1]))), xytext=(-3, 4), textcoords="offset points", ha="right", fontsize=8, color=colour)  # fmt: skip


def _intervals(axes: Axes, shown: list[GroupIntervals], plan: Plan) -> None:
    axes.set_title("Interval between MRIs", loc="left", fontsize=9)
    labels: list[str] = []
    values: list[float] = []
    for place, own in enumerate(shown):
        fit, colour = own.fit, COLOURS[place % len(COLOURS)]
        assert fit is not None
        for phase in fit.phases:
            at = -len(labels)
            share = f"{100 * own.yield_share:g} %"
            labels.append(f"{own.group}, {span(phase.from_month, phase.until_month)}\n{share} found")
            gap = phase.interval
            if gap is not None:
                values.append(gap.estimate)
                if np.isfinite([gap.ci_low, gap.ci_high]).all():
                    axes.plot([gap.ci_low, gap.ci_high], [at, at], color=colour, lw=1.5)
                    values += [gap.ci_low, gap.ci_high]
                axes.plot(gap.estimate, at, MARKERS[place % len(MARKERS)], color=colour, ms=6)
                axes.annotate(
                    f"{gap.estimate:.1f}",
                    (gap.estimate, at),
                    xytext=(0, 7),
                    textcoords="offset points",
                    ha="center",
                    fontsize=8,
                )
            for months in _planned(plan, own.group, phase.from_month, phase.until_month):
                axes.plot(months, at - 0.22, "d", mfc="white", mec=GREY, ms=6.5)
                values.append(months)
    axes.set_yticks([-k for k in range(len(labels))], labels, fontsize=8)
    axes.set_ylim(-len(labels) + 0.4, 0.6)
    axes.set_xscale("log")
    low, high = min(values) / 1.25, max(values) * 1.25
    ticks = [t for t in (0.5, 1, 2, 3, 4, 6, 9, 12, 18, 24, 36) if low <= t <= high]
    axes.set_xlim(low, high)
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axes.minorticks_off()
    axes.set_xlabel("months")


def _planned(plan: Plan, group: str, begin: float, end: float | None) -> list[float]:
    """Give the intervals that the plan in force has for a group between two months."""
    schedule = plan.schedule_for(group if group in TIERS else "any")
    found, start = [], 0.0
    for phase in schedule.phases if schedule is not None else ():
        stop = float("inf") if phase.end is None else float(phase.end)
        if stop > begin and (end is None or start < end):
            found.append(float(phase.interval))
        start = stop
    return found
