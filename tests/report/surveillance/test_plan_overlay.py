import numpy as np
import pytest

from sbrt_followup.problems import InputRefused
from sbrt_followup.report.surveillance.plan_overlay import course_of, in_months, overlay
from sbrt_followup.rulebook.library import load, read
from sbrt_followup.rulebook.model import Plan
from sbrt_followup.rulebook.offsets import visit_offsets
from sbrt_followup.surveillance.phased import Phased, Stretch, visits_of

STRETCHES = (Stretch(9, 58), Stretch(17, 109), Stretch(26, None))
PLAN = Phased(13, STRETCHES, visits_of(13, STRETCHES, 60.0), 1.0, 1.0)


def written(approved=""):
    base = load(None, None).get(Plan, "chen-2024")
    courses = [course_of((tier,), PLAN) for tier in ("low", "intermediate", "high")]
    text = overlay(base, "ours", 'With "quotes"', courses, "Because \\ so.", "Rests on nothing.")
    return text.replace('approved_by: ""', f'approved_by: "{approved}"')


def test_a_signed_overlay_gives_the_weeks_back(tmp_path):
    (tmp_path / "ours.yaml").write_text(written("Dr A"), encoding="utf-8")
    plan = load(tmp_path, None).get(Plan, "ours")
    assert plan.title == 'With "quotes"' and plan.deviations[0].why == "Because \\ so."
    schedule = plan.schedule_for("high")
    months = [float(o.months) for o in visit_offsets(schedule, plan.horizon.value)]
    # Four decimals of a month are a few hundredths of a day in five years.
    np.testing.assert_allclose(months, PLAN.visits, atol=0.003)
    assert [p.basis for p in schedule.phases] == ["local"] * 3


def test_nobody_has_signed_it(tmp_path):
    (tmp_path / "ours.yaml").write_text(written(), encoding="utf-8")
    with pytest.raises(InputRefused) as caught:
        load(tmp_path, None)
    assert "empty-text" in [p.code for p in caught.value.problems]
    assert read is not None and float(in_months(13)) == 2.9897
