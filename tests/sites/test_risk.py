"""SINS by hand, tiers per site and patient, and robustness against an independent walk of every split and cut."""

from __future__ import annotations

import itertools
from typing import Any

import pandas as pd
import pytest

from sbrt_followup.rulebook.library import load
from sbrt_followup.rulebook.robustness import monotone_splits
from sbrt_followup.sites.risk import by_patient, by_site, courses, flips, site_risk
from sbrt_followup.tables.records import cohort_of
from sbrt_followup.vocabulary import FACTS, SPINE_LEVELS

BOOK = load()
Cells = dict[str, str]


def frame_of(*sites: Cells) -> pd.DataFrame:
    names = list(dict.fromkeys(["patient_id", "sbrt_date", *(n for site in sites for n in site)]))
    rows = [{"patient_id": f"P{i}", "sbrt_date": "2024-01-10", **site} for i, site in enumerate(sites)]
    return cohort_of([{n: row.get(n, "") for n in names} for row in rows]).frame


def of(*sites: Cells, unit: str = "site") -> pd.DataFrame:
    frame = frame_of(*sites)
    risk = site_risk(frame, BOOK)
    return by_site(risk, frame) if unit == "site" else by_patient(risk, frame)


def one(**cells: str) -> pd.Series[Any]:
    return of(cells).iloc[0]


# ---- SINS: Fisher 2010, points summed by hand ----


def components(level: str, pain: str, lesion: str, alignment: str, collapse: str, posterolateral: str) -> Cells:
    return {
        "level": level, "sins_pain": pain, "lesion_type": lesion, "sins_alignment": alignment, "sins_collapse": collapse,
        "sins_posterolateral": posterolateral,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "total", "category"),
    [
        (components("S3", "none", "blastic", "normal", "none", "none"), 0, "stable"),
        (components("T5", "none", "blastic", "normal", "body_over_50", "none"), 2, "stable"),
        # 1 + 3 + 2 + 0 + 0 + 0
        (components("T8", "mechanical", "lytic", "normal", "none", "none"), 6, "stable"),
        # 3 + 1 + 1 + 0 + 2 + 0
        (components("L1", "occasional", "mixed", "normal", "under_50", "none"), 7, "potentially_unstable"),
        # 2 + 3 + 2 + 2 + 2 + 1
        (components("C5", "mechanical", "lytic", "deformity", "under_50", "unilateral"), 12, "potentially_unstable"),
        # 3 + 3 + 2 + 2 + 3 + 0
        (components("T12", "mechanical", "lytic", "deformity", "over_50", "none"), 13, "unstable"),
        # 3 + 3 + 2 + 4 + 3 + 3
        (components("C7", "mechanical", "lytic", "subluxation", "over_50", "bilateral"), 18, "unstable"),
    ],
)
def test_totals_by_hand(cells: Cells, total: int, category: str) -> None:
    row = one(**cells)
    assert (row["sins_total"], row["sins_low"], row["sins_high"]) == (total, total, total)
    assert row["sins_category"] == category


LOCATION = (
    dict.fromkeys(["C1", "C2", "C7", "T1", "T2", "T11", "T12", "L1", "L5", "S1"], 3)
    | dict.fromkeys(["C3", "C4", "C5", "C6", "L2", "L3", "L4"], 2)
    | dict.fromkeys([f"T{n}" for n in range(3, 11)], 1)
    | dict.fromkeys(["S2", "S3", "S4", "S5"], 0)
)


def test_every_level_has_fishers_points() -> None:
    assert set(LOCATION) == set(SPINE_LEVELS)
    rest = components("", "none", "blastic", "normal", "none", "none")
    rows = of(*({**rest, "level": level} for level in SPINE_LEVELS))
    assert dict(zip(SPINE_LEVELS, rows["sins_total"].astype(int), strict=True)) == LOCATION


@pytest.mark.parametrize(("level", "points"), [("L1-L3", 3), ("L2-L3", 2), ("T3-T10", 1), ("T10-T11", 3), ("S2-S5", 0)])
def test_of_several_levels_the_worst_counts(level: str, points: int) -> None:
    assert one(**components(level, "none", "blastic", "normal", "none", "none"))["sins_total"] == points


