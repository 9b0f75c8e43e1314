"""What would count as growth on the day of the next MRI, and what each finding would trigger: decided before it is read.

Each finding is put into the imaging table as if it had been read, and assessed like any other MRI. Nothing is decided
here a second time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import NEVER, Ints
from ..rulebook.conditions import Facts, Interval, Levels
from ..rulebook.library import Rulebook
from ..sites.history import course_of
from ..sites.scans import NONE
from ..vocabulary import COMPARISONS, FACTS, STATES
from .assessment import Assessment, assess
from .episodes import OPEN
from .reading_words import VERSUS, WHAT
from .readings import Sized
from .thresholds import growth_thresholds

if TYPE_CHECKING:
    import pandas as pd

UNITS = {"gtv_cc": "cc", "diameter_mm": "mm", "area_mm2": "mm²"}
GRADES = FACTS["bilsky"].levels
FINDINGS: tuple[tuple[str, bool, Mapping[str, str]], ...] = (
    # what is found, whether the size grows, what else is recorded
    ("the same size as on the last MRI", False, {}),
    ("back to the smallest size so far", False, {"sizes": "smallest"}),
    ("growth inside the bone", True, {"confined_to_vertebra": "yes"}),
    ("growth, not recorded whether inside the bone", True, {}),
    ("growth beyond the bone", True, {"confined_to_vertebra": "no"}),
    ("growth measured on another scanner", True, {"scanner": "another", "confined_to_vertebra": "yes"}),
    ("new or progressive epidural disease", False, {"bilsky": "next"}),
    ("new cord compression", False, {"bilsky": "worst"}),
    ("new neurological deficit", False, {"neuro_decline": "yes"}),
    ("confluent T1 hypo-intensity with confluent enhancement, no growth", False,
     {"t1_hypointensity": "confluent", "t1_enhancement": "confluent"}),
    ("new fracture", False, {"vcf": "new"}),
)  # fmt: skip


def cards(frame: pd.DataFrame, imaging: pd.DataFrame, rulebook: Rulebook, day: date) -> list[dict[str, Any]]:
    """Make one card per site under follow-up for an MRI on a day; earlier MRIs only are used."""
    import pandas as pd

    today = int(np.datetime64(day, "D").astype(np.int64))
    before = imaging.loc[imaging["mri_date"] < pd.Timestamp(day)].reset_index(drop=True)
    course = course_of(frame)
    ended = (course.stop != NEVER) & (course.stop < today)
    sites = ((course.time_zero < today) & ~ended).nonzero()[0]
    if not len(sites):
        return []
    base = assess(frame, before, rulebook, today - 1)
    quiet = _with_finding(frame, before, rulebook, today, sites, base, {}, {})
    limits = {int(s): _limits(quiet, _place(quiet, int(s))) for s in sites}
    grown = {s: {line["column"]: line["growth_from"] for line in lines[::-1]} for s, lines in limits.items()}
    for s, lines in limits.items():
        for column in {line["column"] for line in lines}:
            grown[s][column] = max(_beyond(line) for line in lines if line["column"] == column)
    found = {}
    for name, grows, values in FINDINGS:
        found[name] = _with_finding(frame, before, rulebook, today, sites, base, values, grown if grows else {})
    return [_card(frame, base, quiet, found, int(s), today, limits[int(s)]) for s in sites]


def _beyond(line: dict[str, Any]) -> float:
    """Give a size that is growth for certain: past a threshold that itself does not count."""
    value = float(line["growth_from"])
    return value * 1.001 if line["relation"] == "more than" else value


def _place(assessment: Assessment, site: int) -> int:
    found = (assessment.reading.scans.site == site).nonzero()[0]
    return int(found[-1]) if len(found) else NONE


def _with_finding(
    frame: pd.DataFrame,
    imaging: pd.DataFrame,
    rulebook: Rulebook,
    today: int,
    sites: Ints,
    base: Assessment,
    values: Mapping[str, str],
    grown: Mapping[int, Mapping[str, float]],
) -> Assessment:
    """Assess the cohort as if every site had an MRI on the day, with these values; sizes as on the last MRI unless grown."""
    import pandas as pd

    if "bilsky" in values:
        frame, imaging = _without_worst_grade(frame, imaging, base, sites)
    rows: dict[str, list[Any]] = {name: [] for name in imaging.columns}
    for s in sites.tolist():
        row: dict[str, Any] = {
            "row": -1,
            "patient_id": frame["patient_id"].iloc[s],
            "site_id": frame["site_id"].iloc[s],
        }
        row["mri_date"] = np.datetime64(today, "D").astype("datetime64[s]")
        last = _last_values(base, s)
        row.update({k: v for k, v in last.items() if v is not None})
        if values.get("sizes") == "smallest":
            row.update({k: v for k, v in _smallest(base, s).items() if v is not None})
        row.update(grown.get(s, {}))
        row.update(values)
        if "bilsky" in values:
            row["bilsky"] = _grade(base, frame, s, values["bilsky"])
        for name in rows:
            rows[name].append(row.get(name))
    extra = pd.DataFrame(
        {n: pd.Series(v, dtype=imaging[n].dtype if imaging[n].dtype != "int64" else "int64") for n, v in rows.items()}
    )
    both = pd.concat([imaging, extra], ignore_index=True) if len(imaging) else extra
    for name in imaging.columns:
        if isinstance(imaging[name].dtype, pd.CategoricalDtype):
            both[name] = both[name].astype(imaging[name].dtype)
    return assess(frame, both, rulebook, today)


def _without_worst_grade(
    frame: pd.DataFrame, imaging: pd.DataFrame, base: Assessment, sites: Ints
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Take the earlier grades away where the worst one was always there: a finding named new must not read as known."""
    worst = [s for s in sites.tolist() if _lowest_grade(base, frame, s) == len(GRADES) - 1]
    if not worst:
        return frame, imaging
    frame, imaging = frame.copy(), imaging.copy()
    frame.loc[frame.index[worst], "bilsky"] = None
    scans = base.reading.scans
    imaging.loc[imaging.index[scans.row[np.isin(scans.site, worst)]], "bilsky"] = None
    return frame, imaging


