"""Why an MRI reads as it does: every document that decided is named, with its rule and its sources."""

from __future__ import annotations

from helpers.courses import course

from sbrt_followup.response.reasoning import reasoning


def test_every_step_of_an_urgent_reading_is_told() -> None:
    found = reasoning(
        course(
            {"histology": "renal_cell"},
            {"day": -5, "gtv_cc": 5, "bilsky": "0"},
            {"day": 90, "gtv_cc": 6, "bilsky": "2"},
        )
    )
    (step,) = found.steps
    text = "\n".join(line.text for line in step.lines)
    rules = {name for line in step.lines for name in line.rule.split(", ") if name}
    assert "recorded: gtv_cc 6, bilsky 2" in text
    assert "urgent clinical review" in text
    assert {
        "response/state#epidural",
        "response/urgent-epidural#new-high-grade",
        "response/next-step#progression",
    } <= rules
    assert {"niceng234", "thibault2015", "jabehdarmaralani2021"} <= {s.key for s in found.sources}


def test_the_windows_named_are_those_of_the_site() -> None:
    (step,) = reasoning(course({"histology": "breast"}, {"day": -5, "gtv_cc": 5}, {"day": 90, "gtv_cc": 6})).steps
    line = next(x for x in step.lines if x.text.startswith("pseudo-progression window"))
    assert line.rule == "pseudoprogression/default"
    (step,) = reasoning(course({"histology": "renal_cell"}, {"day": -5, "gtv_cc": 5}, {"day": 90, "gtv_cc": 6})).steps
    line = next(x for x in step.lines if x.text.startswith("pseudo-progression window"))
    assert line.rule == "pseudoprogression/default, pseudoprogression/renal-cell"


def test_one_day_alone_can_be_told() -> None:
    found = course({}, {"day": -5, "gtv_cc": 5}, {"day": 90, "gtv_cc": 6}, {"day": 180, "gtv_cc": 6})
    day = int(found.reading.scans.day[-1])
    assert len(reasoning(found, day).steps) == 1
    assert len(reasoning(found).steps) == 2
