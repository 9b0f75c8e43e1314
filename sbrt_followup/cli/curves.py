"""`curves`: Kaplan–Meier, cumulative incidence and interval-censored curves of a cohort, with tests and figures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..problems import nearest, refuse
from . import options as o
from .progress import progress

if TYPE_CHECKING:
    import pandas as pd

    from ..outcomes.analysis import Method
    from ..outcomes.curves import Curves, Grouping
    from ..outcomes.question import Question
    from ..rulebook.library import Rulebook
    from ..tables.records import Records
    from .outputs import Destination

Trace = Callable[[], dict[str, Any]]
CURVES = "Curves"
ANALYSIS = "Analysis"
LARGE = "Prepared tables of any size"
ESTIMATORS = ("km", "cif", "turnbull")
RISK_GROUP = "risk_group"
SECRET = ("cohort", "imaging", "figure", "title")


def _option(flag: str, text: str, panel: str = CURVES, **more: Any) -> Any:
    return typer.Option(flag, help=text, rich_help_panel=panel, **more)


def curves(
    cohort: o.Cohort = None,
    by: Annotated[
        str | None,
        _option("--by", "Column that divides the cohort, or risk_group (computed from the rules).", metavar="COLUMN"),
    ] = None,
    endpoint: Annotated[
        str, _option("--endpoint", "progression, local_progression, death, progression_or_death or vcf.")
    ] = "progression",
    estimator: Annotated[
        str | None,
        _option(
            "--estimator",
            "km, cif (death competing) or turnbull (interval-censored). Default: cif where death competes, else km.",
        ),
    ] = None,
    unit: Annotated[str, _option("--unit", "patient, or site (local_progression and vcf only).")] = "patient",
    times: Annotated[str, _option("--times", "Months for the landmark and at-risk tables.")] = "6,12,24,48",
    tau: Annotated[
        float | None,
        _option("--tau", "Months to which restricted means run. Default: the last of --times.", metavar="MONTHS"),
    ] = None,
    quantiles: Annotated[
        str, _option("--quantiles", "Per cent with the event, whose times (with intervals) to give beside the median.")
    ] = "25,50,75",
    ci_type: Annotated[str, _option("--ci-type", "log-log, log, plain or arcsine.")] = "log-log",
    level: Annotated[float, _option("--level", "Confidence level.")] = 0.95,
    figure: Annotated[
        list[Path] | None,
        _option("--figure", "Draw into this file (.png, .svg or .pdf); may be repeated.", metavar="FILE"),
    ] = None,
    title: Annotated[str, _option("--title", "Title of the figure.")] = "",
    table: Annotated[
        str,
        _option(
            "--table",
            "Which table csv, parquet and xlsx hold: landmarks, groups, quantiles, curve, tests, at-risk, km-cif-gap, censoring, "
            "late-deaths, sensitivity, scan-gaps, policies, unresolved, null-check or excluded.",
        ),
    ] = "landmarks",
    policy: Annotated[
        str | None,
        _option(
            "--policy",
            "Date progression from --imaging: first_growth, confirmation, detected, or all (first_growth is primary). "
            "Default: the dates recorded in the cohort.",
            ANALYSIS,
        ),
    ] = None,
    censor_at: Annotated[
        str | None,
        _option("--censor-at", "last_mri or last_contact. Default: last_mri for progression.", ANALYSIS),
    ] = None,
    death_within: Annotated[
        str | None,
        _option(
            "--death-within",
            "A death counts as coming first only so many months after the last clear MRI; later, follow-up ended at that MRI "
            "(on day 0 without any). any: whenever it happens. Default for progression: the profile's (6, an assumption).",
            ANALYSIS,
            metavar="MONTHS|any",
        ),
    ] = None,
    require_mri: Annotated[
        int, _option("--require-mri", "Only those with so many MRIs after SBRT (Chen: 2).", ANALYSIS, metavar="N")
    ] = 0,
    distant: Annotated[
        str | None,
        _option(
            "--distant",
            "What a progression elsewhere in the spine does to local progression: censor, ignore or competing. Default: ignore "
            "where local_progression_date is given, else censor.",
            ANALYSIS,
        ),
    ] = None,
    entry: Annotated[
        str | None,
        _option("--entry", "Column with the date (or day) observation began: late entry.", ANALYSIS, metavar="COLUMN"),
    ] = None,
    retreatment: Annotated[
        str, _option("--retreatment", "Re-treatment of a site: censor (the day before), ignore or event.", ANALYSIS)
    ] = "censor",
    landmark: Annotated[
        float | None,
        _option(
            "--landmark",
            "Landmark analysis: only those event-free at this month, from there on.",
            ANALYSIS,
            metavar="MONTHS",
        ),
    ] = None,
    strata: Annotated[
        str | None,
        _option("--strata", "Column by which the tests are stratified, or risk_group.", ANALYSIS, metavar="COLUMN"),
    ] = None,
    weights: Annotated[
        str | None,
        _option("--weights", "Add a Fleming–Harrington test: RHO,GAMMA (1,0 weighs early, 0,1 late).", ANALYSIS),
    ] = None,
    trend: Annotated[
        bool, _option("--trend", "Add a test for trend over the groups in order (always for risk_group).", ANALYSIS)
    ] = False,
    order: Annotated[
        str | None,
        _option(
            "--order",
            "The groups in their order, joined by ';': for tables, legend and trend.",
            ANALYSIS,
            metavar="A;B;C",
        ),
    ] = None,
    bootstrap: Annotated[
        int,
        _option(
            "--bootstrap",
            "Bootstrap samples of patients for the intervals of turnbull; 0: no intervals.",
            ANALYSIS,
            metavar="N",
        ),
    ] = 0,
    null_check: Annotated[
        bool,
        _option(
            "--null-check",
            "Simulate equal hazards on this cohort's scans, deaths and groups: the size of the tests, the bias of the "
            "landmarks, the coverage of their intervals.",
            ANALYSIS,
        ),
    ] = False,
    simulations: Annotated[int, _option("--simulations", "Cohorts simulated by --null-check.", ANALYSIS)] = 1000,
    seed: Annotated[int, _option("--seed", "Seed of every simulation and bootstrap.", ANALYSIS)] = 1,
    prepared: Annotated[
        str | None,
        _option(
            "--prepared",
            "COHORT is a Parquet table of durations in days and statuses (0 censored, 1 event, 2 competing), a row per "
            "patient: their columns.",
            LARGE,
            metavar="TIME,STATUS",
        ),
    ] = None,
    engine: Annotated[
        str, _option("--engine", "What counts a prepared table: pandas, polars, duckdb or pyspark.", LARGE)
    ] = "pandas",
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
    sheet: o.Sheet = None,
    errors: o.Errors = None,
    date_format: o.DateFormat = None,
    on_error: o.OnError = "refuse",
) -> None:
    """Draw and tabulate time to progression, fracture or death, by group, with tests.

    Examples:

        sbrt-followup curves cohort.csv --by histology --figure curves.pdf

        sbrt-followup curves cohort.csv --by risk_group --format json -o curves.json

        sbrt-followup curves cohort.csv --endpoint death --times 6,12,24 --ci-type log

        sbrt-followup curves registry.parquet --prepared days,status --by arm --engine duckdb
    """
    from ..outcomes.curves import Simulation
    from ..outcomes.curves import curves as run
    from ..outcomes.policies import CHOICES, dating
    from ..outcomes.question import DEATH_INSIDE
    from ..report.curves.curve_tables import TABLES
    from . import inputs, ordering, outputs, risk_set
    from . import prepared as large

    risk_set.check(endpoint, estimator, censor_at, death_within, distant, require_mri)
    check_words(
        {
            "--estimator": (estimator, (None, *ESTIMATORS)),
            "--policy": (policy, (None, *CHOICES)),
            "--table": (table, tuple(TABLES)),
        },
        endpoint,
        unit,
        censor_at,
        retreatment,
    )
    if not (bootstrap == 0 or 20 <= bootstrap <= 1_000_000):
        raise refuse("not-allowed", "--bootstrap takes 0, or a number from 20 to 1,000,000")
    if estimator == "turnbull":
        _refuse_with_turnbull({"--weights": weights, "--censor-at": censor_at == "last_contact"})
    if policy is not None and endpoint in ("death", "vcf"):
        raise refuse("not-allowed", f"--policy dates progression; it does not go with --endpoint {endpoint}")
    if strata is not None and strata == by:
        raise refuse("not-allowed", f"--strata {strata} leaves nothing to compare: it is the column of --by")
    if seed < 0:
        raise refuse("not-allowed", "--seed takes a whole number, 0 or more")
    if table in ("policies", "unresolved") and policy is None:
        raise refuse("not-allowed", f"--table {table} needs --policy, such as --policy all")
    if table == "null-check" and not null_check:
        raise refuse("not-allowed", "--table null-check needs --null-check")
    if bootstrap and estimator != "turnbull":
        raise refuse(
            "not-allowed", "--bootstrap goes with --estimator turnbull; km and cif have intervals of their own"
        )
    if not 10 <= simulations <= 1_000_000:
        raise refuse("not-allowed", "--simulations takes a number from 10 to 1,000,000")
    if policy is not None and imaging is None:
        raise refuse("no-imaging", "--policy dates progression from MRIs: name the imaging table with --imaging FILE")
    drawings = outputs.check_figures(figure or [], force)
    to = outputs.destination(format_, output, force, quiet)
    chosen = estimator or ("km" if endpoint in DEATH_INSIDE else "cif")
    method = _method(
        chosen,
        times,
        tau,
        ci_type,
        level,
        weights,
        trend or by == RISK_GROUP,
        bootstrap,
        seed,
        quantiles,
    )
    if prepared is None and engine != "pandas":
        raise refuse("not-allowed", "--engine goes with --prepared only", hint="Dates are read and counted in memory.")
    if prepared is not None:
        own = {
            "--unit site": unit == "site", "--estimator turnbull": chosen == "turnbull", "--censor-at": censor_at, "--entry": entry,
            "--retreatment": retreatment != "censor", "--landmark": landmark, "--policy": policy, "--strata": strata,
            "--death-within": death_within, "--require-mri": require_mri, "--distant": distant,
            "--null-check": null_check, "--imaging": imaging, "--as-of": as_of, "--map": map_file, "--date-format": date_format,
            "--on-error": on_error != "refuse", "--rules": rules, "--profile": profile,
        }  # fmt: skip
        large.refuse_others(own, by)
        time, status = large.columns(prepared)
        result, table_of = large.curves_of(cohort, time, status, by, engine, endpoint, method, order)
        told = {
            "cohort": cohort, "prepared": [time, status], "engine": engine, "by": by, "endpoint": endpoint, "estimator": chosen,
            "times": list(method.times), "tau": method.tau_months, "quantiles": list(method.quantiles), "ci_type": ci_type, "level": level, "table": table,
            "weights": weights, "trend": method.trend, "order": order,
            "figure": [str(p) for p in drawings] or None, "title": title or None,
        }  # fmt: skip

        def trace_of_table() -> dict[str, Any]:
            return inputs.manifest_of("curves", None, [], {"cohort": table_of}, told, SECRET)

        _give(result, to, table, trace_of_table, drawings, title, force)
        return
    rulebook = inputs.open_rulebook(rules, profile)
    records = inputs.open_cohort(cohort, rulebook, map_file, date_format, on_error, quiet)
    scans = inputs.open_imaging(imaging, map_file, date_format, on_error, quiet)
    scans = inputs.placed(records, scans, quiet)
    question = question_of(rulebook, endpoint, unit, censor_at, retreatment, as_of, entry, landmark, strata)
    question, other = risk_set.asked(
        question, rulebook.profile, records.given, chosen, death_within, distant, require_mri
    )
    if require_mri > 1 and scans is None:
        raise refuse("no-imaging", "--require-mri counts MRIs: name the imaging table with --imaging FILE")
    if strata == RISK_GROUP and strata not in records.extra_columns:
        records = _with_tiers(records, rulebook, unit)
    for name in (entry, strata):
        if name is not None:
            need_column(records, name)
    need_outcome(records, endpoint, policy)
    grouping = ordering.in_order(grouping_of(records, rulebook, by, unit), order, trend)
    dates = None
    if policy is not None and scans is not None:
        dates = dating(records.frame, scans.frame, rulebook, policy, question.as_of)
    file = "stdin" if cohort == "-" else Path(str(cohort)).name
    groups = 1 if grouping is None else int(grouping.values.nunique())
    rounds = bootstrap * groups + (simulations if null_check else 0)
    with progress(rounds, "simulating", quiet) as step:
        check = Simulation(simulations, seed) if null_check else None
        result = run(
            records,
            question,
            method,
            grouping=grouping,
            other=other,
            imaging=scans,
            dates=dates,
            check=check,
            step=step,
            on_error=on_error,
            file=file,
        )
    arguments = {
        "cohort": cohort, "imaging": imaging, "by": by, "endpoint": endpoint, "estimator": chosen, "unit": unit,
        "times": list(method.times), "tau": method.tau_months, "quantiles": list(method.quantiles), "ci_type": ci_type, "level": level, "table": table,
        "censor_at": question.censored_at, "entry": entry, "retreatment": retreatment, "landmark": landmark,
        "death_within_days": question.death_within_days, "require_mri": require_mri or None,
        "distant": question.distant if endpoint == "local_progression" else None,
        "policy": policy, "null_check": null_check, "simulations": simulations if null_check else None,
        "bootstrap": bootstrap or None, "seed": seed if null_check or bootstrap else None, "order": order, "strata": strata, "weights": weights, "trend": method.trend, "figure": [str(p) for p in drawings] or None,
        "title": title or None, "profile": rulebook.profile.id,
    }  # fmt: skip
    documents = [rulebook.profile, rulebook.risk, *([rulebook.sins] if RISK_GROUP in (by, strata) else [])]
    if policy is not None:
        documents += [*rulebook.windows, *rulebook.criteria, *([rulebook.protocol] if rulebook.protocol else [])]
    tables = {"cohort": records, **({"imaging": scans} if scans else {})}

    def trace() -> dict[str, Any]:
        return inputs.manifest_of("curves", as_of, documents, tables, arguments, SECRET)

    _give(result, to, table, trace, drawings, title, force)


def check_words(
    words: dict[str, tuple[str | None, tuple[str | None, ...]]],
    endpoint: str,
    unit: str,
    censor_at: str | None,
    retreatment: str,
) -> None:
    """Refuse a word that an option does not know: of the given ones, then of those that say what is followed."""
    from ..outcomes.question import CENSORING, ENDPOINTS, RETREATMENT, UNITS

    for flag, (value, allowed) in {
        "--endpoint": (endpoint, ENDPOINTS),
        "--unit": (unit, UNITS),
        "--censor-at": (censor_at, (None, *CENSORING)),
        "--retreatment": (retreatment, RETREATMENT),
        **words,
    }.items():
        if value not in allowed:
            names = [name for name in allowed if name]
            raise refuse("not-allowed", f"{flag} takes {', '.join(names)}", hint=nearest(str(value), names))


def _refuse_with_turnbull(given: dict[str, Any]) -> None:
    named = [flag for flag, value in given.items() if value]
    if named:
        raise refuse(
            "not-allowed",
            f"--estimator turnbull does not go with {', '.join(named)}",
            hint="Its test has no weights, and whoever has no event is censored at the last clear MRI.",
        )


def _method(
    estimator: str,
    times: str,
    tau: float | None,
    ci_type: str,
    level: float,
    weights: str | None,
    trend: bool,
    bootstrap: int,
    seed: int,
    quantiles: str,
) -> Method:
    from ..estimators.confidence import CI_TYPES
    from ..outcomes.analysis import Method

    if ci_type not in CI_TYPES:
        raise refuse("not-allowed", f"--ci-type takes {', '.join(CI_TYPES)}", hint=nearest(ci_type, CI_TYPES))
    if not 0.5 <= level <= 0.9999:
        raise refuse("not-allowed", "--level takes a share from 0.5 to 0.9999, such as 0.95")
    months = tuple(sorted(set(numbers("--times", times))))
    if not months or months[0] <= 0:
        raise refuse("not-allowed", "--times takes months above 0, such as 6,12,24,48")
    last = months[-1] if tau is None else tau
    if not last > 0:
        raise refuse("not-allowed", "--tau takes a number of months above 0")
    rho, gamma = 0.0, 0.0
    if weights is not None:
        pair = numbers("--weights", weights)
        if len(pair) != 2 or min(pair) < 0:
            raise refuse("not-allowed", "--weights takes two numbers, 0 or more, such as 1,0")
        rho, gamma = pair
    shares = tuple(sorted({percent / 100 for percent in numbers("--quantiles", quantiles)}))
    if not shares or not (shares[0] > 0 and shares[-1] < 1):
        raise refuse("not-allowed", "--quantiles takes per cents above 0 and below 100, such as 25,50,75")
    return Method(estimator, months, last, ci_type, level, rho, gamma, trend, bootstrap, seed, shares)


def numbers(flag: str, text: str) -> list[float]:
    """Read numbers joined by commas."""
    import math

    try:
        values = [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise refuse("not-a-number", f"{flag} takes numbers joined by commas") from None
    if not all(math.isfinite(v) for v in values):
        raise refuse("not-a-number", f"{flag} takes numbers joined by commas")
    return values


def question_of(
    rulebook: Rulebook,
    endpoint: str,
    unit: str,
    censor_at: str | None,
    retreatment: str,
    as_of: str | None,
    entry: str | None,
    landmark: float | None,
    strata: str | None,
) -> Question:
    """Turn the options into the question asked of a cohort."""
    import numpy as np

    from ..outcomes.question import Question
    from ..timing import analysis_days
    from . import inputs

    if landmark is not None and landmark <= 0:
        raise refuse("not-allowed", "--landmark takes a number of months above 0")
    return Question(
        course_days=int(rulebook.risk.course.value),
        endpoint=endpoint,
        unit=unit,
        censor_at=censor_at,
        retreatment=retreatment,
        as_of=None if as_of is None else np.datetime64(inputs.day_of(as_of), "D"),
        entry=entry,
        landmark_day=None if landmark is None else int(analysis_days(landmark) + 0.5),
        strata=strata,
    )


def need_column(records: Records, name: str) -> None:
    """Refuse a column the cohort has not."""
    known = {*records.given, *records.extra_columns}
    if name not in known:
        raise refuse("unknown-column", f"the cohort has no column '{name}'", hint=nearest(name, sorted(known)))


def _with_tiers(records: Records, rulebook: Rulebook, unit: str) -> Records:
    """Add the tier of each row's unit as a column, to stratify by."""
    from dataclasses import replace

    from ..outcomes.tiers import tier_of_rows

    frame = records.frame.assign(**{RISK_GROUP: tier_of_rows(records.frame, rulebook, unit)})
    return replace(records, frame=frame, extra_columns=(*records.extra_columns, RISK_GROUP))


