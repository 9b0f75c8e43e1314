"""Scores as the user's columns hold them: numbers read strictly, wrong cells named by row, never by value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Floats
from ..outcomes.units import label
from ..problems import InputRefused, Problem, Source
from ..vocabulary import TIERS

if TYPE_CHECKING:
    import pandas as pd


def ordered(values: pd.Series[Any], order: tuple[str, ...]) -> pd.Series[Any]:
    """Put groups in the order asked for, tiers from the mildest on; others keep their own."""
    import pandas as pd

    present = {label(v) for v in values.dropna().unique()}
    named = order or (TIERS if present <= set(TIERS) else ())
    if not present <= set(named) or (isinstance(values.dtype, pd.CategoricalDtype) and not order):
        return values
    text = values.astype(object).map(lambda v: label(v) if pd.notna(v) else None)
    return pd.Series(pd.Categorical(text, categories=list(named), ordered=True), index=values.index)


def read_scores(
    frame: pd.DataFrame, columns: Mapping[float, str], plain: bool, file: str
) -> tuple[Any, dict[float, Floats]]:
    """Read the columns of scores: each row's place among their distinct values, and those values by month."""
    import pandas as pd

    if not columns:
        return None, {}
    names = list(dict.fromkeys(columns.values()))
    problems: list[Problem] = []
    numbers = {}
    for name in names:
        own = frame[name]
        if not (
            pd.api.types.is_numeric_dtype(own)
            or pd.api.types.is_object_dtype(own)
            or isinstance(own.dtype, pd.StringDtype)
        ):
            problems.append(Problem("score-value", f"column {name} holds no numbers", Source(file)))
            continue
        number = pd.to_numeric(own, errors="coerce").to_numpy(dtype=np.float64)
        unread = frame[name].notna().to_numpy() & ~np.isfinite(number)
        _note(problems, frame, unread, name, "is not a number", "Decimals are written with a point: 0.25.", file)
        if not plain:
            outside = (number < 0) | (number > 1)
            hint = "A risk is a share: 25 % is written 0.25. A score without risks is named plainly: --score COLUMN."
            _note(problems, frame, outside, name, "is not a risk between 0 and 1", hint, file)
        numbers[name] = number
    if problems:
        raise InputRefused(problems)
    table = np.column_stack([numbers[name] for name in names])
    whole = np.isfinite(table).all(axis=1)
    distinct, place = np.unique(table[whole], axis=0, return_inverse=True)
    code = np.full(len(frame), None, dtype=object)
    code[whole] = [str(p) for p in place.reshape(-1).tolist()]
    by_month = {m: distinct[:, names.index(name)] for m, name in columns.items()}
    return pd.Series(code, index=frame.index, dtype=object), by_month


def _note(
    problems: list[Problem], frame: pd.DataFrame, bad: Any, column: str, message: str, hint: str, file: str
) -> None:
    rows = frame["row"].to_numpy()[bad]
    if len(rows):
        named = ", ".join(str(r) for r in rows[:10]) + (f" and {len(rows) - 10} more" if len(rows) > 10 else "")
        word = "row" if len(rows) == 1 else "rows"
        problems.append(Problem("score-value", f"{word} {named}, column {column}: {message}", Source(file), hint=hint))
