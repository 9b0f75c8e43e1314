"""The report of one MRI: six to eight lines, the urgent one first, in text, Markdown and HTML."""

from __future__ import annotations

from typing import Any

from helpers.courses import course, day

from sbrt_followup.report.response.reading_report import as_html, as_markdown, as_text
from sbrt_followup.response.reports import Report, reports

BASE = {"day": -5, "gtv_cc": 5, "bilsky": "0", "neuro_decline": "no"}


def made(*scans: dict[str, Any], **site: Any) -> tuple[Report, ...]:
    return reports(course({"histology": "breast", **site}, BASE, *scans))


def test_the_urgent_line_comes_first_and_says_what_to_do() -> None:
    (found,) = made({"day": 90, "gtv_cc": 5, "bilsky": "3", "neuro_decline": "yes"})
    assert next(label for label, _ in found.lines) == "URGENT"
    assert "do not wait for a scheduled MRI" in found.urgent
    assert found.by == day(90)
    assert "as planned" not in found.recommendation


def test_a_report_has_six_to_eight_lines() -> None:
    quiet, grown = made({"day": 90, "gtv_cc": 5, "bilsky": "0"}, {"day": 180, "gtv_cc": 7, "bilsky": "1c"})
    for report in (quiet, grown):
        assert 6 <= len(report.lines) <= 8


def test_sizes_are_compared_with_units_and_thresholds() -> None:
    (found,) = made({"day": 90, "gtv_cc": 6, "bilsky": "0", "confined_to_vertebra": "yes"})
    assert found.findings.startswith("volume 6 cc")
    assert "volume +20.0 % v baseline" in found.comparison
    assert "≥ 10.9 %" in found.comparison
    assert found.impression.startswith("equivocal; growth inside the bone")
    assert found.by == day(146)


def test_growth_from_nothing_has_no_number() -> None:
    found = reports(course({"histology": "breast"}, {"day": -5, "gtv_cc": 0}, {"day": 335, "gtv_cc": 3}))
    assert "volume from nothing v baseline" in found[0].comparison


def test_an_mri_nobody_read_asks_for_its_reading_alone() -> None:
    (found,) = made({"day": 90})
    assert (found.impression, found.recommendation, found.by) == ("not read", "read this MRI", "")


def test_what_an_mri_turned_out_to_be_is_said_apart() -> None:
    first, _ = made({"day": 100, "gtv_cc": 6, "confined_to_vertebra": "yes"}, {"day": 200, "gtv_cc": 5})
    assert first.impression.startswith("equivocal; in retrospect pseudo-progression")


def test_every_form_says_the_same_and_breaks_nothing() -> None:
    found = made({"day": 90, "gtv_cc": 5, "bilsky": "3"}, {"day": 120})
    odd = (Report(**{**found[0].__dict__, "patient_id": "<b>*x*|"}),)
    text, markdown, page = as_text(odd), as_markdown(odd), as_html(odd, "Reports <1>")
    assert "URGENT: " in text and "**URGENT:**" in markdown and "<dt>URGENT</dt>" in page
    assert "<b>" not in page and "&lt;b&gt;" in page and "Reports &lt;1&gt;" in page
    assert "\\<b\\>" in markdown
    assert "http" not in page
    assert "Decision support" in text and "Decision support" in markdown and "Decision support" in page
