"""MRIs and sites of two tables laid together: whom each MRI serves, what is set aside and why; SINS totals held against their items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from ..problems import InputRefused, Problem, Source, refuse
from ..rulebook.model import SinsScore
from ..tables.columns import COHORT
from ..tables.guards import far_dates
from ..tables.left_out import COLUMNS, left_out
from ..tables.matching import NEAR, match
from ..tables.records import Exclusion, Records
from ..tables.row_problems import rows_named
from .coverage import scans_after_death, unplaced
from .facts import site_facts

if TYPE_CHECKING:
    import pandas as pd

SINS_ITEMS = tuple(spec.name for spec in COHORT if spec.name.startswith("sins_"))
_SINS = "the SINS total does not fit its components"
_DEAD = "column mri_date: lies after the patient's death_date"


@dataclass(frozen=True)
class Placed:
    """An imaging table with only the MRIs that serve a site, and what must be said of the others."""

    imaging: Records
    said: tuple[str, ...]


def check_sins(records: Records, sins: SinsScore, on_error: str, unasked: bool = False) -> Records:
    """Hold given SINS totals against the items given with them.

    A total that contradicts items typed beside it is refused (or left out, or taken as unknown); one that only cannot
    be right with its level and lesion type is a caution, as is either where no rule of the question asks for SINS.
    """
    if "sins" not in records.given:
        return records
    frame = records.frame
    wrong = site_facts(frame, sins).disagrees
    if not wrong.any():
        return records
    typed = frame[list(SINS_ITEMS)].notna().any(axis=1).to_numpy()
    rows = frame["row"].to_numpy()
    mild, hard = [int(r) for r in rows[wrong & ~typed]], [int(r) for r in rows[wrong & typed]]
    place = Source(records.name)
    cautions = list(records.cautions)
    if mild:
        message = f"{rows_named(mild)}, column sins: the SINS total cannot be right with this level and lesion type; used as given"
        cautions.append(Problem("sins-disagrees", message, place, "warning", rows=tuple(mild), column="sins"))
    if hard and (unasked or on_error == "keep"):
        message = f"{rows_named(hard)}, column sins: {_SINS}; taken as unknown"
        cautions.append(Problem("sins-disagrees", message, place, "warning", rows=tuple(hard), column="sins"))
        frame = frame.assign(sins=frame["sins"].mask(frame["row"].isin(hard)))
        return replace(records, frame=frame, cautions=tuple(cautions))
    records = replace(records, cautions=tuple(cautions))
    if not hard:
        return records
    if on_error != "exclude":
        message = f"{rows_named(hard)}, column sins: {_SINS}"
        hint = "Correct one of them."
        raise InputRefused([Problem("sins-disagrees", message, place, hint=hint, rows=tuple(hard), column="sins")])
    return without_rows(records, dict.fromkeys(hard, f"column sins: {_SINS}"))


def check_days(records: Records, as_of: date, on_error: str) -> Records:
    """Refuse days of treatment, booking and contact years after the as-of day, or leave out the rows (a booking: unknown)."""
    found = far_dates(records.frame, as_of, records.name, records.theirs)
    if not found.kinds:
        return records
    if on_error == "refuse":
        raise InputRefused(found.problems())
    unknown = [kind for kind in found.kinds if kind.column == "booked_date" and on_error == "keep"]
    frame = records.frame
    for kind in unknown:
        frame = frame.assign(**{kind.column: frame[kind.column].mask(frame["row"].isin(found.kinds[kind]))})
    records = replace(records, frame=frame, cautions=(*records.cautions, *(found.caution(kind) for kind in unknown)))
    strict = [kind for kind in found.kinds if kind not in unknown]
    return without_rows(records, found.reasons(strict)) if strict else records


def without_rows(records: Records, reasons: dict[int, str]) -> Records:
    """Leave out rows of a cohort that was read, with their reasons; a patient of whom nothing is left gets a line."""
    import pandas as pd

    gone = records.frame["row"].isin(list(reasons))
    kept = records.frame.loc[~gone].reset_index(drop=True)
    lines = left_out(kept, records.frame.loc[gone], reasons)
    if records.left_out is not None and len(records.left_out):
        lines = pd.concat([records.left_out, lines], ignore_index=True)[list(COLUMNS)]
    more = tuple(Exclusion(row, reason) for row, reason in reasons.items())
    excluded = tuple(sorted((*records.excluded, *more), key=lambda e: e.row))
    return replace(records, frame=kept, excluded=excluded, left_out=lines)


def matched_text(cohort: Records, imaging: Records) -> list[str]:
    """Say how many MRIs belong to a patient of the cohort, and which ids are nearly the same."""
    found = match(cohort.frame, imaging.frame, cohort)
    kinds: dict[str, list[int]] = {}
    for row, (_, kind) in found.near.items():
        kinds.setdefault(kind, []).append(row)
    near = (f"imaging {rows_named(rows)}: the id {NEAR[kind]} from one of the cohort" for kind, rows in kinds.items())
    return [found.text, *near]


def place(cohort: Records, imaging: Records, on_error: str) -> Placed:
    """Set aside MRIs of no site in the cohort and say so, the count first; refuse MRIs after a death.

    Raises InputRefused when more than half of the MRIs match no patient: then the ids are written differently.
    """
    matched = match(cohort.frame, imaging.frame, cohort)
    near = {
        row: f"its patient is not in the cohort; the id {NEAR[kind]} from cohort row {at}"
        for row, (at, kind) in matched.near.items()
    }
    if len(imaging.frame) and matched.most_fail and len(cohort.frame):
        raise refuse(
            "ids-do-not-match", f"{matched.text}{_in_what(matched.near)}", Source(imaging.name), _hint(matched.near)
        )
    reasons = unplaced(cohort.frame, imaging.frame)
    reasons |= {row: text for row, text in near.items() if row in reasons}
    reasons |= _of_those_left_out(cohort, imaging.frame, reasons)
    late = [row for row in scans_after_death(_latest_death(cohort), imaging.frame) if row not in reasons]
    if late and on_error == "refuse":
        problem = Problem(
            "impossible-dates",
            f"{rows_named(late)}, {_DEAD}",
            Source(imaging.name),
            rows=tuple(late),
            column="mri_date",
        )
        raise InputRefused([problem])
    reasons |= dict.fromkeys(late, _DEAD)
    said = [f"{imaging.name}: {matched.text}"] if matched.unmatched else []
    kinds: dict[str, list[int]] = {}
    for row, reason in sorted(reasons.items()):
        kinds.setdefault(reason, []).append(row)
    said += [f"excluded: imaging {rows_named(rows)}: {reason}" for reason, rows in kinds.items()]
    frame = imaging.frame.loc[~imaging.frame["row"].isin(list(reasons))].reset_index(drop=True)
    gone = tuple(Exclusion(row, reason) for row, reason in reasons.items())
    excluded = tuple(sorted((*imaging.excluded, *gone), key=lambda e: e.row))
    return Placed(replace(imaging, frame=frame, excluded=excluded), tuple(said))


def _in_what(near: Mapping[int, tuple[int, str]]) -> str:
    kinds = {kind for _, kind in near.values()}
    return f"; {len(near)} of the others {_PLURAL[min(kinds)]}" if kinds else ""


_PLURAL = {
    "zeros": "differ from one only in leading zeros",
    "case": "differ from one only in capital and small letters",
    "spaces": "differ from one only in spaces or signs",
}


def _hint(near: Mapping[int, tuple[int, str]]) -> str:
    if near:
        return "Write the ids alike in both files (format the column as text)."
    return "Are both files of the same clinic, and do both hold the same kind of id?"


def _of_those_left_out(cohort: Records, imaging: pd.DataFrame, reasons: dict[int, str]) -> dict[int, str]:
    """MRIs of patients left out are not strangers."""
    if cohort.left_out is None or not len(cohort.left_out):
        return {}
    known = imaging["patient_id"].isin(cohort.left_out["patient_id"].dropna())
    return {
        int(row): "its patient is left out of the cohort" for row in imaging.loc[known, "row"] if int(row) in reasons
    }


def _latest_death(cohort: Records) -> pd.DataFrame:
    """Give the cohort with deaths known to the month on the month's last day."""
    import pandas as pd

    rows = cohort.months.get("death_date", frozenset())
    frame = cohort.frame[["patient_id", "row", "death_date"]]
    if not rows:
        return frame
    known = frame["row"].isin(rows)
    ends = frame["death_date"] + pd.offsets.MonthEnd(0)
    return frame.assign(death_date=frame["death_date"].where(~known, ends))
