"""One MRI's reading in words: what speaks for and against, why, what next, by which rules.

Texts come from the documents. Lists in one cell are joined by `;`; what there is nothing to say about is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..arrays import Ints, spread
from ..rulebook.conditions import Facts, Interval, Levels
from ..rulebook.criteria import Criterion, Meaning
from ..sites.risk import weakest
from ..vocabulary import COMPARISONS, FACTS, REQUESTS, STATES, WINDOW_PLACES
from . import episodes as course
from .answers import Answer, most_pressing, requested
from .episodes import Episodes
from .measures import COLUMN_OF
from .readings import YES, Readings, Sized, sign_values
from .thresholds import growth_thresholds

VERSUS = {"baseline": "v baseline", "first": "v first scan", "previous": "v previous MRI", "nadir": "v nadir"}
WHAT = {"gtv_cc": "volume", "diameter_mm": "diameter", "area_mm2": "area"}
RETROSPECT = {
    "pseudoprogression": "in retrospect: growth began in a window and is gone again; no histological reference standard",
    "retracted": "in retrospect: gone again, and not called pseudo-progression",
    "confirmed": "in retrospect: growth confirmed by a later MRI, dated back to this one's episode",
}


class Asking(NamedTuple):
    """Why something is asked for, by which rules, and how well that is known."""

    reason: str
    rule: str
    basis: str


ASSUMED = "assumption"
"""The basis of the interval of closer follow-up: the review names none."""
DISAGREEMENTS = (
    "one measure or comparison shows growth, another a decrease from baseline",
    "growth recorded as inside the bone, and new paraspinal disease",
)


def rule_of(answer: Answer, row: int) -> tuple[str, str] | None:
    """Give the name and basis of the rule behind an answer, None where no single rule stands behind it."""
    code, c = int(answer.rule_code[row]), answer.criterion
    if code < 0:
        return None
    return (
        (f"{c.name}#otherwise", c.basis)
        if code == len(c.rules)
        else (f"{c.name}#{c.rules[code].id}", c.rules[code].basis)
    )


def _list(parts: Sequence[str]) -> str:
    return "; ".join(dict.fromkeys(p for p in parts if p))


def never_recorded(reading: Readings) -> tuple[str, ...]:
    """List the criteria that no MRI of the cohort recorded enough for; said once, not on every row."""
    after = ~reading.scans.baseline
    sizes = [
        c.id for c in reading.criteria.sizes if c.measure and np.isnan(reading.read.numbers[c.measure][after]).all()
    ]
    listed = ("epidural", "neurology", "sign", "alert", "pain", "spread")
    asked = [a for a in reading.answers.values() if a.criterion.role in listed]
    return (*sizes, *(a.criterion.id for a in asked if (a.outcome[after] < 0).all()))


class Words:
    """Says one row's texts; each method is asked once per combination of codes."""

    def __init__(self, reading: Readings, episodes: Episodes) -> None:
        self.reading = reading
        self.episodes = episodes
        self.answers = self.reading.answers
        self.signs = [
            self.answers[c.id]
            for c in (self.reading.criteria.once["epidural"], self.reading.criteria.once["neurology"], *self.reading.criteria.signs)
        ]  # fmt: skip
        self.once = {r: self.answers[c.id] for r, c in self.reading.criteria.once.items() if c.id in self.answers}
        self.baseline = self.reading.scans.baseline.astype(np.int64)
        self.pet = self._code("pet_result")
        self._asked_by: dict[str, Ints] = {}
        self._chosen_by: dict[str, Ints] = {}
        self.window_codes = [self.reading.windows.case[self.reading.scans.site], self._code("window_place")]

    def _code(self, name: str) -> Ints:
        column = self.reading.facts[name]
        assert isinstance(column, Levels)
        return column.possible

    def sized_codes(self, wanted: int) -> list[Ints]:
        """Give, per comparison, the outcome where it has the wanted sign (0: any), else -1."""
        codes = []
        for s in self.reading.sized:
            sign, _ = sign_values(s.answer.criterion)
            keep = s.answer.values(sign, 0) == wanted if wanted else s.answer.outcome >= 0
            codes.append(np.where(keep, s.answer.outcome, -1))
        return codes

    def sign_codes(self, wanted: int) -> list[Ints]:
        """Give, per sign, the outcome where it has the wanted sign, else -1."""
        codes = []
        for a in self.signs:
            sign, _ = sign_values(a.criterion)
            codes.append(np.where(a.values(sign, 0) == wanted, a.outcome, -1))
        return codes

    def signs_saying(self, wanted: int) -> Any:
        """Give the supporting (1) or opposing (-1) signs of each MRI."""
        codes = [*self.sized_codes(wanted), *self.sign_codes(wanted)]
        sized, n = self.reading.sized, len(self.baseline)

        def say(row: int) -> str:
            if self.baseline[row]:
                return ""
            parts = []
            for s, code in zip(sized, codes, strict=False):
                if code[row] >= 0 and not (wanted < 0 and s.comparison != "baseline"):
                    parts.append(f"{s.answer.criterion.meaning(int(code[row])).says} ({VERSUS[s.comparison]})")
            for a, code in zip(self.signs, codes[len(sized) :], strict=True):
                if code[row] >= 0:
                    meaning = a.criterion.meaning(int(code[row]))
                    parts.append(meaning.says + ("" if meaning.weighs else " (listed, not weighed)"))
            return _list(parts)

        return spread([self.baseline, *codes], n, say)

    def contradiction(self) -> Any:
        """Name what contradicts the state or one another."""
        state = self.once["state"]
        apart = [self.reading.disagree.astype(np.int64), self.reading.confinement_disagrees.astype(np.int64)]

        def say(row: int) -> str:
            if self.baseline[row]:
                return ""
            parts = [state.criterion.contradiction(int(state.rule_code[row]))]
            parts += [text for text, flag in zip(DISAGREEMENTS, apart, strict=True) if flag[row]]
            return _list(parts)

        return spread([self.baseline, state.rule_code, *apart], len(self.baseline), say)

    def saying(self, criteria: Sequence[Criterion], chosen: Callable[[Meaning], bool]) -> Any:
        """Give what some criteria say, where the outcome's meaning is a chosen one."""
        answers = [self.answers[c.id] for c in criteria]
        codes = [
            np.where(a.values(np.array([int(chosen(a.criterion.meaning(i))) for i in range(len(a.criterion.outcomes))]), 0) == 1, a.outcome, -1)
            for a in answers
        ]  # fmt: skip

        def say(row: int) -> str:
            if self.baseline[row]:
                return ""
            return _list(
                [a.criterion.meaning(int(c[row])).says for a, c in zip(answers, codes, strict=True) if c[row] >= 0]
            )

        return spread([self.baseline, *codes], len(self.baseline), say)

    def confounders(self) -> Any:
        """Give the findings that speak neither for nor against, but can explain what is seen."""
        return self.saying(self.reading.criteria.signs, lambda m: m.sign == "confounds")

    def cautions(self) -> Any:
        """Give what to be careful about: all outcomes of a caution but the first, which is the quiet one."""
        quiet = {c.outcomes[0] for c in self.reading.criteria.cautions}
        return self.saying(self.reading.criteria.cautions, lambda m: m.outcome not in quiet)

    def disputed(self) -> Any:
        """Say where the sources disagree about a sign that was recorded."""
        codes = [np.where(self._is_disputed(a), a.outcome, -1) for a in self.signs]

        def say(row: int) -> str:
            return _list(
                [
                    f"{a.criterion.id}: {a.criterion.meaning(int(c[row])).disputed}"
                    for a, c in zip(self.signs, codes, strict=True)
                    if c[row] >= 0 and not self.baseline[row]
                ]
            )

        return spread([self.baseline, *codes], len(self.baseline), say)

    def _is_disputed(self, a: Answer) -> npt.NDArray[np.bool_]:
        c = a.criterion
        flag = np.array([bool(c.meaning(i).disputed) for i in range(len(c.outcomes))], dtype=np.int64)
        return np.asarray(a.values(flag, 0) == 1)

    def not_recorded(self) -> Any:
        """List the criteria that could not be asked of this MRI, though others of the cohort could be asked."""
        asked = [*self.signs, *(self.answers[c.id] for c in self.reading.criteria.alerts)]
        asked += [self.answers[c.id] for c in self.reading.criteria.pains] + [self.once["spread"]]
        never = never_recorded(self.reading)
        asked = [a for a in asked if a.criterion.id not in never]
        codes = [(a.outcome < 0).astype(np.int64) for a in asked]
        sized = {c.measure: c for c in self.reading.criteria.sizes if c.id not in never}
        missing = [np.isnan(self.reading.read.numbers[m]).astype(np.int64) for m in sized if m]

        def say(row: int) -> str:
            if self.baseline[row]:
                return ""
            parts = [c.id for c, m in zip(sized.values(), missing, strict=True) if m[row]]
            parts += [a.criterion.id for a, c in zip(asked, codes, strict=True) if c[row]]
            return _list(parts).replace("; ", ";")

        return spread([self.baseline, *codes, *missing], len(self.baseline), say)

    def window(self) -> Any:
        """Name the windows of the site."""
        labels = self.reading.windows.labels

        def say(row: int) -> str:
            return "" if self.baseline[row] else labels[int(self.window_codes[0][row])]

        return spread([self.baseline, self.window_codes[0]], len(self.baseline), say)

    def places(self, name: str) -> Any:
        """Name where the MRI lies against the windows, every possible place."""
        codes = self._code(name)
        labels = FACTS[name].levels

        def say(row: int) -> str:
            bits = int(codes[row])
            return "" if self.baseline[row] else ";".join(w for i, w in enumerate(labels) if bits >> i & 1)

        return spread([self.baseline, codes], len(self.baseline), say)

    def possible_states(self) -> Any:
        """List the states still possible where what was recorded decides none."""
        state = self.once["state"]

        def say(row: int) -> str:
            d = state.decisions
            case = int(d.case[row])
            if self.baseline[row] or d.case_outcome[case] >= 0:
                return ""
            names = [o for o, can in zip(state.criterion.outcomes, d.possible[case], strict=True) if can]
            return ";".join(n for n in STATES if n in names)

        return spread([self.baseline, state.decisions.case], len(self.baseline), say)

    def outcome(self, a: Answer) -> Any:
        """Give the outcome of a criterion by name."""
        return spread(
            [self.baseline, a.outcome],
            len(self.baseline),
            lambda row: "" if self.baseline[row] or a.outcome[row] < 0 else a.criterion.outcomes[int(a.outcome[row])],
        )

    def outcome_of_role(self, role: str) -> Any:
        """Give the outcome of the first criterion with a role by name; nothing where the profile has none."""
        found = [c for c in self.reading.criteria.all if c.role == role]
        return self.outcome(self.answers[found[0].id]) if found else None

    def reasons(self) -> Any:
        """Say why, from sizes over growth and state to what later MRIs showed."""
        codes = self.sized_codes(0)
        sized, e = self.reading.sized, self.episodes
        growth, state, epidural, neurology = (self.once[r] for r in ("growth", "state", "epidural", "neurology"))
        alerts = [self.answers[c.id] for c in self.reading.criteria.alerts]
        column, own = self.reading.criteria.once["course"], self.reading.called
        unread = (~self.reading.has_finding).astype(np.int64)
        keys = [
            unread, self.baseline, *codes, growth.outcome, growth.rule_code, state.outcome, state.rule_code, epidural.outcome, neurology.outcome,
            *(np.where(a.outcome < 0, -1 - a.decisions.case, a.outcome) for a in alerts),
            *self.window_codes, e.course, e.course_rule, e.resolution, e.state, self.once["spread"].outcome,
        ]  # fmt: skip

        def say(row: int) -> str:
            if self.baseline[row]:
                return "the MRI on or before time zero nearest to it"
            if unread[row]:
                return "no finding was recorded"
            parts = [self._alert(a, row) for a in alerts]
            parts += self._sized([(s, int(code[row])) for s, code in zip(sized, codes, strict=True) if code[row] >= 0])
            overruled = e.called[row] != own[row]
            for a in (epidural, neurology, growth, state):
                if a.outcome[row] >= 0 and not (overruled and a is state):
                    says = a.criterion.meaning(int(a.outcome[row])).says
                    parts.append(says + (f": {self._window(row)}" if a is growth and self._by_window(a, row) else ""))
            if state.outcome[row] < 0:
                parts.append("the state depends on what was not recorded")
            code = int(state.rule_code[row])
            if 0 <= code < len(state.criterion.rules) and not overruled:
                parts.append(state.criterion.rules[code].why.rstrip("."))
            if e.course[row] >= 0:
                name = course.RESOLUTIONS[int(e.course[row])]
                parts.append(f"course: {column.meaning(column.outcomes.index(name)).says}")
            resolved = int(e.resolution[row])
            if resolved > course.OPEN and e.growth[row] and STATES[int(e.state[row])] != STATES[int(e.called[row])]:
                parts.append(RETROSPECT[course.RESOLUTIONS[resolved]])
            elif resolved == course.RETRACTED and e.growth[row]:
                parts.append(RETROSPECT["retracted"])
            elsewhere = self.once["spread"]
            if elsewhere.outcome[row] >= 0 and elsewhere.criterion.outcomes[int(elsewhere.outcome[row])] == "new":
                parts.append(
                    f"{elsewhere.criterion.meaning(int(elsewhere.outcome[row])).says}: counts for spine progression only"
                )
            return _list(parts)

        return spread([*keys, e.called], len(self.baseline), say)

    def _alert(self, a: Answer, row: int) -> str:
        code = int(a.outcome[row])
        if code >= 0:
            meaning = a.criterion.meaning(code)
            return f"URGENT: {meaning.says}" if meaning.urgent else ""
        d = a.decisions
        asked = [COLUMN_OF.get(f, f) for f, m in zip(d.facts, d.decisive[int(d.case[row])], strict=True) if m]
        if not self.reading.seen_undecided(a)[row] or not asked:
            return ""
        return f"{a.criterion.id} cannot be excluded: record {', '.join(dict.fromkeys(asked))} of this MRI now"

    def _sized(self, found: Sequence[tuple[Sized, int]]) -> list[str]:
        """Say what the sizes show, the same finding against several scans once."""
        against: dict[str, list[str]] = {}
        for s, code in found:
            against.setdefault(s.answer.criterion.meaning(code).says, []).append(VERSUS[s.comparison])
        return [f"{says} ({', '.join(scans)})" for says, scans in against.items()]

    def _by_window(self, a: Answer, row: int) -> bool:
        code = int(a.rule_code[row])
        rules = a.criterion.rules
        return 0 <= code < len(rules) and any(getattr(p, "fact", "") == "window_place" for p in rules[code].when.parts)

    def _window(self, row: int) -> str:
        place = int(self.window_codes[1][row])
        names = " or ".join(w.replace("_", " ") for i, w in enumerate(WINDOW_PLACES) if place >> i & 1)
        return f"{names} {self.reading.windows.labels[int(self.window_codes[0][row])]}"

    def thresholds(self) -> Any:
        """Give the threshold that applied to each comparison."""
        n = len(self.baseline)
        texts: list[Ints] = []
        words: list[list[str]] = []
        for s in self.reading.sized:
            rows = s.answer.rows
            pair = s.pair[rows]
            size = self.reading.facts["gtv_baseline_cc"]
            assert isinstance(size, Interval)
            facts: Facts = {
                "scan_pair": Levels(1 << pair),
                "compared_with": Levels(np.full(len(rows), 1 << COMPARISONS.index(s.comparison), dtype=np.int64)),
                "gtv_baseline_cc": Interval(size.low[rows], size.high[rows]),
            }
            t = growth_thresholds(s.answer.criterion, facts, len(rows))
            shown = [
                f"{WHAT[s.answer.criterion.measure or '']} {VERSUS[s.comparison]} {x}" if x else "" for x in t.texts()
            ]
            names = list(dict.fromkeys(shown))
            index = {x: i for i, x in enumerate(names)}
            code = np.full(n, -1, dtype=np.int64)
            code[rows] = [index[x] for x in shown]
            texts.append(code)
            words.append(names)

        def say(row: int) -> str:
            return _list([w[int(c[row])] for c, w in zip(texts, words, strict=True) if c[row] >= 0])

        return spread(texts, n, say)

    def next_action(self) -> Any:
        """Say what to do next; an urgent finding outranks everything."""
        step = self.episodes.next_step
        alerts = [self.answers[c.id] for c in self.reading.criteria.alerts]
        others = [*self.signs, self.once["spread"]]
        asks = [np.where(self._asks(s), s.outcome, -1) for s in others]
        urgent = self.reading.urgent
        planned = REQUESTS.index("as_planned")
        chosen, request = most_pressing(step), self._places(step)

        def say(row: int) -> str:
            if self.baseline[row]:
                return ""
            if urgent[row] == YES:
                found = [a.criterion.meaning(int(a.outcome[row])) for a in alerts if a.outcome[row] >= 0]
                parts = [m.asks_for for m in found if m.urgent]
            else:
                parts = [self._alert(a, row) for a in alerts]
            more = [s.criterion.meaning(int(c[row])).asks_for for s, c in zip(others, asks, strict=True) if c[row] >= 0]
            if not (parts and parts[0] and request[row] == planned):
                parts.append(step.criterion.meaning(int(chosen[row])).says)
            return _list([*parts, *more])

        open_alerts = [np.where(x.outcome < 0, x.decisions.case, -1 - x.outcome - 1) for x in alerts]
        keys = [self.baseline, urgent, step.decisions.case, *asks, *open_alerts]
        return spread(keys, len(self.baseline), say)

    def request(self, request: str, row: int) -> Asking:
        """Say what one MRI asks for: reason, rule and basis; what no document asks has neither rule nor basis."""
        if request == "read_mri":
            return Asking("the last MRI has no reading", "", "")
        step = self.episodes.next_step
        place = REQUESTS.index(request)
        alerts = [self.answers[c.id] for c in self.reading.criteria.alerts]
        behind = [
            step,
            *(self.answers[c.id] for c in (*self.reading.criteria.signs, self.reading.criteria.once["spread"])),
        ]
        if request == "urgent":
            behind = alerts
        elif request == "complete_reading":
            behind = [*alerts, *behind]
        says: list[str] = []
        rules: list[tuple[str, str]] = []
        bases: list[str] = [ASSUMED] if request == "closer_followup" else []
        for a in behind:
            code = int(a.outcome[row])
            if request == "urgent":
                asks = code >= 0 and a.criterion.meaning(code).urgent
            elif a.criterion.role == "alert":
                asks = bool(self.reading.seen_undecided(a)[row])
            else:
                asks = int(self._places(a)[row]) == place
            if not asks:
                continue
            says.append(a.criterion.meaning(code).says if code >= 0 else self._alert(a, row))
            if a is step and request != "awaiting_decision":
                says[-1] = self._why_step(row)
            found = rule_of(a, row)
            rules.append((a.criterion.name, a.criterion.basis) if found is None else found)
            chosen = int(self._chosen(a)[row])
            within = a.criterion.meaning(chosen).within if chosen >= 0 else None
            bases += [] if within is None else [within.basis]
        rule = ";".join(dict.fromkeys(name for name, _ in rules))
        return Asking(_list(says), rule, weakest([*bases, *(b for _, b in rules)]) if rules else "")

    def _chosen(self, a: Answer) -> Ints:
        """Give the outcome of each MRI that is acted on, worked out once per document."""
        if a.criterion.id not in self._chosen_by:
            self._chosen_by[a.criterion.id] = most_pressing(a)
        return self._chosen_by[a.criterion.id]

    def _places(self, a: Answer) -> Ints:
        """Give what each MRI's answer asks for, worked out once per document."""
        if a.criterion.id not in self._asked_by:
            self._asked_by[a.criterion.id] = requested(a)
        return self._asked_by[a.criterion.id]

    def _why_step(self, row: int) -> str:
        """Say the state and what the size means, the two that a next step rests on."""
        growth = self.once["growth"]
        size = "size not known" if growth.outcome[row] < 0 else growth.criterion.meaning(int(growth.outcome[row])).says
        return f"{STATES[int(self.episodes.called[row])]} ({size})"

    def _asks(self, a: Answer) -> npt.NDArray[np.bool_]:
        c = a.criterion
        flag = np.array([bool(c.meaning(i).asks_for) for i in range(len(c.outcomes))], dtype=np.int64)
        return np.asarray(a.values(flag, 0) == 1)

    def rules(self) -> tuple[Any, Any]:
        """Name the rules behind the state, and the least firm basis among them."""
        e = self.episodes
        columns = (self.reading.criteria.once["course"], self.reading.criteria.once["growth_course"])
        codes = self.sized_codes(0)
        behind = [self.once["state"], self.once["growth"]]
        keys = [
            self.baseline,
            *codes,
            *(s.answer.rule_code for s in self.reading.sized),
            *(a.rule_code for a in behind),
        ]
        keys += [
            self.once["epidural"].rule_code,
            self.once["neurology"].rule_code,
            e.course_rule,
            e.growth_rule,
            e.called,
        ]

        def found(row: int) -> list[tuple[str, str]]:
            if self.baseline[row]:
                return []
            rules = [rule_of(a, row) for a in behind]
            for c, code in ((columns[0], int(e.course_rule[row])), (columns[1], int(e.growth_rule[row]))):
                rules.append(
                    (f"{c.name}#{c.rules[code].id}", c.rules[code].basis) if 0 <= code < len(c.rules) else None
                )
            for a in (self.once["epidural"], self.once["neurology"]):
                sign, _ = sign_values(a.criterion)
                rules.append(rule_of(a, row) if a.outcome[row] >= 0 and sign[int(a.outcome[row])] else None)
            rules += [rule_of(s.answer, row) for s in self.reading.sized]
            return [r for r in dict.fromkeys(rules) if r is not None]

        names = spread(keys, len(self.baseline), lambda row: ";".join(name for name, _ in found(row)))
        bases = spread(keys, len(self.baseline), lambda row: weakest([b for _, b in found(row)]) if found(row) else "")
        return names, bases
