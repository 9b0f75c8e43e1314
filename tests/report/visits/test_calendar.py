"""Calendars that can be imported again and again: same visit same UID, moved ones rise, gone ones are cancelled."""

from __future__ import annotations

import os
import re
import sys
from datetime import date
from pathlib import Path
from typing import Any

import icalendar
import pandas as pd
import pytest
from helpers.visits_frames import AS_OF, KEY, OTHER_KEY, SECRETS, every_status, frame, line, scheduled
from hypothesis import given, settings
from hypothesis import strategies as st

from sbrt_followup.problems import InputRefused
from sbrt_followup.report.visits.calendar import calendar

GOLDEN = Path(__file__).parents[2] / "golden" / "visits.ics"
SITE = {"patient_id": "MRN-778899 Jane", "sbrt_date": "2025-01-31"}


def made(visits: pd.DataFrame, previous: bytes | None = None, **options: Any) -> bytes:
    return calendar(visits, **{"as_of": AS_OF, "key": KEY, "previous": previous, **options})


def events(data: bytes) -> dict[str, Any]:
    found = icalendar.Calendar.from_ical(data).walk("VEVENT")
    assert len({str(e["UID"]) for e in found}) == len(found), "a UID stands twice"
    return {str(e["UID"]): e for e in found}


def by_visit(data: bytes) -> dict[int, Any]:
    return {int(re.search(r"visit (\d+)", str(e["SUMMARY"])).group(1)): e for e in events(data).values()}  # type: ignore[union-attr]


def code_of(previous: bytes, key: bytes = KEY) -> str:
    with pytest.raises(InputRefused) as refused:
        made(every_status(), previous, key=key)
    return refused.value.problems[0].code


def test_bytes_are_what_they_were() -> None:
    data = made(every_status())
    if os.environ.get("UPDATE_GOLDEN") == "1":
        GOLDEN.write_bytes(data)
    assert data == GOLDEN.read_bytes()


def test_only_visits_that_can_still_take_place_stand_in_a_first_calendar() -> None:
    assert sorted(by_visit(made(every_status()))) == [3, 4, 5, 6]


def test_an_event_is_all_day_on_the_due_day_and_a_booked_one_on_the_booked_day() -> None:
    found = by_visit(made(every_status()))
    assert found[4]["DTSTART"].dt == date(2025, 6, 20)
    assert found[4]["DTEND"].dt == date(2025, 6, 21)
    assert found[4]["STATUS"] == "TENTATIVE"
    assert "window 2025-06-10 to 2025-06-30" in found[4]["DESCRIPTION"]
    assert "basis assumption" in found[4]["DESCRIPTION"]
    assert found[5]["DTSTART"].dt == date(2025, 9, 12)
    assert found[5]["STATUS"] == "CONFIRMED"
    assert "Booked for 2025-09-12. Due 2025-09-10" in found[5]["DESCRIPTION"]


def test_a_booking_without_its_day_confirms_nothing() -> None:
    found = by_visit(made(frame(line(5, "2025-09-10", "booked"))))
    assert found[5]["STATUS"] == "TENTATIVE"


def test_an_mri_that_is_contraindicated_is_not_proposed_as_one() -> None:
    found = by_visit(made(frame(line(1, "2025-09-10", "due", mri_contraindicated=True))))
    assert str(found[1]["SUMMARY"]).startswith("Spine imaging (MRI contraindicated)")


def test_the_stamp_is_the_as_of_day_whatever_the_clock_says() -> None:
    assert {str(e["DTSTAMP"].dt) for e in events(made(every_status())).values()} == {"2025-06-15 00:00:00+00:00"}


def test_what_rfc_5546_asks_of_a_published_event_is_there() -> None:
    whole = icalendar.Calendar.from_ical(made(every_status()))
    assert whole["METHOD"] == "PUBLISH"
    for event in whole.walk("VEVENT"):
        assert {"UID", "DTSTAMP", "DTSTART", "ORGANIZER", "SUMMARY", "SEQUENCE"} <= set(event)


# ---- again and again ----


