"""A folder of documents: the packaged one, one that stands alone, and a clinic's own laid over the packaged one."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import pytest

from sbrt_followup.problems import InputRefused, Problem
from sbrt_followup.rulebook.library import Rulebook, load, packaged_folder, read
from sbrt_followup.rulebook.model import Plan
from sbrt_followup.rulebook.parsing import content_hash, read_text

NOUGHTS = "sha256:" + "0" * 64


def overlay(*changes: str, name: str = "mri-review-2025", base: str = "mri-review-2025") -> str:
    listed = "".join(f"  - {{{c}, why: We want it so., approved_by: the board}}\n" for c in changes)
    return (
        f"id: {name}\nversion: 1.1.0\nkind: plan\ntitle: Ours\n"
        f'extends: {{document: plan/{base}, version: 1.0.0, content_hash: "{NOUGHTS}"}}\nchanges:\n{listed}'
    )


def laid(folder: Path, *documents: str) -> tuple[Rulebook | None, list[Problem]]:
    for number, text in enumerate(documents):
        (folder / f"{number}.yaml").write_text(text)
    return read(folder)


def test_the_packaged_rulebook_is_sound_and_whole() -> None:
    book, problems = read()
    assert problems == []
    assert book is not None
    assert set(load().documents) == set(book.documents)
    for name, document in load().documents.items():
        assert document.content_hash == book.documents[name].content_hash


def test_a_copy_stands_alone(tmp_path: Path) -> None:
    shutil.copytree(packaged_folder(), tmp_path / "rules")
    book, problems = read(tmp_path / "rules")
    assert problems == []
    assert book is not None
    assert book.plan.content_hash == load().plan.content_hash


def test_only_what_an_overlay_names_changes(tmp_path: Path) -> None:
    book, problems = laid(
        tmp_path, overlay("at: horizon.value, to: 36", "at: schedules.0.phases.late.every_pick, to: min")
    )
    assert problems == []
    assert book is not None
    ours, base = book.plan, load().plan
    assert (ours.horizon.value, base.horizon.value) == (36, 60)
    assert ours.schedules[0].phases[1].interval == 3
    early, before = ours.schedules[0].phases[0], base.schedules[0].phases[0]
    assert (early.interval, early.end, early.basis) == (before.interval, before.end, before.basis)
    assert ours.tolerance.value == base.tolerance.value
    assert (ours.version, ours.title) == ("1.1.0", "Ours")
    assert ours.content_hash != base.content_hash
    assert ours.extends is not None
    assert (ours.extends.document, ours.extends.version) == ("plan/mri-review-2025", "1.0.0")
    assert [(d.at, d.why, d.approved_by) for d in ours.deviations] == [
        ("horizon.value", "We want it so.", "the board"),
        ("schedules.0.phases.late.every_pick", "We want it so.", "the board"),
    ]


def test_an_overlay_under_another_name_leaves_its_base(tmp_path: Path) -> None:
    book, problems = laid(tmp_path, overlay("at: horizon.value, to: 36", name="ours"))
    assert problems == []
    assert book is not None
    assert book.plan.horizon.value == 60
    assert book.get(Plan, "ours").horizon.value == Fraction(36)


def test_an_overlay_is_never_verified_by_its_base(tmp_path: Path) -> None:
    book, _ = laid(tmp_path, overlay("at: horizon.value, to: 36"))
    assert book is not None
    assert book.plan.verified == ()


def test_a_clinics_profile_is_taken_without_being_named(tmp_path: Path) -> None:
    profile = (packaged_folder() / "profiles" / "review-2025.yaml").read_text().replace("id: review-2025", "id: ours")
    book, problems = laid(tmp_path, profile.replace("plan: mri-review-2025", "plan: chen-2024"))
    assert problems == []
    assert book is not None
    assert (book.profile.id, book.plan.id) == ("ours", "chen-2024")


@pytest.mark.parametrize("folder", [None, "copy"])
def test_an_unknown_profile_names_the_nearest(tmp_path: Path, folder: str | None) -> None:
    where = shutil.copytree(packaged_folder(), tmp_path / folder) if folder else None
    with pytest.raises(InputRefused) as refused:
        load(where, "review-2052")
    assert "review-2025" in refused.value.problems[0].hint


def test_a_folder_that_is_none_or_empty_is_refused(tmp_path: Path) -> None:
    assert [p.code for p in read(tmp_path / "absent")[1]] == ["no-folder"]
    assert [p.code for p in read(tmp_path)[1]] == ["empty-folder"]


HEAD = "id: a\nkind: plan\n"


def test_a_hash_is_of_what_a_document_says() -> None:
    def hashed(text: str) -> str:
        tree, problems = read_text(text, "a.yaml")
        assert tree is not None
        assert not problems
        return content_hash(tree)

    base = hashed(HEAD + "notes: three years\n")
    assert hashed("# why\nkind: plan\nid:   'a'\nnotes: >-\n  three\n  years\n") == base, "layout says nothing"
    assert hashed(HEAD + "notes: three years\nverified: [{who: me}]\n") == base
    assert hashed(HEAD + "notes: four years\n") != base
    assert hashed(HEAD + 'notes: "no"\n') != hashed(HEAD + 'notes: "false"\n')


def test_scalars_keep_their_source_text() -> None:
    tree, problems = read_text('a: "012"\nb: no\nc: 1a\nd: "1:30"\ne: 2024-01-31\nf: 1.50\n', "a.yaml")
    assert problems == []
    assert tree is not None
    assert [getattr(n, "text", "") for n in tree.items.values()] == ["012", "no", "1a", "1:30", "2024-01-31", "1.50"]
    assert [s.line for s in tree.keys.values()] == [1, 2, 3, 4, 5, 6]
