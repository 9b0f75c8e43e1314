"""What changes between rulebooks: cells, visits, days, versions; signatures that stand; what it does to a cohort."""

from __future__ import annotations

import csv
import io
import shutil
from datetime import date
from pathlib import Path

import pytest

from sbrt_followup.audits.decisions import decisions
from sbrt_followup.audits.differences import DocumentChange, diff, reopened
from sbrt_followup.audits.impact import impact
from sbrt_followup.report.rules.difference_text import pack_text, read_pack
from sbrt_followup.rulebook.library import Rulebook, packaged_folder, read
from sbrt_followup.rulebook.model import Plan
from sbrt_followup.tables.records import read_cohort, read_imaging
from sbrt_followup.visits.patterns import Request

ROOT = Path(__file__).parents[2]


def rulebook(folder: Path | None = None) -> Rulebook:
    book, problems = read(folder or packaged_folder())
    assert book is not None and not problems, problems
    return book


@pytest.fixture(scope="module")
def before() -> Rulebook:
    return rulebook()


def changed(tmp_path: Path, *edits: tuple[str, str, str]) -> Rulebook:
    folder = tmp_path / "rules"
    shutil.copytree(packaged_folder(), folder, ignore=shutil.ignore_patterns("cases"))
    for file, old, new in edits:
        path = folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
    return rulebook(folder)


def only(changes: list[DocumentChange]) -> DocumentChange:
    assert len(changes) == 1
    return changes[0]


def test_a_rulebook_does_not_differ_from_itself(before: Rulebook) -> None:
    assert diff(before, rulebook()) == []


def test_a_threshold_moves_exactly_the_cells_between_old_and_new(tmp_path: Path, before: Rulebook) -> None:
    after = changed(
        tmp_path,
        ("risk/chen-2024.yaml", "sins: {at_least: 7}", "sins: {at_least: 9}"),
        ("risk/chen-2024.yaml", "at_least: [7, 13]", "at_least: [7, 9, 13]"),
    )
    change = only(diff(before, after))
    cells = [m for m in change.moved if m.given.startswith("bilsky")]
    # Scores 7 and 8, for three combinations of the two other features: with both present the tier is high anyway.
    scores = {m.given.rpartition("sins=")[2] for m in cells}
    assert scores == {"7", "8"} and len(cells) == 6 and all(m.decides for m in cells)
    by_facts = {m.given: (m.before, m.after) for m in cells}
    assert by_facts["bilsky=0; paraspinal=no; sins=7"] == ("intermediate", "low")
    assert by_facts["bilsky=1a|1b|1c|2|3; paraspinal=no; sins=8"] == ("high", "intermediate")
    assert change.advice == "major" and change.version_short


def test_an_interval_moves_visits_by_days(tmp_path: Path, before: Rulebook) -> None:
    after = changed(
        tmp_path,
        ("plans/chen-2024.yaml", "every: 6.0", "every: 5.0"),
        ("plans/chen-2024.yaml", "version: 1.0.0", "version: 2.0.0"),
    )
    change = only(diff(before, after))
    moved = {m.given: m for m in change.moved}
    # 3, 9, 15 become 3, 8, 13: one and two months of 30.4375 days earlier.
    assert moved["tier=low; visit=2"].days == -30
    assert moved["tier=low; visit=3"].days == -61
    assert "tier=low; visit=1" not in moved
    assert not any(g.startswith(("tier=high", "tier=intermediate")) for g in moved)
    assert moved["tier=low; visit=11"].before == ""
    assert change.advice == "major" and change.raised == "major" and not change.version_short


def test_words_alone_are_a_patch(tmp_path: Path, before: Rulebook) -> None:
    after = changed(tmp_path, ("plans/chen-2024.yaml", "title: Published", "title: The published"))
    change = only(diff(before, after))
    assert change.kind == "reworded" and change.advice == "patch" and not change.moved


def test_a_renamed_rule_changes_no_patient(tmp_path: Path, before: Rulebook) -> None:
    after = changed(tmp_path, ("risk/chen-2024.yaml", "id: one-adverse-feature", "id: exactly-one"))
    change = only(diff(before, after))
    assert change.moved and not any(m.decides for m in change.moved)
    assert change.advice == "minor"


def test_a_window_and_those_united_with_it(tmp_path: Path, before: Rulebook) -> None:
    after = changed(tmp_path, ("pseudoprogression/default.yaml", "to: 171", "to: 182"))
    changes = {c.document: c for c in diff(before, after)}
    assert set(changes) == {"pseudoprogression/default", "pseudoprogression/prostate"}
    assert changes["pseudoprogression/prostate"].moved[0].before == "days 68 to 171 and 183 to 296"
    assert changes["pseudoprogression/prostate"].moved[0].after == "days 68 to 296"


def test_points_of_a_score(tmp_path: Path, before: Rulebook) -> None:
    after = changed(tmp_path, ("sins/fisher-2010.yaml", "{points: 1, any_of: [mixed]}", "{points: 2, any_of: [mixed]}"))
    moved = only(diff(before, after)).moved
    assert [(m.given, m.before, m.after) for m in moved] == [("lesion_type=mixed", "1 points", "2 points")]


