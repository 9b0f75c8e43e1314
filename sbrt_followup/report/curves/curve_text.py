"""The printed form of `curves`: short tables for people. Numbers are rounded here and nowhere else.

A p-value that involves a group of fewer than 20 is not printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...estimators.survival import Estimate
from ...outcomes.analysis import Analysis, GroupResult, Method
from ...outcomes.curves import Curves
from ...outcomes.question import DEATH_INSIDE
from ...timing import analysis_days
from .axis import month_ticks
from .curve_words import ESTIMATOR, EVENT, TEST, curve_name, months, p_text
from .terminal_plot import terminal_plot

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

NONE = "–"
PAGE = 80
NARROWEST = 14  # what a label keeps of its column before it folds
MONTH = analysis_days(1)


def render(result: Curves, methods: str, console: Console) -> None:
    """Print the whole result."""
    analysis = result.analysis
    question, method = analysis.study.question, analysis.method
    console.print(f"[bold]{curve_name(method.estimator, question.endpoint)}[/bold]", highlight=False)
    console.print(f"{ESTIMATOR[method.estimator]}; unit: {question.unit}", highlight=False)
    if result.grouping is not None and result.grouping.note:
        console.print(f"{result.grouping.name}: {result.grouping.note}", highlight=False, markup=False)
    console.print()
    for title, table in (
        (f"{_word(analysis)}; numbers at the start of each month", _landmarks(result)),
        ("In months", _groups(result)),
        ("By when so many have had the event, in months", _quantiles(result)),
        ("1 − Kaplan–Meier against incidence, %", _gaps(result)),
        ("Why follow-up ended", _endings(result)),
        ("Days from the last MRI to deaths that count as competing", _late_deaths(result)),
        ("Days between scans; the last column against all groups' gaps of the same quarter", _scan_gaps(result)),
        ("Deaths after the last clear MRI: the rule used, then the other; %", _sensitivity(result)),
        ("Under each event-date policy, % (intervals: --table policies)", _policies(result)),
        ("Growth neither confirmed nor retracted by the end", _unresolved(result)),
        ("Tests", _tests(analysis)),
        ("Landmarks under equal hazards (simulated on this cohort's scans)", _null_check(result)),
        ("Tests at 5 % under equal hazards", _sizes(result)),
    ):
        if table is None:
            continue
        if title:
            console.print(f"[bold]{title}[/bold]", highlight=False)
        console.print(table)
        if title == "Tests" and not all(analysis.printable(t) for t in analysis.tests):
            console.print("* not given: fewer than 20 patients in a group; --table tests keeps it", highlight=False)
        console.print()
    for line in terminal_plot(analysis, month_ticks(analysis)):
        console.print(line, highlight=False, markup=False, overflow="crop", no_wrap=True)
    console.print()
    for caution in result.cautions:
        where = f"{caution.group}: " if caution.group else ""
        console.print(f"! {where}{caution.message}", highlight=False, markup=False)
    if result.excluded:
        console.print()
        console.print(f"[bold]Excluded rows ({len(result.excluded)})[/bold]", highlight=False)
        for entry in result.excluded[:20]:
            console.print(f"  row {entry.row}: {entry.reason}", highlight=False, markup=False)
        if len(result.excluded) > 20:
            console.print(f"  … and {len(result.excluded) - 20} more (--table excluded)", highlight=False)
    console.print()
    console.print(f"[bold]Methods.[/bold] {methods}", highlight=False)


def terminal() -> Console:
    """Give the console to print on; away from a terminal a line is as wide as a page."""
    import sys

    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else PAGE)


def plain(result: Curves, methods: str) -> str:
    """Give the printed form as text without colour, for a file."""
    import io

    from rich.console import Console

    buffer = io.StringIO()
    render(result, methods, Console(file=buffer, width=PAGE, color_system=None))
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for place, name in enumerate(columns):
        cells = [row[place] for row in [columns, *rows]]
        longest = max((len(cell) for cell in cells), default=0)
        table.add_column(
            name,
            justify="left" if place < left else "right",
            overflow="fold",
            min_width=min(longest, NARROWEST) if place < left else _longest_word(cells),
        )
    for row in rows:
        table.add_row(*(cell.replace("[", r"\[") for cell in row))
    return table


def _longest_word(cells: Sequence[str]) -> int:
    """Give the width below which a number would be cut: cells fold between words only."""
    return max((len(word) for cell in cells for word in cell.split()), default=0)


def _word(analysis: Analysis) -> str:
    event = EVENT[analysis.study.question.endpoint]
    return f"Incidence of {event}" if analysis.method.estimator == "cif" else f"Survival free of {event}"


def percent(value: float) -> str:
    """Write a probability as per cent with one decimal."""
    return f"{100 * value:.1f} %" if np.isfinite(value) else NONE


def _share(value: float) -> str:
    return f"{100 * value:.1f}" if np.isfinite(value) else NONE


def days_as_months(value: float) -> str:
    """Write days as months with one decimal."""
    return f"{value / MONTH:.1f}" if np.isfinite(value) else NONE


def whole(value: float) -> str:
    """Write a number of days."""
    return f"{value:.0f}" if np.isfinite(value) else NONE


def _limits(number: Estimate) -> str:
    if not np.isfinite([number.estimate, number.ci_low, number.ci_high]).any():
        return "not reached"
    return f"{days_as_months(number.estimate)} ({days_as_months(number.ci_low)} to {days_as_months(number.ci_high)})"


def _groups(result: Curves) -> Table:
    analysis = result.analysis
    rows = [_group(g) for g in analysis.groups]
    tau = months(analysis.method.tau_months)
    kind = "incidence" if analysis.method.estimator == "cif" else "survival"
    columns = ["group", "n", f"median by {kind}", f"mean to {tau} (s.e.)", "median follow-up"]
    # Intervals have no one mean; a prepared table says nothing of follow-up after the event.
    absent = {3} if analysis.method.estimator == "turnbull" else set()
    absent |= {4} if result.prepared is not None and analysis.study.question.endpoint != "death" else set()
    kept = [k for k in range(len(columns)) if k not in absent]
    return _table([columns[k] for k in kept], [[row[k] for k in kept] for row in rows])


def _group(g: GroupResult) -> list[str]:
    mean = g.restricted_mean
    shown = f"{days_as_months(mean.estimate)} ({days_as_months(mean.std_error)})"
    return [
        g.label,
        str(g.counts.n),
        _limits(g.median) if g.counts.n else NONE,
        shown if np.isfinite(mean.estimate) else NONE,
        _limits(g.follow_up) if g.counts.n else NONE,
    ]


def _quantiles(result: Curves) -> Table | None:
    """Give quantiles, if others than the usual ones were asked for; the median stands above."""
    shares = result.analysis.method.quantiles
    if shares == Method.quantiles:
        return None
    rows = [[g.label, *(_limits(q) if g.counts.n else NONE for q in g.quantiles)] for g in result.analysis.groups]
    return _table(["group", *(f"{100 * share:g} %" for share in shares)], rows)


def _landmarks(result: Curves) -> Table:
    analysis = result.analysis
    competing = analysis.study.question.endpoint not in DEATH_INSIDE
    dead = ["dead"] if competing else []
    level = f"{100 * analysis.method.level:g} % interval"
    rows = []
    for g in analysis.groups:
        marks = {m.months: m for m in g.landmarks}
        for r in g.at_risk:
            mark = marks.get(r.months)
            rows.append(
                [
                    g.label if r.months == 0 else "",
                    months(r.months),
                    str(r.n_risk),
                    str(r.events),
                    *([str(r.competing)] if competing else []),
                    str(r.censored),
                    percent(mark.estimate) if mark else "",
                    _interval(mark.ci_low, mark.ci_high) if mark else "",
                ]
            )
    columns = ["group", "month", "at risk", "events", *dead, "censored", "estimate", level]
    return _table(columns, rows)


def _interval(low: float, high: float) -> str:
    return f"{100 * low:.1f} to {100 * high:.1f}" if np.isfinite([low, high]).all() else NONE


def _gaps(result: Curves) -> Table | None:
    rows = [
        [g.label, *(f"{_share(x.one_minus_km)} v {_share(x.incidence)}" for x in g.gaps)]
        for g in result.analysis.groups
        if g.gaps and g.counts.competing
    ]
    columns = ["group", *(f"{months(m)} months" for m in result.analysis.method.times)]
    return _table(columns, rows) if rows else None


def _endings(result: Curves) -> Table | None:
    if not result.endings:
        return None
    reasons = list(dict.fromkeys(e.reason for e in result.endings))
    number = {(e.group, e.reason): e.number for e in result.endings}
    rows = [[g.label, *(str(number.get((g.label, r), 0)) for r in reasons)] for g in result.analysis.groups]
    return _table(["group", *reasons], rows)


def _late_deaths(result: Curves) -> Table | None:
    if not result.late_deaths:
        return None
    beyond = months(result.late_deaths[0].months)
    columns = ["group", "deaths", "median", "longest", f"over {beyond} months", "no MRI known"]
    rows = [
        [d.group, str(d.deaths), whole(d.median_days), whole(d.longest_days), str(d.beyond), str(d.without_mri)]
        for d in result.late_deaths
    ]
    return _table(columns, rows)


def _scan_gaps(result: Curves) -> Table | None:
    if not result.scan_gaps:
        return None
    rows = [
        [
            g.group,
            str(g.gaps),
            whole(g.median_days),
            f"{whole(g.lower_quartile)} to {whole(g.upper_quartile)}",
            g.source,
            f"{g.against_all:.2f} ×" if np.isfinite(g.against_all) else "",
        ]
        for g in result.scan_gaps
    ]
    return _table(["group", "gaps", "median", "quartiles", "from", "v all"], rows)


def _policies(result: Curves) -> Table | None:
    rows = [
        [name if k == 0 else "", g.label, str(g.counts.events), *(_share(m.estimate) for m in g.landmarks)]
        for name, analysis in ((result.policy, result.analysis), *result.others)
        if result.policy
        for k, g in enumerate(analysis.groups)
    ]
    columns = ["policy", "group", "events", *(f"{months(m)} months" for m in result.analysis.method.times)]
    return _table(columns, rows, left=2) if rows else None


def _sensitivity(result: Curves) -> Table | None:
    rows = [
        [name if k == 0 else "", g.label, str(g.counts.competing), *(_share(m.estimate) for m in g.landmarks)]
        for name, analysis in result.sensitivity
        for k, g in enumerate(analysis.groups)
    ]
    columns = ["what counts", "group", "dead", *(f"month {months(m)}" for m in result.analysis.method.times)]
    return _table(columns, rows, left=2) if rows else None


def _null_check(result: Curves) -> Table | None:
    if result.null_check is None:
        return None
    rows = [
        [
            m.group,
            months(m.months),
            percent(m.truth),
            percent(m.mean),
            f"{100 * m.bias:+.1f}" if np.isfinite(m.bias) else NONE,
            percent(m.coverage),
        ]
        for m in result.null_check.landmarks
    ]
    return _table(["group", "month", "truth", "mean estimate", "bias, points", "interval holds it"], rows)


def _sizes(result: Curves) -> Table | None:
    """How often each test rejected although there was nothing to find."""
    if result.null_check is None or not result.null_check.tests:
        return None
    rows = [[TEST[t.name], percent(t.size), f"± {100 * t.margin:.1f}"] for t in result.null_check.tests]
    return _table(["test", "rejected", "95 %"], rows)


def _unresolved(result: Curves) -> Table | None:
    rows = [[u.group, str(u.unresolved), str(u.n)] for u in result.unresolved]
    return _table(["group", "unresolved", "of"], rows) if rows else None


def _tests(analysis: Analysis) -> Table | None:
    rows: list[list[str]] = []
    for t in analysis.tests:
        adjusted: Any = NONE
        statistic, df = f"{t.statistic:.2f}" if np.isfinite(t.statistic) else NONE, str(t.df)
        if not analysis.printable(t):
            p, statistic, df = "not given *", NONE, NONE
        elif not np.isfinite(t.p_value):
            p = "not available"
        else:
            p = p_text(t.p_value)
            adjusted = p_text(t.p_adjusted) if np.isfinite(t.p_adjusted) else ""
        rows.append([TEST[t.name], " v ".join(t.groups) if t.groups else "all", statistic, df, p, adjusted])
    return _table(["test", "groups", "χ²", "df", "p", "Holm"], rows, left=2) if rows else None
