"""Schedules for other systems: calendar, FHIR, timeline figure; the keys and files they need."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..problems import Source, refuse

if TYPE_CHECKING:
    import pandas as pd

    from ..followup.schedule import Request

SHORTEST_KEY = 16


def read_key(path: Path | None, what: str) -> bytes:
    """Read the secret that pseudonyms are made with."""
    if path is None:
        raise refuse(
            "no-key", f"{what} needs --key-file, a file with a secret that stays in the clinic",
            hint="Make one once: python -c \"import secrets; print(secrets.token_hex(32))\" > clinic.key",
        )  # fmt: skip
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise refuse(
            "unreadable", f"the key file cannot be read: {error.strerror or 'I/O error'}", Source(path.name)
        ) from None
    if len(key) < SHORTEST_KEY:
        raise refuse("short-key", f"the key is shorter than {SHORTEST_KEY} characters", Source(path.name))
    return key


def calendar(
    visits: pd.DataFrame, request: Request, key_file: Path | None, previous: Path | None, identify: bool
) -> bytes:
    """Give the open visits as an iCalendar file."""
    from ..report.calendar import calendar as draw

    before = None
    if previous is not None:
        try:
            before = previous.read_bytes()
        except OSError as error:
            raise refuse(
                "unreadable", f"cannot be read: {error.strerror or 'I/O error'}", Source(previous.name)
            ) from None
    return draw(visits, as_of=request.as_of, key=read_key(key_file, "a calendar"), previous=before, identify=identify)


def fhir(
    visits: pd.DataFrame, request: Request, key_file: Path | None, identify: bool, manifest: dict[str, Any]
) -> bytes:
    """Give the open visits as a FHIR bundle."""
    from ..report.fhir import bundle

    return bundle(visits, as_of=request.as_of, key=read_key(key_file, "FHIR"), identify=identify, manifest=manifest)