def test_missing_components_leave_a_range_and_a_category_only_if_it_fits() -> None:
    row = one(**{**components("T8", "none", "blastic", "normal", "none", ""), "sins_posterolateral": ""})
    assert (row["sins_low"], row["sins_high"], row["sins_category"]) == (1, 4, "stable")
    assert pd.isna(row["sins_total"])
    row = one(**{**components("T8", "mechanical", "lytic", "normal", "none", ""), "sins_posterolateral": ""})
    assert (row["sins_low"], row["sins_high"]) == (6, 9)
    assert pd.isna(row["sins_category"])
    nothing = one()
    assert (nothing["sins_low"], nothing["sins_high"]) == (0, 18)


def test_an_unknown_level_is_not_the_worst_level() -> None:
    row = one(**components("", "none", "blastic", "normal", "none", "none"))
    assert (row["sins_low"], row["sins_high"]) == (0, 3)


def test_a_total_that_does_not_fit_its_components_is_found() -> None:
    parts = components("T8", "mechanical", "lytic", "normal", "none", "none")
    frame = frame_of(
        {**parts, "sins": "6"}, {**parts, "sins": "7"}, {"sins_alignment": "subluxation", "sins": "3"}, {"sins": "18"}
    )
    assert site_risk(frame, BOOK).facts.disagrees.tolist() == [False, True, True, False]


# ---- tiers ----


def test_a_decided_row() -> None:
    row = one(bilsky="1b", paraspinal="no", sins="9")
    assert (row["risk_group"], row["status"], row["possible_groups"], row["missing"]) == ("high", "decided", "high", "")
    assert (row["epidural"], row["paraspinal"]) == ("yes", "no")
    assert row["rule"] == "risk/chen-2024#two-or-more-adverse-features"
    assert row["basis"] == "assumption"


def test_the_same_under_every_value_is_decided_without_it() -> None:
    row = one(bilsky="1b", paraspinal="yes")
    assert (row["risk_group"], row["status"], row["missing"], row["robust"]) == ("high", "decided", "sins", "no")


def test_an_undecided_row_says_what_is_possible() -> None:
    row = one(paraspinal="no", sins="3")
    assert (row["status"], row["possible_groups"], row["missing"]) == ("indeterminate", "low;intermediate", "bilsky")
    assert pd.isna(row["risk_group"])
    assert pd.isna(row["epidural"])
    assert row["robust"] == "no"


# ---- patients ----

LOW, HIGH = {"bilsky": "0", "paraspinal": "no", "sins": "3"}, {"bilsky": "3", "paraspinal": "yes", "sins": "15"}
UNKNOWN = {"paraspinal": "no", "sins": "3"}


def patient(*sites: Cells) -> pd.DataFrame:
    return of(*({"patient_id": "P", "site_id": f"x{i}", **site} for i, site in enumerate(sites)), unit="patient")


@pytest.mark.parametrize(
    ("sites", "tier", "possible", "robust"),
    [
        ([LOW, LOW], "low", "low", "yes"),
        ([LOW, HIGH], "high", "high", "yes"),
        ([UNKNOWN, HIGH], "high", "high", "yes"),
        ([UNKNOWN, LOW], None, "low;intermediate", "no"),
        ([{}, {**LOW, "sins": "9"}], None, "intermediate;high", "no"),
    ],
)
def test_the_worst_site_counts(sites: list[Cells], tier: str | None, possible: str, robust: str) -> None:
    (row,) = (r for _, r in patient(*sites).iterrows())
    assert (row["risk_group"] if tier else pd.isna(row["risk_group"])) == (tier or True)
    assert (row["possible_groups"], row["robust"]) == (possible, robust)
    assert row["site_id"] == "x0;x1"


@pytest.mark.slow
def test_every_attainable_maximum_and_no_other() -> None:
    """Against all combinations of what each site could be."""
    kinds: list[Cells] = [{}, LOW, UNKNOWN, HIGH, {**LOW, "sins": "9"}, {"bilsky": "1a", "paraspinal": "no"}]
    tiers = ["low", "intermediate", "high"]
    for sites in itertools.product(kinds, repeat=2):
        options = [one(**site)["possible_groups"].split(";") for site in sites]
        maxima = {max(pair, key=tiers.index) for pair in itertools.product(*options)}
        assert patient(*sites).iloc[0]["possible_groups"] == ";".join(t for t in tiers if t in maxima)


