"""The open visits as a FHIR R5 bundle: one ServiceRequest per visit, its window as the occurrence period.

Proposals, not orders: `intent` is proposal and `status` draft, for a clinician to take up. Patients stand under a keyed
pseudonym unless the caller says so. The models of fhir.resources validate every resource.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from ..problems import refuse
from .calendar import open_visits
from .pseudonyms import pseudonym

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

SYSTEM = "urn:sbrt-followup"
# SNOMED CT "Magnetic resonance imaging of spine" keeps its code across editions.
MRI_SPINE = {"system": "http://snomed.info/sct", "code": "241645008", "display": "Magnetic resonance imaging of spine"}


def bundle(visits: pd.DataFrame, *, as_of: date, key: bytes, identify: bool, manifest: Mapping[str, Any]) -> bytes:
    """Give the bundle as JSON; `visits` has the contract's columns and `visit_key`."""
    try:
        from fhir.resources.bundle import Bundle
    except ImportError:
        raise refuse(
            "needs-extra", "FHIR needs the package fhir.resources", hint="pip install 'sbrt-followup[fhir]'"
        ) from None
    rules = [f"{r['document']} {r['version']} {r['content_hash']}" for r in manifest["rules"]]
    entries = [_entry(line, as_of, key, identify, rules) for line in open_visits(visits, as_of).itertuples()]
    whole = Bundle.model_validate(
        {
            "resourceType": "Bundle",
            "type": "collection",
            "timestamp": f"{as_of.isoformat()}T00:00:00Z",
            "identifier": {"system": SYSTEM, "value": pseudonym(key, f"bundle|{as_of}|{len(entries)}")},
            "entry": entries,
        }
    )
    return str(whole.model_dump_json(indent=1, exclude_none=True) + "\n").encode()


def _entry(line: Any, as_of: date, key: bytes, identify: bool, rules: list[str]) -> dict[str, Any]:
    who = str(line.patient_id) if identify else pseudonym(key, str(line.patient_id))
    name = pseudonym(key, line.visit_key)
    return {
        "fullUrl": f"{SYSTEM}:visit:{name}",
        "resource": {
            "resourceType": "ServiceRequest",
            "id": name[:64],
            "identifier": [{"system": f"{SYSTEM}:visit", "value": name}],
            "status": "draft",
            "intent": "proposal",
            "priority": "urgent" if line.status == "overdue" else "routine",
            "code": {"concept": {"coding": [MRI_SPINE], "text": "MRI of the spine, follow-up after SBRT"}},
            "subject": {"identifier": {"system": f"{SYSTEM}:patient", "value": who}},
            "occurrencePeriod": {"start": line.earliest.date().isoformat(), "end": line.latest.date().isoformat()},
            "authoredOn": as_of.isoformat(),
            "note": [
                {"text": f"Due {line.due.date()}; {line.status}. {line.reason}."},
                {"text": f"Rule {line.rule}; basis {line.basis}. " + "; ".join(rules)},
            ],
        },
    }
