"""Array kinds, whole days and "never" for every package; codes → words, cheaply: rows that say the same share one text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]
NEVER = int(np.iinfo(np.int64).min)  # NaT seen as a whole number of days


def combine(columns: Sequence[Ints], rows: int) -> tuple[Ints, Ints]:
    """Give the first row of every distinct combination of codes, and each row's combination."""
    case = np.zeros(rows, dtype=np.int64)
    count = 1
    for column in columns:
        low = int(column.min(initial=0))
        width = int(column.max(initial=0)) - low + 1
        if count * width > 1 << 50:
            kept, case = np.unique(case, return_inverse=True)
            count = len(kept)
        case = case * width + (column - low)
        count *= width
    _, first, case = np.unique(case, return_index=True, return_inverse=True)
    return first.astype(np.int64), case.astype(np.int64)


def spread(columns: Sequence[Ints], rows: int, say: Callable[[int], str]) -> Any:
    """Give a text per row as a categorical column; `say` is asked once per combination, with a row that has it."""
    import pandas as pd

    first, case = combine(columns, rows)
    texts = [say(int(row)) for row in first]
    distinct = {text: i for i, text in enumerate(dict.fromkeys(texts))}
    code = np.array([distinct[t] for t in texts], dtype=np.int32)
    if "" in distinct:
        # What there is nothing to say about is an empty cell.
        code = np.where(code == distinct[""], -1, np.where(code > distinct[""], code - 1, code))
        del distinct[""]
    return pd.Categorical.from_codes(
        code[case] if rows else np.zeros(0, np.int32), dtype=pd.CategoricalDtype(list(distinct))
    )
