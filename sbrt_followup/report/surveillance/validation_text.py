"""The printed form and the methods paragraph of `validate`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ... import __version__
from ...surveillance.risk_models import GIVEN
from ...surveillance.validated import Validation
from ...surveillance.validation import Horizon
from ..curves.curve_words import EVENT, months
from . import validation_tables as tables
from .printed import NONE, limits, number, percent, say, table

if TYPE_CHECKING:
    from rich.console import Console

MOST_ROWS = 20
EVENTS_ADVISED = 100
REFERENCES = (
    "van Geloven N and others. Validation of prediction models in the presence of competing risks. BMJ 2022;377:e069249.",
    "Blanche P and others. Estimating and comparing time-dependent areas under ROC curves with competing risks. Stat Med 2013;32:5381.",
    "Wolbers M and others. Concordance for prognostic models with competing risks. Biostatistics 2014;15:526.",
    "Austin PC and others. Graphical calibration curves and the integrated calibration index (ICI) for competing risk models. Diagn Progn Res 2022;6:2.",
    "Collins GS and others. TRIPOD+AI statement. BMJ 2024;385:e078378.",
    "Collins GS, Ogundimu EO, Altman DG. Sample size considerations for the external validation of a multivariable prognostic model. Stat Med 2016;35:214.",
)


def render(result: Validation, methods: str, console: Console) -> None:
    """Print the whole result."""
    event = EVENT[result.question.endpoint]
    say(console, f"Does {result.model.name} foretell {event}?", bold=True)
    say(console, f"{result.people.n} {result.question.unit}s; {_risks(result)}")
    if result.grouping is not None and result.grouping.note:
        say(console, f"{result.grouping.name}: {result.grouping.note}")
    console.print()
    say(console, "As counted: progression on the day it is found", bold=True)
    shown = [h for h in result.horizons if not h.refused]
    rows = [[name, *(write(h) for h in shown)] for name, write in _LINES if any(write(h) != "–" for h in shown)]
    console.print(table(["month", *(months(h.months) for h in shown)], rows))
    console.print()
    _scan_days(result, console)
    _groups(result, console)
    _between(result, console)
    _published(result, console)
    _size(result, console)
    for caution in result.cautions:
        say(console, f"! {caution.message}")
    for entry in result.excluded[:MOST_ROWS]:
        say(console, f"excluded: row {entry.row}: {entry.reason}")
    if len(result.excluded) > MOST_ROWS:
        say(console, f"… and {len(result.excluded) - MOST_ROWS} more (--table excluded)")
    console.print()
    say(console, "Methods", bold=True)
    say(console, methods)


_LINES: tuple[tuple[str, Callable[[Horizon], str]], ...] = (
    ("events, deaths first", lambda h: f"{h.events}, {h.competing}"),
    ("observed risk", lambda h: percent(h.observed.estimate)),
    ("foretold risk", lambda h: percent(h.expected)),
    ("observed / foretold", lambda h: number(h.oe.estimate)),
    ("  limits", lambda h: _span(h.oe.ci_low, h.oe.ci_high)),
    ("AUC", lambda h: number(h.auc.estimate, 3)),
    ("  limits", lambda h: _span(h.auc.ci_low, h.auc.ci_high, 3)),
    ("C (Wolbers, death competing)", lambda h: number(h.wolbers, 3)),
    ("C (Harrell, cause-specific)", lambda h: number(h.harrell, 3)),
    ("C (Uno, cause-specific)", lambda h: number(h.uno, 3)),
    ("Brier score", lambda h: number(h.brier, 4)),
    ("  of the observed risk alone", lambda h: number(h.brier_null, 4)),
    ("  scaled (1 is perfect)", lambda h: percent(h.scaled_brier)),
    ("calibration intercept (0)", lambda h: number(h.intercept.estimate)),
    ("calibration slope (1)", lambda h: number(h.slope.estimate)),
    ("mean miscalibration (ICI)", lambda h: percent(h.smooth.ici) if h.smooth else "–"),
)


def _span(low: float, high: float, digits: int = 2) -> str:
    text = f"{number(low, digits)} to {number(high, digits)}"
    return "–" if "–" in text else text


def _size(result: Validation, console: Console) -> None:
    given = tables.sample_size(result)
    if not given:
        return
    row, unit = given[-1], result.question.unit
    parts = [
        (
            f"Precision at month {row['months']:g}, {row['n']} {unit}s and {row['events']} events: limits of O/E within 20 % need about "
            f"{number(row['for_20_percent'], 0)} {unit}s, within 10 % {number(row['for_10_percent'], 0)}"
        )
    ]
    if row["for_slope_20_points"] == row["for_slope_20_points"]:
        parts.append(f"limits of the slope within 0.2 about {number(row['for_slope_20_points'], 0)}")
    say(console, "; ".join(parts) + f". For AUC and C {EVENTS_ADVISED} events or more are advised [6].")
    console.print()


def _risks(result: Validation) -> str:
    known = dict.fromkeys(result.model.known.values())
    if not known:
        return "a score without risks: discrimination only"
    if GIVEN in known:
        return "risks as given in the cohort"
    marks = "; ".join(f"month {months(m)}: {k}" for m, k in result.model.known.items())
    return f"risks from {result.model.source} ({marks})"


def _scan_days(result: Validation, console: Console) -> None:
    given = tables.scan_days(result)
    if not given:
        return
    lines: tuple[tuple[str, Callable[[dict[str, Any]], str]], ...] = (
        ("found", lambda row: str(row["found"])),
        ("expected of these MRIs", lambda row: number(row["expected_found"], 1)),
        ("O/E*", lambda row: number(row["oe"])),
        ("  limits", lambda row: _span(row["oe_ci_low"], row["oe_ci_high"])),
        ("O/E above, of a perfect model", lambda row: number(row["naive_oe_if_perfect"])),
        ("AUC above, of a perfect model", lambda row: number(row["auc_if_perfect"], 3)),
        ("  by onset instead", lambda row: number(row["auc_if_perfect_by_onset"], 3)),
    )
    say(console, "Corrected for this cohort's own days of scanning", bold=True)
    rows = [[name, *(write(row) for row in given)] for name, write in lines]
    console.print(table(["month", *(months(row["months"]) for row in given)], rows))
    say(
        console,
        "O/E* is found over what these MRIs should have found: 1 for a perfect model. Below it is what a perfect model would show in the "
        "table above, only because progression is dated by the MRI that finds it.",
    )
    console.print()


def _groups(result: Validation, console: Console) -> None:
    if len(result.people.labels) < 2:
        return
    corrected = any(g.expected_found == g.expected_found for h in result.horizons for g in h.groups)
    rows = [
        [
            g.group if k == 0 else "",
            months(h.months),
            f"{g.events}/{g.n}",
            percent(g.observed.estimate),
            percent(g.expected),
            limits(g.oe.estimate, g.oe.ci_low, g.oe.ci_high),
            *([limits(g.corrected.estimate, g.corrected.ci_low, g.corrected.ci_high)] if corrected else []),
        ]
        for label in result.people.labels
        for k, (h, g) in enumerate((h, g) for h in result.horizons for g in h.groups if g.group == label)
    ]
    say(console, "By group", bold=True)
    columns = ["group", "mo.", "events", "seen", "model", "O/E", *(["O/E*"] if corrected else [])]
    console.print(table(columns, rows))
    console.print()


def _between(result: Validation, console: Console) -> None:
    given = tables.between(result)
    if not given:
        return
    at = list(dict.fromkeys(row["months"] for row in given))
    rows = []
    for label in dict.fromkeys(row["group"] for row in given):
        cells = {row["months"]: row for row in given if row["group"] == label}
        shown = [
            f"{_either(cells[m]['lowest'], cells[m]['highest'])} v {percent(cells[m]['foretold'], 0)}"
            if m in cells
            else NONE
            for m in at
        ]
        rows.append([label, *shown])
    say(console, "Risk by onset if nobody died: what the MRIs allow v foretold", bold=True)
    console.print(table(["group", *(f"month {months(m)}" for m in at)], rows))
    console.print()


def _either(low: float, high: float) -> str:
    """Write what lies between two shares; one number where they agree to the per cent."""
    least, most = f"{100 * low:.0f}", percent(high, 0)
    return most if most.startswith(f"{least} ") else f"{least} to {most}"


def _published(result: Validation, console: Console) -> None:
    rows = [
        [row["of"], months(row["months"]), percent(row["published"]), percent(row["observed"]), row["key"]]
        for row in tables.published(result)
        if row["observed"] is not None
    ]
    if rows:
        say(console, "Published, same endpoint; other patients, other days of scanning", bold=True)
        console.print(table(["of", "month", "published", "here", "source"], rows))
        console.print()


def methods(result: Validation) -> str:
    """Describe how the model was validated, with references."""
    question = result.question
    level = f"{100 * result.asked.level:g} %"
    sentences = [
        f"Time ran from the last fraction of SBRT to {EVENT[question.endpoint]}, in whole days; a month is 30.4375 days.",
        f"Without the event, follow-up was censored at the {'last clear MRI where known' if question.censored_at == 'last_mri' else 'last contact'}; death competed.",
        (
            "Discrimination was the AUC at each horizon with the competing event among the controls (definition 2), weighted by the inverse "
            "probability of censoring, ties of the score half [2], with errors from its influence function; and the concordances of Wolbers [3] "
            "(pec::cindex), Harrell and Uno (survival::concordance; death censors), cut off at the horizon."
        ),
    ]
    if result.model.risk:
        sentences.append(
            "Calibration was observed (Aalen–Johansen) over foretold risk, an intercept and slope by estimating equations on pseudo-values "
            "with a complementary log-log link, and a restricted cubic spline of the same kind [1, 4]; overall performance the Brier score, scaled by "
            f"that of the observed risk; clinical use the net benefit at each threshold [1]. Limits are {level}."
        )
    if result.people.looked is not None and result.model.risk:
        sentences.append(
            "Because progression is dated by the MRI that finds it, even a perfect model shows an O/E away from 1: found progressions were "
            "also held against the sum of the model's conditional yields over the MRIs done (O/E*; exact Poisson limits), which is 1 for a "
            "perfect model whatever the days of scanning."
        )
    if result.model.risk and GIVEN not in result.model.known.values():
        sentences.append(f"Risks: {_risks(result)}.")
    if result.people.cluster is not None:
        sentences.append("Standard errors are clustered by patient.")
    if result.asked.apparent:
        sentences.append("The score was fitted on this cohort: what is shown is apparent performance.")
    if result.excluded:
        sentences.append(f"{len(result.excluded)} rows were left out, each with its reason.")
    sentences.append(
        f"The checklist of TRIPOD+AI [5] stands in --table tripod. Computed with sbrt-followup {__version__}."
    )
    references = " ".join(f"[{k}] {text}" for k, text in enumerate(REFERENCES, 1))
    return f"{' '.join(sentences)} {references}"