def _lowest_grade(base: Assessment, frame: pd.DataFrame, site: int) -> int:
    """Give the place of the lowest grade known before, NONE without any."""
    scans, read = base.reading.scans, base.reading.read
    codes = [int(c) for c in read.labels["bilsky"][scans.site == site] if c >= 0]
    cohort = frame["bilsky"].iloc[site]
    if isinstance(cohort, str):
        codes.append(GRADES.index(cohort))
    return min(codes, default=NONE)


def _last_values(base: Assessment, site: int) -> dict[str, Any]:
    """Give the sizes of the site's last MRI that had them, and its scanner, protocol and reader."""
    scans, read = base.reading.scans, base.reading.read
    own = (scans.site == site).nonzero()[0]
    values: dict[str, Any] = {}
    for name in UNITS:
        known = own[~np.isnan(read.numbers[name][own])]
        values[name] = float(read.numbers[name][known[-1]]) if len(known) else None
    return values


def _smallest(base: Assessment, site: int) -> dict[str, Any]:
    scans, read = base.reading.scans, base.reading.read
    own = (scans.site == site).nonzero()[0]
    sizes = {name: read.numbers[name][own] for name in UNITS}
    return {name: None if not len(own) or np.isnan(v).all() else float(np.nanmin(v)) for name, v in sizes.items()}


