"""Proofs about pseudo-progression windows: gaps, order, and a scan that can confirm under every plan and tier.

Days are since time zero, both ends included. A planned visit counts on its due day, an average month being 30.4375 days.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from ..rulebook.library import Rulebook
from ..rulebook.model import DecisionTable, Evidence, Plan, PseudoprogressionWindow, Schedule
from ..rulebook.offsets import visit_offsets
from ..sites.windows import Stretch, unite
from ..timing import DAYS_PER_MONTH
from .findings import Finding, found
from .plan_checks import tiers_of

LARGEST_GROWTH = "largest growth"


def audit_windows(book: Rulebook, plans: Sequence[Plan]) -> Iterator[Finding]:
    """Give every finding about the pseudo-progression windows of a rulebook."""
    documents = [d for d in book.documents.values() if isinstance(d, PseudoprogressionWindow)]
    by_id = {d.id: d for d in documents}
    yield from _same_patients(documents)
    confirming = _asks_to_confirm(book)
    for document in documents:
        united = unite(with_partners(document, by_id))
        base = by_id.get(document.unites_with)
        if base is not None and base.window.to + 1 < document.window.from_:
            yield found(
                "window-ends-before-onset", base,
                f"this window ends on day {base.window.to}, {document.name} opens on day {document.window.from_}",
                base.window.source, {**_chooses(document), "day": str(base.window.to + 1)},
            )  # fmt: skip
        for one, other in itertools.pairwise(united):
            yield found(
                "window-gap", document,
                f"days {one.stop} to {other.start - 1} ({other.start - one.stop} days) lie between the united windows",
                document.window.source, {**_chooses(document), "day": str(one.stop)},
            )  # fmt: skip
        for plan in plans:
            for schedule in plan.schedules:
                yield from _seen(document, united, plan, schedule, confirming)


def audit_growth(book: Rulebook) -> Iterator[Finding]:
    """Hold the size criteria against how much pseudo-progression itself can grow."""
    evidence = next((d for d in book.documents.values() if isinstance(d, Evidence)), None)
    if evidence is None:
        return
    largest = [
        (v.value, s.key)
        for s in evidence.sources
        for f in s.findings
        for v in f.values
        if v.what == LARGEST_GROWTH and v.unit == "mm"
    ]
    for document in book.documents.values():
        if not (isinstance(document, DecisionTable) and getattr(document, "role", "") == "size" and largest):
            continue
        growth, key = max(largest)
        for rule in document.rules:
            for part in rule.when.parts:
                low = getattr(part, "fact", "") == "diameter_change_mm" and part.op in ("above", "at_least")
                if low and isinstance(part.operands[0], Fraction) and 0 < part.operands[0] < growth:
                    yield found(
                        "threshold-within-pseudoprogression", document,
                        f"growth counts from {float(part.operands[0]):g} mm, yet pseudo-progression grows by up to {float(growth):g} mm ({key})",
                        part.source, {"diameter_change_mm": f"{float(growth):g}"},
                    )  # fmt: skip


def with_partners(
    document: PseudoprogressionWindow, by_id: Mapping[str, PseudoprogressionWindow]
) -> list[PseudoprogressionWindow]:
    """Give a window and those it is united with."""
    found_: dict[str, PseudoprogressionWindow] = {}
    one: PseudoprogressionWindow | None = document
    while one is not None and one.id not in found_:
        found_[one.id] = one
        one = by_id.get(one.unites_with)
    return list(found_.values())


def _chooses(document: PseudoprogressionWindow) -> dict[str, str]:
    parts = document.when.parts if document.when is not None else ()
    return {p.fact: str(p.operands[0]) for p in parts if hasattr(p, "fact")}


def _same_patients(documents: Sequence[PseudoprogressionWindow]) -> Iterator[Finding]:
    """Two windows for the same histology that say different days."""
    seen: dict[tuple[tuple[str, str], ...], PseudoprogressionWindow] = {}
    for document in documents:
        key = tuple(sorted(_chooses(document).items()))
        first = seen.setdefault(key, document)
        days, others = (document.window.from_, document.window.to), (first.window.from_, first.window.to)
        if first is not document and days != others:
            yield found(
                "windows-disagree", document,
                f"{first.name} gives the same patients days {others[0]} to {others[1]}, this one {days[0]} to {days[1]}",
                document.window.source, {**dict(key), "day": str(min(days[0], others[0]) if days[0] != others[0] else min(days[1], others[1]) + 1)},
            )  # fmt: skip


def _asks_to_confirm(book: Rulebook) -> bool:
    """Tell whether the profile itself asks for a confirming MRI within so many days."""
    documents = (book.documents.get(f"response/{name}") for name in book.profile.response)
    return any(
        meaning.within is not None
        for d in documents
        if getattr(d, "role", "") == "next_step"
        for meaning in getattr(d, "meanings", ())
    )


def _seen(document: PseudoprogressionWindow, united: Sequence[Stretch], plan: Plan, schedule: Schedule,
          confirming: bool) -> Iterator[Finding]:  # fmt: skip
    """Find windows no planned visit falls into, and growth that no later visit can confirm in time."""
    days = [int(v.months * DAYS_PER_MONTH + Fraction(1, 2)) for v in visit_offsets(schedule, plan.horizon.value)]
    facts = {**_chooses(document), "plan": plan.id, "tier": tiers_of(schedule)}
    first, last = document.window.from_, document.window.to
    inside = [d for d in days if first <= d <= last]
    if not inside:
        miss = min((min(abs(d - first), abs(d - last)) for d in days), default=0)
        yield found(
            "no-scan-in-window", document,
            f"no visit of {plan.name} (tier {tiers_of(schedule)}) falls on days {first} to {last}; the nearest is {miss} days off",
            document.window.source, {**facts, "day": str(first)},
        )  # fmt: skip
        return
    closes = next(s.stop - 1 for s in united if s.start <= inside[-1] < s.stop)
    later = [d for d in days if d > closes]
    if not later:
        yield found(
            "no-confirming-scan", document,
            f"after growth on day {inside[-1]} {plan.name} (tier {tiers_of(schedule)}) has no visit once the window closes on day {closes}",
            document.window.source, {**facts, "day": str(inside[-1])},
        )  # fmt: skip
    elif not confirming:
        yield found(
            "confirming-scan-late", document,
            f"after growth on day {inside[-1]} {plan.name} (tier {tiers_of(schedule)}) looks again on day {later[0]}, {later[0] - closes} days after the window closes, and no document asks for a confirming MRI",
            document.window.source, {**facts, "day": str(inside[-1])},
        )  # fmt: skip