def need_outcome(records: Records, endpoint: str, policy: str | None) -> None:
    """Refuse a table that cannot show the endpoint: without its column nobody would seem to have it."""
    needed = {
        "progression": ("progression_date",),
        "local_progression": ("local_progression_date",)
        if "local_progression_date" in records.given
        else ("progression_date", "progression_site"),
        "death": ("death_date",),
        "progression_or_death": ("progression_date", "death_date"),
        "vcf": ("vcf_date",),
    }[endpoint]
    from ..problems import InputRefused, Problem

    dated = ("progression_date", "progression_site") if policy else ()
    if {"local_progression_date", "distant_progression_date"} <= set(records.given):
        dated = ("progression_date", *dated)
    missing = [name for name in needed if name not in records.given and name not in dated]
    if missing:
        raise InputRefused(
            Problem("missing-column", f"the cohort has no column '{name}', so that {endpoint} cannot be seen",
                    hint="Add it, left empty for those without the event.")
            for name in missing
        )  # fmt: skip


def grouping_of(records: Records, rulebook: Rulebook, by: str | None, unit: str) -> Grouping | None:
    """Give what divides the cohort; None: nothing."""
    from ..outcomes.curves import Grouping

    if by is None:
        return None
    if by != RISK_GROUP:
        need_column(records, by)
        values: pd.Series[Any] = records.frame[by]
        return Grouping(by, values)
    from ..outcomes.tiers import tier_of_rows

    note = (
        f"tiers by {rulebook.risk.name}: published variables, this project's own split ({rulebook.risk.basis}); "
        "the published split is not available"
    )
    if by in records.extra_columns:
        note += "; the cohort's own column risk_group was not used (rename it to use it)"
    tiers = tier_of_rows(records.frame, rulebook, unit)
    return Grouping(by, tiers, rulebook.risk.basis, note, "is undecided: a fact it needs is missing")


