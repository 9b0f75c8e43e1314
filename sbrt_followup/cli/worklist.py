"""`worklist`: who is due or overdue, most urgent first; who stopped and why."""

from __future__ import annotations

from typing import Annotated

import typer

from . import options as o
from .schedule import Horizon, PlanName

NARROW = (
    "patient_id",
    "status",
    "next_due",
    "why",
    "days_overdue",
    "site_ids",
    "last_mri",
    "missed",
    "risk_group",
)


def worklist(
    cohort: o.Cohort = None,
    imaging: o.Imaging = None,
    assume_none_done: Annotated[
        bool, typer.Option("--assume-none-done", help="Without --imaging: count every past visit as not done.")
    ] = False,
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
) -> None:
    """List each patient's next MRI, overdue ones first, and who stopped and why.

    Examples:

        sbrt-followup worklist cohort.csv --imaging mri.csv --as-of 2025-06-15

        sbrt-followup worklist cohort.csv --imaging mri.csv -f json -o worklist.json
    """
    from ..report.tabular import json_rows
    from ..visits.worklist import status_counts
    from ..visits.worklist import worklist as reduce_
    from . import inputs, outputs
    from .schedule import in_parts, notes

    to = outputs.destination(format_, output, force, quiet)
    rulebook = inputs.open_rulebook(rules, profile)
    unasked = inputs.unasked_by(rulebook, plan)
    table = inputs.open_cohort(cohort, rulebook, map_file, date_format, on_error, quiet, unasked=unasked)
    scans = inputs.open_imaging(imaging, map_file, date_format, on_error, quiet)
    request = inputs.request(rulebook, plan, horizon, as_of, quiet, assume_none_done=assume_none_done, short=True)
    table = inputs.check_days(table, request.as_of, on_error)
    scans = inputs.placed(table, scans, quiet, on_error)
    scheduled = in_parts(table, scans, request, quiet)
    listed = reduce_(
        scheduled.visits, request.as_of, scheduled.asked, table.frame, table.left_out, scans.frame if scans else None
    )
    counts = status_counts(listed)
    arguments = {
        "plan": request.plan.id, "horizon": horizon, "profile": rulebook.profile.id, "cohort": cohort, "imaging": imaging,
        "assume_none_done": assume_none_done,
    }  # fmt: skip
    said = ", ".join(f"{n} {name}" for name, n in counts.items() if n) or "none"
    result = outputs.Result(
        frame=listed,
        title=f"Worklist as of {request.as_of}, plan {request.plan.id}",
        rows="patients",
        manifest=inputs.trace("worklist", request, table, scans, arguments, ("cohort", "imaging")),
        body={
            "as_of": request.as_of.isoformat(),
            "plan": request.plan.id,
            "status_counts": counts,
            "waiting_for_data": json_rows(scheduled.waiting),
            "excluded": [{"row": e.row, "reason": e.reason} for e in table.excluded],
        },
        notes=[f"Patients: {said}.", *notes(scheduled, request, scans)],
        narrow=NARROW,
    )
    outputs.deliver(result, to)
