"""What an output rests on: program, rules, inputs and arguments, so that it can be traced and made again.

File names and patient facts given as arguments stand as hashes; nothing in a manifest identifies a patient.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import __version__

if TYPE_CHECKING:
    from ..rulebook.model import Document
    from ..tables.records import Records

INTENDED_USE = "Decision support for trained staff; it does not replace clinical judgement."


def hashed(text: str) -> str:
    """Hash an argument that must not be shown."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def manifest(
    command: str,
    as_of: str | None,
    documents: Sequence[Document],
    inputs: Mapping[str, Records],
    arguments: Mapping[str, Any],
    secret: Iterable[str] = (),
) -> dict[str, Any]:
    """Build the manifest of one output; `secret` names the arguments that stand as hashes."""
    hidden = set(secret)
    shown = {
        name: hashed(str(value)) if name in hidden else value
        for name, value in arguments.items()
        if value is not None and value is not False
    }
    return {
        "program": "sbrt-followup",
        "version": __version__,
        "command": command,
        "as_of": as_of,
        "intended_use": INTENDED_USE,
        "rules": [
            {
                "document": d.name,
                "version": d.version,
                "content_hash": d.content_hash,
                "basis": d.basis,
                "verified": bool([v for v in d.verified if v.content_hash == d.content_hash]),
            }
            for d in documents
        ],
        "inputs": [
            {
                "role": role,
                "content_hash": records.content_hash,
                "rows_used": len(records.frame),
                "rows_excluded": len(records.excluded),
                "excluded": [{"row": e.row, "reason": e.reason} for e in records.excluded],
            }
            for role, records in inputs.items()
        ],
        "arguments": shown,
    }
