"""The printed form and the methods paragraph of `policy`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import __version__
from ...surveillance.compared import Compared
from ...surveillance.phased import Phased
from ...surveillance.plan_comparison import Scored
from .policy_tables import NINETY
from .printed import number, percent, say, table

if TYPE_CHECKING:
    from rich.console import Console

REFERENCES = (
    "Parmigiani G. On optimal screening ages. J Am Stat Assoc 1993;88:622.",
    "Hazard-rate scheduling of surveillance. Med Decis Making 1983;3:229.",
    "Munford AG, Shahani AK. A nearly optimal inspection policy. Oper Res Q 1972;23:373.",
)


def render(result: Compared, methods: str, console: Console) -> None:
    """Print the whole comparison."""
    setting = result.setting
    unit = result.hazards.unit
    say(console, f"Plans compared over {setting.horizon:g} months, per {unit} treated", bold=True)
    mix = ", ".join(f"{g} {100 * s:.0f} %" for g, s in zip(setting.groups, setting.shares, strict=True))
    say(console, f"{mix}; hazards {' and '.join(result.hazards.known)}; sensitivity {setting.sensitivity:g}")
    console.print()
    say(console, "What they ask", bold=True)
    rows = [_asks(s) for s in result.scored]
    console.print(table(["plan", "MRIs", "a year", "found", "per finding", "confirm", "alarms"], rows))
    say(
        console,
        "MRIs, confirming MRIs beside them and findings per patient; alarms: sites whose pseudo-progression is seen (an assumption).",
    )
    console.print()
    say(console, "How soon they find progression, months", bold=True)
    near = result.asked.within[0] if result.asked.within else None
    columns = ["plan", "delay", "9 in 10", *([f"within {near:g}"] if near else []), "unknown", "died so"]
    console.print(table(columns, [_finds(s, near) for s in result.scored]))
    say(
        console,
        "delay: mean from onset to the MRI that finds it, of those found; unknown: months alive with progression nobody knows of, "
        "to the last MRI, per patient; died so: died with it.",
    )
    console.print()
    _by_group(result, console)
    _uncertain(result, console)
    _chosen(result, console)
    _stop(result, console)
    for caution in result.cautions:
        say(console, f"! {caution.message}")
    console.print()
    say(console, "Methods", bold=True)
    say(console, methods)


def _asks(s: Scored) -> list[str]:
    given = s.given
    return [
        s.candidate.name,
        number(given.total("mris")),
        number(given.mris_per_year),
        percent(given.total("found")),
        number(given.mris_per_found, 1),
        number(s.alarms.confirming_mris if s.alarms else None),
        percent(s.alarms.seen if s.alarms else None),
    ]


def _finds(s: Scored, near: float | None) -> list[str]:
    given = s.given
    return [
        s.candidate.name,
        number(given.mean_delay),
        number(given.delay_centile(NINETY), 1),
        *([percent(float(given.share_found_within(near)[0]), 0)] if near else []),
        number(given.total("undetected_months")),
        percent(given.total("died_undetected"), 2),
    ]


def _by_group(result: Compared, console: Console) -> None:
    groups = result.setting.groups
    if len(groups) < 2:
        return
    rows = [
        [
            s.candidate.name,
            *(f"{number(part.mris, 1)}, {number(part.mean_delay)}" for part in s.given.parts),
        ]
        for s in result.scored
    ]
    say(console, "By group: MRIs, mean delay in months", bold=True)
    console.print(table(["plan", *groups], rows))
    console.print()


def _uncertain(result: Compared, console: Console) -> None:
    if not result.drawn:
        return
    first = result.scored[0].candidate.name
    say(
        console,
        f"How certain: {100 * result.asked.level:g} % limits over {result.drawn} draws of the hazards",
        bold=True,
    )
    rows = [
        [
            s.candidate.name,
            _span(s, "mris", 1),
            _span(s, "mean_delay"),
            _span(s, "undetected"),
            _span(s, "undetected_difference") if k else "",
        ]
        for k, s in enumerate(result.scored)
    ]
    console.print(table(["plan", "MRIs", "delay", "unknown *", "less the first"], rows))
    say(console, f"* to the horizon; the last column is the difference from {first}, draw by draw.")
    console.print()


def _span(s: Scored, name: str, digits: int = 2) -> str:
    spread = s.spread[name]
    return f"{number(spread.low, digits)} to {number(spread.high, digits)}"


def _chosen(result: Compared, console: Console) -> None:
    if result.of("phased") is None:
        return
    say(
        console,
        f"Soonest for {result.budget:.2f} MRIs, in at most {result.asked.phases} phases of whole weeks",
        bold=True,
    )
    for group, plan in result.chosen.items():
        say(console, f"  {group}: {in_words(plan)} ({plan.mris:.1f} MRIs)")
    if result.simplicity_cost is not None:
        say(
            console,
            f"Being so simple costs {percent(result.simplicity_cost)} more months unknown than the optimum to the day, at the same MRIs.",
        )
    console.print()


def in_words(plan: Phased) -> str:
    """Put a plan in whole weeks into words."""
    parts = [f"first at week {plan.first}"]
    for stretch in plan.stretches:
        until = "" if stretch.until is None else f" until week {stretch.until}"
        parts.append(f"every {stretch.every} weeks{until}")
    return ", then ".join(parts)


def _stop(result: Compared, console: Console) -> None:
    if result.stop_hazard is None:
        return
    say(
        console,
        f"If an MRI precedes symptoms by {result.asked.lead:g} months, MRIs no longer pay below a hazard of {result.stop_hazard:.5f} a month:",
        bold=True,
    )
    for group in result.groups:
        when = "not reached" if group.stop_from is None else f"from month {group.stop_from:g} on"
        say(console, f"  {group.group}: {when}")
    console.print()


def methods(result: Compared) -> str:
    """Describe how the plans were compared, with references."""
    setting, asked = result.setting, result.asked
    sources = "; ".join(dict.fromkeys(f"{g.known}: {g.source}" for g in result.hazards.groups))
    sentences = [
        (
            f"Plans were compared by closed forms over {setting.horizon:g} months from SBRT, per {result.hazards.unit} treated: progression by hazards constant "
            f"in pieces ({sources}), death by constant rates, MRIs on the planned days by everybody alive whose progression was not found [1]."
        ),
        f"Shares of the groups: {result.mix.source} ({result.mix.known}). Sensitivity of an MRI: {setting.sensitivity:g}.",
        (
            "The optimum minimises months alive with undetected progression up to the horizon for a number of MRIs, exactly on whole days by "
            "dynamic programming; the square-root rule scans as often as the square root of the hazard [2], equal yield whenever the hazard since "
            "the last MRI reaches the same sum [3]."
        ),
        (
            f"The plan in whole weeks is the best of at most {asked.phases} phases with gaps of {result.gaps[0]} to {result.gaps[1]} weeks and the first MRI of "
            f"{asked.plans[0].id}, one more phase only for more than 1 % of the months."
        ),
    ]
    if any(w != 1 for w in setting.weights):
        weights = ", ".join(f"{g} {w:g}" for g, w in zip(setting.groups, setting.weights, strict=True) if w != 1)
        sentences.append(f"Months undetected were weighted by the user: {weights}.")
    if setting.swelling is not None:
        sentences.append(
            "False alarms are swellings of pseudo-progression seen at an MRI, per treated site; those inside the windows of the rules, and local "
            "growth there, ask for a confirming MRI (shares and course: assumptions of the simulation document)."
        )
    if result.drawn:
        sentences.append(
            f"Limits are {100 * asked.level:g} % over {result.drawn} draws of the hazards (seed {asked.seed})."
        )
    sentences.append("That a plan finds progression sooner does not prove that patients fare better.")
    sentences.append(f"Computed with sbrt-followup {__version__}.")
    references = " ".join(f"[{k}] {text}" for k, text in enumerate(REFERENCES, 1))
    return f"{' '.join(sentences)} {references}"
