"""A journal beside each key: what left the clinic under it and when, so that it is known what a lost key would open.

One JSON object a line: time (UTC), command, fingerprint of the key, and per file its hash; no name, no id, no content.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

ENDING = ".journal"


def journal_path(key: Path) -> Path:
    """Name the journal of a key file."""
    return key.with_name(key.name + ENDING)


def note_exports(keys: Mapping[Path, str], command: str, hashes: Sequence[str]) -> list[str]:
    """Add one line to the journal of each key; give what to say where that fails."""
    said = []
    for key, mark in keys.items():
        line = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": command,
            "key": mark,
            "files": list(hashes),
        }
        try:
            handle = os.open(journal_path(key), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(handle, "a", encoding="ascii") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            said.append(f"the journal {journal_path(key).name} cannot be written: {error.strerror or 'I/O error'}")
    return said
