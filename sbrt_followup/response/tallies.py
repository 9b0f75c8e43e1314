"""What a cohort's MRIs came to, counted with denominators, beside published figures, by region of the spine.

A site counts where the thing was recorded; the denominator says how many those are. Published figures come from the
bibliography, with how they were read; their cohorts and definitions differ, which the table says and does not adjust. Beside
equivocal and pseudo-progression stands what stable lesions would give on the same MRI days by measurement error alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..arrays import NEVER, Flags, Ints
from ..rulebook.model import Evidence
from ..sites.history import days
from ..sites.scans import NONE
from ..tables.spine_levels import spine_range
from ..vocabulary import FACTS, REGIONS, SPINE_LEVELS, STATES
from .answers import Answer
from .assessment import Assessment
from .chance_findings import chance_shares
from .episodes import RESOLUTIONS
from .event_dates import endpoints

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "table",
    "region",
    "group",
    "sites",
    "of",
    "percent",
    "chance_percent",
    "published_percent",
    "published_in",
    "read",
    "caution",
)
ALL, SEVERAL = "all", "several or not known"


@dataclass(frozen=True)
class Figure:
    """Where a published percentage stands: source, finding, which of its values (its `what`); and what to beware of."""

    key: str
    finding: str
    what: str
    caution: str = ""


ONE_MRI, MIXED_SITES, TRIAL = "one MRI after treatment, own cut", "spinal and non-spinal", "randomised trial, SBRT arm"
EVER = "equivocal on any MRI"
VOLUME, T2, COURSE, CONSENSUS = (
    "volume at the last MRI",
    "T2 pattern at the last MRI",
    "growth over the course",
    "pain by the consensus",
)
PUBLISHED: dict[tuple[str, str], tuple[Figure, ...]] = {
    (VOLUME, "decreased"): (Figure("hwang2012", "volume", "decreased (32 lesions)", ONE_MRI),),
    (VOLUME, "unchanged"): (Figure("hwang2012", "volume", "unchanged (39 lesions)", ONE_MRI),),
    (VOLUME, "increased"): (Figure("hwang2012", "volume", "increased (8 lesions)", ONE_MRI),),
    (T2, "no_change"): (Figure("correia2022", "t2-patterns", "no change", MIXED_SITES),),
    (T2, "homogeneous_increase"): (Figure("correia2022", "t2-patterns", "homogeneous increase", MIXED_SITES),),
    (T2, "mixed"): (
        Figure("hwang2012", "t2-mixed", "mixed pattern", "one MRI after treatment"),
        Figure("correia2022", "t2-patterns", "increase mixed with dark areas", MIXED_SITES),
    ),
    (T2, "homogeneous_decrease"): (Figure("correia2022", "t2-patterns", "complete darkening", MIXED_SITES),),
    (f"{CONSENSUS} at 3 months", "complete"): (
        Figure("sahgal2021", "complete-response-3-months", "SBRT, at 3 months", TRIAL),
    ),
    (f"{CONSENSUS} at 6 months", "complete"): (
        Figure("sahgal2021", "complete-response-6-months", "SBRT, at 6 months", TRIAL),
    ),
    ("fracture", "new or progressive"): (
        Figure("sahgal2013vcf", "incidence", "crude", "crude share of segments"),
        Figure("tseng2018", "vcf", "at 24 months", "at 2 years"),
    ),
    (COURSE, "pseudoprogression"): (
        Figure("amini2016", "incidence", "share of all lesions", "lesions"),
        Figure("bahig2016", "incidence", "incidence", "segments"),
        Figure("jabehdarmaralani2019", "incidence", "incidence", "renal cell and prostate only"),
    ),
}


def tallies(assessment: Assessment) -> pd.DataFrame:
    """Count the cohort's sites, all together and by region."""
    import pandas as pd

    places = regions(assessment)
    present = [r for r in (*REGIONS.values(), SEVERAL) if (places == r).any()]
    groups = [(ALL, np.ones(len(places), dtype=bool)), *((r, places == r) for r in present)]
    rows: list[tuple[object, ...]] = []
    by_chance = chance_shares(assessment)
    for name, labels, per_site in _tables(assessment):
        for region, here in groups:
            of = int(((per_site >= 0) & here).sum())
            for i, label in enumerate(labels):
                count = int(((per_site == i) & here).sum())
                figures = PUBLISHED.get((name, label), ()) if region == ALL else ()
                share = round(100.0 * count / of, 1) if of else None
                found = _shown(figures, assessment.rulebook.evidence)
                chance = by_chance.get(label) if name in (COURSE, EVER) and region == ALL else None
                rows.extend((name, region, label, count, of, share, chance, *published) for published in found)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _shown(figures: Sequence[Figure], evidence: Evidence) -> list[tuple[float | None, str, str, str]]:
    """Look the published figures up; a row without one stands alone."""
    found: list[tuple[float | None, str, str, str]] = []
    for f in figures:
        source = next((s for s in evidence.sources if s.key == f.key), None)
        finding = None if source is None else next((x for x in source.findings if x.id == f.finding), None)
        value = None if finding is None else next((v for v in finding.values if v.what == f.what), None)
        if source is not None and finding is not None and value is not None:
            size = f"n = {source.n.count} {source.n.of}; " if source.n else ""
            found.append((float(value.value), f.key, finding.read, size + f.caution))
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
        (VOLUME, volume, at_last(volume_code)),
        (T2, t2, at_last(reading.read.labels["t2_pattern"])),
        *_pain(assessment),
        ("fracture", ("none", "new or progressive"), _fractures(assessment)),
        (COURSE, ("no growth", *RESOLUTIONS), _courses(assessment)),
        (EVER, ("never", "equivocal"), _ever_equivocal(assessment)),
        ("state at the last MRI", states, at_last(state_code)),
    ]
    return [(name, tuple(labels), code) for name, labels, code in tables]


def _pain(assessment: Assessment) -> list[tuple[str, tuple[str, ...], Ints]]:
    reading = assessment.reading
    order = reading.answer("scan_order")
    result = []
    for c in reading.criteria.pains:
        answer: Answer = reading.answers[c.id]
        wanted = [o for o in c.outcomes if o != "no_pain_before"]
        code = answer.codes(wanted)
        title = CONSENSUS if c.role == "pain_consensus" else "pain, traditional,"
        for months, which in (("3", "first"), ("6", "second")):
            here = (order.outcome == order.criterion.outcomes.index(which)) & (code >= 0) & ~reading.scans.baseline
            last = last_with(assessment, here)
            found = np.where(last == NONE, -1, code[np.maximum(last, 0)]) if len(code) else last
            result.append((f"{title} at {months} months", tuple(wanted), found))
    return result


def _ever_equivocal(assessment: Assessment) -> Ints:
    """Give whether a site was ever called equivocal, -1 where no MRI was read."""
    scans, e = assessment.reading.scans, assessment.episodes
    read = last_with(assessment, ~scans.baseline & assessment.reading.has_finding) != NONE
    ever = last_with(assessment, e.called == STATES.index("equivocal")) != NONE
    return np.where(ever, 1, np.where(read, 0, -1))


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
