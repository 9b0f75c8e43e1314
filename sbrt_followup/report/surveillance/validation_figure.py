"""The figure of `validate`: per horizon calibration with intervals, the decision curve, O/E by group; published incidences beside.

Conventions. Colours are Okabe and Ito's; every line also has its own style and its own name beside it. The same result
gives the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...estimators.counts import count
from ...estimators.incidence import aalen_johansen
from ...problems import refuse
from ...surveillance.document_rates import ALL
from ...surveillance.validated import Validation
from ...surveillance.validation import Horizon
from ...timing import analysis_days
from ...vocabulary import TIERS
from ..curves.curve_figure import COLOURS, STYLES
from ..curves.curve_words import EVENT
from ..drawing import image

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, RED, GREEN = COLOURS[:3]
GREY = "#595959"
MONTH = analysis_days(1)


def figure_bytes(result: Validation, kind: str, title: str = "") -> bytes:
    """Draw the validation as a file of this kind (`.png`, `.svg` or `.pdf`)."""
    return image(lambda: draw(result, title), kind)


def draw(result: Validation, title: str = "") -> Figure:
    """Lay out one row of panels per horizon."""
    from matplotlib.figure import Figure

    shown = [h for h in result.horizons if not h.refused and np.isfinite(h.expected)]
    if not shown:
        raise refuse("nothing-to-draw", "there are no risks to draw: a plain score has discrimination only")
    beside = bool(result.published)
    rows = len(shown) + beside
    height = 3.0 * rows + 1.3
    figure = Figure(figsize=(11.5, height))
    event = EVENT[result.question.endpoint]
    heading = title or f"{result.model.name}: foretold and observed {event}"
    figure.suptitle(heading, x=0.06, y=1 - 0.12 / height, ha="left", va="top", fontsize=11)
    grid = figure.add_gridspec(
        rows,
        3,
        width_ratios=(1, 1.05, 0.95),
        left=0.06,
        right=0.985,
        top=1 - 0.72 / height,
        bottom=1.2 / height,
        hspace=0.5,
        wspace=0.5,
    )
    for row, h in enumerate(shown):
        _calibration(figure.add_subplot(grid[row, 0]), h)
        _decision(figure.add_subplot(grid[row, 1]), h)
        _by_group(figure.add_subplot(grid[row, 2]), h)
    if beside:
        _published(figure.add_subplot(grid[rows - 1, :2]), result)
    figure.text(0.06, 0.16 / height, _note(result), fontsize=7.5, color=GREY, va="bottom", linespacing=1.4)
    return figure


def _note(result: Validation) -> str:
    lines = [
        f"Bars and bands: {100 * result.asked.level:g} % limits, death competing. Progression counts on the day it is found."
    ]
    if result.people.looked is not None:
        lines.append(
            "O/E* is corrected for the days of scanning: 1 for a perfect model. ◇: the O/E that a perfect model would show uncorrected."
        )
    if result.asked.apparent:
        lines.append("Apparent performance: the score was fitted on this cohort.")
    if result.model.source:
        marks = ", ".join(dict.fromkeys(result.model.known.values()))
        lines.append(f"Foretold risks: {result.model.source} ({marks}).")
    return "\n".join(lines)


def _published(axes: Axes, result: Validation) -> None:
    """Draw the cohort's own incidence under published ones of the same endpoint."""
    people, labels = result.people, result.people.labels
    last = max([h.months for h in result.horizons if not h.refused] + [p.months for p in result.published])
    groups = labels if {p.of for p in result.published} & set(labels) and len(labels) > 1 else ()
    for place, label in enumerate((ALL, *groups)):
        own = people.group == labels.index(label) if label in groups else np.ones(people.n, dtype=bool)
        curve = aalen_johansen(count(people.time[own], people.status[own]))
        month = np.concatenate([[0.0], curve.time / MONTH])
        seen = month <= last
        rate = np.concatenate([[0.0], curve.estimate])
        colour, style = COLOURS[place % len(COLOURS)], STYLES[place % len(STYLES)]
        axes.step(month[seen], rate[seen], where="post", color=colour, ls=style, lw=1.5, label=f"here: {label}")
        marks = [(p.months, p.risk) for p in result.published if p.of == label]
        if marks:
            axes.plot(*zip(*marks, strict=True), "D", color=colour, mfc="white", ms=5.5, label=f"published: {label}")
    series = [name for name in dict.fromkeys(p.of for p in result.published) if name not in (ALL, *labels, *TIERS)]
    for place, name in enumerate(series, 1):
        marks = [(p.months, p.risk) for p in result.published if p.of == name]
        colour, mark = COLOURS[place % len(COLOURS)], "Ds^vP"[place % 5]
        axes.plot(
            *zip(*marks, strict=True),
            color=colour,
            marker=mark,
            mfc="white",
            lw=0.8,
            ls=":",
            label=f"published: {name}",
        )
    axes.set_title(
        "Beside published incidences of the same endpoint (other patients, other days of scanning)",
        loc="left",
        fontsize=9,
    )
    axes.set_xlabel("months since SBRT")
    axes.set_ylabel("incidence")
    axes.set_xlim(0, last * 1.02)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=7.5, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _calibration(axes: Axes, h: Horizon) -> None:
    top = 0.1
    axes.set_title(f"Month {h.months:g}: calibration", loc="left", fontsize=9)
    if h.smooth is not None and len(h.smooth.risk) > len(h.groups):
        curve = h.smooth
        axes.fill_between(curve.risk, curve.ci_low, curve.ci_high, color=BLUE, alpha=0.15, lw=0)
        axes.plot(curve.risk, curve.observed, color=BLUE, lw=1.6, label="smoothed")
        top = max(top, float(curve.risk.max()), float(curve.ci_high.max()))
    for g in h.groups:
        if not np.isfinite(g.observed.estimate):
            continue
        low, high = g.observed.ci_low, g.observed.ci_high
        if np.isfinite([low, high]).all():
            axes.plot([g.expected] * 2, [max(low, 0), high], color=RED, lw=1.2)
        axes.plot(g.expected, g.observed.estimate, "o", color=RED, ms=4.5)
        axes.annotate(
            g.group, (g.expected, g.observed.estimate), xytext=(5, -9), textcoords="offset points", fontsize=7.5
        )
        top = max(top, g.expected, high if np.isfinite(high) else g.observed.estimate)
    top = min(1.0, 1.08 * top)
    axes.plot([0, top], [0, top], color=GREY, lw=0.9, ls=(0, (4, 2)))
    axes.set_xlim(0, top)
    axes.set_ylim(0, top)
    axes.set_xlabel("foretold risk")
    axes.set_ylabel("observed risk")
    facts = [f"O/E {h.oe.estimate:.2f}"]
    if np.isfinite(h.slope.estimate):
        facts.append(f"slope {h.slope.estimate:.2f}")
    facts.append(f"AUC {h.auc.estimate:.3f}")
    axes.text(0.03, 0.97, "\n".join(facts), transform=axes.transAxes, va="top", fontsize=7.5, color=GREY)


