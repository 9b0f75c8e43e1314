"""`simulate`: a synthetic cohort with its imaging, to try methods on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..problems import InputRefused, Problem
from . import options as o
from .schedule import PlanName

DEFAULT = "spine-progression"
FORMATS = ("table", "csv", "json", "parquet", "xlsx")
ASSUMED = "In place of what the simulation document assumes"
NARROW = ("patient_id", "site_id", "sbrt_date", "bilsky", "progression_date", "death_date")


def simulate(
    patients: Annotated[
        int | None,
        typer.Option("--patients", help="Number of patients. Default: as published (446).", show_default=False),
    ] = None,
    sites: Annotated[
        int | None,
        typer.Option(
            "--sites", help="Number of treated sites. Default: in the published proportion.", show_default=False
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same cohort.")] = 1,
    plan: PlanName = None,
    jitter: Annotated[
        float | None,
        typer.Option(
            "--jitter",
            metavar="DAYS",
            help="Standard deviation of an MRI's day about its due date.",
            rich_help_panel=ASSUMED,
            show_default=False,
        ),
    ] = None,
    missed: Annotated[
        float | None,
        typer.Option(
            "--missed",
            metavar="SHARE",
            help="Share of MRIs that do not take place.",
            rich_help_panel=ASSUMED,
            show_default=False,
        ),
    ] = None,
    local: Annotated[
        float | None,
        typer.Option(
            "--local",
            metavar="SHARE",
            help="Share of first progressions that are local.",
            rich_help_panel=ASSUMED,
            show_default=False,
        ),
    ] = None,
    onset: Annotated[
        str | None,
        typer.Option(
            "--onset",
            help="What the rates date: progression as_found (it began half a gap between MRIs earlier), or its onset as published "
            "(to try whether a method finds the rates again). Default: the document's.",
            rich_help_panel=ASSUMED,
            show_default=False,
        ),
    ] = None,
    imaging_output: Annotated[
        Path | None,
        typer.Option(
            "--imaging-output",
            metavar="FILE",
            help="Write the imaging table to a file (.csv, .parquet, .xlsx).",
            rich_help_panel=o.OUTPUT,
            show_default=False,
        ),
    ] = None,
    document: Annotated[
        str, typer.Option("--simulation", help="The rule document to draw from.", rich_help_panel=o.RULES)
    ] = DEFAULT,
    rules: o.Rules = None,
    profile: o.ProfileName = None,
    format_: o.Format = None,
    output: o.Output = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
) -> None:
    """Draw a synthetic cohort, with imaging, from published rates and stated assumptions.

    Every row says that it is synthetic; it stands for no person and is no evidence.

    Examples:

        sbrt-followup simulate --seed 1 -o cohort.csv --imaging-output mri.csv

        sbrt-followup simulate --patients 2000 --plan chen-2024 -o cohort.parquet
    """  # fmt: skip
    from fractions import Fraction

    from ..rulebook.model import Plan
    from ..rulebook.simulation import Simulation, with_assumed, with_onset
    from ..synthetic.cohort import simulate as draw
    from . import inputs, outputs

    _check(seed, patients, sites, jitter, {"--missed": missed, "--local": local}, onset)
    to = outputs.destination(format_, output, force, quiet, FORMATS)
    scans_to = None if imaging_output is None else outputs.destination(None, imaging_output, force, quiet, FORMATS)
    rulebook = inputs.open_rulebook(rules, profile)
    simulation = rulebook.get(Simulation, document)
    given = {"mri_jitter": (jitter, 1), "missed_mri": (missed, 100), "local": (local, 100)}
    simulation = with_assumed(simulation, {k: Fraction(str(v)) * per for k, (v, per) in given.items() if v is not None})
    if onset is not None:
        simulation = with_onset(simulation, onset == "published")
    chosen = rulebook.get(Plan, plan) if plan else rulebook.plan
    made = draw(rulebook, simulation, chosen, patients=patients, sites=sites, seed=seed)
    arguments = {
        "seed": seed,
        "patients": made.patients,
        "sites": len(made.cohort),
        "plan": chosen.id,
        "simulation": document,
        "onset": "as_found" if simulation.onset_shifted else "published",
    }

    def trace() -> dict[str, object]:
        documents = [rulebook.profile, simulation, chosen, rulebook.risk, rulebook.sins, rulebook.evidence]
        return {"synthetic": True, **inputs.manifest_of("simulate", None, documents, {}, arguments)}

    notes = (
        "Synthetic: no row describes a person; not evidence.",
        "Progression begins half a gap between MRIs before the day its rate gives (onset as_found)."
        if simulation.onset_shifted
        else "Progression begins on the day its rate gives (onset published).",
        f"Rests on assumptions ({simulation.name}, basis {simulation.basis}); the mix of tiers is fitted, not published.",
    )
    body = {"synthetic": True, "seed": seed}
    title = f"Synthetic cohort, {made.patients} patients, seed {seed}"
    outputs.deliver(outputs.Result(made.cohort, title, "rows", trace, body, notes, NARROW), to)
    if scans_to is not None:
        outputs.deliver(outputs.Result(made.imaging, f"{title}: imaging", "rows", trace, body), scans_to)


def _check(
    seed: int,
    patients: int | None,
    sites: int | None,
    jitter: float | None,
    shares: dict[str, float | None],
    onset: str | None,
) -> None:
    """Refuse what no cohort can have, naming every option at once."""
    from math import isfinite

    problems = []
    if seed < 0:
        problems.append("--seed takes a whole number, 0 or more")
    problems += [
        f"{flag} takes a whole number, 1 or more"
        for flag, value in (("--patients", patients), ("--sites", sites))
        if value is not None and value < 1
    ]
    if jitter is not None and not (isfinite(jitter) and jitter >= 0):
        problems.append("--jitter takes days, 0 or more")
    problems += [
        f"{flag} takes a share from 0 to 1, such as 0.08"
        for flag, share in shares.items()
        if share is not None and not 0 <= share <= 1
    ]
    if onset not in (None, "as_found", "published"):
        problems.append("--onset takes as_found or published")
    if problems:
        raise InputRefused(Problem("not-allowed", text) for text in problems)
