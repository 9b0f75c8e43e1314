"""What an output rests on: program, rules, inputs and arguments, so that it can be traced, checked and made again.

Nothing in a manifest identifies a patient: of patient facts, ids and names it only says that they were given. A plain hash
would not do, for it can be guessed back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import __version__
from .visits.pseudonyms import pseudonym

if TYPE_CHECKING:
    from ..rulebook.model import Document
    from ..tables.records import Records

INTENDED_USE = "Decision support for trained staff; it does not replace clinical judgement."
GIVEN = "given, not shown"


def content_hash(data: bytes) -> str:
    """Give the hash of a file's content."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def fingerprint(key: bytes) -> str:
    """Name a key without telling it."""
    return "hmac-sha256:" + pseudonym(key, "key", "")[:16]


def manifest(
    command: str,
    as_of: str | None,
    documents: Sequence[Document],
    inputs: Mapping[str, Records],
    arguments: Mapping[str, Any],
    secret: Iterable[str] = (),
) -> dict[str, Any]:
    """Build the manifest of one output; of the arguments named in `secret` it says only that they were given."""
    hidden = set(secret)
    return {
        "program": "sbrt-followup",
        "version": __version__,
        "command": command,
        "as_of": as_of,
        "intended_use": INTENDED_USE,
        "rules": [_document(d) for d in {d.name: d for d in documents}.values()],
        "inputs": [_input(role, records) for role, records in inputs.items()],
        "arguments": {
            name: GIVEN if name in hidden else value
            for name, value in arguments.items()
            if value is not None and value is not False
        },
    }


def _document(document: Document) -> dict[str, Any]:
    return {
        "document": document.name,
        "version": document.version,
        "content_hash": document.content_hash,
        "basis": document.basis,
        "verified": any(v.content_hash == document.content_hash for v in document.verified),
    }


def _input(role: str, records: Records) -> dict[str, Any]:
    return {
        "role": role,
        # A table made from options has few possible contents, so that its hash could be guessed back.
        "content_hash": records.content_hash or GIVEN,
        "rows_used": len(records.frame),
        "rows_excluded": len(records.excluded),
        "excluded": [{"row": e.row, "reason": e.reason} for e in records.excluded],
    }
