"""The open visits as an iCalendar file (RFC 5545, 5546) that a calendar can import again and again.

A visit keeps its UID however its date moves (an HMAC of its key); SEQUENCE rises when it changed since the file exported
last; a visit that is gone is cancelled. An event stands on the booked day, else the day done, else the due day. No
patient id stands in the file unless the caller says so. The stamp is the as-of day: same input, same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from ...problems import refuse
from .proposals import booked_day, explanation, open_visits, what
from .pseudonyms import pseudonym

if TYPE_CHECKING:
    import pandas as pd

DOMAIN = "sbrt-followup"
# RFC 5546 asks for an organizer; nobody can be reached at .invalid (RFC 2606).
ORGANIZER = "mailto:noreply@sbrt-followup.invalid"
KEY_MARK = "X-SBRT-FOLLOWUP-KEY"
SHOWN = ("DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "STATUS")
SHORT = 12  # characters of a patient's pseudonym that a person reads


@dataclass(frozen=True)
class Exported:
    """An event as it was exported last time."""

    sequence: int
    start: date
    stop: date
    summary: str
    shown: tuple[str, ...]
    cancelled: bool


def _library() -> Any:
    try:
        import icalendar
    except ImportError:
        raise refuse(
            "needs-extra", "a calendar needs the package icalendar", hint="pip install 'sbrt-followup[calendar]'"
        ) from None
    return icalendar


def calendar(
    visits: pd.DataFrame, *, as_of: date, key: bytes, previous: bytes | None = None, identify: bool = False
) -> bytes:
    """Give the calendar; `visits` has the contract's columns and `visit_key`, `booked_date` and `mri_contraindicated` where known."""
    ical = _library()
    mark = pseudonym(key, "key", DOMAIN)[:SHORT]
    before = {} if previous is None else _exported(ical, previous, mark)
    result = ical.Calendar()
    result.add("prodid", "-//sbrt-followup//MRI follow-up//EN")
    result.add("version", "2.0")
    result.add("calscale", "GREGORIAN")
    result.add("method", "PUBLISH")
    result.add("x-wr-calname", "Spine MRI follow-up")
    result.add(KEY_MARK, mark)
    stamp = datetime.combine(as_of, time(), tzinfo=UTC)
    ahead = set(open_visits(visits)["visit_key"])
    seen: set[str] = set()
    for line in visits.loc[visits["due"].notna()].itertuples():
        uid = f"{pseudonym(key, 'visit', str(line.visit_key))}@{DOMAIN}"
        # A visit exported before stays in the calendar when it is past; others only while they are open.
        if line.visit_key not in ahead and uid not in before:
            continue
        seen.add(uid)
        result.add_component(_event(ical, line, uid, key, stamp, identify, before.get(uid)))
    for uid, old in sorted(before.items()):
        if uid not in seen:
            result.add_component(_cancelled(ical, uid, old, stamp))
    return bytes(result.to_ical())


def _exported(ical: Any, data: bytes, mark: str) -> Mapping[str, Exported]:
    """Read the events exported last time, by UID; any other calendar is refused, lest its events be cancelled."""
    try:
        whole = ical.Calendar.from_ical(data)
        theirs = whole.get(KEY_MARK)
        if theirs is not None and str(theirs) != mark:
            raise refuse(
                "other-key",
                "the --previous file was exported with another key: every visit would be cancelled and entered anew",
                hint="Give the key file it was exported with.",
            )
        found = {str(event["UID"]): _as_exported(event) for event in whole.walk("VEVENT")}
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        found, theirs = {}, None
    if theirs is None or not all(uid.endswith(f"@{DOMAIN}") for uid in found):
        raise refuse("not-a-calendar", "the --previous file is not a calendar that was exported here")
    return found


def _as_exported(event: Any) -> Exported:
    start, stop = event["DTSTART"].dt, event["DTEND"].dt
    if isinstance(start, datetime) or isinstance(stop, datetime):
        raise ValueError("not an all-day event")
    return Exported(
        sequence=int(event["SEQUENCE"]), start=start, stop=stop, summary=str(event["SUMMARY"]), shown=_shown(event),
        cancelled=str(event.get("STATUS")) == "CANCELLED",
    )  # fmt: skip


def _shown(event: Any) -> tuple[str, ...]:
    """What a person sees of an event; only a change of it is a change."""
    return tuple(bytes(event[name].to_ical()).decode() if name in event else "" for name in SHOWN)


def _event(ical: Any, line: Any, uid: str, key: bytes, stamp: datetime, identify: bool, old: Exported | None) -> Any:
    status, booked = str(line.status), booked_day(line)
    who = str(line.patient_id) if identify else f"patient {pseudonym(key, 'patient', str(line.patient_id))[:SHORT]}"
    day = booked or (line.satisfied_by if status == "done" else line.due).date()
    event = ical.Event()
    event.add("uid", uid)
    event.add("dtstamp", stamp)
    event.add("organizer", ORGANIZER)
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(days=1))
    event.add("summary", f"{what(line)}, {who}, visit {line.visit} ({status})")
    event.add("description", explanation(line, identify))
    event.add("status", "CONFIRMED" if booked or status == "done" else "TENTATIVE")
    event.add("class", "PRIVATE")
    event.add("transp", "TRANSPARENT")
    event.add("categories", ["MRI follow-up"])
    changed = old is not None and old.shown != _shown(event)
    event.add("sequence", 0 if old is None else old.sequence + changed)
    return event


def _cancelled(ical: Any, uid: str, old: Exported, stamp: datetime) -> Any:
    event = ical.Event()
    event.add("uid", uid)
    event.add("dtstamp", stamp)
    event.add("organizer", ORGANIZER)
    event.add("dtstart", old.start)
    event.add("dtend", old.stop)
    event.add("summary", old.summary)
    event.add("sequence", old.sequence + (not old.cancelled))
    event.add("status", "CANCELLED")
    event.add("class", "PRIVATE")
    event.add("transp", "TRANSPARENT")
    return event