def _cannot_compare(base: Assessment, frame: pd.DataFrame, site: int, values: Mapping[str, str]) -> str:
    """Say why a finding cannot be told from what was there before; empty where it can."""
    scans, read = base.reading.scans, base.reading.read
    own = (scans.site == site).nonzero()[0]
    if "scanner" in values and not (read.labels["scanner"][own] >= 0).any():
        return "cannot be told: no scanner was recorded so far"
    if values.get("bilsky") == "next" and _grade(base, frame, site, "next") is None:
        return "cannot be told: no Bilsky grade was recorded so far; record it now"
    return ""


def _grade(base: Assessment, frame: pd.DataFrame, site: int, which: str) -> str | None:
    """Give the Bilsky grade above the lowest known before, or the worst one; None where none is known."""
    low = _lowest_grade(base, frame, site)
    if which == "worst":
        return GRADES[-1]
    return None if low == NONE else GRADES[min(low + 1, len(GRADES) - 1)]


def _limits(quiet: Assessment, place: int) -> list[dict[str, Any]]:
    """Give, per measure and comparison, the size from which the MRI would show growth."""
    lines: list[dict[str, Any]] = []
    reading = quiet.reading
    for sized in reading.sized:
        at = (sized.answer.rows == place).nonzero()[0]
        c = sized.answer.criterion
        if not len(at) or c.measure is None:
            continue
        reference = int(reading.references[c.measure].of(sized.comparison)[place])
        then = float(reading.read.numbers[c.measure][reference])
        t = growth_thresholds(c, _asked(quiet, sized, place), 1)
        if np.isnan(t.low[0]):
            continue
        change = float(t.high[0])
        size = (
            then + change
            if c.measure == "diameter_mm"
            else then * change
            if c.measure == "area_mm2"
            else then * (1 + change / 100)
        )
        supports = [m.says for m in c.meanings if m.sign == "supports"]
        other = (
            sized.pair[place] == FACTS["scan_pair"].levels.index("other")
            if c.measure == "gtv_cc"
            else sized.comparison != "baseline"
        )
        lines.append(
            {
                "column": c.measure,
                "measure": WHAT[c.measure],
                "against": VERSUS[sized.comparison].removeprefix("v "),
                "reference": then,
                "reference_date": str(np.datetime64(int(reading.scans.day[reference]), "D")),
                "threshold": t.texts()[0],
                "relation": "more than" if t.above[0] else "at least",
                "growth_from": float(np.ceil(round(size * 100, 6)) / 100),
                "unit": UNITS[c.measure],
                "means": supports[0] if other or len(supports) == 1 else supports[-1],
                "at_most_equivocal": bool(other),
            }
        )
    return lines


def _asked(assessment: Assessment, sized: Sized, place: int) -> Facts:
    size = assessment.reading.facts["gtv_baseline_cc"]
    assert isinstance(size, Interval)
    return {
        "scan_pair": Levels(1 << sized.pair[place : place + 1]),
        "compared_with": Levels(np.array([1 << COMPARISONS.index(sized.comparison)], dtype=np.int64)),
        "gtv_baseline_cc": Interval(size.low[place : place + 1], size.high[place : place + 1]),
    }


def _card(frame: pd.DataFrame, base: Assessment, quiet: Assessment, found: Mapping[str, Assessment], site: int, today: int,
          limits: list[dict[str, Any]]) -> dict[str, Any]:  # fmt: skip
    place = _place(quiet, site)
    scans = quiet.reading.scans
    table = quiet.table
    protocol = quiet.rulebook.protocol
    order = quiet.reading.answer("scan_order")
    return {
        "patient_id": frame["patient_id"].iloc[site],
        "site_id": frame["site_id"].iloc[site],
        "level": _text(frame["level"].iloc[site]),
        "histology": _text(frame["histology"].iloc[site]),
        "sbrt_date": str(frame["sbrt_date"].iloc[site])[:10],
        "scan_date": str(np.datetime64(today, "D")),
        "day": int(scans.since[place]),
        "months": float(table["months"].iloc[place]),
        "scan": int(scans.number[place]),
        "counts_as": order.criterion.meaning(int(order.outcome[place])).says,
        "earlier": _earlier(base, site),
        "open_growth": _open_growth(base, site),
        "limits": limits,
        "window": _window(quiet, site, place, today),
        "findings": [
            _finding(name, found[name], site, _cannot_compare(base, frame, site, v)) for name, _, v in FINDINGS
        ],
        "protocol": None
        if protocol is None
        else {
            "document": protocol.name,
            "title": protocol.title,
            "series": [{"series": s.says, "report": list(s.serves)} for s in protocol.series],
            "same_every_time": list(protocol.every_time),
        },
        "rules": {
            "basis": "interpretation",
            "documents": [c.name for c in quiet.rulebook.criteria if c.role == "size"],
        },
    }


