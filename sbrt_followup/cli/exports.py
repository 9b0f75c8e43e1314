"""Schedules for other systems: calendar, FHIR, timeline figure; the keys and files they need."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..problems import Source, refuse
from .call import current

if TYPE_CHECKING:
    import pandas as pd

    from ..report.visits.fhir import Release
    from ..tables.records import Records
    from ..visits.patterns import Request
    from ..visits.schedule import Scheduled

SHORTEST_KEY = 16
FEWEST_LETTERS = 8  # 32 random hexadecimal digits have fewer once in some ten million keys
OTHERS = 0o077
NEW_KEY = "Make a new one: sbrt-followup key clinic.key"


def read_key(path: Path | None, what: str) -> bytes:
    """Read the secret that pseudonyms are made with; refuse one that others may know."""
    from ..report.manifest import fingerprint

    if path is None:
        raise refuse(
            "no-key", f"{what} needs --key-file, a file with a secret that stays in the clinic",
            hint="Make one once: sbrt-followup key clinic.key",
        )  # fmt: skip
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise refuse(
            "unreadable", f"the key file cannot be read: {error.strerror or 'I/O error'}", Source(path.name)
        ) from None
    if len(key) < SHORTEST_KEY:
        raise refuse("short-key", f"the key is shorter than {SHORTEST_KEY} characters", Source(path.name), NEW_KEY)
    if len(set(key)) < FEWEST_LETTERS:
        raise refuse("weak-key", "the key can be guessed: too few different characters", Source(path.name), NEW_KEY)
    if os.name == "posix" and path.stat().st_mode & OTHERS:
        hint = f"Make it yours alone: chmod 600 {path.name}"
        raise refuse("open-key", "other users of this machine can read or change the key file", Source(path.name), hint)
    current().keys[path] = fingerprint(key)
    return key


def calendar(
    visits: pd.DataFrame, request: Request, key_file: Path | None, previous: Path | None, identify: bool
) -> bytes:
    """Give the open visits as an iCalendar file."""
    from ..report.visits.calendar import calendar as draw

    before = None
    if previous is not None:
        try:
            before = previous.read_bytes()
        except OSError as error:
            raise refuse(
                "unreadable", f"cannot be read: {error.strerror or 'I/O error'}", Source(previous.name)
            ) from None
    return draw(visits, as_of=request.as_of, key=read_key(key_file, "a calendar"), previous=before, identify=identify)


def fhir_release(name: str) -> Release:
    """Read --fhir-release."""
    if name.upper() == "R4":
        return "R4"
    if name.upper() == "R5":
        return "R5"
    raise refuse("not-allowed", "--fhir-release takes R4 or R5")


def fhir(
    visits: pd.DataFrame, request: Request, key_file: Path | None, identify: bool, manifest: dict[str, Any], release: Release
) -> bytes:  # fmt: skip
    """Give the open visits as a FHIR bundle."""
    from ..report.visits.fhir import bundle

    key = read_key(key_file, "FHIR")
    return bundle(visits, as_of=request.as_of, key=key, identify=identify, manifest=manifest, release=release)


def timeline(kind: str, table: Records, scheduled: Scheduled, request: Request) -> bytes:
    """Draw the schedule as a file of this kind."""
    from datetime import date, timedelta

    from ..report.visits.timeline import timeline as draw
    from ..report.visits.timeline_marks import Shade, Treatment
    from ..sites.windows import window_spans
    from ..visits.worklist import pressing

    frame = table.frame
    patients, sites = frame["patient_id"].tolist(), frame["site_id"].tolist()
    epoch = date(1970, 1, 1)
    shades = [
        Shade(patients[s.at], sites[s.at], epoch + timedelta(days=s.start), epoch + timedelta(days=s.stop),
              "; ".join(s.documents), s.basis)
        for s in window_spans(frame, request.rulebook)
    ]  # fmt: skip
    treatments = [Treatment(p, s, day.date()) for p, s, day in zip(patients, sites, frame["sbrt_date"], strict=True)]
    title = f"MRI follow-up, plan {request.plan.id}"
    asked = pressing(scheduled.asked)
    standing = list(zip(asked["patient_id"], asked["site_id"], asked["status"], strict=True))
    return draw(scheduled.visits, shades, treatments, request.as_of, title, kind, standing)
