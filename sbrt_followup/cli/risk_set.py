"""The options of `curves` that say who is at risk: deaths after the last MRI, distant progression, MRIs required."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING

from ..problems import nearest, refuse

if TYPE_CHECKING:
    from ..outcomes.question import Question
    from ..rulebook.model import Profile

ANY = "any"
LONGEST = 1200.0  # months; a hundred years


def check(
    endpoint: str,
    estimator: str | None,
    censor_at: str | None,
    death_within: str | None,
    distant: str | None,
    require_mri: int,
) -> None:
    """Refuse what an option does not know, or what it does not go with."""
    from ..outcomes.question import BY_MRI, DISTANT

    if distant is not None and distant not in DISTANT:
        raise refuse("not-allowed", f"--distant takes {', '.join(DISTANT)}", hint=nearest(distant, DISTANT))
    if distant is not None and endpoint != "local_progression":
        raise refuse("not-allowed", "--distant goes with --endpoint local_progression only")
    if not 0 <= require_mri <= 1000:
        raise refuse("not-allowed", "--require-mri takes a number of MRIs, 1 or more")
    if death_within is None:
        return
    if endpoint not in BY_MRI:
        raise refuse("not-allowed", f"--death-within goes with {', '.join(BY_MRI)} only")
    if estimator == "turnbull":
        raise refuse(
            "not-allowed",
            "--death-within does not go with --estimator turnbull",
            hint="There follow-up ends at the last clear MRI, whenever the patient dies.",
        )
    limit = _months(death_within)
    if limit is not None and censor_at == "last_contact":
        raise refuse(
            "not-allowed",
            "--death-within MONTHS does not go with --censor-at last_contact",
            hint="It ends follow-up at the last clear MRI.",
        )


def asked(
    question: Question,
    profile: Profile,
    given: Collection[str],
    estimator: str,
    death_within: str | None,
    distant: str | None,
    require_mri: int,
) -> tuple[Question, Question | None]:
    """Give the question with its risk set, and the same under the other rule for deaths where there are two."""
    from ..outcomes.question import DEATH_COMPETES
    from ..timing import analysis_days

    separate = "local_progression_date" in given
    question = replace(question, distant=distant or ("ignore" if separate else "censor"), require_mri=require_mri)
    local = question.endpoint == "local_progression"
    question = question if local else replace(question, distant="censor")
    rule = profile.death_within
    usual = None if rule is None else float(rule.value) * (1.0 if rule.unit == "days" else analysis_days(1))
    follows = question.censored_at == "last_mri" and estimator != "turnbull"
    if not follows or (question.endpoint not in DEATH_COMPETES and death_within is None):
        return question, None
    limit = usual
    if death_within is not None:
        month = _months(death_within)
        limit = None if month is None else analysis_days(month)
    other = usual if limit is None else None
    beside = replace(question, death_within_days=other) if other != limit else None
    return replace(question, death_within_days=limit), beside


def _months(text: str) -> float | None:
    """Read months, or `any`: none."""
    if text.strip().lower() == ANY:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not (isfinite(value) and 0 <= value <= LONGEST):
        raise refuse("not-allowed", "--death-within takes months from 0 on, such as 6, or any")
    return value