def _text(cell: Any) -> str | None:
    return cell if isinstance(cell, str) else None


def _earlier(base: Assessment, site: int) -> list[dict[str, Any]]:
    """List the MRIs so far: date, sizes, state; baseline and smallest marked."""
    scans, read = base.reading.scans, base.reading.read
    own = (scans.site == site).nonzero()[0]
    gtv = read.numbers["gtv_cc"][own]
    low = int(own[np.nanargmin(gtv)]) if len(own) and not np.isnan(gtv).all() else NONE
    return [
        {
            "mri_date": str(np.datetime64(int(scans.day[r]), "D")),
            "day": int(scans.since[r]),
            "gtv_cc": _number(read.numbers["gtv_cc"][r]),
            "diameter_mm": _number(read.numbers["diameter_mm"][r]),
            "state": STATES[int(base.episodes.state[r])],
            "baseline": bool(scans.baseline[r]),
            "smallest": int(r) == low,
        }
        for r in own
    ]


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _open_growth(base: Assessment, site: int) -> str | None:
    scans, e = base.reading.scans, base.episodes
    own = (scans.site == site).nonzero()[0]
    if not len(own) or e.episode[own[-1]] == NONE or e.resolution[own[-1]] != OPEN:
        return None
    return str(np.datetime64(int(scans.day[e.episode[own[-1]]]), "D"))


def _window(quiet: Assessment, site: int, place: int, today: int) -> dict[str, Any]:
    windows, scans = quiet.reading.windows, quiet.reading.scans
    zero = int(scans.day[place] - scans.since[place])
    day = int(scans.since[place])
    sets = windows.sets[int(windows.case[site])]
    open_until = [s.stop - 1 for one in sets for s in one if s.start <= day < s.stop]
    opens = [s.start for one in sets for s in one if s.start > day]
    places = quiet.reading.facts["window_place"]
    assert isinstance(places, Levels)
    words = [
        w.replace("_", " ") for i, w in enumerate(FACTS["window_place"].levels) if int(places.possible[place]) >> i & 1
    ]
    return {
        "windows": windows.labels[int(windows.case[site])],
        "place": " or ".join(words),
        "open_until": str(np.datetime64(zero + max(open_until), "D")) if open_until else None,
        "next_opens": str(np.datetime64(zero + min(opens), "D")) if opens else None,
        "shields": "growth inside the bone only",
    }


def _finding(name: str, assessment: Assessment, site: int, unable: str) -> dict[str, Any]:
    if unable:
        nothing = dict.fromkeys(("state", "possible", "urgent", "next_date", "rule", "basis"))
        return {"finding": name, **nothing, "next_action": unable}
    place = _place(assessment, site)
    line = assessment.table.iloc[place]
    return {
        "finding": name,
        "state": str(line["called"]),
        "possible": _text(line["possible_states"]),
        "urgent": _text(line["urgent"]),
        "next_action": _text(line["next_action"]),
        "next_date": None if str(line["next_date"]) == "NaT" else str(line["next_date"])[:10],
        "rule": _text(line["rule"]),
        "basis": _text(line["next_basis"]),
    }
