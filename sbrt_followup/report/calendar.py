"""The open visits as an iCalendar file (RFC 5545) that a calendar can import again and again.

A visit keeps its UID however its date moves (an HMAC of its key); SEQUENCE rises when it moved since the file exported
last; a visit that is gone is cancelled. No patient id stands in the file unless the caller says so. The stamp is the
as-of day, so the same input gives the same bytes.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from ..problems import refuse
from .pseudonyms import pseudonym

if TYPE_CHECKING:
    import pandas as pd

OPEN = ("overdue", "due", "booked", "upcoming", "unknown")
DOMAIN = "sbrt-followup"
USE = "Decision support for trained staff; it does not replace clinical judgement."


def _library() -> Any:
    try:
        import icalendar
    except ImportError:
        raise refuse(
            "needs-extra", "a calendar needs the package icalendar", hint="pip install 'sbrt-followup[calendar]'"
        ) from None
    return icalendar


def open_visits(visits: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Give the visits that can still take place: open ones with a due date; past unknown ones are history."""
    import pandas as pd

    status = visits["status"].astype(str)
    ahead = (status != "unknown") | (visits["latest"] >= pd.Timestamp(as_of))
    return visits.loc[status.isin(OPEN) & visits["due"].notna() & ahead].reset_index(drop=True)


def _before(data: bytes | None) -> dict[str, Any]:
    """Read the events exported last time, by UID."""
    if data is None:
        return {}
    try:
        calendar = _library().Calendar.from_ical(data)
        return {str(event["UID"]): event for event in calendar.walk("VEVENT")}
    except (ValueError, KeyError, IndexError):
        raise refuse("not-a-calendar", "the --previous file is not a calendar that was exported here") from None


def calendar(
    visits: pd.DataFrame, *, as_of: date, key: bytes, previous: bytes | None = None, identify: bool = False
) -> bytes:
    """Give the calendar; `visits` has the contract's columns and `visit_key`."""
    ical = _library()
    before = _before(previous)
    result = ical.Calendar()
    result.add("prodid", "-//sbrt-followup//MRI follow-up//EN")
    result.add("version", "2.0")
    result.add("calscale", "GREGORIAN")
    result.add("method", "PUBLISH")
    stamp = datetime.combine(as_of, time(), tzinfo=UTC)
    seen: set[str] = set()
    ahead = set(open_visits(visits, as_of)["visit_key"])
    for line in visits.loc[visits["due"].notna()].itertuples():
        uid = f"{pseudonym(key, str(line.visit_key))}@{DOMAIN}"
        # A visit exported before stays in the calendar when it is done or missed; others only while they are open.
        if line.visit_key not in ahead and uid not in before:
            continue
        seen.add(uid)
        event = _event(ical, line, uid, key, stamp, identify)
        event.add("sequence", _sequence(before.get(uid), event))
        result.add_component(event)
    for uid, old in sorted(before.items()):
        if uid not in seen:
            result.add_component(_cancelled(ical, old, stamp))
    return bytes(result.to_ical())


def _event(ical: Any, line: Any, uid: str, key: bytes, stamp: datetime, identify: bool) -> Any:
    who = str(line.patient_id) if identify else f"patient {pseudonym(key, str(line.patient_id))[:8]}"
    event = ical.Event()
    event.add("uid", uid)
    event.add("dtstamp", stamp)
    event.add("dtstart", line.due.date())
    event.add("dtend", line.due.date() + timedelta(days=1))
    event.add("summary", f"Spine MRI, {who}, visit {line.visit} ({line.status})")
    event.add(
        "description",
        f"Window {line.earliest.date()} to {line.latest.date()}. {line.reason}. Rule {line.rule}; basis {line.basis}. {USE}",
    )
    event.add("status", "CONFIRMED" if line.status in ("booked", "done") else "TENTATIVE")
    event.add("transp", "TRANSPARENT")
    event.add("categories", ["MRI follow-up"])
    return event


def _sequence(old: Any, new: Any) -> int:
    if old is None:
        return 0
    number = int(old.get("SEQUENCE", 0))
    same = all(str(old.get(f).to_ical() if hasattr(old.get(f), "to_ical") else old.get(f)) ==
               str(new.get(f).to_ical() if hasattr(new.get(f), "to_ical") else new.get(f))
               for f in ("DTSTART", "SUMMARY", "DESCRIPTION", "STATUS"))  # fmt: skip
    return number if same else number + 1


def _cancelled(ical: Any, old: Any, stamp: datetime) -> Any:
    event = ical.Event()
    for name in ("uid", "summary"):
        event.add(name, old[name.upper()])
    event.add("dtstamp", stamp)
    event["DTSTART"], event["DTEND"] = old["DTSTART"], old["DTEND"]
    already = str(old.get("STATUS")) == "CANCELLED"
    event.add("sequence", int(old.get("SEQUENCE", 0)) + (0 if already else 1))
    event.add("status", "CANCELLED")
    return event
