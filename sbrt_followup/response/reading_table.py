"""The table of readings: one row per MRI, in the contract's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Floats, spread
from ..sites.risk import weakest
from ..timing import DAYS_PER_MONTH
from ..vocabulary import FACTS, STATES
from .answers import Answer
from .false_alarms import chances
from .measures import at, change
from .reading_words import Words
from .readings import NO, YES, Readings, sign_values

if TYPE_CHECKING:
    import pandas as pd

    from .assessment import Assessment

COLUMNS = (
    "patient_id", "site_id", "sbrt_date", "mri_date", "scan", "days", "months", "state", "called", "urgent", "gtv_cc",
    "change_baseline_percent", "change_nadir_percent", "change_previous_percent", "diameter_mm", "change_baseline_mm",
    "threshold", "false_alarm_percent", "window_place", "window", "growth", "signs_for", "signs_against", "confounders", "cautions", "contradiction",
    "disputed", "possible_states", "not_recorded", "new_metastasis", "pain_response", "pain_consensus", "reasons", "requests", "next_action", "next_date",
    "next_basis", "rule", "basis",
)  # fmt: skip


def false_alarm(reading: Readings) -> Floats:
    """Give, for an equivocal growth against an unpublished pair, the chance of a false alarm by that MRI; NaN elsewhere."""
    result = np.full(len(reading.scans), np.nan)
    most = int(reading.scans.number.max(initial=1))
    for sized in reading.sized:
        c = sized.answer.criterion
        if c.repeatability is None:
            continue
        nadir, baseline = chances(c.repeatability, most)
        rate = nadir if sized.comparison in ("nadir", "previous") else baseline
        other = sized.pair == FACTS["scan_pair"].levels.index("other")
        sign, _ = sign_values(c)
        here = other & (sized.answer.values(sign, 0) > 0)
        result = np.where(here, np.fmax(result, rate[reading.scans.number]), result)
    return result


def _numbers(reading: Readings) -> dict[str, Floats]:
    gtv, mm = reading.read.numbers["gtv_cc"], reading.read.numbers["diameter_mm"]
    volume, length = (reading.references.get(m) for m in ("gtv_cc", "diameter_mm"))
    nothing = np.full(len(gtv), np.nan)

    def against(name: str) -> Floats:
        # Growth from nothing has no percentage; the threshold and the reasons say that it is growth.
        found = nothing if volume is None else change("gtv_cc", gtv, at(gtv, volume.of(name)))
        return np.where(np.isinf(found), np.nan, found)

    return {
        "gtv_cc": gtv,
        "change_baseline_percent": against("baseline"),
        "change_nadir_percent": against("nadir"),
        "change_previous_percent": against("previous"),
        "diameter_mm": mm,
        "change_baseline_mm": nothing if length is None else change("diameter_mm", mm, at(mm, length.baseline)),
    }


def reading_table(assessment: Assessment) -> pd.DataFrame:
    """Give one row per MRI."""
    import pandas as pd

    reading, e = assessment.reading, assessment.episodes
    scans, frame = reading.scans, reading.frame
    words = Words(reading, e)
    names = pd.CategoricalDtype(list(STATES))
    urgent = reading.urgent
    rule, basis = words.rules()
    next_basis = spread(
        [scans.baseline.astype(np.int64), e.next_step.decisions.case],
        len(scans),
        lambda row: "" if scans.baseline[row] else basis_of_next(e.next_step, row),
    )
    first = {name: frame[name].to_numpy()[scans.site] for name in ("patient_id", "site_id", "sbrt_date")}
    return pd.DataFrame(
        {
            **first,
            "mri_date": scans.day.astype("datetime64[D]").astype("datetime64[s]"),
            "scan": scans.number,
            "days": scans.since,
            "months": np.round(scans.since / float(DAYS_PER_MONTH), 1),
            "state": pd.Categorical.from_codes(e.state, dtype=names),
            "called": pd.Categorical.from_codes(e.called, dtype=names),
            "urgent": pd.Categorical.from_codes(
                np.select([scans.baseline, urgent == YES, urgent == NO], [-1, 1, 0], -1), dtype=pd.CategoricalDtype(["no", "yes"])
            ),
            **_numbers(reading),
            "threshold": words.thresholds(),
            "false_alarm_percent": false_alarm(reading),
            "window_place": words.places("window_place"),
            "window": words.window(),
            "growth": words.places("growth_call"),
            "signs_for": words.signs_saying(1),
            "signs_against": words.signs_saying(-1),
            "confounders": words.confounders(),
            "cautions": words.cautions(),
            "contradiction": words.contradiction(),
            "disputed": words.disputed(),
            "possible_states": words.possible_states(),
            "not_recorded": words.not_recorded(),
            "new_metastasis": words.outcome(words.once["spread"]),
            **{name: words.outcome_of_role(role) for name, role in (("pain_response", "pain"), ("pain_consensus", "pain_consensus"))},
            "reasons": words.reasons(),
            "next_action": words.next_action(),
            "requests": _requests(assessment),
            "next_date": assessment.next_by.astype("datetime64[D]").astype("datetime64[s]"),
            "next_basis": next_basis,
            "rule": rule,
            "basis": basis,
        }
    )[list(COLUMNS)]  # fmt: skip


def _requests(assessment: Assessment) -> Any:
    """Give the codes of what each MRI asks for, the most pressing first."""
    here = [one.here.astype(np.int64) for one in assessment.asked]
    names = [one.request for one in assessment.asked]
    planned = names.index("as_planned")

    def say(row: int) -> str:
        found = [name for name, flag in zip(names, here, strict=True) if flag[row]]
        return ";".join(n for n in found if n != names[planned] or len(found) == 1)

    return spread(here, len(assessment.reading.scans), say)


def basis_of_next(answer: Answer, row: int) -> str:
    """Give the weakest basis of an MRI's next step: its rules and its interval, over what is still possible."""
    d, c = answer.decisions, answer.criterion
    case = int(d.case[row])
    bases = [r.basis for r, can in zip(c.rules, d.rules[case], strict=False) if can]
    steps = [c.meaning(i).within for i, can in enumerate(d.possible[case]) if can]
    return weakest([*bases, *(q.basis for q in steps if q is not None)]) if bases or steps else ""
