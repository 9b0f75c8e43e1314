"""Figures as files: which kinds there are, their fonts, and bytes that hold no clock.

The same figure gives the same bytes. A text is drawn as it stands: `$` starts no formula, control characters and those that
turn text about are shown as boxes.
"""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..problems import Source, clean, refuse

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS = (".png", ".svg", ".pdf")
DPI = 200
LONGEST_TEXT = 1_000
SETTINGS: Mapping[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["Arial", "Helvetica", "Liberation Sans", "DejaVu Sans"],
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "hatch.linewidth": 0.6,
    "svg.hashsalt": "sbrt-followup",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
}
_NO_CLOCK: Mapping[str, Mapping[str, None]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
}


def check_kind(path: Path) -> None:
    """Refuse a figure file whose ending is not one of ours."""
    if path.suffix.lower() not in KINDS:
        raise refuse("figure-kind", f"a figure ends in {', '.join(KINDS)}", Source(path.name))


def image(draw: Callable[[], Figure], kind: str, *, dpi: int = DPI, settings: Mapping[str, Any] | None = None) -> bytes:
    """Draw a figure as a file of this kind (`.png`, `.svg` or `.pdf`); `settings` go over the house's own."""
    import matplotlib as mpl
    from matplotlib.text import Text

    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # a missing first-choice font is no news
    buffer = io.BytesIO()
    with mpl.rc_context({**SETTINGS, **(settings or {})}), warnings.catch_warnings():
        # A name in a script that the font lacks is shown as boxes; the warning would spell it out on stderr.
        warnings.simplefilter("ignore")
        figure = draw()
        for text in figure.findobj(Text):
            assert isinstance(text, Text)
            text.set_parse_math(False)
            shown = text.get_text()
            if (safe := clean(shown, keep="\n")[:LONGEST_TEXT]) != shown:
                text.set_text(safe)
        figure.savefig(buffer, format=kind.lstrip("."), dpi=dpi, metadata=dict(_NO_CLOCK[kind]))
    return buffer.getvalue()
