"""Write a requirements file with hashes for a folder of wheels: `pip install --require-hashes` then takes these files only."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path


def lines(folder: Path) -> list[str]:
    """Give one line a package: its name, its version, the SHA-256 of each of its files here."""
    found: dict[str, list[str]] = {}
    for wheel in sorted(folder.glob("*.whl")):
        name, version = wheel.name.split("-")[:2]
        with wheel.open("rb") as file:
            found.setdefault(f"{name}=={version}", []).append(hashlib.file_digest(file, "sha256").hexdigest())
    return [" ".join([pinned, *(f"--hash=sha256:{h}" for h in hashes)]) for pinned, hashes in found.items()]


if __name__ == "__main__":
    print("\n".join(lines(Path(sys.argv[1]))))
