"""What a cohort's MRIs came to, counted with denominators, beside published figures, by region of the spine.

A site counts where the thing was recorded; the denominator says how many those are. Published figures come from the
bibliography, with how they were read; their cohorts and definitions differ, which the table says and does not adjust.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..arrays import NEVER, Flags, Ints
from ..rulebook.criteria import Criterion
from ..rulebook.model import Evidence
from ..sites.history import days
from ..sites.scans import NONE
from ..tables.spine_levels import spine_range
from ..vocabulary import FACTS, REGIONS, SPINE_LEVELS, STATES
from .answers import Answer
from .assessment import Assessment
from .episodes import RESOLUTIONS
from .event_dates import endpoints

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("table", "region", "group", "sites", "of", "percent", "published_percent", "published_in", "read", "caution")
ALL, SEVERAL = "all", "several or not known"


@dataclass(frozen=True)
class Figure:
    """Where a published percentage stands: source, finding, which of its values; and what to beware of."""

    key: str
    finding: str
    place: int = 0
    caution: str = ""


PUBLISHED: dict[tuple[str, str], tuple[Figure, ...]] = {
    ("volume at the last MRI", "decreased"): (Figure("hwang2012", "volume", 0, "one MRI after treatment, own cut"),),
    ("volume at the last MRI", "unchanged"): (Figure("hwang2012", "volume", 1, "one MRI after treatment, own cut"),),
    ("volume at the last MRI", "increased"): (Figure("hwang2012", "volume", 2, "one MRI after treatment, own cut"),),
    ("T2 pattern at the last MRI", "no_change"): (Figure("correia2022", "t2-patterns", 0, "spinal and non-spinal"),),
    ("T2 pattern at the last MRI", "homogeneous_increase"): (Figure("correia2022", "t2-patterns", 1, "spinal and non-spinal"),),
    ("T2 pattern at the last MRI", "mixed"): (
        Figure("hwang2012", "t2-mixed", 0, "one MRI after treatment"), Figure("correia2022", "t2-patterns", 2, "spinal and non-spinal"),
    ),
    ("T2 pattern at the last MRI", "homogeneous_decrease"): (Figure("correia2022", "t2-patterns", 3, "spinal and non-spinal"),),
    ("pain at 3 months", "complete"): (Figure("sahgal2021", "complete-response-3-months", 0, "randomised trial, SBRT arm"),),
    ("pain at 6 months", "complete"): (Figure("sahgal2021", "complete-response-6-months", 0, "randomised trial, SBRT arm"),),
    ("fracture", "new or progressive"): (
        Figure("sahgal2013vcf", "incidence", 0, "crude share of segments"), Figure("tseng2018", "vcf", 0, "at 2 years"),
    ),
    ("growth over the course", "pseudoprogression"): (
        Figure("amini2016", "incidence", 0, "lesions"), Figure("bahig2016", "incidence", 0, "segments"),
        Figure("jabehdarmaralani2019", "incidence", 0, "renal cell and prostate only"),
    ),
}  # fmt: skip


def tallies(assessment: Assessment) -> pd.DataFrame:
    """Count the cohort's sites, all together and by region."""
    import pandas as pd

    places = regions(assessment)
    present = [r for r in (*REGIONS.values(), SEVERAL) if (places == r).any()]
    groups = [(ALL, np.ones(len(places), dtype=bool)), *((r, places == r) for r in present)]
    rows: list[tuple[object, ...]] = []
    for name, labels, per_site in _tables(assessment):
        for region, here in groups:
            of = int(((per_site >= 0) & here).sum())
            for i, label in enumerate(labels):
                count = int(((per_site == i) & here).sum())
                figures = PUBLISHED.get((name, label), ()) if region == ALL else ()
                share = round(100.0 * count / of, 1) if of else None
                found = _shown(figures, assessment.rulebook.evidence)
                rows.extend((name, region, label, count, of, share, *published) for published in found)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _shown(figures: Sequence[Figure], evidence: Evidence) -> list[tuple[float | None, str, str, str]]:
    """Look the published figures up; a row without one stands alone."""
    found: list[tuple[float | None, str, str, str]] = []
    for f in figures:
        source = next((s for s in evidence.sources if s.key == f.key), None)
        finding = None if source is None else next((x for x in source.findings if x.id == f.finding), None)
        if source is not None and finding is not None and f.place < len(finding.values):
            size = f"n = {source.n.count} {source.n.of}; " if source.n else ""
            found.append((float(finding.values[f.place].value), f.key, finding.read, size + f.caution))
    return found or [(None, "", "", "")]