def test_documents_added_and_removed(tmp_path: Path, before: Rulebook) -> None:
    after = changed(tmp_path, ("profiles/review-2025.yaml", "  - biopsy\n", ""))
    (after.folder / "response" / "biopsy.yaml").unlink()
    changes = {c.document: c for c in diff(before, rulebook(after.folder))}
    assert changes["response/biopsy"].kind == "removed" and changes["response/biopsy"].advice == "major"
    back = {c.document: c for c in diff(rulebook(after.folder), before)}
    assert back["response/biopsy"].kind == "added" and back["response/biopsy"].advice == "minor"


def test_what_an_outcome_means_is_a_decision_too(tmp_path: Path, before: Rulebook) -> None:
    after = changed(tmp_path, ("response/dce-vp.yaml", "outcome: fell, sign: opposes", "outcome: fell, sign: supports"))
    moved = only(diff(before, after)).moved
    assert [m.given for m in moved] == ["meaning of fell"]


# ---- signatures ----


def signed_pack(path: Path, book: Rulebook, *names: str) -> Path:
    text = pack_text([d for n in names for d in decisions(book, book.documents[n])])
    rows = list(csv.DictReader(io.StringIO(text)))
    for row in rows:
        row.update(signed_by="A. Reviewer", role="radiation oncologist", signed_on="2025-05-02")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_every_signature_stands_while_nothing_changes(tmp_path: Path, before: Rulebook) -> None:
    names = [n for n, d in before.documents.items() if list(decisions(before, d))]
    pack = read_pack(signed_pack(tmp_path / "pack.csv", before, *names))
    assert len(pack) > 500
    assert {s.status for s in reopened(pack, before)} == {"signed"}


def test_only_changed_decisions_are_open_again(tmp_path: Path, before: Rulebook) -> None:
    pack = read_pack(signed_pack(tmp_path / "pack.csv", before, "risk/chen-2024", "plan/chen-2024"))
    after = changed(
        tmp_path,
        ("risk/chen-2024.yaml", "bilsky: {at_least: 1a}", "bilsky: {at_least: 1b}"),
        ("plans/chen-2024.yaml", "every: 3.1", "every: 3.2"),
        ("plans/chen-2024.yaml", "interval_ci: [2.6, 3.7]", "interval_ci: [2.6, 3.7]"),
    )
    status = reopened(pack, after)
    again = [s for s in status if s.status == "reopened"]
    # A cell that holds 1a together with 1b is no longer one decision.
    assert {s.decision.given for s in again if s.decision.document == "risk/chen-2024"} == {
        g
        for d, _ in pack
        if d.document == "risk/chen-2024"
        and (g := d.given).startswith("bilsky=1a")
        and not ("paraspinal=yes" in g and "sins=0" not in g)
    }
    plan = [s.decision.given for s in again if s.decision.document == "plan/chen-2024"]
    assert plan and all(g.startswith("tier=intermediate") for g in plan)
    assert sum(s.status == "signed" for s in status) == len(pack) - len(again)


def test_what_nobody_signed_stays_open(tmp_path: Path, before: Rulebook) -> None:
    path = tmp_path / "pack.csv"
    path.write_text(pack_text(list(decisions(before, before.documents["pseudoprogression/default"]))), encoding="utf-8")
    assert [s.status for s in reopened(read_pack(path), before)] == ["unsigned"]


# ---- impact ----

CLINIC = ROOT / "sample_cohorts"


def measured(one: Request, other: Request):
    cohort = read_cohort(CLINIC / "clinic.csv").frame
    scans = read_imaging(CLINIC / "clinic_imaging.csv").frame
    return impact(cohort, scans, one, other)


def request(book: Rulebook, plan: str) -> Request:
    return Request(book, book.get(Plan, plan), date(2025, 6, 15))


def test_no_change_concerns_nobody(before: Rulebook) -> None:
    same = request(before, "mri-review-2025")
    found = measured(same, request(rulebook(), "mri-review-2025"))
    assert found.concerned.empty
    assert all(a == b for a, b in found.totals.values())
    assert all(a == b for a, b in found.tiers)
    assert (found.months["before"] == found.months["after"]).all()


def test_another_split_moves_the_tiers_it_says(tmp_path: Path, before: Rulebook) -> None:
    after = changed(
        tmp_path,
        ("risk/chen-2024.yaml", "bilsky: {at_least: 1a}", "bilsky: {at_least: 2}"),
    )
    found = measured(request(before, "chen-2024"), request(after, "chen-2024"))
    assert sum(found.tiers.values()) == found.sites
    moved = {pair: n for pair, n in found.tiers.items() if pair[0] != pair[1]}
    # Asking for more can only lower a tier, or settle one.
    order = {"low": 0, "intermediate": 1, "high": 2}
    assert moved and all(order.get(b, -1) < order.get(a, 3) or "undecided" in (a, b) for a, b in moved)
    assert found.concerned["patient_id"].is_unique


def test_totals_are_the_sums_of_the_schedules(before: Rulebook) -> None:
    from sbrt_followup.visits.schedule import schedule

    sides = request(before, "mri-review-2025"), request(before, "chen-2024")
    found = measured(*sides)
    cohort = read_cohort(CLINIC / "clinic.csv").frame
    scans = read_imaging(CLINIC / "clinic_imaging.csv").frame
    for side, word in zip(sides, (0, 1), strict=True):
        visits = schedule(cohort, scans, side).visits
        dated = visits[visits["due"].notna() & visits["visit"].notna()]
        assert found.totals["mris"][word] == len(dated) == int(found.months[("before", "after")[word]].sum())
        assert found.totals["overdue"][word] == int((dated["status"] == "overdue").sum())