def test_sites_within_30_days_are_one_course_and_later_ones_change_nothing() -> None:
    rows = patient({**LOW, "sbrt_date": "2024-01-10"}, {**HIGH, "sbrt_date": "2024-02-10"})
    assert rows["risk_group"].tolist() == ["low", "high"]
    rows = patient({**LOW, "sbrt_date": "2024-01-10"}, {**HIGH, "sbrt_date": "2024-02-09"})
    assert rows["risk_group"].tolist() == ["high"]
    frame = frame_of(
        *({"patient_id": "P", "site_id": str(n), "sbrt_date": f"2024-{m:02}-01"} for n, m in enumerate([1, 1, 2, 3, 4]))
    )
    assert courses(frame, 30).tolist() == [0, 0, 1, 1, 2]


def test_row_order_does_not_matter() -> None:
    sites: list[Cells] = [
        {"patient_id": f"P{i % 2}", "site_id": f"x{i}", **s} for i, s in enumerate([LOW, UNKNOWN, HIGH, {}, LOW])
    ]
    expected = of(*sites, unit="patient").astype(str).values.tolist()
    assert of(*reversed(sites), unit="patient").astype(str).values.tolist() == expected


# ---- robustness ----


def monotone_maps() -> list[dict[tuple[int, ...], int]]:
    """Every split of three features onto all three tiers that one more adverse feature never lowers, by trying all 3⁸."""
    sets = list(itertools.product((0, 1), repeat=3))
    found = []
    for values in itertools.product(range(3), repeat=8):
        split = dict(zip(sets, values, strict=True))
        if set(values) == {0, 1, 2} and all(
            split[a] <= split[b] for a in sets for b in sets if all(x <= y for x, y in zip(a, b, strict=True))
        ):
            found.append(split)
    return found


MAPS = monotone_maps()


def test_all_monotone_splits_are_tried() -> None:
    ours = {tuple(row) for row in monotone_splits(3, 3).tolist()}
    # A set is numbered by its features' bits, the first feature lowest.
    theirs = {tuple(m[n & 1, n >> 1 & 1, n >> 2 & 1] for n in range(8)) for m in MAPS}
    assert ours == theirs
    assert len(monotone_splits(4, 3)) > len(ours)
    assert len(monotone_splits(1, 2)) == 1


def tiers_under_everything(bilsky: list[str], paraspinal: list[str], sins: list[int]) -> set[int]:
    order = FACTS["bilsky"].levels
    found: set[int] = set()
    for split, cut, total in itertools.product(MAPS, ["1a", "1b", "1c", "2"], [7, 13]):
        for b, p, s in itertools.product(bilsky, paraspinal, sins):
            found.add(split[int(order.index(b) >= order.index(cut)), int(p == "yes"), int(s >= total)])
    return found


def test_robust_is_what_no_split_cut_or_missing_value_can_change() -> None:
    choices = list(
        itertools.product(["", *FACTS["bilsky"].levels], ["", "no", "yes"], ["", "3", "7", "12", "13", "18"])
    )
    rows = of(*({"bilsky": b, "paraspinal": p, "sins": s} for b, p, s in choices))
    for (b, p, s), robust, tier in zip(choices, rows["robust"], rows["risk_group"], strict=True):
        attainable = tiers_under_everything(
            [b] if b else list(FACTS["bilsky"].levels),
            [p] if p else ["no", "yes"],
            [int(s)] if s else [0, 6, 7, 12, 13, 18],
        )
        assert (robust == "yes") == (len(attainable) == 1 and not pd.isna(tier)), (b, p, s, attainable)
        if robust == "yes":
            assert ("low", "intermediate", "high")[attainable.pop()] == tier


def test_only_nothing_adverse_and_everything_adverse_are_robust() -> None:
    assert one(**LOW)["robust"] == "yes"
    assert one(**HIGH)["robust"] == "yes"
    assert one(bilsky="1a", paraspinal="yes", sins="15")["robust"] == "no"


def test_the_cut_that_flips_a_tier_is_named() -> None:
    frame = frame_of({"bilsky": "1b", "paraspinal": "no", "sins": "9"}, LOW)
    (found,) = flips(site_risk(frame, BOOK), frame)
    assert found["another_tier_under"] == [
        "sins ≥ 13: intermediate",
        "bilsky ≥ 1c: intermediate",
        "bilsky ≥ 2: intermediate",
        "another monotone split or cut: low/intermediate/high",
    ]
