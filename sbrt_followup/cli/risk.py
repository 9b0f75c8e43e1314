"""`risk`: the tier of each treated site or patient, what is missing, and whether the tier is robust."""

from __future__ import annotations

from typing import Annotated

import typer

from ..problems import refuse
from . import options as o
from . import patient as p

NARROW = ("patient_id", "site_id", "sins_low", "sins_high", "risk_group", "possible_groups", "robust", "missing")


def risk(
    cohort: o.Cohort = None,
    unit: Annotated[str, typer.Option("--unit", help="site or patient (worst site of each course).")] = "site",
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
    bilsky: p.Bilsky = None,
    paraspinal: p.Paraspinal = None,
    sins: p.Sins = None,
    lesion_type: p.LesionType = None,
) -> None:
    """Give the risk tier of each site or patient, which tiers stay possible, and which fact would settle it.

    Examples:

        sbrt-followup risk cohort.csv

        sbrt-followup risk cohort.csv --unit patient -f json

        sbrt-followup risk --bilsky 1b --paraspinal no --sins 9
    """
    from ..sites.risk import by_patient, by_site, flips, site_risk
    from . import inputs, outputs

    if unit not in ("site", "patient"):
        raise refuse("not-allowed", "--unit takes site or patient")
    to = outputs.destination(format_, output, force, quiet)
    rulebook = inputs.open_rulebook(rules, profile)
    facts = {
        "sbrt_date": sbrt_date,
        "level": level,
        "bilsky": bilsky,
        "paraspinal": paraspinal,
        "sins": sins,
        "lesion_type": lesion_type,
    }
    if any(facts.values()) and sbrt_date is None:
        # A tier does not depend on the date; any day stands for it.
        facts["sbrt_date"] = "2000-01-01"
        date_format = None
    single = p.one_patient(cohort, None, facts, None, date_format)
    table = single[0] if single else inputs.open_cohort(cohort, rulebook, map_file, date_format, on_error, quiet)
    sites = site_risk(table.frame, rulebook)
    frame = by_site(sites, table.frame) if unit == "site" else by_patient(sites, table.frame)
    arguments = {
        "unit": unit,
        "profile": rulebook.profile.id,
        "cohort": cohort,
        **{k: v for k, v in facts.items() if v},
    }
    documents = [rulebook.profile, rulebook.risk, rulebook.sins]
    notes = [
        f"Tiers by {rulebook.risk.name}: published variables, this project's own split ({rulebook.risk.basis}); the published split is not available.",
        "robust: the tier holds under every monotone split and every listed cut, paraspinal disease taken as recorded.",
    ]
    body = {
        "unit": unit,
        "excluded": [{"row": e.row, "reason": e.reason} for e in table.excluded],
        **({"flips": flips(sites, table.frame)} if unit == "site" and to.format == "json" else {}),
    }

    def trace() -> dict[str, object]:
        return inputs.manifest_of("risk", as_of, documents, {"cohort": table}, arguments, ("cohort", *facts))

    result = outputs.Result(frame, f"Risk per {unit}", "rows", trace, body, notes, NARROW)
    outputs.deliver(result, to)