def test_nothing_changed_nothing_rises() -> None:
    first = made(every_status())
    second = made(every_status(), first)
    assert second == first


def test_a_moved_visit_keeps_its_uid_and_rises() -> None:
    before = frame(line(4, "2025-06-20", "due"), line(6, "2025-12-10", "upcoming"))
    after = frame(line(4, "2025-06-25", "due"), line(6, "2025-12-10", "upcoming"))
    first, second = made(before), made(after, made(before))
    assert set(events(first)) == set(events(second))
    assert (by_visit(second)[4]["SEQUENCE"], by_visit(second)[6]["SEQUENCE"]) == (1, 0)
    assert by_visit(second)[4]["DTSTART"].dt == date(2025, 6, 25)
    third = made(before, second)
    assert by_visit(third)[4]["SEQUENCE"] == 2


def test_a_visit_that_is_gone_is_cancelled_once_and_comes_back_higher() -> None:
    both, one = (
        frame(line(4, "2025-06-20", "due"), line(6, "2025-12-10", "upcoming")),
        frame(line(4, "2025-06-20", "due")),
    )
    gone = made(one, made(both))
    assert (by_visit(gone)[6]["STATUS"], by_visit(gone)[6]["SEQUENCE"]) == ("CANCELLED", 1)
    assert by_visit(gone)[6]["DTSTART"].dt == date(2025, 12, 10)
    assert by_visit(gone)[4]["STATUS"] == "TENTATIVE"
    assert made(one, gone) == gone
    back = by_visit(made(both, gone))[6]
    assert (back["STATUS"], back["SEQUENCE"]) == ("TENTATIVE", 2)


def test_a_visit_done_since_stays_on_the_day_of_its_scan() -> None:
    before = made(frame(line(4, "2025-06-20", "due")))
    done = by_visit(made(frame(line(4, "2025-06-20", "done", satisfied_by="2025-06-23")), before))[4]
    assert (done["STATUS"], done["DTSTART"].dt, done["SEQUENCE"]) == ("CONFIRMED", date(2025, 6, 23), 1)


def test_a_visit_that_was_done_before_the_first_export_never_appears() -> None:
    assert not events(made(frame(line(4, "2025-06-20", "done", satisfied_by="2025-06-23"))))


@pytest.mark.slow
@settings(deadline=None, max_examples=30)
@given(st.lists(st.dictionaries(st.integers(1, 4), st.integers(0, 3), max_size=4), min_size=1, max_size=5))
def test_over_any_history_sequences_never_fall_and_no_event_is_forgotten(history: list[dict[int, int]]) -> None:
    previous, before = None, {}
    for visits in history:
        rows = [line(v, f"2025-09-1{shift}", "upcoming") for v, shift in visits.items()] or [
            line(9, "2025-01-01", "missed")
        ]
        previous = made(frame(*rows), previous)
        now = events(previous)
        assert set(before) <= set(now)
        for uid, old in before.items():
            changed = any(old.get(n) != now[uid].get(n) for n in ("DTSTART", "STATUS", "SUMMARY"))
            assert now[uid]["SEQUENCE"] == old["SEQUENCE"] + changed
        assert {v for v, e in by_visit(previous).items() if e["STATUS"] != "CANCELLED"} == set(visits)
        before = now


# ---- whose calendar ----


@pytest.mark.parametrize(
    "data",
    [
        b"", b"hello", b"BEGIN:VCALENDAR", b"\xff\xfe\x00",
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//me//EN\r\nEND:VCALENDAR\r\n",
        (b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//me//EN\r\nBEGIN:VEVENT\r\nUID:dentist@home\r\nDTSTAMP:20250101T000000Z\r\n"
        b"DTSTART;VALUE=DATE:20250701\r\nDTEND;VALUE=DATE:20250702\r\nSUMMARY:Dentist\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"),
    ],
    ids=["empty", "text", "cut", "binary", "no events", "another program's"],
)  # fmt: skip
def test_another_calendar_is_refused_lest_its_events_be_cancelled(data: bytes) -> None:
    assert code_of(data) == "not-a-calendar"


