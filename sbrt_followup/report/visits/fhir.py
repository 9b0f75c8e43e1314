"""The open visits as a FHIR bundle, R4 or R5: one ServiceRequest per visit, its window as the occurrence period.

Proposals, not orders: `intent` is proposal and `status` draft, for a clinician to take up; no priority is claimed. A
booking is told in a note: an Appointment needs a time of day, which nobody gave. A Provenance says what they rest on.
Patients stand under a keyed pseudonym unless the caller says so. The models of fhir.resources validate every resource.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from ...problems import refuse
from .proposals import contraindicated, explanation, open_visits
from .pseudonyms import pseudonym

if TYPE_CHECKING:
    import pandas as pd

Release = Literal["R4", "R5"]
RELEASES: tuple[Release, ...] = ("R4", "R5")
SYSTEM = "urn:sbrt-followup"
# SNOMED CT 241645008 |Magnetic resonance imaging of spine (procedure)|
MRI_SPINE = {"system": "http://snomed.info/sct", "code": "241645008", "display": "Magnetic resonance imaging of spine"}
PSEUDONYMISED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "PSEUDED"}


def bundle(
    visits: pd.DataFrame, *, as_of: date, key: bytes, identify: bool, manifest: Mapping[str, Any], release: Release = "R4"
) -> bytes:  # fmt: skip
    """Give the bundle as JSON; `visits` has the contract's columns and `visit_key`, `booked_date` and `mri_contraindicated` where known."""
    model = _model(release)
    requests = [_request(line, as_of, key, identify, release) for line in open_visits(visits).itertuples()]
    names = [str(entry["fullUrl"]) for entry in requests]
    content = "|".join([as_of.isoformat(), release, *names, *(_documents(manifest))])
    provenance = [_provenance(names, as_of, key, content, manifest, release)] if names else []
    whole = model.model_validate(
        {
            "resourceType": "Bundle",
            "type": "collection",
            "timestamp": _instant(as_of),
            "identifier": {"system": f"{SYSTEM}:bundle", "value": pseudonym(key, "bundle", content)},
            "entry": [*requests, *provenance],
        }
    )
    return str(whole.model_dump_json(indent=1, exclude_none=True) + "\n").encode()


def _model(release: Release) -> Any:
    try:
        if release == "R4":
            # R4B, of 2022, left these resources as they are in R4.
            from fhir.resources.R4B.bundle import Bundle
        else:
            from fhir.resources.bundle import Bundle
    except ImportError:
        raise refuse(
            "needs-extra", "FHIR needs the package fhir.resources", hint="pip install 'sbrt-followup[fhir]'"
        ) from None
    return Bundle


def _instant(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def _url(name: str) -> str:
    """Make the URL of a resource that lies nowhere but in this bundle from its keyed name."""
    return UUID(hex=name[:32]).urn


def _request(line: Any, as_of: date, key: bytes, identify: bool, release: Release) -> dict[str, Any]:
    name = pseudonym(key, "visit", str(line.visit_key))
    # A pseudonym and a clinic's own id are never taken for each other.
    subject = (
        {"system": f"{SYSTEM}:patient-id", "value": str(line.patient_id)}
        if identify
        else {"system": f"{SYSTEM}:pseudonym", "value": pseudonym(key, "patient", str(line.patient_id))}
    )
    code: dict[str, Any] = {"coding": [MRI_SPINE], "text": "MRI of the spine, follow-up after SBRT"}
    if contraindicated(line):
        code = {"text": "Imaging of the spine, follow-up after SBRT; MRI contraindicated, see note"}
    resource = {
        "resourceType": "ServiceRequest",
        "id": name,
        "identifier": [{"system": f"{SYSTEM}:visit", "value": name}],
        "instantiatesUri": [f"{SYSTEM}:{line.rule}"],
        "status": "draft",
        "intent": "proposal",
        "code": code if release == "R4" else {"concept": code},
        "subject": {"identifier": subject},
        "occurrencePeriod": {"start": line.earliest.date().isoformat(), "end": line.latest.date().isoformat()},
        "authoredOn": as_of.isoformat(),
        "note": [{"text": f"{str(line.status).capitalize()}. {explanation(line, identify)}"}],
    }
    if identify:
        resource["bodySite"] = [{"text": site} for site in str(line.site_ids).split(";")]
    else:
        resource["meta"] = {"security": [PSEUDONYMISED]}
    return {"fullUrl": _url(name), "resource": resource}


def _documents(manifest: Mapping[str, Any]) -> list[str]:
    rules = [f"{r['document']} {r['version']} {r['content_hash']} (basis {r['basis']})" for r in manifest["rules"]]
    return [*rules, *(f"{i['role']} table {i['content_hash']}" for i in manifest["inputs"])]


def _provenance(
    names: Sequence[str], as_of: date, key: bytes, content: str, manifest: Mapping[str, Any], release: Release
) -> dict[str, Any]:
    """Say which program, rules and inputs the proposals come from."""
    arguments = "; ".join(f"{name}: {value}" for name, value in manifest["arguments"].items())
    program = f"{manifest['program']} {manifest['version']} {manifest['command']}" + (f" ({arguments})" if arguments else "")  # fmt: skip
    ident = pseudonym(key, "bundle", f"provenance|{content}")
    return {
        "fullUrl": _url(ident),
        "resource": {
            "resourceType": "Provenance",
            "id": ident,
            "target": [{"reference": name} for name in names],
            "recorded": _instant(as_of),
            "agent": [{"who": {"display": program}}],
            "entity": [{"role": "source", "what": {"display": text}} for text in _documents(manifest)],
        },
    }
