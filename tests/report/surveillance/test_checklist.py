from types import SimpleNamespace

import numpy as np
from helpers.scored_cohorts import tiers446

from sbrt_followup.outcomes.study import Question
from sbrt_followup.report.surveillance.checklist import checklist
from sbrt_followup.surveillance.foretold import Foretold
from sbrt_followup.surveillance.validation import People, validate


def filled(apparent=False):
    frame = tiers446()
    time, risk = frame["time"].to_numpy(), frame["risk24"].to_numpy()
    zero = np.zeros(len(time))
    people = People(time, frame["status"].to_numpy(), zero, zero.astype(np.int64), ("all",), None, None)
    model = Foretold("risk24", {24.0: risk}, {24.0: risk}, {24.0: "given"}, None, source="columns")
    result = SimpleNamespace(
        people=people,
        question=Question(30),
        model=model,
        horizons=validate(people, model, [24.0], [0.2]),
        rows_used=446,
        excluded=(),
        asked=SimpleNamespace(apparent=apparent),
    )
    return {entry.item: entry.answer for entry in checklist(result)}


def test_what_the_program_knows_is_filled_in():
    found = filled()
    assert found["4"] == "validation of risk24"
    assert "446 patients" in found["20a"] and "104 events" in found["21"]
    assert "AUC 0.671" in found["23a"] and "O/E 0.91" in found["23a"]
    assert "apparent" in filled(apparent=True)["12a"]


def test_what_only_people_know_is_left_blank():
    found = filled()
    assert len(found) == 52  # the items of TRIPOD+AI, parts counted
    for item in ("2", "3a", "5a", "8b", "14", "17", "18a", "18b", "18c", "18d", "19", "25", "26", "27a"):
        assert found[item] == ""
