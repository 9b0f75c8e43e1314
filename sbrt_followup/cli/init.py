"""`init`: a folder to start with: a workbook to fill in, the map that reads it, and a place for the clinic's own rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..problems import Source, refuse
from . import options as o
from .call import current

if TYPE_CHECKING:
    from ..rulebook.library import Rulebook

WORKBOOK, MAP, RULES, README = "register.xlsx", "map.yaml", "our_rules", "README.md"


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="The folder to make or to fill; nothing in it is written over.")
    ],
    quiet: o.Quiet = False,
) -> None:
    """Make a folder to start with: a workbook with drop-downs and date checks, its map, and a rulebook of your own.

    Examples:

        sbrt-followup init our_clinic

        sbrt-followup worklist our_clinic/register.xlsx --imaging our_clinic/register.xlsx --map our_clinic/map.yaml
    """
    from ..report.starter import starter_workbook
    from . import inputs

    rulebook = inputs.open_rulebook(None, None)
    texts = {
        MAP: _map(),
        f"{RULES}/profile.yaml": _profile(rulebook),
        f"{RULES}/plan.yaml.example": _example_plan(rulebook),
        README: _readme(folder.name),
    }
    taken = [name for name in (WORKBOOK, *texts) if (folder / name).exists()]
    if taken:
        raise refuse("file-exists", f"{', '.join(taken)} exist(s) already", Source(folder.name), "Name another folder.")
    book = starter_workbook()
    call = current()
    call.write(folder / WORKBOOK, book, False, None, "", folder=True)
    for name, text in texts.items():
        call.write(folder / name, text.encode(), False, None, "", folder=True)
    call.tell(f"written: {folder.name}/{WORKBOOK}, {', '.join(texts)}")


def _map() -> str:
    from ..report.starter import EXAMPLE

    return f"""# How register.xlsx is read. `sbrt-followup map` writes such a file for any other workbook.
cohort:
  sheet: "Cohort"
  skip_rows: ["{EXAMPLE}"]
imaging:
  sheet: "MRI"
  skip_rows: ["{EXAMPLE}"]
"""


def _profile(rulebook: Rulebook) -> str:
    """The default profile under the clinic's own name: the place where its documents are chosen."""
    base = rulebook.profile
    response = "".join(f"  - {name}\n" for name in base.response)
    return f"""# Which documents our clinic follows: the packaged default's, under our own name. To follow another plan, name it here:
# mri-review-2025, mri-review-2025-tiered, chen-2024, or one of your own in this folder (see plan.yaml.example).
# Check it with: sbrt-followup rules audit --rules {RULES} --profile our-clinic
id: our-clinic
version: 1.0.0
kind: profile
title: Follow-up after spine SBRT in our clinic
basis: local
verified: []
plan: {base.plan}
risk: {base.risk}
sins: {base.sins}
pseudoprogression: [{", ".join(base.pseudoprogression)}]
response:
{response}protocol: {base.protocol}
"""


def _example_plan(rulebook: Rulebook) -> str:
    plan = rulebook.plan
    return f"""# Rename this file to plan.yaml to change the packaged plan: only what stands under `changes` differs, each with who approved it.
id: {plan.id}
version: {_next(plan.version)}
kind: plan
title: {plan.title}, as our clinic books it
extends:
  document: {plan.name}
  version: {plan.version}
  content_hash: "{plan.content_hash}"
changes:
  - at: tolerance.value
    to: 7
    why: Why we deviate
    approved_by: Name and role, date
verified: []
"""


def _next(version: str) -> str:
    major, minor, patch = version.split(".")
    return f"{major}.{minor}.{int(patch) + 1}"


def _readme(name: str) -> str:
    return f"""# Spine SBRT follow-up of our clinic

1. Fill in `{WORKBOOK}`: one row per treated site on the sheet Cohort, one row per MRI on the sheet MRI. Yellow columns are required.
   The header's notes say what a column may hold. Delete the example rows when you like: they are not read.
2. Who needs an MRI, and when:

       sbrt-followup worklist {WORKBOOK} --imaging {WORKBOOK} --map {MAP}

3. What is wrong in the table, by row and column:

       sbrt-followup check {WORKBOOK} --imaging {WORKBOOK} --map {MAP}

4. Own rules (another plan, a booking tolerance) stand in `{RULES}/`; a deviation names who approved it and why:

       sbrt-followup worklist {WORKBOOK} --imaging {WORKBOOK} --map {MAP} --rules {RULES} --profile our-clinic

Patients' data stay on this machine: the program opens no network connection.
"""