def regions(assessment: Assessment) -> npt.NDArray[np.object_]:
    """Give the region of the spine of each site."""
    result = []
    for level in assessment.reading.frame["level"]:
        span = spine_range(level) if isinstance(level, str) else None
        letters = set() if span is None else {SPINE_LEVELS[i][0] for i in range(span[0], span[1] + 1)}
        result.append(REGIONS[letters.pop()] if len(letters) == 1 else SEVERAL)
    return np.array(result, dtype=object)


def last_with(assessment: Assessment, flag: Flags) -> Ints:
    """Give each site's last MRI with a flag, NONE without one."""
    result = np.full(len(assessment.reading.frame), NONE, dtype=np.int64)
    found = flag.nonzero()[0]
    result[assessment.reading.scans.site[found]] = found
    return result


def volume_groups(assessment: Assessment) -> tuple[tuple[str, ...], Ints]:
    """Give the volume against baseline per MRI by the volume document: decreased, unchanged, increased; -1 not known."""
    labels = ("decreased", "unchanged", "increased")
    code = np.full(len(assessment.reading.scans), -1, dtype=np.int64)
    for sized in assessment.reading.sized:
        c = sized.answer.criterion
        if c.measure == "gtv_cc" and sized.comparison == "baseline":
            to = [labels.index(o) if o in labels else labels.index("increased") for o in c.outcomes]
            code = sized.answer.values(np.array(to, dtype=np.int64), -1)
            # More than the size class tells: an undecided one is larger by the detectable difference at least.
            undecided = (sized.answer.outcome == -1).nonzero()[0]
            code[undecided] = labels.index("increased")
    return labels, code


def _tables(assessment: Assessment) -> list[tuple[str, tuple[str, ...], Ints]]:
    """Give each table's name, groups and every site's group, -1 where nothing was recorded."""
    reading, e = assessment.reading, assessment.episodes
    after = ~reading.scans.baseline

    def at_last(code: Ints) -> Ints:
        last = last_with(assessment, after & (code >= 0))
        return np.where(last == NONE, -1, code[np.maximum(last, 0)]) if len(code) else last

    volume, volume_code = volume_groups(assessment)
    t2 = FACTS["t2_pattern"].levels
    states = tuple(s for s in STATES if s not in ("baseline", "not_read"))
    state_code = np.where(after & reading.has_finding, e.state - 1, -1)
    tables = [
        ("volume at the last MRI", volume, at_last(volume_code)),
        ("T2 pattern at the last MRI", t2, at_last(reading.read.labels["t2_pattern"])),
        *_pain(assessment),
        ("fracture", ("none", "new or progressive"), _fractures(assessment)),
        ("growth over the course", ("no growth", *RESOLUTIONS), _courses(assessment)),
        ("state at the last MRI", states, at_last(state_code)),
    ]
    return [(name, tuple(labels), code) for name, labels, code in tables]


def _pain(assessment: Assessment) -> list[tuple[str, tuple[str, ...], Ints]]:
    reading = assessment.reading
    if not reading.criteria.pains:
        return []
    answer: Answer = reading.answers[reading.criteria.pains[0].id]
    c: Criterion = answer.criterion
    wanted = [o for o in c.outcomes if o != "no_pain_before"]
    to = np.array([wanted.index(o) if o in wanted else -1 for o in c.outcomes], dtype=np.int64)
    code = answer.values(to, -1)
    order = reading.answer("scan_order")
    result = []
    for name, which in (("pain at 3 months", "first"), ("pain at 6 months", "second")):
        here = (order.outcome == order.criterion.outcomes.index(which)) & (code >= 0) & ~reading.scans.baseline
        last = last_with(assessment, here)
        result.append(
            (name, tuple(wanted), np.where(last == NONE, -1, code[np.maximum(last, 0)]) if len(code) else last)
        )
    return result


def _fractures(assessment: Assessment) -> Ints:
    reading = assessment.reading
    dated = days(reading.frame, "vcf_date") != NEVER
    seen = endpoints(assessment).fracture != NEVER
    looked = last_with(assessment, ~reading.scans.baseline & (reading.read.labels["vcf"] >= 0)) != NONE
    return np.where(dated | seen, 1, np.where(looked, 0, -1))


def _courses(assessment: Assessment) -> Ints:
    """Give what growth came to at each site: confirmed before pseudo-progression before the rest."""
    reading, e = assessment.reading, assessment.episodes
    measured = reading.frame.index.to_numpy() * 0 - 1
    unread = [STATES.index(name) for name in ("indeterminate", "not_read")]
    after = ~reading.scans.baseline & ~np.isin(e.called, unread)
    measured[reading.scans.site[after]] = 0
    inside = (e.episode != NONE).nonzero()[0]
    np.maximum.at(measured, reading.scans.site[inside], e.resolution[inside] + 1)
    return np.asarray(measured, dtype=np.int64)
