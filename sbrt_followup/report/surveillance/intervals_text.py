"""The printed form of `intervals`, and its methods paragraph with references."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ... import __version__
from ...surveillance.cohort_intervals import Intervals
from ...surveillance.group_intervals import GroupIntervals
from ...surveillance.hazard_models import BOTH, ModelFit
from ...surveillance.observed import SECOND_MRI
from ..curves.curve_words import EVENT
from . import intervals_tables as tables
from .printed import NONE, limits, number, say, table

if TYPE_CHECKING:
    from rich.console import Console

MOST_ROWS, MOST_VISITS, LAST_YEARS = 10, 8, 5
NAMES = {
    "exponential": "constant",
    "break": "break",
    "weibull": "Weibull",
    "spline": "spline",
    "illness_death": "illness–death",
    "illness_death_break": "illness–death, break",
}
REFERENCES = (
    "Joly P et al. A penalized likelihood approach for an illness–death model with interval-censored data. Biostatistics 2002;3:433–443.",
    "Jackson CH. Multi-state models for panel data: the msm package for R. J Stat Softw 2011;38(8).",
    "Finkelstein DM. A proportional hazards model for interval-censored failure time data. Biometrics 1986;42:845–854.",
    "Goodman MS, Li Y, Tiwari RC. Detecting multiple change points in piecewise constant hazard functions. J Appl Stat 2011;38:2523–2532.",
    "Katki HA et al. Benchmarking CIN3+ risk as the basis for incorporating HPV and Pap cotesting. J Low Genit Tract Dis 2013;17:S28–35.",
)


def render(result: Intervals, text: str, console: Console) -> None:
    """Print everything a person needs, within 80 columns."""
    say(console, f"Intervals between MRIs by this cohort's own {EVENT[result.question.endpoint]}", bold=True)
    if result.grouping is not None and result.grouping.note:
        say(console, f"Groups: {result.grouping.note}.")
    console.print()
    _intervals(result, console)
    _rounded(result, console)
    _models(result, console)
    _sensitivity(result, console)
    _entry(result, console)
    _visits(result, console)
    _monitor(result, console)
    for caution in result.cautions:
        say(console, f"! {caution.message}")
    if result.excluded:
        console.print()
    for entry in result.excluded[:MOST_ROWS]:
        say(console, f"excluded: row {entry.row}: {entry.reason}")
    if len(result.excluded) > MOST_ROWS:
        say(console, f"… and {len(result.excluded) - MOST_ROWS} more (--table excluded)")
    console.print()
    say(console, "Methods", bold=True)
    say(console, text)


def span(low: float, high: float | None) -> str:
    """Write a stretch of months."""
    if high is None:
        return "all" if low == 0 else f"from {low:.1f}"
    return f"{low:g}–{high:.1f}"


def _intervals(result: Intervals, console: Console) -> None:
    rows = []
    for own in result.groups:
        fit = own.fit
        if fit is None:
            cells = [own.group, NONE, str(own.observed.events), _percent(own.yield_share), f"none: {own.why}"]
            rows.append([*cells[:3], NONE, cells[3], cells[4]])
            continue
        for k, phase in enumerate(fit.phases):
            gap = phase.interval
            shown = limits(gap.estimate, gap.ci_low, gap.ci_high, 1) if gap else "too few"
            rows.append(
                [
                    own.group if k == 0 else "",
                    span(phase.from_month, phase.until_month),
                    str(phase.events),
                    f"{phase.hazard:.5f}",
                    _percent(own.yield_share),
                    shown,
                ]
            )
    console.print(table(["group", "months", "found", "hazard/month", "yield", "interval, months"], rows, left=2))
    for own in result.groups:
        say(console, f"{own.group}: {NAMES.get(own.chosen or '', 'no model')} — {own.why}.")
    console.print()


def _percent(share: float) -> str:
    return f"{100 * share:g} %"


def _rounded(result: Intervals, console: Console) -> None:
    rows = [
        [
            own.group,
            span(phase.from_month, phase.until_month),
            f"{r.months:.1f}",
            f"{100 * r.yield_at_months:.2f} %",
            str(r.weeks),
            f"{100 * r.yield_at_weeks:.2f} %",
        ]
        for own in result.groups
        if own.fit is not None
        for phase, r in zip(own.fit.phases, own.rounded, strict=True)
        if r is not None
    ]
    if rows:
        say(console, "Rounded, with the yield it then has", bold=True)
        console.print(table(["group", "months", "every (months)", "yield", "every (weeks)", "yield"], rows, left=2))
        console.print()


def _models(result: Intervals, console: Console) -> None:
    rows = []
    for own in result.groups:
        for k, fit in enumerate(own.fits):
            mark = "→ " if fit.model == own.chosen else "  "
            rows.append([own.group if k == 0 else "", mark + NAMES[fit.model], *_model(fit)])
        if np.isfinite(own.ceiling):
            rows.append(["", "  nonparametric curve", f"{own.ceiling:.2f}", NONE, NONE])
    say(console, "Models", bold=True)
    console.print(table(["group", "model", "log-lik.", "AIC", "interval"], rows, left=2))
    refused = {f.reason for own in result.groups for f in own.fits if f.status == "refused"}
    for reason in sorted(refused):
        say(console, f"refused: {reason}")
    say(
        console,
        "Illness–death models let progression before a death go unseen and count deaths too: compare them with one another only. The others censor "
        "at the last clear MRI; none of them can have more log-likelihood than the nonparametric curve.",
    )
    console.print()


def _model(fit: ModelFit) -> list[str]:
    if fit.status == "refused":
        return [NONE, NONE, "refused"]
    gaps = " then ".join(number(p.interval.estimate, 1) if p.interval else NONE for p in fit.phases)
    return [f"{fit.loglik:.2f}", f"{fit.aic:.2f}", gaps]


def _sensitivity(result: Intervals, console: Console) -> None:
    rows = [
        [
            row["group"],
            f"{row['times_that_before']:.1f}" + (" (fitted)" if row["mortality_after"] == "fitted" else ""),
            span(row["from_month"], None) if row["from_month"] else "0 on",
            f"{row['hazard_per_month']:.5f}",
            number(row["interval_months"], 2),
        ]
        for row in tables.sensitivity(result)
    ]
    if rows:
        say(console, "If death after progression were so many times as frequent as before it", bold=True)
        console.print(table(["group", "times", "months", "hazard/month", "interval"], rows, left=2))
        console.print()


def _entry(result: Intervals, console: Console) -> None:
    rows = [
        [r["group"], r["people"], str(r["n"]), str(r["events"]), f"{r['hazard_per_month']:.5f}", number(r["interval_months"], 1)]
        for r in tables.entry(result)
    ]  # fmt: skip
    if rows:
        say(console, "What entry does (one hazard, illness–death)", bold=True)
        console.print(table(["group", "people", "n", "found", "hazard/month", "interval"], rows, left=2))
        console.print()


def _visits(result: Intervals, console: Console) -> None:
    for own in result.groups:
        fit = own.fit
        if fit is not None and fit.visits:
            shown = ", ".join(f"{m:.1f}" for m in fit.visits[:MOST_VISITS])
            more = " …" if len(fit.visits) > MOST_VISITS else ""
            say(
                console,
                f"{own.group}: MRIs that each find {_percent(own.yield_share)}: months {shown}{more} (--table visits).",
            )
    if any(own.fit is not None and own.fit.visits for own in result.groups):
        console.print()


def _monitor(result: Intervals, console: Console) -> None:
    watched = result.monitored
    if watched is None:
        return
    say(console, f"What MRIs found against {watched.source}", bold=True)
    shown = [
        y for y in watched.years if y.year is None or y.year > max(z.year or 0 for z in watched.years) - LAST_YEARS
    ]
    rows = [
        [y.group if k == 0 or y.group != shown[k - 1].group else "", str(y.year or "all"), str(y.mris), str(y.found),
         f"{y.expected:.1f}", limits(y.oe, y.ci_low, y.ci_high), f"{y.power_doubled:.2f}"]
        for k, y in enumerate(shown)
    ]  # fmt: skip
    console.print(table(["group", "year", "MRIs", "found", "expected", "O/E", "power"], rows, left=2))
    if len(shown) < len(watched.years):
        say(console, "Earlier years: --table monitor.")
    say(console, "Power: the chance that the limits would lie above 1 if the hazard were doubled.")
    for alarm in watched.alarms:
        state = f"ALARM from {alarm.first_alarm}" if alarm.first_alarm else "no alarm"
        say(
            console,
            f"{alarm.group}: {state} (CUSUM {alarm.highest:.1f}, limit {alarm.limit:.1f}; a false alarm after {alarm.run_length:,.0f} MRIs on average).",
        )
    console.print()


def methods(result: Intervals) -> str:
    """Describe how the intervals were found, with references."""
    asked, question = result.asked, result.question
    event = EVENT[question.endpoint]
    level = f"{100 * asked.level:g} %"
    unseen = any(own.chosen in BOTH for own in result.groups)
    sentences = [
        f"Time ran from the last fraction of SBRT, in whole days; a month is 30.4375 days. {event[0].upper() + event[1:]} is known to lie between the last clear MRI and the MRI that found it.",
        f"The unit was the {question.unit}. Whoever had no follow-up MRI was left out and is listed.",
    ]
    if unseen:
        sentences.append(
            "Rates of progression, of death while clear and of death after progression were fitted together by maximum likelihood, so that progression "
            "before a death may have gone unseen [1, 2]; mortality after an unseen progression was taken to be that after found ones."
        )
    sentences.append(
        "The usual models beside it censor progression at the last clear MRI [3], which is right only if an unseen progression does not hasten death."
    )
    if asked.entry:
        when = "the second follow-up MRI" if asked.entry == SECOND_MRI else f"the day in the column {asked.entry}"
        sentences.append(f"Observation began on {when}, under the condition of being clear then (left truncation).")
    sentences.append(_break_sentence(result))
    sentences.append(
        "The interval for a yield is −log(1 − yield)/hazard: the months after which that share of those clear at one MRI is found at the next. "
        + _limits_sentence(result, level)
    )
    sentences.append(
        "Models without a maximum inside, or with more likelihood than the nonparametric curve, were refused."
    )
    checks = [c.difference for own in result.groups for c in own.checks]
    if checks:
        sentences.append(f"The usual models' log-likelihoods agree with lifelines' to {max(checks):.0e} of their size.")
    if any(own.frailty is not None for own in result.groups):
        sentences.append(
            "Whether patients of a group differ was tested by a gamma frailty; where they do, an interval holds on average, not for everybody [5]."
        )
    if result.monitored is not None:
        sentences.append(
            "What MRIs found was held against the yields expected since the MRI before, with exact Poisson limits and a risk-adjusted CUSUM for a doubled "
            "hazard (Steiner 2000), its limit and run length simulated."
        )
    if result.grouping is not None:
        note = f": {result.grouping.note}" if result.grouping.note else ""
        sentences.append(f"Groups are the values of {result.grouping.name}{note}.")
    if result.excluded:
        sentences.append(f"{len(result.excluded)} rows were left out, each with its reason.")
    sentences.append(f"Computed with sbrt-followup {__version__}.")
    references = " ".join(f"[{k}] {text}" for k, text in enumerate(REFERENCES, 1))
    return f"{' '.join(sentences)} {references}"


def _break_sentence(result: Intervals) -> str:
    asked = result.asked
    if asked.breaks is not None:
        given = ", ".join(f"{f'{g}: ' if g else ''}month {m:g}" for g, m in asked.breaks.items())
        return f"A break of the hazard was given ({given})."
    if any(own.test is not None and own.test.simulations for own in result.groups):
        return (
            f"A break of the hazard was placed by profile likelihood and kept where chance gains as much in fewer than 5 % of {asked.simulations} "
            f"cohorts simulated under one hazard, with at least 10 progressions on either side [4] (seed {asked.seed})."
        )
    return "A break of the hazard was looked for by profile likelihood; none was called for."


def _limits_sentence(result: Intervals, level: str) -> str:
    used = {p.interval.method for own in result.groups if own.fit for p in own.fit.phases if p.interval}
    parts = []
    if "profile" in used:
        parts.append("the profile likelihood")
    if "bootstrap" in used:
        parts.append(
            f"{result.asked.bootstrap} samples of patients, an estimated break estimated anew in each (seed {result.asked.seed})"
        )
    return f"Limits ({level}) are from {' and '.join(parts)}." if parts else ""


def plan_of(own: GroupIntervals) -> str:
    """Say a group's intervals in words."""
    fit = own.fit
    if fit is None:
        return f"{own.group}: none"
    parts = [
        f"every {r.months:g} months" + (f" until month {p.until_month:.1f}" if p.until_month is not None else "")
        for p, r in zip(fit.phases, own.rounded, strict=True)
        if r is not None
    ]
    return f"{own.group}: {', then '.join(parts)}"
