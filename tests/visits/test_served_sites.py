"""What is known of any site that a visit serves stands on the visit: it must not vanish with the site that does not lead."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from sbrt_followup.rulebook.library import load
from sbrt_followup.tables.records import cohort_of, imaging_of
from sbrt_followup.visits.patterns import Request
from sbrt_followup.visits.schedule import schedule

A = {"patient_id": "Z", "site_id": "A", "sbrt_date": "2025-03-05"}
B = {"patient_id": "Z", "site_id": "B", "sbrt_date": "2025-03-12"}


def visits_of(
    first: dict[str, str],
    second: dict[str, str],
    as_of: date = date(2025, 6, 1),
    scans: list[dict[str, str]] | None = None,
) -> pd.DataFrame:
    rulebook = load()
    imaging = imaging_of(scans).frame if scans else None
    rows = [{**dict.fromkeys({*first, *second}, ""), **row} for row in (first, second)]
    return schedule(cohort_of(rows).frame, imaging, Request(rulebook, rulebook.plan, as_of, keys=True)).visits


@pytest.mark.parametrize("holder", ["A", "B"])
def test_a_booking_of_either_site_books_the_visit(holder: str) -> None:
    booking = {"booked_date": "2025-06-18"}
    visits = visits_of(A | booking if holder == "A" else A, B | booking if holder == "B" else B)
    first = visits.iloc[0]
    assert (first["site_ids"], first["status"], str(first["booked_date"])[:10]) == ("A;B", "booked", "2025-06-18")
    assert first["reason"].endswith("booked; one MRI for several sites (interpretation)")


def test_a_booking_outside_what_the_windows_have_in_common_says_so() -> None:
    # Windows: A 22 May to 19 June, B 29 May to 26 June; 20 June suits B alone.
    first = visits_of(A, B | {"booked_date": "2025-06-20"}).iloc[0]
    assert first["status"] == "booked" and "booked outside its window" in first["reason"]


def test_a_booking_that_lapsed_is_told_whichever_site_held_it() -> None:
    first = visits_of(A, B | {"booked_date": "2025-05-30"}).iloc[0]
    assert "the booked day has passed" in first["reason"]


@pytest.mark.parametrize("column", ["mri_contraindication", "gadolinium_contraindication"])
@pytest.mark.parametrize("holder", ["A", "B"])
def test_a_contraindication_on_any_row_is_the_patients(column: str, holder: str) -> None:
    word = "MRI contraindicated" if column.startswith("mri") else "no gadolinium"
    visits = visits_of(A | ({column: "yes"} if holder == "A" else {}), B | ({column: "yes"} if holder == "B" else {}))
    ahead = visits.loc[visits["status"].isin(["due", "upcoming"])]
    assert len(ahead) and ahead["reason"].str.contains(word).all()


def test_progression_at_the_site_that_does_not_lead_is_told() -> None:
    visits = visits_of(A, B | {"progression_date": "2025-05-28"})
    ahead = visits.loc[visits["status"].isin(["due", "upcoming"])]
    assert ahead["reason"].str.contains("awaiting treatment decision").all()


def test_the_status_is_that_of_the_window_shown() -> None:
    # A's window ends on 19 June, B's on 26 June: what serves both is late from 20 June on.
    scans = [{"patient_id": "Z", "site_id": "A", "mri_date": "2025-03-01"}]
    for leader, other in ((A, B), (B, A)):
        first = visits_of(leader, other, date(2025, 6, 22), scans).iloc[0]
        assert (str(first["latest"])[:10], first["status"]) == ("2025-06-19", "overdue")


def test_a_site_that_stopped_does_not_hide_one_that_goes_on() -> None:
    scans = [{"patient_id": "Z", "site_id": "A", "mri_date": "2025-03-01"}]
    stopped = A | {"stop_reason": "surgery", "last_contact_date": "2025-06-10"}
    visits = visits_of(stopped, B, date(2025, 7, 10), scans)
    going_on = visits.loc[(visits["site_ids"] == "B") & visits["due"].notna()].iloc[0]
    assert going_on["status"] == "overdue"
