"""The bytes of a text file → its text: UTF-8 and UTF-16 as they say, else the one code page in which the words are words.

Which code pages could fit is asked of charset-normalizer; a page fits when every letter beyond ASCII is one of the
languages we read, in a place where such a letter stands. Where two fit and differ, the user is asked.
"""

from __future__ import annotations

import codecs
import re
import unicodedata

from .layout import refused

LETTERS = frozenset("äöüßéèêëàâçîïôùûœæñáíóúìòãõåøÿ" + "ÄÖÜÉÈÊËÀÂÇÎÏÔÙÛŒÆÑÁÍÓÚÌÒÃÕÅØ")
"""Letters beyond ASCII of English, German, French, Italian, Spanish and Dutch."""
SIGNS = frozenset("€–—’‘“”„‚«»°²³µ·½¼¾¿¡…§±×•ªº\xa0®™")
PAGES = ("cp1252", "mac_roman", "cp850")
"""Code pages of the spreadsheet programs of western Europe: Windows, older Macs, DOS."""
NAMES = {"cp1252": "Windows-1252", "mac_roman": "Mac Roman", "cp850": "DOS 850"}
SAMPLE = 1 << 20

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_BEYOND = re.compile(r"[^\x00-\x7f]")


def decoded(data: bytes, file: str, encoding: str = "") -> tuple[str, str, str]:
    """Give the text, its encoding where it is not UTF-8, and, where it had to be found out, a note that names it.

    Raises InputRefused where the bytes are no text, or fit two code pages that differ.
    """
    if encoding:
        return _as_said(data, file, encoding), encoding, ""
    for mark, name in _BOMS:
        if data.startswith(mark):
            text = _decode(data, name)
            if text is None:
                raise refused("not-text", "damaged text: not readable as it says of itself", file)
            # A second mark, where a program wrote its own before another's.
            if name == "utf-8-sig":
                return text.lstrip("\ufeff"), "", ""
            return text.lstrip("\ufeff"), "utf-16", f"{file}: read as UTF-16"
    text = _decode(data, "utf-8")
    if text is not None and "\0" not in text:
        return text, "", ""
    if b"\0" in data:
        wide = _without_mark(data)
        if wide is None:
            raise refused("not-text", "the file holds NUL bytes; it is not a text file", file)
        return wide, "", f"{file}: read as UTF-16"
    fitting = _fitting(data)
    if len(fitting) == 1:
        ((page, text),) = fitting
        return text, page, f"{file}: read as {NAMES[page]}"
    hint = "Save the file as CSV UTF-8, or name its `encoding:` in the map."
    start = _first_beyond(data)
    if fitting:
        pages = " or ".join(NAMES[page] for page, _ in fitting)
        raise refused("which-encoding", f"not UTF-8 text; it could be {pages}, which differ here", file, hint, start)
    raise refused("which-encoding", "not UTF-8 text, nor a code page that fits its letters", file, hint, start)


def _as_said(data: bytes, file: str, encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError):
        hint = "Write for instance utf-8, utf-16, cp1252, mac-roman or cp850."
        raise refused("unknown-encoding", "the map names an encoding that does not exist", file, hint) from None
    text = _decode(data, "utf-8-sig" if name == "utf-8" else name)
    if text is None:
        raise refused("not-text", "not readable in the encoding that the map names", file)
    return text


def _decode(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except (UnicodeError, LookupError):
        return None


def _first_beyond(data: bytes) -> int:
    found = re.search(rb"[\x80-\xff]", data)
    return data.count(b"\n", 0, found.start()) + 1 if found else 0


def _without_mark(data: bytes) -> str | None:
    """Read UTF-16 that lost its mark: nearly every other byte of the first characters is NUL."""
    head = data[:400]
    for name, nul in (("utf-16-le", 1), ("utf-16-be", 0)):
        high, low = head[nul::2], head[1 - nul :: 2]
        if len(head) > 3 and high.count(0) * 10 >= len(high) * 9 and not low.count(0):
            return _decode(data, name)
    return None


def _fitting(data: bytes) -> list[tuple[str, str]]:
    """List the code pages that fit, each with its text; pages that read the same text count once."""
    import charset_normalizer

    found = charset_normalizer.from_bytes(data[:SAMPLE], cp_isolation=list(PAGES))
    named = {match.encoding for match in found}
    # The library leaves out what it takes for noise; Windows' own page is always looked at.
    texts: dict[str, str] = {}
    for page in PAGES:
        text = _decode(data, page) if page in named or page == "cp1252" else None
        if text is not None and _is_plausible(text):
            texts.setdefault(text, page)
    return [(page, text) for text, page in texts.items()]


def _is_plausible(text: str) -> bool:
    """Tell whether every character beyond ASCII could stand where it stands."""
    around = {text[max(m.start() - 1, 0) : m.end() + 1] for m in _BEYOND.finditer(text)}
    return all(_stands_well(part) for part in around)


def _stands_well(part: str) -> bool:
    at = next(i for i, c in enumerate(part) if ord(c) > 127)
    sign = part[at]
    before, after = part[:at], part[at + 1 :]
    inside = bool(before and before.isalpha() and after and after.isalpha())
    if inside or unicodedata.category(sign).startswith("L"):
        # A capital after a small letter is no word: so other code pages give themselves away.
        return sign in LETTERS and not (sign.isupper() and before.islower())
    return sign in SIGNS
