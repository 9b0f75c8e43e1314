import copy

import pytest

from sbrt_followup.problems import InputRefused
from sbrt_followup.surveillance.fitted_models import from_models, holds_models


def phase(begin, end, hazard, error=0.1):
    return {"from_month": begin, "until_month": end, "events": 20, "hazard_per_month": hazard, "std_error_log": error}


DOCUMENT = {
    "schema_version": 1,
    "unit": "patient",
    "groups": [
        {
            "group": "low",
            "n": 60,
            "events": 20,
            "chosen": "illness_death",
            "models": [
                {"model": "exponential", "status": "fitted", "phases": [phase(0, None, 0.9)]},
                {
                    "model": "illness_death",
                    "status": "fitted",
                    "phases": [phase(0, None, 0.006)],
                    "death_clear_per_month": 0.01,
                    "death_after_per_month": 0.03,
                },
            ],
        },
        {
            "group": "high",
            "n": 40,
            "events": 25,
            "chosen": "break",
            "models": [
                {"model": "break", "status": "fitted", "phases": [phase(13.2, None, 0.008), phase(0, 13.2, 0.04)]}
            ],
        },
    ],
}


def changed(**values):
    document = copy.deepcopy(DOCUMENT)
    document["groups"][1].update(values)
    return document


def test_the_chosen_model_of_each_group_is_read():
    assert holds_models(DOCUMENT)
    found = from_models(DOCUMENT)
    low, high = found.of("low"), found.of("high")
    assert (low.rates.progression, low.rates.death_clear, low.rates.after, low.n) == ((0.006,), 0.01, 0.03, 60)
    assert (high.rates.from_months, high.rates.progression) == ((0.0, 13.2), (0.04, 0.008))
    assert found.known == ("fitted",) and high.std_error_log == (0.1, 0.1) and high.rates.death_after is None


def test_hazards_made_ready_are_left_to_their_reader():
    assert not holds_models({**DOCUMENT, "hazards": {}})
    assert not holds_models([]) and not holds_models({"groups": [{}]})


@pytest.mark.parametrize(
    "values",
    [
        {"chosen": "weibull"},
        {"chosen": None},
        {"models": [{"model": "break", "status": "refused", "reason": "no maximum"}]},
        {"models": [{"model": "break", "phases": [{"from_month": 0}]}]},
        {"models": [{"model": "break", "phases": [phase(3, None, 0.04)]}]},
        {"models": [{"model": "break", "phases": [phase(0, None, -0.04)]}]},
    ],
)
def test_a_group_without_a_usable_model_is_named(values):
    with pytest.raises(InputRefused) as caught:
        from_models(changed(**values))
    (problem,) = caught.value.problems
    assert problem.code == "bad-hazards" and "'high'" in problem.message
