"""All problems of a cohort and its MRIs, gathered in one go: what reading, laying together and dating them finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from ..problems import InputRefused, Problem, Source
from ..rulebook.model import SinsScore
from ..tables.mapping import MapFile
from ..tables.records import Records, read_cohort, read_imaging
from .placing import check_days, check_sins, place

NOT_A_TABLE = frozenset({"unreadable", "not-a-local-file", "needs-extra", "too-large"})
"""What says that no table could be looked at."""


@dataclass
class TableCheck:
    """What was found, and how many rows can be used as they stand."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    tables: dict[str, Records] = field(default_factory=dict)

    @property
    def errors(self) -> int:
        """How many kinds of problem stop a command."""
        return sum(problem.severity == "error" for problem in self.problems)

    def read(self, step: Callable[[], Records | None]) -> Records | None:
        """Take one step; what it refuses is noted, unless there is no table at all."""
        try:
            return step()
        except InputRefused as refused:
            if all(problem.code in NOT_A_TABLE for problem in refused.problems):
                raise
            self.problems += refused.problems
            return None


def check_tables(
    cohort: str, imaging: str | None, how: MapFile, date_format: str | None, sins: SinsScore, as_of: date
) -> TableCheck:
    """Check a cohort, and its MRIs where they are given; raises InputRefused only where a file cannot be looked at."""
    found = TableCheck()
    table = _table(
        found, "cohort", lambda on: read_cohort(cohort, column_map=how.cohort, date_format=date_format, on_error=on)
    )
    if table is not None:
        table = _checked(found, table, sins, as_of)
    scans = None
    if imaging is not None:
        scans = _table(
            found,
            "imaging",
            lambda on: read_imaging(imaging, column_map=how.imaging, date_format=date_format, on_error=on),
        )
    if table is not None and scans is not None:
        found.read(lambda: place(table, scans, "refuse").imaging)
        try:
            placed = place(table, scans, "exclude")
        except InputRefused:
            return found
        known = {exclusion.row for exclusion in scans.excluded}
        kinds: dict[str, list[int]] = {}
        for exclusion in placed.imaging.excluded:
            if exclusion.row not in known and not exclusion.reason.startswith("column "):
                kinds.setdefault(exclusion.reason, []).append(exclusion.row)
        found.problems += [
            Problem("mri-of-nobody", reason, Source(scans.name), "warning", rows=tuple(rows))
            for reason, rows in kinds.items()
        ]
    return found


def _checked(found: TableCheck, table: Records, sins: SinsScore, as_of: date) -> Records:
    """Hold totals against items and days against the as-of day; gives the rows that pass."""
    found.read(lambda: check_sins(table, sins, "refuse"))
    kept = check_sins(table, sins, "exclude")
    found.read(lambda: check_days(kept, as_of, "refuse"))
    return check_days(kept, as_of, "exclude")


def _table(found: TableCheck, role: str, read: Callable[[str], Records]) -> Records | None:
    """Read one table twice: for its problems, and for what is left without them."""
    whole = found.read(lambda: read("refuse"))
    if whole is None:
        try:
            whole = read("exclude")
        except InputRefused:
            return None
    found.problems += whole.cautions
    found.notes += whole.notes
    found.tables[role] = whole
    return whole
