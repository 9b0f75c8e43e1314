"""`simulate`: a synthetic cohort with its imaging, seeded and labelled in every row."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..problems import refuse
from . import options as o

PANEL = "Assumptions of the simulation"


def simulate(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Cohort table to write (.csv or .parquet).")
    ],
    imaging_output: Annotated[
        Path | None,
        typer.Option("--imaging-output", metavar="FILE", help="Imaging table to write.", show_default=False),
    ] = None,
    patients: Annotated[int, typer.Option("--patients", help="Patients.")] = 446,
    sites: Annotated[int, typer.Option("--sites", help="Treated sites, at least one a patient.")] = 1039,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same rows.")] = 1,
    plan: Annotated[
        str | None,
        typer.Option("--plan", help="Plan by which MRIs are made. Default: the profile's.", show_default=False),
    ] = None,
    jitter: Annotated[
        float,
        typer.Option(
            "--jitter",
            metavar="DAYS",
            help="Standard deviation of an MRI's day about its due date.",
            rich_help_panel=PANEL,
        ),
    ] = 7.0,
    missed: Annotated[
        float,
        typer.Option("--missed", metavar="SHARE", help="Share of MRIs that do not take place.", rich_help_panel=PANEL),
    ] = 0.05,
    local: Annotated[
        float,
        typer.Option("--local", metavar="SHARE", help="Share of progressions that are local.", rich_help_panel=PANEL),
    ] = 0.5,
    follow_up: Annotated[
        str,
        typer.Option(
            "--follow-up", metavar="YEARS,YEARS", help="Shortest and longest follow-up.", rich_help_panel=PANEL
        ),
    ] = "2,10",
    start: Annotated[
        str, typer.Option("--start", metavar="DATE", help="First day of treatment.", rich_help_panel=PANEL)
    ] = "2008-01-01",
    rules: o.Rules = None,
    profile: o.ProfileName = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
) -> None:
    """Simulate a cohort and its MRIs from the rulebook and published rates; every row says that it is synthetic.

    Examples:

        sbrt-followup simulate -o cohort.csv --imaging-output mri.csv --seed 7

        sbrt-followup simulate -o big.parquet --patients 100000 --sites 200000 --plan chen-2024
    """  # fmt: skip
    from ..outcomes.simulation import SOURCE, Settings
    from ..outcomes.simulation import simulate as draw
    from ..report import files
    from ..report.manifest import manifest
    from ..rulebook.model import Plan
    from . import inputs

    years = follow_up.split(",")
    if len(years) != 2 or not all(y.replace(".", "", 1).isdigit() for y in years) or float(years[0]) > float(years[1]):
        raise refuse("bad-years", "--follow-up takes two numbers of years, the shorter first, such as 2,10")
    for name, share in (("--missed", missed), ("--local", local)):
        if not 0 <= share <= 1:
            raise refuse("bad-share", f"{name} takes a share between 0 and 1")
    day = inputs.day_of(start, quiet).isoformat()
    for path in (output, imaging_output):
        if path is not None:
            files.check_free(path, force)
            if path.suffix not in (".csv", ".parquet"):
                raise refuse("unknown-format", "a simulated table ends in .csv or .parquet")
    rulebook = inputs.open_rulebook(rules, profile)
    chosen = rulebook.get(Plan, plan) if plan else rulebook.plan
    settings = Settings(
        patients, sites, seed, chosen.id, jitter, missed, local, (float(years[0]), float(years[1])), day
    )
    cohort, imaging = draw(rulebook, settings)
    arguments = {
        "synthetic": True, "patients": patients, "sites": sites, "seed": seed, "plan": chosen.id, "jitter": jitter,
        "missed": missed, "local": local, "follow_up": follow_up, "start": day,
    }  # fmt: skip
    trace = manifest("simulate", None, [rulebook.profile, chosen, rulebook.evidence], {}, arguments)
    for path, frame in ((output, cohort), (imaging_output, imaging)):
        if path is not None:
            data = files.parquet_bytes(frame) if path.suffix == ".parquet" else files.csv_text(frame).encode()
            files.write_bytes(path, data, force)
            files.write_bytes(path.with_name(path.name + ".manifest.json"), files.json_text(trace).encode(), force=True)
            inputs.say(f"written: {path.name} ({len(frame)} rows, synthetic)", quiet)
    inputs.say(f"Rates from evidence source {SOURCE} (derived; the mix of tiers is fitted and ill-conditioned).", quiet)
