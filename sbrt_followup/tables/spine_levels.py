"""Vertebral levels and ranges as people write them in our own notation: T10, t10, L1-L3."""

from __future__ import annotations

import re

from ..vocabulary import SPINE_LEVELS


def level_name(text: str) -> str:
    """Write a level as the contract does, so that t10 and T10 are one site."""
    return re.sub(r"\s*[-–]\s*", "-", text.upper()) if spine_range(text) is not None else text


def spine_range(text: str) -> tuple[int, int] | None:
    """Read a level or a range downwards as indices into SPINE_LEVELS; None when it is neither."""
    parts = [p.strip() for p in re.split(r"[-–]", text.upper())]
    if len(parts) > 2 or any(p not in SPINE_LEVELS for p in parts):
        return None
    first, last = SPINE_LEVELS.index(parts[0]), SPINE_LEVELS.index(parts[-1])
    return (first, last) if first <= last else None
