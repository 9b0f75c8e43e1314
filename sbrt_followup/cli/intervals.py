"""`intervals`: a cohort's own hazards, and the interval between MRIs for a target yield."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..problems import refuse
from . import options as o
from .progress import progress
from .rates import Rates

if TYPE_CHECKING:
    from ..rulebook.library import Rulebook
    from ..rulebook.model import Plan
    from ..surveillance.cohort_intervals import Intervals
    from ..surveillance.group_intervals import Asked
    from ..surveillance.hazards import Hazards
    from .outputs import Destination

SECRET = ("cohort", "imaging", "figure", "title", "plan_output", "expected")
PUBLISHED = "published"
MODEL, LIMITS, PLAN = "Model", "Limits and tests", "Plan"
RISK_GROUP = "risk_group"
SECOND_MRI = "second_mri"
MOST = 100_000


def intervals(
    cohort: o.Cohort = None,
    yield_: Annotated[
        str | None,
        typer.Option(
            "--yield",
            metavar="PERCENT | GROUP=PERCENT,…",
            help="Share that an MRI should find of those clear at the one before: 5, or low=3.75,intermediate=3.75,high=5.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            metavar="COLUMN",
            help="Column of groups, or risk_group (computed from the rules).",
            rich_help_panel=MODEL,
        ),
    ] = None,
    break_at: Annotated[
        str | None,
        typer.Option(
            "--break-at",
            metavar="MONTHS | GROUP=MONTHS,… | none",
            help="Month at which the hazard changes. Default: estimated, kept where it is more than chance.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    entry: Annotated[
        str | None,
        typer.Option(
            "--entry",
            metavar="COLUMN | second_mri",
            help="Observation begins on the date (or day) in this column, or at the second follow-up MRI of --imaging.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            help="auto, exponential, break, weibull, illness_death, illness_death_break or spline (flexible; a list of MRIs).",
            rich_help_panel=MODEL,
        ),
    ] = "auto",
    mortality_after: Annotated[
        str,
        typer.Option(
            "--mortality-after-progression",
            metavar="FACTOR,…",
            help="Show the intervals if death after progression were so many times as frequent as before it.",
            rich_help_panel=MODEL,
        ),
    ] = "1,2,5",
    bootstrap: Annotated[
        int,
        typer.Option(
            "--bootstrap",
            metavar="N",
            help="Samples of patients for limits where the break is estimated or sites share a patient; 0: none.",
            rich_help_panel=LIMITS,
        ),
    ] = 400,
    simulations: Annotated[
        int,
        typer.Option(
            "--simulations",
            metavar="N",
            help="Cohorts simulated to test an estimated break; 0: no test.",
            rich_help_panel=LIMITS,
        ),
    ] = 199,
    seed: Annotated[int, typer.Option("--seed", help="Seed of samples and simulations.", rich_help_panel=LIMITS)] = 1,
    level: Annotated[float, typer.Option("--level", help="Confidence level.", rich_help_panel=LIMITS)] = 0.95,
    cross_check: Annotated[
        bool,
        typer.Option(
            "--cross-check", help="Ask lifelines for the usual models too; some seconds.", rich_help_panel=LIMITS
        ),
    ] = False,
    expected: Annotated[
        str | None,
        typer.Option(
            "--expected",
            metavar="FILE | published",
            help="Hold what MRIs found, year by year, against these hazards (needs --imaging): the JSON of an earlier `intervals`, or the "
            "published and derived rates of the rulebook (risk_group only).",
            rich_help_panel=o.OUTPUT,
        ),
    ] = None,
    rates: Rates = "spine-progression",
    table: Annotated[
        str,
        typer.Option(
            "--table",
            help="Which table csv, parquet and xlsx hold: intervals, models, visits, tests, sensitivity, entry, curve, monitor, alarms or excluded.",
            rich_help_panel=o.OUTPUT,
        ),
    ] = "intervals",
    figure: Annotated[
        list[Path] | None,
        typer.Option(
            "--figure",
            metavar="FILE",
            help="Draw hazards and intervals (.png, .svg or .pdf); may be repeated.",
            rich_help_panel=o.OUTPUT,
        ),
    ] = None,
    title: Annotated[str, typer.Option("--title", help="Title of the figure.", rich_help_panel=o.OUTPUT)] = "",
    plan_output: Annotated[
        Path | None,
        typer.Option(
            "--plan-output",
            metavar="DIR",
            help="Write the intervals as a plan laid over --plan, to be signed, and say what it would change.",
            rich_help_panel=PLAN,
        ),
    ] = None,
    plan: Annotated[
        str | None,
        typer.Option("--plan", metavar="ID", help="The plan in force. Default: the profile's.", rich_help_panel=PLAN),
    ] = None,
    endpoint: Annotated[str, typer.Option("--endpoint", help="progression or local_progression.")] = "progression",
    unit: Annotated[str, typer.Option("--unit", help="patient, or site (local_progression only).")] = "patient",
    retreatment: Annotated[
        str, typer.Option("--retreatment", help="Re-treatment of a site: censor (the day before), ignore or event.")
    ] = "censor",
    imaging: o.Imaging = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="DATE", help="Censor at this day. Default: every date counts as given."),
    ] = None,
    rules: o.Rules = None,
    profile: o.ProfileName = None,
    format_: o.Format = None,
    output: o.Output = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
    map_file: o.Map = None,
    date_format: o.DateFormat = None,
    on_error: o.OnError = "refuse",
) -> None:
    """Fit this cohort's own hazards of progression and find the interval between MRIs for a target yield, with confidence.

    Progression is known only to lie between two MRIs, and may go unseen before a death (illness–death model).

    Examples:

        sbrt-followup intervals cohort.csv --by risk_group --yield 5 --imaging mri.csv --figure intervals.pdf

        sbrt-followup intervals cohort.csv --by risk_group --yield low=3.75,intermediate=3.75,high=5 --break-at high=13.2

        sbrt-followup intervals cohort.csv --yield 5 --imaging mri.csv --entry second_mri --format json -o intervals.json

        sbrt-followup intervals cohort.csv --by risk_group --yield 5 --plan chen-2024 --plan-output our_rules

        sbrt-followup intervals cohort.csv --by risk_group --yield 5 --imaging mri.csv --expected published --table monitor
    """
    from ..outcomes.question import CENSORING
    from ..report.surveillance.fitted_plan import NAME
    from ..report.surveillance.intervals_tables import TABLES
    from ..surveillance.cohort_intervals import intervals as run
    from ..surveillance.group_intervals import CHOICES
    from ..surveillance.observed import ENDPOINTS
    from . import curves, inputs, outputs, proposals

    words: dict[str, tuple[str | None, tuple[str | None, ...]]] = {
        "--table": (table, tuple(TABLES)),
        "--model": (model, CHOICES),
        "--endpoint": (endpoint, ENDPOINTS),
    }
    curves.check_words(words, endpoint, unit, CENSORING[0], retreatment)
    asked = _asked(yield_, break_at, entry, model, mortality_after, bootstrap, simulations, seed, level, cross_check)
    drawings = outputs.check_figures(figure or [], force)
    to = outputs.destination(format_, output, force, quiet)
    rulebook = inputs.open_rulebook(rules, profile)
    base = _plan(rulebook, plan)
    if plan_output is not None:
        proposals.check_room(plan_output, NAME, force)
    records = inputs.open_cohort(cohort, rulebook, map_file, date_format, on_error, quiet)
    scans = inputs.open_imaging(imaging, map_file, date_format, on_error, quiet)
    scans = inputs.placed(records, scans, quiet)
    if entry is not None and not (entry == SECOND_MRI and scans is not None):
        if entry == SECOND_MRI and entry not in records.extra_columns:
            raise refuse(
                "no-imaging", "--entry second_mri needs the MRIs", hint="Name the imaging table with --imaging FILE."
            )
        curves.need_column(records, entry)
    curves.need_outcome(records, endpoint, None)
    known = _expected(rulebook, expected, rates, by, scans is not None)
    if table in ("monitor", "alarms") and known is None:
        raise refuse("not-allowed", f"--table {table} needs --expected")
    question = curves.question_of(rulebook, endpoint, unit, None, retreatment, as_of, None, None, None)
    grouping = curves.grouping_of(records, rulebook, by, unit)
    groups = 1 if grouping is None else int(grouping.values.nunique())
    with progress(groups * (asked.simulations + asked.bootstrap), "resampling", quiet) as step:
        result = run(
            records,
            question,
            asked,
            grouping=grouping,
            imaging=scans,
            on_error=on_error,
            file="stdin" if cohort == "-" else Path(str(cohort)).name,
            expected=known,
            step=step,
        )
    arguments = {
        "cohort": cohort, "imaging": imaging, "yield": yield_, "by": by, "break_at": break_at, "entry": entry, "model": model,
        "mortality_after_progression": mortality_after, "bootstrap": bootstrap, "simulations": simulations, "seed": seed, "level": level, "cross_check": cross_check,
        "expected": expected, "rates": rates if expected == PUBLISHED else None, "table": table, "endpoint": endpoint, "unit": unit, "retreatment": retreatment, "plan": base.id,
        "figure": [str(p) for p in drawings] or None, "title": title or None, "plan_output": str(plan_output) if plan_output else None,
        "profile": rulebook.profile.id,
    }  # fmt: skip
    documents = [rulebook.profile, rulebook.risk, *([rulebook.sins] if by == RISK_GROUP else []), base]
    tables = {"cohort": records, **({"imaging": scans} if scans else {})}

    def trace() -> dict[str, Any]:
        return inputs.manifest_of("intervals", as_of, documents, tables, arguments, SECRET)

    _deliver(result, to, table, trace)
    outputs.draw_files(drawings, lambda kind: _figure(result, kind, title, base), trace, force)
    if plan_output is not None:
        from ..report.surveillance.fitted_plan import fitted_plan

        text = fitted_plan(result, rulebook, base, records, as_of)
        proposals.write(text, NAME, plan_output, base, trace, force)
        proposals.say_impact(text, NAME, rulebook, base, records, scans, as_of, quiet)


def _expected(rulebook: Rulebook, expected: str | None, rates: str, by: str | None, imaged: bool) -> Hazards | None:
    """Give the hazards that MRIs are held against."""
    from ..surveillance.document_rates import document_hazards
    from .rates import document_of, read_hazards

    if expected is None:
        return None
    if not imaged:
        raise refuse("no-imaging", "--expected counts MRIs: name the imaging table with --imaging FILE")
    if expected != PUBLISHED:
        return read_hazards(Path(expected))
    if by != RISK_GROUP:
        raise refuse("not-allowed", "--expected published goes with --by risk_group: published rates are by tier")
    return document_hazards(document_of(rulebook, rates), rulebook.evidence)


def _asked(
    yield_: str | None,
    break_at: str | None,
    entry: str | None,
    model: str,
    mortality_after: str,
    bootstrap: int,
    simulations: int,
    seed: int,
    level: float,
    cross_check: bool,
) -> Asked:
    """Check the options that say what to fit."""
    from ..surveillance.group_intervals import Asked
    from . import curves

    if yield_ is None:
        hint = "--yield 5, or by group: --yield low=3.75,intermediate=3.75,high=5 (the published targets of chen-2024)."
        raise refuse("no-yield", "say which share an MRI should find of those clear at the one before", hint=hint)
    shares = {group: percent / 100 for group, percent in _by_group("--yield", yield_).items()}
    if not all(0 < share < 0.5 for share in shares.values()):
        raise refuse("not-allowed", "--yield takes per cents above 0 and below 50, such as 5")
    breaks = None
    if break_at is not None:
        breaks = {} if break_at == "none" else _by_group("--break-at", break_at)
        if not all(month > 0 for month in breaks.values()):
            raise refuse("not-allowed", "--break-at takes months above 0, such as 13.2, or none")
    factors = tuple(dict.fromkeys(curves.numbers("--mortality-after-progression", mortality_after)))
    if any(f <= 0 for f in factors):
        raise refuse("not-allowed", "--mortality-after-progression takes factors above 0, such as 1,2,5")
    if not (bootstrap == 0 or 20 <= bootstrap <= MOST):
        raise refuse("not-allowed", f"--bootstrap takes 0, or a number from 20 to {MOST:,}")
    if not (simulations == 0 or 19 <= simulations <= MOST):
        raise refuse("not-allowed", f"--simulations takes 0, or a number from 19 to {MOST:,}")
    if seed < 0:
        raise refuse("not-allowed", "--seed takes a whole number, 0 or more")
    if not 0.5 <= level <= 0.9999:
        raise refuse("not-allowed", "--level takes a share from 0.5 to 0.9999, such as 0.95")
    return Asked(shares, breaks, entry, model, level, bootstrap, simulations, seed, cross_check, factors)


def _by_group(flag: str, text: str) -> dict[str, float]:
    """Read one number for everybody, or numbers by group: `5`, `low=3.75,high=5`."""
    import math

    found: dict[str, float] = {}
    for part in text.split(","):
        group, equals, number = part.rpartition("=")
        name = group.strip()
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or name in found or bool(equals) != bool(name):
            raise refuse("not-a-number", f"{flag} takes a number, or numbers by group: low=3.75,high=5")
        found[name] = value
    return found


def _plan(rulebook: Rulebook, plan: str | None) -> Plan:
    from ..rulebook.model import Plan

    return rulebook.get(Plan, plan) if plan else rulebook.plan


def _figure(result: Intervals, kind: str, title: str, base: Plan) -> bytes:
    from ..report.surveillance.intervals_figure import figure_bytes

    return figure_bytes(result, kind, title, base)


def _deliver(result: Intervals, to: Destination, table: str, trace: Any) -> None:
    from ..report import tabular
    from ..report.surveillance import intervals_document, intervals_tables, intervals_text, printed
    from . import outputs

    text = intervals_text.methods(result)
    if to.format == "table" and to.path is None:
        outputs.current().show(lambda: intervals_text.render(result, text, printed.terminal()))
        return
    body = outputs.Result(
        intervals_tables.frame(result, table),
        "Intervals",
        "rows",
        trace,
        notes=[
            *(c.message for c in result.cautions),
            *([f"{len(result.excluded)} rows excluded; --table excluded lists them"] if result.excluded else []),
        ],
    )
    others = {
        "json": lambda: tabular.json_text(intervals_document.document(result, text, trace())).encode(),
        "table": lambda: printed.as_text(lambda console: intervals_text.render(result, text, console)).encode(),
    }
    outputs.deliver(body, to, others)
