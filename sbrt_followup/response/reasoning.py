"""Why an MRI reads as it does: what was recorded, every criterion with its rule, conditions and sources, to the next step.

Nothing is computed anew: the answers are those of the assessment, the verdicts those of the same evaluator.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..rulebook.conditions import Facts, Interval, Levels
from ..rulebook.criteria import Criterion
from ..rulebook.explaining import Explanation, Line, Step, conditions
from ..rulebook.model import Rule
from ..sites.risk import weakest
from ..tables.columns import IMAGING
from ..vocabulary import COMPARISONS, STATES
from .answers import Answer, most_pressing
from .assessment import Assessment
from .episodes import RESOLUTIONS
from .measures import CHANGE_FACT
from .reading_words import VERSUS, rule_of
from .readings import Sized
from .thresholds import growth_thresholds

SIGN_WORDS = {
    "supports": "for progression",
    "opposes": "against progression",
    "confounds": "neither for nor against",
    "none": "",
}
NOT_SHOWN = ("patient_id", "site_id", "mri_date")


def reasoning(assessment: Assessment, day: int | None = None) -> Explanation:
    """Explain every MRI of an assessment (or those of one day), oldest first within each site."""
    scans = assessment.reading.scans
    rows = [r for r in range(len(scans)) if not scans.baseline[r] and day in (None, int(scans.day[r]))]
    steps = tuple(_step(assessment, row) for row in rows)
    cited = {key for step in steps for line in step.lines for key in line.cites}
    return Explanation(steps, tuple(s for s in assessment.rulebook.evidence.sources if s.key in cited))


def _step(assessment: Assessment, row: int) -> Step:
    reading, e = assessment.reading, assessment.episodes
    scans = reading.scans
    site = reading.frame["site_id"].iloc[int(scans.site[row])]
    state, called = STATES[int(e.state[row])], STATES[int(e.called[row])]
    shown = called if state == called else f"{called} on the day, {state} in retrospect"
    title = f"MRI of {np.datetime64(int(scans.day[row]), 'D')}, site {site}, day {scans.since[row]}: {shown}"
    lines = [
        *_recorded(assessment, row),
        *_sizes(assessment, row),
        *_criteria(assessment, row),
        *_course(assessment, row),
        *_next(assessment, row),
    ]
    return Step(title, tuple(lines))


def _recorded(assessment: Assessment, row: int) -> Iterator[Line]:
    reading = assessment.reading
    given: list[str] = []
    missing: list[str] = []
    for spec in IMAGING:
        if spec.name in NOT_SHOWN or not (spec.name in reading.read.numbers or spec.name in reading.read.labels):
            continue
        if spec.name in reading.read.numbers:
            value = reading.read.numbers[spec.name][row]
            (missing if np.isnan(value) else given).append(spec.name if np.isnan(value) else f"{spec.name} {value:g}")
        else:
            code = int(reading.read.labels[spec.name][row])
            word = spec.levels[code] if spec.levels and code >= 0 else "as recorded"
            (missing if code < 0 else given).append(spec.name if code < 0 else f"{spec.name} {word}")
    yield Line(f"recorded: {', '.join(given) or 'nothing'}")
    yield Line(f"not recorded, and not filled in: {', '.join(missing) or 'nothing'}")
    place = reading.facts["window_place"]
    assert isinstance(place, Levels)
    label = reading.windows.labels[int(reading.windows.case[reading.scans.site[row]])]
    named = reading.windows.documents[int(reading.windows.case[reading.scans.site[row]])]
    own = [d for d in reading.rulebook.windows if d.id in named]
    cites = tuple(dict.fromkeys(c for d in own for c in d.window.cites))
    yield Line(f"pseudo-progression window: {_words('window_place', int(place.possible[row]))}; {label}",
               basis=weakest([d.window.basis for d in own]) if own else "", rule=", ".join(d.name for d in own),
               cites=cites)  # fmt: skip


def _words(fact: str, bits: int) -> str:
    from ..vocabulary import FACTS

    return " or ".join(level.replace("_", " ") for i, level in enumerate(FACTS[fact].levels) if bits >> i & 1)


def _one(facts: Facts, row: int) -> Facts:
    one: dict[str, Levels | Interval] = {}
    for name, c in facts.items():
        here = slice(row, row + 1)
        one[name] = Levels(c.possible[here]) if isinstance(c, Levels) else Interval(c.low[here], c.high[here])
    return one


def _sized_facts(assessment: Assessment, sized: Sized, at: int, row: int) -> Facts:
    c = sized.answer.criterion
    assert c.measure is not None
    value = sized.values[at : at + 1]
    size = assessment.reading.facts["gtv_baseline_cc"]
    assert isinstance(size, Interval)
    return {
        CHANGE_FACT[c.measure]: Interval(value, value),
        "scan_pair": Levels(1 << sized.pair[row : row + 1]),
        "compared_with": Levels(np.array([1 << COMPARISONS.index(sized.comparison)], dtype=np.int64)),
        "gtv_baseline_cc": Interval(size.low[row : row + 1], size.high[row : row + 1]),
    }


def _sizes(assessment: Assessment, row: int) -> Iterator[Line]:
    for sized in assessment.reading.sized:
        found = (sized.answer.rows == row).nonzero()[0]
        if not len(found):
            continue
        c = sized.answer.criterion
        facts = _sized_facts(assessment, sized, int(found[0]), row)
        limit = growth_thresholds(c, facts, 1).texts()[0]
        number = f"{sized.values[found[0]]:+.4g}" if c.measure != "area_mm2" else f"{sized.values[found[0]]:.4g}-fold"
        unit = {"gtv_cc": " %", "diameter_mm": " mm", "area_mm2": ""}[c.measure or "gtv_cc"]
        yield from _answered(
            sized.answer, row, facts, f"{VERSUS[sized.comparison]} {number}{unit}, growth is {limit or 'not defined'}"
        )


def _answered(answer: Answer, row: int, facts: Facts, detail: str = "") -> Iterator[Line]:
    """Say what one criterion concluded, by which rule, with the conditions of that rule."""
    c = answer.criterion
    before = f"{c.id}: {detail + ': ' if detail else ''}"
    code = int(answer.outcome[row])
    if code < 0:
        d = answer.decisions
        at = int((answer.rows == row).nonzero()[0][0])
        case = int(d.case[at])
        could = [o for o, can in zip(c.outcomes, d.possible[case], strict=True) if can]
        asks = [f for f, m in zip(d.facts, d.decisive[case], strict=True) if m]
        yield Line(f"{before}not decided ({' or '.join(could)}); record {', '.join(asks)}", "unknown", c.basis, c.name)
        return
    meaning = c.meaning(code)
    sign = SIGN_WORDS[meaning.sign]
    weigh = "" if meaning.weighs or not sign else ", listed and not weighed"
    rule = _rule(c, int(answer.rule_code[row]))
    why = f" – {rule.why}" if rule is not None and rule.why else ""
    disputed = f" [disputed: {meaning.disputed}]" if meaning.disputed else ""
    yield Line(
        f"{before}{meaning.says}{f' ({sign}{weigh})' if sign else ''}{disputed}{why}", "",
        c.basis if rule is None else rule.basis, c.name if rule is None else f"{c.name}#{rule.id}",
        () if rule is None else rule.cites,
    )  # fmt: skip
    if rule is not None:
        yield from conditions(rule.when, c.feature_conditions, facts, depth=1)


def _rule(c: Criterion, code: int) -> Rule | None:
    return c.rules[code] if 0 <= code < len(c.rules) else None


def _criteria(assessment: Assessment, row: int) -> Iterator[Line]:
    reading = assessment.reading
    facts = _one(reading.facts, row)
    order = ("epidural", "neurology", "sign", "growth", "state", "alert", "spread", "pain", "pain_consensus", "caution")
    answers = sorted(
        reading.answers.values(), key=lambda a: order.index(a.criterion.role) if a.criterion.role in order else -1
    )
    silent = []
    for answer in answers:
        if answer.criterion.role not in order:
            continue
        d = answer.decisions
        if answer.outcome[row] < 0 and d.possible[d.case[row]].all():
            silent.append(f"{answer.criterion.id} ({', '.join(d.facts)})")
        else:
            yield from _answered(answer, row, facts)
    if silent:
        yield Line(f"nothing recorded for: {'; '.join(silent)}", "unknown")


def _course(assessment: Assessment, row: int) -> Iterator[Line]:
    e, criteria = assessment.episodes, assessment.reading.criteria.once
    for c, code in ((criteria["growth_course"], e.growth_rule[row]), (criteria["course"], e.course_rule[row])):
        rule = _rule(c, int(code))
        if rule is not None:
            says = c.meaning(c.outcomes.index(rule.then)).says
            yield Line(
                f"{c.id}: {says}{' – ' + rule.why if rule.why else ''}",
                "",
                rule.basis,
                f"{c.name}#{rule.id}",
                rule.cites,
            )
    if e.episode[row] >= 0:
        first = int(assessment.reading.scans.day[e.episode[row]])
        yield Line(
            f"episode of growth since {np.datetime64(first, 'D')}: {RESOLUTIONS[int(e.resolution[row])]} by the as-of day"
        )


def _next(assessment: Assessment, row: int) -> Iterator[Line]:
    step, reading = assessment.episodes.next_step, assessment.reading
    for c in reading.criteria.alerts:
        alert = reading.answers[c.id]
        code = int(alert.outcome[row])
        if code >= 0 and c.meaning(code).urgent:
            named = rule_of(alert, row) or (c.name, c.basis)
            yield Line(f"next: {c.meaning(code).asks_for}", basis=named[1], rule=named[0])
    c = step.criterion
    meaning = c.meaning(int(most_pressing(step)[row]))
    day = None if meaning.within is None else int(reading.scans.day[row]) + int(meaning.within.value)
    when = (
        "" if day is None else f" by {np.datetime64(day, 'D')} ({meaning.within.value} days)" if meaning.within else ""
    )
    rule = _rule(c, int(step.rule_code[row]))
    why = f" – {meaning.within.why}" if meaning.within else ""
    yield Line(
        f"next: {meaning.says}{when}{why}", "", meaning.within.basis if meaning.within else c.basis,
        c.name if rule is None else f"{c.name}#{rule.id}", () if rule is None else rule.cites,
    )  # fmt: skip
