"""`explain`: why a patient has this tier and these visits, down to the citations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..problems import refuse
from . import options as o
from . import patient as p
from .schedule import Horizon, PlanName

if TYPE_CHECKING:
    import pandas as pd

    from ..rulebook.explaining import Explanation
    from ..visits.patterns import Request


def explain(
    cohort: o.Cohort = None,
    patient_id: Annotated[
        str | None, typer.Option("--patient", metavar="ID", help="The patient to explain.", show_default=False)
    ] = None,
    row: Annotated[
        int | None,
        typer.Option(
            "--row", metavar="N", help="Or a row of the cohort file (the header is row 1).", show_default=False
        ),
    ] = None,
    visit: Annotated[
        int | None, typer.Option("--visit", metavar="N", help="One visit only.", show_default=False)
    ] = None,
    imaging: o.Imaging = None,
    plan: PlanName = None,
    horizon: Horizon = None,
    as_of: o.AsOf = None,
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
    sbrt_date: p.SbrtDate = None,
    level: p.Level = None,
    histology: p.Histology = None,
    bilsky: p.Bilsky = None,
    paraspinal: p.Paraspinal = None,
    sins: p.Sins = None,
    lesion_type: p.LesionType = None,
    mri: p.Mri = None,
) -> None:
    """Explain one patient: facts, conditions met, not met or unknown, the rule, the plan, every visit, the sources.

    Examples:

        sbrt-followup explain cohort.csv --patient P-001 --imaging mri.csv

        sbrt-followup explain cohort.csv --row 7 --visit 3 -f json

        sbrt-followup explain --sbrt-date 2025-01-31 --bilsky 1b --sins 9 --plan chen-2024
    """
    from ..report.explanation_text import as_json, as_text
    from ..report.tabular import json_text
    from ..visits.explanation import explain as chain
    from ..visits.schedule import schedule
    from . import inputs, outputs

    to = outputs.destination(format_ or ("table" if output is None else None), output, force, quiet, ("table", "json"))
    facts = {
        "sbrt_date": sbrt_date, "level": level, "histology": histology, "bilsky": bilsky, "paraspinal": paraspinal,
        "sins": sins, "lesion_type": lesion_type,
    }  # fmt: skip
    rulebook = inputs.open_rulebook(rules, profile)
    single = p.one_patient(cohort, imaging, facts, mri, date_format)
    if single is None:
        table = inputs.open_cohort(cohort, rulebook, map_file, date_format, on_error, quiet)
        scans = inputs.open_imaging(imaging, map_file, date_format, on_error, quiet)
        if (patient_id is None) == (row is None):
            raise refuse("missing-option", "say which patient: --patient ID or --row N")
    else:
        table, scans = single
        patient_id = "patient"
    scans = inputs.placed(table, scans, quiet, on_error)
    frame = table.frame
    chosen = (
        frame.loc[frame["patient_id"] == patient_id]
        if row is None
        else frame.loc[frame["patient_id"].isin(frame.loc[frame["row"] == row, "patient_id"])]
    )
    if chosen.empty:
        raise refuse("no-such-patient", "the cohort has no such patient or row")
    chosen = chosen.reset_index(drop=True)
    request = inputs.request(rulebook, plan, horizon, as_of, quiet)
    own = None if scans is None else scans.frame.loc[scans.frame["patient_id"].isin(chosen["patient_id"])]
    visits = schedule(chosen, own, request).visits
    if visit is not None and not (visits["visit"] == visit).any():
        raise refuse("no-such-visit", f"this patient has no visit {visit} up to the horizon")
    explanation = chain(chosen, visits, request, visit)
    if own is not None and visit is None:
        explanation = _with_readings(explanation, chosen, own, request)
    trace = inputs.trace(
        "explain", request, table, scans, {"plan": request.plan.id, "horizon": horizon, "patient": patient_id},
        ("patient", *facts),
    )  # fmt: skip
    if to.format == "json":
        data = json_text({"schema_version": 1, **as_json(explanation), "manifest": trace()}).encode()
    else:
        data = as_text(explanation).encode()
    outputs.give(data, to, trace)


def _with_readings(
    explanation: Explanation, chosen: pd.DataFrame, scans: pd.DataFrame, request: Request
) -> Explanation:
    """Add why each MRI reads as it does, where the imaging table says more than that it took place."""
    from ..response.assessment import assess
    from ..response.reasoning import reasoning
    from ..rulebook.explaining import Explanation as Chain
    from ..tables.columns import IMAGING

    told = [s.name for s in IMAGING if s.name not in ("patient_id", "site_id", "mri_date", "mri_coverage", "completed")]
    if not scans[told].notna().any(axis=None):
        return explanation
    own = reasoning(assess(chosen, scans.reset_index(drop=True), request.rulebook, request.today))
    known = {s.key for s in explanation.sources}
    return Chain(
        (*explanation.steps, *own.steps), (*explanation.sources, *(s for s in own.sources if s.key not in known))
    )
