"""Names for visits and patients that leave the clinic: keyed hashes, stable, not reversible without the key."""

from __future__ import annotations

import hashlib
import hmac


def pseudonym(key: bytes, text: str) -> str:
    """Give the HMAC-SHA256 of a text; the same text and key give the same name."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
