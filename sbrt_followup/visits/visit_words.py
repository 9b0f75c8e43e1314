"""The words of a visit: phase, rule, basis, reason, and what the person who books must know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arrays import Flags, Ints
from ..rulebook.conditions import decimal
from ..rulebook.library import Rulebook
from ..rulebook.model import Phase, Span
from ..sites.risk import weakest
from .series import FIRST, STOP, VISIT, Pattern

HORIZON_REASON = "horizon reached: surveillance does not end here, the clinician decides"


def _span(span: Span) -> str:
    return f"{decimal(span.low)}–{decimal(span.high)}" if span.ranged else decimal(span.low)


def phase_words(pattern: Pattern, phase: Phase | None) -> tuple[str, str, str, str]:
    """Give the phase's name, rule, basis and reason."""
    plan = pattern.plan
    tolerance = f"± {decimal(plan.tolerance.value)} days ({plan.tolerance.basis})"
    if phase is None:
        first = pattern.schedule.first
        text = f"first MRI at {decimal(pattern.schedule.first_offset)} months; window {tolerance}"
        why = f" ({first.basis}{': ' + first.why if first.why else ''})" if first.basis != "published" else ""
        return first.id, f"{plan.name}#{first.id}", first.basis, text + why
    until = "" if phase.until is None else f" until month {_span(phase.until)}"
    text = f"every {_span(phase.every)} months{until} ({phase.basis})"
    if not phase.every.ranged:
        text += f"; window {tolerance}"
    bases = [phase.basis]
    if phase.pick_basis is not None:
        bases.append(phase.pick_basis)
        end = (
            ""
            if phase.end is None or not phase.until or not phase.until.ranged
            else f", phase end {decimal(phase.end)}"
        )
        text += f"; picked {decimal(phase.interval)}{end} ({phase.pick_basis})"
    return phase.id, f"{plan.name}#{phase.id}", weakest(bases), text


ADDED = (
    ("unscheduled", "done outside its window (unscheduled)"),
    ("reanchored", "counted from the last MRI (assumption)"),
    ("booked", "booked"),
    ("outside", "booked outside its window"),
    ("lapsed", "the booked day has passed without a recorded MRI"),
    ("astray", "a booking on record lies near no visit: check its day"),
    ("ahead", "from this day on"),
    ("provisional", "provisional: the risk tier is not decided"),
    ("progressed", "progression on record: awaiting treatment decision"),
    ("no_mri", "MRI contraindicated: the review's alternative is contrast CT"),
    ("no_gadolinium", "no gadolinium"),
    ("merged", "one MRI for several sites (interpretation)"),
)

SHORT = ("outside", "lapsed", "astray", "provisional", "no_mri", "no_gadolinium")
"""What the person who books must know of a line, beside its dates and status."""


class VisitWords:
    """The texts of each pattern's phases, by a small code."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self.patterns = patterns
        self.width = max(len(p.schedule.phases) for p in patterns) + 1
        self.texts: list[tuple[str, str, str, str, str]] = []
        for one in patterns:
            for number in range(-1, self.width - 1):
                phase = (
                    None
                    if number == FIRST
                    else (one.schedule.phases[number] if number < len(one.schedule.phases) else None)
                )
                name, rule, basis, reason = phase_words(one, phase)
                self.texts.append((name, one.plan.id, rule, basis, reason))
        for name in ("extra", "stop", "horizon"):
            self.texts.append((name, "", "", "", ""))
        self.endings = len(self.texts) - 3

    def code(self, pattern: Ints, phase: Ints, kind: Ints) -> Ints:
        """Number the text of every line."""
        own = pattern * self.width + phase + 1
        return np.where(kind == VISIT, own, self.endings + np.clip(kind - 1, 0, 2))

    def column(self, code: Ints, which: int) -> Any:
        """Give one of the texts as a column."""
        import pandas as pd

        texts = [t[which] for t in self.texts]
        distinct = list(dict.fromkeys(texts))
        place = np.array([distinct.index(t) for t in texts], dtype=np.int32)
        return pd.Categorical.from_codes(place[code], dtype=pd.CategoricalDtype(distinct))

    def reasons(
        self, code: Ints, flags: dict[str, Flags], kind: Ints, stop_code: Ints, stop_words: Sequence[str], tiered: bool,
        rulebook: Rulebook,
    ) -> tuple[Any, Any, Any]:  # fmt: skip
        """Give reason, basis and the short reason of every line, one text per combination."""
        import pandas as pd

        key = code.astype(np.int64)
        for name, _ in ADDED:
            key = key * 2 + flags[name]
        key = key * (len(stop_words) + 1) + np.where(kind == STOP, stop_code + 1, 0)
        # Keys are small numbers, so a table of those in use replaces sorting millions of them.
        used = np.zeros(int(key.max(initial=0)) + 1, dtype=bool)
        used[key] = True
        distinct = used.nonzero()[0]
        place = (np.cumsum(used) - 1)[key]
        reasons, bases, short = [], [], []
        for value in distinct.tolist():
            rest, stop = divmod(value, len(stop_words) + 1)
            on: list[str] = []
            for name, _text in reversed(ADDED):
                rest, flag = divmod(rest, 2)
                if flag:
                    on.insert(0, name)
            reason, basis = self._one(rest, on, stop_words[stop - 1] if stop else "", tiered, rulebook)
            reasons.append(reason)
            bases.append(basis)
            added = [text for key, text in ADDED if key in on and key in SHORT]
            short.append("; ".join(added) if self.is_visit(rest) else reason)

        def spread(texts: list[str]) -> Any:
            names = list(dict.fromkeys(texts))
            at = np.array([names.index(t) for t in texts], dtype=np.int32)
            return pd.Categorical.from_codes(at[place.reshape(-1)], dtype=pd.CategoricalDtype(names))

        return spread(reasons), spread(bases), spread(short)

    def is_visit(self, code: int) -> bool:
        """Say whether a code is that of a planned visit: no extra scan, stop or horizon."""
        return code < self.endings

    def _one(self, code: int, on: list[str], stop: str, tiered: bool, rulebook: Rulebook) -> tuple[str, str]:
        name, _, _, basis, reason = self.texts[code]
        if code == self.endings:
            return "extra scan: it satisfies no visit", ""
        if name == "stop":
            return f"follow-up {'will stop' if 'ahead' in on else 'stopped'}: {stop}", ""
        if name == "horizon":
            return HORIZON_REASON, ""
        pattern = self.patterns[code // self.width]
        bases = [basis, pattern.plan.basis]
        if "reanchored" in on:
            bases.append(pattern.plan.anchor.basis)
        if "merged" in on:
            bases.append("interpretation")
        parts = [reason]
        if tiered and not pattern.provisional:
            risk = rulebook.risk
            bases.append(risk.basis)
            if risk.basis != "published":
                parts.append(f"tier by {risk.name} ({risk.basis}: the published split is not available)")
        parts += [text for key, text in ADDED if key in on]
        return "; ".join(parts), weakest(bases)