def _give(
    result: Curves,
    to: Destination,
    table: str,
    trace: Trace,
    drawings: list[Path],
    title: str,
    force: bool,
) -> None:
    """Deliver the tables, then the figures."""
    _deliver(result, to, table, trace)
    from ..report.curves import curve_figure
    from . import outputs

    outputs.draw_files(drawings, lambda kind: curve_figure.figure_bytes(result, kind, title=title), trace, force)


def _deliver(result: Curves, to: Destination, table: str, trace: Trace) -> None:
    from ..report import tabular
    from ..report.curves import curve_document, curve_tables
    from ..report.curves.methods import methods
    from . import outputs

    text = methods(result)
    if to.format == "table" and to.path is None:
        from ..report.curves.curve_text import render, terminal

        outputs.current().show(lambda: render(result, text, terminal()))
        return

    def as_json() -> bytes:
        return tabular.json_text(curve_document.document(result, text, trace())).encode()

    def as_text() -> bytes:
        from ..report.curves.curve_text import plain

        return plain(result, text).encode()

    basis = [f"{result.grouping.name}: {result.grouping.note}"] if result.grouping and result.grouping.note else []
    cautions = [f"{c.group}: {c.message}" if c.group else c.message for c in result.cautions]
    left_out = [f"{len(result.excluded)} rows excluded; --table excluded lists them"] if result.excluded else []
    frame = curve_tables.frame(result, table)
    body = outputs.Result(frame, "Curves", "rows", trace, notes=[*basis, *cautions, *left_out])
    outputs.deliver(body, to, {"json": as_json, "table": as_text})