def _decision(axes: Axes, h: Horizon) -> None:
    axes.set_title("Decision curve", loc="left", fontsize=9)
    threshold = np.array([b.threshold for b in h.benefit])
    model, everybody = (np.array([getattr(b, name) for b in h.benefit]) for name in ("model", "all"))
    axes.axhline(0, color=GREY, lw=0.9, label="act on nobody")
    axes.plot(threshold, everybody, color=RED, lw=1.4, ls=(0, (4, 1.5)), marker="s", ms=3, label="act on everybody")
    axes.plot(threshold, model, color=BLUE, lw=1.6, marker="o", ms=3.5, label="act by the model")
    top = float(np.nanmax([model.max(), everybody.max(), 0.02]))
    axes.set_ylim(-0.25 * top, 1.15 * top)
    axes.set_xlabel("threshold of risk")
    axes.set_ylabel("net benefit")
    axes.legend(frameon=False, fontsize=7.5, loc="upper right")


def _by_group(axes: Axes, h: Horizon) -> None:
    axes.set_title("Observed / foretold", loc="left", fontsize=9)
    rows: list[tuple[str, bool, float, float, float]] = []  # label, corrected or not, O/E with limits
    for g in h.groups if len(h.groups) > 1 else ():
        rows.append((f"{g.group} ({g.events} of {g.n})", False, g.oe.estimate, g.oe.ci_low, g.oe.ci_high))
        if np.isfinite(g.corrected.estimate):
            rows.append(("O/E*", True, g.corrected.estimate, g.corrected.ci_low, g.corrected.ci_high))
    rows.append((f"all ({h.events} of {h.n})", False, h.oe.estimate, h.oe.ci_low, h.oe.ci_high))
    if h.scans is not None:
        rows.append(("O/E*", True, h.scans.oe, h.scans.ci_low, h.scans.ci_high))
    places = list(range(len(rows)))[::-1]
    reach = [1.0]
    for place, (_, corrected, value, low, high) in zip(places, rows, strict=True):
        colour = GREEN if corrected else BLUE
        if np.isfinite([low, high]).all() and low > 0:
            axes.plot([low, high], [place] * 2, color=colour, lw=1.4)
            reach += [low, high]
        if np.isfinite(value) and value > 0:
            axes.plot(value, place, "D" if corrected else "o", color=colour, ms=5)
            reach.append(value)
    if np.isfinite(h.naive_oe_if_perfect):
        at = places[-2]
        axes.plot(h.naive_oe_if_perfect, at + 0.28, "d", mfc="white", mec=GREY, ms=6)
        reach.append(h.naive_oe_if_perfect)
    axes.axvline(1, color=GREY, lw=0.9, ls=(0, (4, 2)))
    axes.set_xscale("log")
    low, high = min(reach) / 1.15, max(reach) * 1.15
    ticks = [t for t in (0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0) if low <= t <= high]
    axes.set_xlim(low, high)
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axes.minorticks_off()
    axes.set_yticks(places, [row[0] for row in rows], fontsize=7.5)
    axes.set_ylim(-0.6, len(rows) - 0.4)
