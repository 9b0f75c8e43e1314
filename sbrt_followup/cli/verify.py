"""`verify`: does an output fit its manifest, its inputs and the rules. Exit 1 when something differs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from . import options as o


def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An output, with its manifest beside it or inside.")],
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[INPUT]...", help="Files it was made from: cohort, imaging, map.", show_default=False),
    ] = None,
    rules: o.Rules = None,
    format_: o.Format = None,
    output: o.Output = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
) -> None:
    """Verify an output: is it what its manifest says, from these inputs, by these rules.

    Exit 0 when all that was held against it fits, 1 when something differs, 2 when it cannot be told.

    Examples:

        sbrt-followup verify visits.xlsx

        sbrt-followup verify visits.csv cohort.csv mri.csv --rules our_rules/
    """
    import pandas as pd

    from ..report.verification import FAULTS, check_inputs, check_program, check_rules, manifest_of
    from ..rulebook.library import load
    from . import outputs
    from .inputs import manifest_of as own_manifest

    to = outputs.destination(format_, output, force, quiet)
    manifest, check = manifest_of(file)
    checks = [check, *check_inputs(manifest, inputs or []), *check_rules(manifest, load(rules, None).documents)]
    checks.append(check_program(manifest))
    frame = pd.DataFrame([asdict(c) for c in checks], columns=["part", "name", "result", "detail"])
    faults = sum(c.result in FAULTS for c in checks)
    unchecked = sum(c.result == "not_checked" for c in checks)
    said = f"{faults} of {len(checks)} differ." if faults else "Everything that was held against it fits."
    notes = [said, *([f"{unchecked} not checked."] if unchecked else [])]
    title = f"{file.name}: made by {manifest.get('command', '?')}, as of {manifest.get('as_of') or 'no day'}"
    body = {"fits": not faults}
    trace = lambda: own_manifest("verify", None, [], {}, {})  # noqa: E731
    outputs.deliver(outputs.Result(frame, title, "checks", trace, body, notes), to)
    if faults:
        raise typer.Exit(1)
