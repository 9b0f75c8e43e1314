from sbrt_followup.report.surveillance.policy_text import in_words
from sbrt_followup.report.surveillance.printed import NONE, limits, number, percent
from sbrt_followup.surveillance.phased import Phased, Stretch


def test_a_plan_in_words():
    plan = Phased(13, (Stretch(9, 58), Stretch(17, None)), (), 1.0, 1.0)
    assert in_words(plan) == "first at week 13, then every 9 weeks until week 58, then every 17 weeks"


def test_what_is_not_known_is_a_dash():
    assert number(None) == number(float("nan")) == percent(float("inf")) == NONE
    assert limits(1.0, float("nan"), 2.0) == "1.00"
    assert limits(1.0, 0.5, 2.0) == "1.00 (0.50–2.00)"
