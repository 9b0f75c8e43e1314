"""Cards as plain text, one page per site: what would count as growth on the day of the MRI, written before it is read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from textwrap import wrap
from typing import Any

WIDTH = 78
FEED = "\f\n"


def as_text(cards: Sequence[dict[str, Any]], day: date) -> str:
    """Write every card; a form feed starts a new page."""
    if not cards:
        return f"No site is under follow-up on {day}.\n"
    return FEED.join(_page(card) for card in cards)


def _page(card: dict[str, Any]) -> str:
    lines = [
        f"BEFORE THE MRI OF {card['scan_date']}: what would count as growth",
        "=" * WIDTH,
        f"patient {card['patient_id']}   site {card['site_id']}   level {card['level'] or 'not given'}",
        f"histology {card['histology'] or 'not given'}   last fraction {card['sbrt_date']}",
        f"day {card['day']} ({card['months']:g} months)   MRI number {card['scan']}: {card['counts_as']}",
        "",
        "So far",
        *_earlier(card),
        "",
        "Counts as growth",
        *_limits(card),
        "",
        "Pseudo-progression window",
        *_window(card["window"]),
        "",
        "What each finding would mean",
        *_findings(card),
        "",
        "To report",
        *_protocol(card["protocol"]),
        "",
        "Decision support for trained staff; it does not replace clinical judgement.",
        "Intervals to the next MRI and urgency are assumptions; windows are an interpretation.",
    ]
    return "\n".join(lines) + "\n"


def _wrapped(text: str, first: str = "  ", rest: str = "    ") -> list[str]:
    return wrap(text, WIDTH, initial_indent=first, subsequent_indent=rest)


def _earlier(card: dict[str, Any]) -> list[str]:
    if not card["earlier"]:
        return ["  no MRI read so far: nothing to compare with"]
    lines = []
    for mri in card["earlier"]:
        sizes = [
            f"{mri[name]:g} {unit}" for name, unit in (("gtv_cc", "cc"), ("diameter_mm", "mm")) if mri[name] is not None
        ]
        marks = [word for word, on in (("baseline", mri["baseline"]), ("smallest volume", mri["smallest"])) if on]
        state = "" if mri["baseline"] else mri["state"]
        note = ", ".join([*([state] if state else []), *marks])
        lines.append(f"  {mri['mri_date']}  day {mri['day']:>5}  {', '.join(sizes) or 'no size':<18}  {note}")
    if card["open_growth"]:
        lines.append(f"  growth open since {card['open_growth']}: this MRI confirms it, ends it or leaves it open")
    return lines


def _limits(card: dict[str, Any]) -> list[str]:
    if not card["limits"]:
        return ["  nothing: no earlier size to compare with"]
    lines = []
    for limit in card["limits"]:
        weight = "equivocal at most" if limit["at_most_equivocal"] else "growth"
        lines += _wrapped(
            f"{limit['measure']} {limit['relation']} {limit['growth_from']:g} {limit['unit']} "
            f"({limit['threshold']} against {limit['against']}, {limit['reference']:g} {limit['unit']} on {limit['reference_date']}): {weight}"
        )
    return lines


def _window(window: dict[str, Any]) -> list[str]:
    lines = _wrapped(f"{window['place']}; {window['windows']}")
    if window["open_until"]:
        lines.append(f"  open until {window['open_until']}; it shields {window['shields']}")
    if window["next_opens"]:
        lines.append(f"  opens on {window['next_opens']}")
    return lines


def _findings(card: dict[str, Any]) -> list[str]:
    lines = []
    for f in card["findings"]:
        state = f["state"] if not f["possible"] else f["possible"].replace(";", " or ")
        lines.append(f"  {f['finding']}")
        if f["state"] is None:
            lines += _wrapped(f"→ {f['next_action']}", "      ", "        ")
            continue
        urgent = "" if f["urgent"] != "yes" else "URGENT; "
        when = f", by {f['next_date']}" if f["next_date"] and not urgent else ""
        lines += _wrapped(f"→ {state}; {urgent}{f['next_action']}{when}", "      ", "        ")
    return lines


def _protocol(protocol: dict[str, Any] | None) -> list[str]:
    if protocol is None:
        return ["  the profile names no MRI protocol"]
    lines = [f"  {protocol['title']} ({protocol['document']})"]
    for series in protocol["series"]:
        report = f": {', '.join(series['report'])}" if series["report"] else ""
        lines += _wrapped(f"[ ] {series['series']}{report}", "  ", "      ")
    lines.append(f"  the same every time: {', '.join(protocol['same_every_time'])}")
    return lines
