"""`key`: a new secret for pseudonyms, in a file that only its owner can read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Annotated

import typer

from ..problems import Source, refuse

BYTES = 32


def key(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The key file to make; an existing one is never written over.")
    ],
) -> None:
    """Make a key file for pseudonyms in calendars and FHIR: 32 random bytes, readable by you alone (mode 0600).

    Keep it in the clinic and keep a copy: without it, visits exported later do not fit those exported before.

    Examples:

        sbrt-followup key clinic.key

        sbrt-followup schedule cohort.csv -o visits.ics --key-file clinic.key
    """
    from .inputs import say

    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        hint = "Name another file; a key that was used must stay."
        raise refuse("file-exists", "this file exists already", Source(file.name), hint) from None
    except OSError as error:
        raise refuse("unwritable", f"cannot be written: {error.strerror or 'I/O error'}", Source(file.name)) from None
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(secrets.token_hex(BYTES) + "\n")
    say(f"written: {file.name} (keep it in the clinic, and a copy of it)")