def test_a_foreign_event_added_to_our_calendar_is_refused() -> None:
    mine = made(every_status())
    stranger = (
        b"BEGIN:VEVENT\r\nUID:dentist@home\r\nDTSTAMP:20250101T000000Z\r\nDTSTART;VALUE=DATE:20250701\r\n"
        b"DTEND;VALUE=DATE:20250702\r\nSUMMARY:Dentist\r\nSEQUENCE:0\r\nEND:VEVENT\r\nEND:VCALENDAR"
    )
    assert code_of(mine.replace(b"END:VCALENDAR", stranger)) == "not-a-calendar"


def test_another_key_is_refused_lest_every_visit_be_entered_anew() -> None:
    assert code_of(made(every_status()), OTHER_KEY) == "other-key"


# ---- privacy ----


def test_no_identifier_stands_in_it_unless_asked() -> None:
    text = made(every_status()).replace(b"\r\n ", b"").decode()
    assert not [secret for secret in SECRETS if secret in text]
    named = made(every_status(), identify=True).replace(b"\r\n ", b"").decode()
    assert all(secret in named for secret in SECRETS)
    assert text.count("CLASS:PRIVATE") == named.count("CLASS:PRIVATE") == len(events(named.encode()))


def test_a_uid_holds_no_identifier_even_when_patients_are_named_and_goes_by_the_key() -> None:
    hidden, named = events(made(every_status())), events(made(every_status(), identify=True))
    assert set(hidden) == set(named)
    assert not set(hidden) & set(events(made(every_status(), key=OTHER_KEY)))
    assert all(re.fullmatch(r"[0-9a-f]{64}@sbrt-followup", uid) for uid in named)


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "icalendar", None)
    with pytest.raises(InputRefused) as refused:
        made(every_status())
    assert "sbrt-followup[calendar]" in refused.value.problems[0].hint


# ---- with the program's own schedule ----


def test_a_dead_patient_has_no_open_event_and_earlier_ones_are_cancelled() -> None:
    before = made(scheduled([SITE], as_of=date(2025, 4, 20)), as_of=date(2025, 4, 20))
    # The window of the visit of 30 April runs to 14 May: it is open on the as-of day, but nobody can come.
    dead = scheduled([{**SITE, "death_date": "2025-05-05"}], as_of=date(2025, 5, 8))
    assert not events(made(dead, as_of=date(2025, 5, 8)))
    after = events(made(dead, before, as_of=date(2025, 5, 8)))
    ahead = [e for e in after.values() if e["DTSTART"].dt > date(2025, 5, 8)]
    assert ahead
    assert {str(e["STATUS"]) for e in ahead} == {"CANCELLED"}


def test_a_booking_is_confirmed_on_its_own_day() -> None:
    found = by_visit(made(scheduled([{**SITE, "sbrt_date": "2025-03-31", "booked_date": "2025-07-02"}])))
    assert (found[1]["DTSTART"].dt, found[1]["STATUS"]) == (date(2025, 7, 2), "CONFIRMED")


def test_a_new_scan_moves_the_following_visits_under_their_old_uids() -> None:
    scan = {"patient_id": SITE["patient_id"], "mri_date": "2025-05-02"}
    first = made(scheduled([SITE], [{**scan, "completed": "no"}], date(2025, 4, 20)), as_of=date(2025, 4, 20))
    second = made(scheduled([SITE], [scan]), first)
    assert set(events(first)) == set(events(second))
    assert by_visit(second)[1]["DTSTART"].dt == date(2025, 5, 2)
    assert by_visit(second)[2]["SEQUENCE"] == 1


def test_two_visits_never_share_a_uid_whatever_their_ids_hold() -> None:
    sites = [
        {"patient_id": "A|B", "site_id": "C", "sbrt_date": "2025-03-31"},
        {"patient_id": "A", "site_id": "B|C", "sbrt_date": "2025-03-31"},
    ]
    visits = scheduled(sites)
    assert len(events(made(visits))) == (visits["due"].notna() & (visits["status"] != "unknown")).sum()
