"""A plan to sign, written into a folder of its own, with what it would change for these patients."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from .call import Trace, current, say
from .inputs import day_of, request

if TYPE_CHECKING:
    from ..rulebook.library import Rulebook
    from ..rulebook.model import Plan
    from ..tables.records import Records

UNSIGNED = 'approved_by: ""'


def check_room(folder: Path, name: str, force: bool) -> None:
    """Refuse to write over a proposal, before any work is done."""
    from ..report.files import check_free

    if folder.exists():
        check_free(folder / f"{name}.yaml", force)


def write(text: str, name: str, folder: Path, base: Plan, trace: Trace, force: bool) -> None:
    """Write the overlay that nobody has signed yet, with its manifest beside it, and say how to go on."""
    said = (
        f"written: {name}.yaml, a proposal: sign approved_by in it, then run `sbrt-followup rules check {folder.name}` and "
        f"`sbrt-followup rules impact COHORT --to {folder.name} --plan {base.id} --plan-to {name}`"
    )
    current().write(folder / f"{name}.yaml", text.encode(), force, trace, said, folder=True)


def say_impact(
    text: str,
    name: str,
    before: Rulebook,
    base: Plan,
    cohort: Records,
    scans: Records | None,
    as_of: str | None,
    quiet: bool,
) -> None:
    """Say what `rules impact` would say once the proposal is signed."""
    from ..audits.impact import impact
    from ..report.rules.impact_text import summary
    from ..rulebook.library import load

    with tempfile.TemporaryDirectory() as scratch:
        signed = text.replace(UNSIGNED, 'approved_by: "nobody yet"')
        (Path(scratch) / f"{name}.yaml").write_text(signed, encoding="utf-8")
        after = load(Path(scratch), before.profile.id)
    today = day_of(as_of, quiet).isoformat()
    sides = request(before, base.id, None, today, True), request(after, name, None, today, True)
    found = impact(cohort.frame, None if scans is None else scans.frame, *sides)
    say(f"If signed, from {base.id} to {name}, as of {today}:", quiet)
    for line in summary(found):
        say(f"  {line}", quiet)
