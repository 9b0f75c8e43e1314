"""Names for visits and patients that leave the clinic: keyed hashes, stable, not reversible without the key.

What a name is for goes into the hash, so a visit's name says nothing about a patient's.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Literal

Purpose = Literal["patient", "visit", "key", "bundle"]


def pseudonym(key: bytes, purpose: Purpose, text: str) -> str:
    """Give the HMAC-SHA256 of a text; the same text, purpose and key give the same name."""
    return hmac.new(key, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()
