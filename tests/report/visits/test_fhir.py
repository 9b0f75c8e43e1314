"""FHIR bundles: proposals only, valid in R4 and R5, traceable, without identifiers unless asked."""

from __future__ import annotations

import json
import os
import sys
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest
from fhir.resources.bundle import Bundle as BundleR5
from fhir.resources.R4B.bundle import Bundle as BundleR4
from helpers.visits_frames import AS_OF, KEY, MANIFEST, OTHER_KEY, SECRETS, every_status, frame, line, scheduled

from sbrt_followup.problems import InputRefused
from sbrt_followup.report.visits.fhir import RELEASES, Release, bundle

GOLDEN = Path(__file__).parents[2] / "golden" / "visits.fhir.json"
MODELS = {"R4": BundleR4, "R5": BundleR5}


def made(visits: Any, release: Release = "R4", **options: Any) -> bytes:
    return bundle(
        visits, **{"as_of": AS_OF, "key": KEY, "identify": False, "manifest": MANIFEST, **options}, release=release
    )


def requests(data: bytes) -> list[dict[str, Any]]:
    entries = json.loads(data).get("entry", [])
    return [e["resource"] for e in entries if e["resource"]["resourceType"] == "ServiceRequest"]


def test_bytes_are_what_they_were() -> None:
    data = made(every_status())
    if os.environ.get("UPDATE_GOLDEN") == "1":
        GOLDEN.write_bytes(data)
    assert data == GOLDEN.read_bytes()


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("identify", [False, True])
def test_the_library_reads_back_what_was_written(release: Release, identify: bool) -> None:
    data = made(every_status(), release, identify=identify)
    whole = MODELS[release].model_validate_json(data)
    assert whole.type == "collection"
    assert str(whole.model_dump_json(indent=1, exclude_none=True) + "\n").encode() == data


def test_the_releases_differ_where_the_standard_does() -> None:
    assert tuple(get_args(Release)) == RELEASES
    old, new = requests(made(every_status(), "R4"))[0], requests(made(every_status(), "R5"))[0]
    assert old["code"]["coding"][0]["code"] == new["code"]["concept"]["coding"][0]["code"] == "241645008"


def test_only_open_visits_are_proposed_and_nothing_is_ordered() -> None:
    found = requests(made(every_status()))
    assert len(found) == 4
    assert {(r["status"], r["intent"]) for r in found} == {("draft", "proposal")}
    assert not [r for r in found if "priority" in r]
    assert found[0]["occurrencePeriod"] == {"start": "2025-04-30", "end": "2025-05-20"}
    assert found[0]["note"][0]["text"].startswith("Overdue. Due 2025-05-10")
    assert "Booked for 2025-09-12" in found[2]["note"][0]["text"]
    assert all("basis assumption" in r["note"][0]["text"] for r in found)


@pytest.mark.parametrize("release", RELEASES)
def test_no_mri_is_proposed_where_it_is_contraindicated(release: Release) -> None:
    text = made(frame(line(1, "2025-09-10", "due", mri_contraindicated=True)), release).decode()
    assert "241645008" not in text
    assert "MRI contraindicated" in text


def test_no_identifier_stands_in_it_unless_asked() -> None:
    hidden = made(every_status())
    assert not [secret for secret in SECRETS if secret in hidden.decode()]
    assert {r["meta"]["security"][0]["code"] for r in requests(hidden)} == {"PSEUDED"}
    named = made(every_status(), identify=True)
    assert all(secret in named.decode() for secret in SECRETS)
    assert not [r for r in requests(named) if "meta" in r]
    assert [s["text"] for s in requests(named)[0]["bodySite"]] == ["T10-boost-of-Jane", "L2"]


def test_a_pseudonym_is_never_taken_for_an_id_and_goes_by_the_key() -> None:
    def subjects(data: bytes) -> set[tuple[str, str]]:
        return {tuple(r["subject"]["identifier"].values()) for r in requests(data)}  # type: ignore[misc]

    hidden, named = subjects(made(every_status())), subjects(made(every_status(), identify=True))
    other = subjects(made(every_status(), key=OTHER_KEY))
    assert len(hidden) == len(named) == 1
    assert {s for s, _ in hidden} != {s for s, _ in named}
    assert {v for _, v in hidden} != {v for _, v in other}


def test_a_visit_keeps_its_identifier_however_its_date_moves() -> None:
    before = requests(made(frame(line(4, "2025-06-20", "due"))))[0]
    after = requests(made(frame(line(4, "2025-07-20", "upcoming")), as_of=date(2025, 6, 16)))[0]
    assert before["identifier"] == after["identifier"]
    assert before["occurrencePeriod"] != after["occurrencePeriod"]


@pytest.mark.parametrize("release", RELEASES)
def test_provenance_names_program_rules_and_inputs_and_points_at_every_proposal(release: Release) -> None:
    entries = json.loads(made(every_status(), release))["entry"]
    source = entries[-1]["resource"]
    assert source["resourceType"] == "Provenance"
    assert [t["reference"] for t in source["target"]] == [e["fullUrl"] for e in entries[:-1]]
    told = json.dumps(source)
    assert "sbrt-followup 0.0.0 schedule (plan: x)" in told
    assert "plan/x 1.0.0 sha256:aa (basis assumption)" in told
    assert "cohort table sha256:bb" in told


def test_urls_are_unique_and_bundles_of_other_content_have_other_identifiers() -> None:
    entries = json.loads(made(every_status()))["entry"]
    assert len({e["fullUrl"] for e in entries}) == len(entries)
    one, two = (json.loads(made(frame(line(v, "2025-09-10", "due")))) for v in (1, 2))
    assert one["identifier"] != two["identifier"]


@pytest.mark.parametrize("release", RELEASES)
def test_nothing_to_propose_is_an_empty_bundle(release: Release) -> None:
    data = made(frame(line(1, "2025-01-10", "missed")), release)
    assert not json.loads(data).get("entry")


def test_nothing_is_proposed_for_the_dead() -> None:
    site = {"patient_id": "A", "sbrt_date": "2025-01-31", "death_date": "2025-05-05"}
    assert not requests(made(scheduled([site], as_of=date(2025, 5, 8)), as_of=date(2025, 5, 8)))


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("fhir.resources.bundle", "fhir.resources.R4B.bundle"):
        monkeypatch.setitem(sys.modules, name, None)
    for release in RELEASES:
        with pytest.raises(InputRefused) as refused:
            made(every_status(), release)
        assert "sbrt-followup[fhir]" in refused.value.problems[0].hint
