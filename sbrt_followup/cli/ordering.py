"""The order of groups: declared by the user, the rules, a fact's own levels or numbers; a trend needs one of these."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ..problems import nearest, refuse
from ..vocabulary import TIERS

if TYPE_CHECKING:
    from ..estimators.counts import Counts
    from ..outcomes.curves import Grouping


def in_order(grouping: Grouping | None, order: str | None, trend: bool) -> Grouping | None:
    """Put groups into the order given; refuse a trend over groups that have none."""
    if grouping is None:
        _need_groups(order, trend)
        return None
    if order is None:
        if trend and getattr(grouping.values.dtype, "categories", None) is None:
            _need_order(grouping.name, [str(v) for v in grouping.values.dropna().unique()])
        return grouping
    import pandas as pd

    from ..outcomes.units import label

    values = grouping.values.astype(object)
    known = values.notna()
    text = values.where(~known, values[known].map(label))
    names = _names(order, set(text[known]), grouping.name)
    return replace(grouping, values=pd.Series(pd.Categorical(text, categories=names, ordered=True), index=values.index))


def in_order_counts(
    counts: Mapping[str, Counts], by: str | None, order: str | None, trend: bool
) -> Mapping[str, Counts]:
    """Do the same for the groups of a prepared table."""
    from ..outcomes.large import usual_order

    if by is None:
        _need_groups(order, trend)
        return counts
    if order is None and trend and not set(counts) <= set(TIERS):
        _need_order(by, counts)
    names = usual_order(counts) if order is None else _names(order, set(counts), by)
    return {name: counts[name] for name in names}


def _need_groups(order: str | None, trend: bool) -> None:
    if order is not None or trend:
        raise refuse("not-allowed", f"{'--order' if order is not None else '--trend'} needs groups: add --by COLUMN")


def _need_order(name: str, groups: Iterable[str]) -> None:
    """Refuse groups that are neither in a declared order nor numbers."""
    try:
        numbers = [float(group) for group in groups]
    except ValueError:
        numbers = [float("nan")]
    if any(number != number for number in numbers):
        raise refuse(
            "no-order",
            f"--trend needs an order of the groups, and {name} has none of its own",
            hint='Declare it: --order "first;second;third".',
        )


def _names(order: str, present: Collection[str], column: str) -> list[str]:
    names = [part.strip() for part in order.split(";")]
    unknown = [name for name in names if name not in present]
    missing = len(set(present) - set(names))
    if unknown or missing:
        raise refuse(
            "not-allowed",
            f"--order names {len(unknown)} groups that no row of {column} has, and leaves out {missing}",
            hint=nearest(unknown[0], sorted(present)) if unknown else "Name every group once, joined by ';'.",
        )
    if len(set(names)) < len(names):
        raise refuse("not-allowed", "--order names a group twice", hint="Name every group once, joined by ';'.")
    return names
