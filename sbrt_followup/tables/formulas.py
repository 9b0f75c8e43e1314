"""Text that a spreadsheet would run: how our CSV keeps it text, and how reading gives back what it was.

A spreadsheet splits a CSV where its own list separator stands, which is `;` in many countries. So an apostrophe goes before
whatever would begin a formula at the start of a cell or after a `;`, a tab, a bar or a line break inside it. Plain numbers
stay as they are. `bare(escape(text)) == text` for every text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_STARTS = "=+\\-@\t\r＝＋－＠"
_BEGIN = r"(^|[;\t|\n\r])"
# Apostrophes of the text's own are doubled, so that one can be taken away again.
_RUNS = re.compile(rf"{_BEGIN}(?='*[{_STARTS}])(?![-+]?\d+(?:[.,]\d+)?(?=[;\t|\n\r]|$))")
_ESCAPED = re.compile(rf"{_BEGIN}'(?='*[{_STARTS}])")


def escape(text: str) -> str:
    """Make a text safe to open in a spreadsheet, whatever its list separator."""
    return _RUNS.sub(r"\1'", text)


def bare(text: str) -> str:
    """Give back the text that was escaped."""
    return _ESCAPED.sub(r"\1", text)


def without_escapes(frame: pd.DataFrame) -> pd.DataFrame:
    """Give a table as read from a spreadsheet's file with its texts as they were before they were escaped."""
    import pandas as pd

    changed = {}
    for name in frame.columns:
        column = frame[name]
        if not (pd.api.types.is_object_dtype(column) or pd.api.types.is_string_dtype(column)):
            continue
        codes, texts = pd.factorize(column)
        plain = [bare(text) if isinstance(text, str) else text for text in texts]
        if any(one is not other for one, other in zip(plain, texts, strict=True) if one != other):
            changed[name] = pd.Series(
                pd.Index([*plain, None], dtype=object).take(codes), index=frame.index, dtype=object
            )
    frame = frame.assign(**changed) if changed else frame
    return frame.rename(columns=lambda name: bare(name) if isinstance(name, str) else name)
