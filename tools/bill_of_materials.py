"""Write a CycloneDX 1.5 bill of materials of this environment: name, version, licence of each installed package; no clock."""

from __future__ import annotations

import json
import sys
from importlib import metadata
from typing import Any


def licence_of(about: Any) -> str:
    """Give a package's licence as it says it: the expression, else the classifiers, else the first line of the field."""
    if about.get("License-Expression"):
        return str(about["License-Expression"])
    kinds = [c.rpartition(" :: ")[2] for c in about.get_all("Classifier") or [] if c.startswith("License ::")]
    return " AND ".join(kinds) or (about.get("License") or "unknown").strip().splitlines()[0][:100]


def bill() -> dict[str, Any]:
    """Build the document; packages in order of their names."""
    found = {d.metadata["Name"].lower(): d for d in metadata.distributions() if d.metadata["Name"]}
    components = [
        {
            "type": "library",
            "name": name,
            "version": found[name].version,
            "purl": f"pkg:pypi/{name.replace('_', '-')}@{found[name].version}",
            "licenses": [{"license": {"name": licence_of(found[name].metadata)}}],
        }
        for name in sorted(found)
    ]
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": components}


if __name__ == "__main__":
    json.dump(bill(), sys.stdout, indent=1)
    print()
