"""What leaves for other systems: the visits that can still take place, in the words that calendar and FHIR share.

A day that the schedule does not know is not shown: a booking counts as confirmed only with its own date.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...vocabulary import OPEN_VISITS
from ..manifest import INTENDED_USE

if TYPE_CHECKING:
    import pandas as pd


def open_visits(visits: pd.DataFrame) -> pd.DataFrame:
    """Give the visits that can still take place; `unknown` ones are past, or of patients whose follow-up stopped."""
    return visits.loc[visits["status"].astype(str).isin(OPEN_VISITS) & visits["due"].notna()].reset_index(drop=True)


def booked_day(line: Any) -> Any:
    """Give the day a visit is booked for, None where the schedule names none."""
    day = getattr(line, "booked_date", None)
    return None if day is None or str(day) == "NaT" else day.date()


def contraindicated(line: Any) -> bool:
    """Tell whether the patient must not have an MRI."""
    return bool(getattr(line, "mri_contraindicated", False))


def what(line: Any) -> str:
    """Name the examination."""
    return "Spine imaging (MRI contraindicated)" if contraindicated(line) else "Spine MRI"


def explanation(line: Any, identify: bool) -> str:
    """Say when, why and on what basis; the treated sites are the clinic's own words, so only where patients are named."""
    booked = booked_day(line)
    parts = [
        f"Sites {str(line.site_ids).replace(';', '; ')}" if identify else "",
        f"Booked for {booked}" if booked else "",
        f"Due {line.due.date()}, window {line.earliest.date()} to {line.latest.date()}",
        str(line.reason),
        f"Rule {line.rule}; basis {line.basis}",
        INTENDED_USE.removesuffix("."),
    ]
    return ". ".join(part for part in parts if part) + "."
