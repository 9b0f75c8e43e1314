"""From readings to one line per treated site: when it progressed under each event-date policy, and since when it was clear.

`first_growth` dates a confirmed growth back to the first MRI of its unbroken episode, `confirmation` to the MRI that
confirmed it, `detected` to the first MRI on which any growth was called, retracted or not. The left end of an interval is
the last MRI before the dated event that could be read: neither incomplete nor equivocal by other signs than growth. Without
an event it is the last clear one, before any growth that is still open. Growth that is still open at the end (death, data cut) is no event
under the first two and is marked `unresolved`. A new metastasis elsewhere counts for spine progression only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..arrays import NEVER, Flags, Ints
from ..sites.history import days
from ..sites.scans import NONE, Scans
from ..tables.columns import COHORT
from ..vocabulary import FACTS, POLICIES
from .assessment import Assessment
from .episodes import CONFIRMED, OPEN
from .readings import STATE

if TYPE_CHECKING:
    import pandas as pd

PRIMARY = "first_growth"
NOTHING: Any = None
LOCAL, DISTANT = "local", "distant_spine"
EXTRA = (
    *(f"progression_date_{p}" for p in POLICIES), *(f"progression_site_{p}" for p in POLICIES),
    *(f"last_clear_mri_date_{p}" for p in POLICIES), *(f"local_progression_date_{p}" for p in POLICIES),
    "new_metastasis_date", "unresolved", "unresolved_since", "last_mri_date", "recorded_progression_date", "event_policy",
)  # fmt: skip


@dataclass(frozen=True)
class SiteEnd:
    """Whole days per row of the cohort, NEVER where there is none."""

    progression: Ints
    local: Ints
    last_clear: Ints
    distant: Ints


@dataclass(frozen=True)
class Endpoints:
    """What the MRIs of each row of the cohort frame come to."""

    ends: dict[str, SiteEnd]
    unresolved: Ints
    """The first MRI of a growth still open at the end, NEVER where none is."""
    last_mri: Ints
    fracture: Ints
    imaged: Flags
    """The site has an MRI after treatment."""


def _first(scans: Scans, flag: Flags, rows: int) -> Ints:
    """Give each site's first MRI with a flag, NONE without one."""
    result = np.full(rows, NONE, dtype=np.int64)
    found = flag.nonzero()[0][::-1]
    result[scans.site[found]] = found
    return result


def _last(scans: Scans, flag: Flags, rows: int) -> Ints:
    result = np.full(rows, NONE, dtype=np.int64)
    found = flag.nonzero()[0]
    result[scans.site[found]] = found
    return result


def _day(scans: Scans, places: Ints) -> Ints:
    return (
        np.where(places == NONE, NEVER, scans.day[np.maximum(places, 0)]) if len(scans) else np.full(len(places), NEVER)
    )


def endpoints(assessment: Assessment) -> Endpoints:
    """Date each site's progression under every policy."""
    reading, e = assessment.reading, assessment.episodes
    scans, n = reading.scans, len(reading.frame)
    spread = reading.answer("spread")
    elsewhere = spread.outcome == spread.criterion.outcomes.index("new")
    distant = _first(scans, elsewhere & ~scans.baseline, n)
    confirmed = e.resolution == CONFIRMED
    opened = e.episode == np.arange(len(scans))
    first = _first(scans, confirmed & opened, n)
    places = {
        "first_growth": first,
        "confirmation": np.where(first == NONE, NONE, e.confirmed_at[np.maximum(first, 0)]) if len(scans) else first,
        "detected": _first(scans, e.growth, n),
    }
    assert set(places) == set(POLICIES)
    still_open = _first(scans, (e.resolution == OPEN) & opened, n)
    still_open = np.where(first == NONE, still_open, NONE)
    quiet = np.isin(e.state, [STATE[name] for name in ("response", "stable", "pseudoprogression")])
    readable = scans.baseline | quiet | e.growth
    vcf = reading.read.labels["vcf"]
    broken = np.isin(vcf, [FACTS["vcf"].levels.index(x) for x in ("new", "progressive")]) & ~scans.baseline
    return Endpoints(
        {p: _end(scans, local, distant, still_open if p != "detected" else np.full(n, NONE), readable, n)
         for p, local in places.items()},
        _day(scans, still_open),
        _day(scans, _last(scans, ~scans.baseline, n)),
        _day(scans, _first(scans, broken, n)),
        np.bincount(scans.site[~scans.baseline], minlength=n) > 0,
    )  # fmt: skip


def _end(scans: Scans, local: Ints, distant: Ints, still_open: Ints, readable: Flags, n: int) -> SiteEnd:
    at_local, at_distant = _day(scans, local), _day(scans, distant)
    far = np.iinfo(np.int64).max
    event = np.minimum(np.where(local == NONE, far, local), np.where(distant == NONE, far, distant))
    # What comes after the event, or after growth that stayed open, was not clear.
    stop = np.minimum(event, np.where(still_open == NONE, far, still_open))
    before = readable & (np.arange(len(scans)) < stop[scans.site])
    return SiteEnd(
        _day(scans, np.where(event == far, NONE, event)), at_local, _day(scans, _last(scans, before, n)), at_distant
    )


def cohort_table(assessment: Assessment, given: frozenset[str], extra: tuple[str, ...], policy: str = PRIMARY) -> pd.DataFrame:  # fmt: skip
    """Give the cohort with what its MRIs came to: a cohort table again, that `schedule` and `curves` read.

    A site without an MRI after treatment keeps what was recorded. The recorded date of the others stands in
    `recorded_progression_date`.
    """
    frame = reading_frame(assessment)
    found = endpoints(assessment)
    columns = _filled(frame, found, policy)
    for p in POLICIES:
        end = found.ends[p]
        columns[f"progression_date_{p}"] = _dates(
            np.where(found.imaged, end.progression, days(frame, "progression_date"))
        )
        columns[f"progression_site_{p}"] = _site(frame, found, p)
        columns[f"last_clear_mri_date_{p}"] = _dates(_clear(frame, found, p))
        columns[f"local_progression_date_{p}"] = _dates(end.local)
    columns["new_metastasis_date"] = _dates(found.ends[policy].distant)
    columns["unresolved"] = np.where(found.imaged, np.where(found.unresolved != NEVER, "yes", "no"), NOTHING)
    columns["unresolved_since"] = _dates(found.unresolved)
    columns["last_mri_date"] = _dates(found.last_mri)
    columns["recorded_progression_date"] = frame["progression_date"].to_numpy()
    columns["event_policy"] = np.where(found.imaged, policy, "recorded")
    declared = [spec.name for spec in COHORT]
    filled = {"progression_date", "progression_site", "last_clear_mri_date", "vcf_date", "last_followup_date"}
    kept = [
        name for name in declared if name in given or name in filled or name in ("patient_id", "site_id", "sbrt_date")
    ]
    counted = {spec.name for spec in COHORT if spec.kind == "integer"}
    taken = {name: frame[name].astype("Int64") if name in counted else columns.get(name, frame[name]) for name in kept}
    own = {name: frame[name] for name in extra if name not in EXTRA}
    import pandas as pd

    return pd.DataFrame({**taken, **own, **{name: columns[name] for name in EXTRA}})


def patient_table(assessment: Assessment, within_days: int) -> pd.DataFrame:
    """Give one line per patient: the earliest event over the sites of the first course, under every policy.

    `last_clear` is the latest day on which every site was still clear: the earliest of the sites' own.
    """
    import pandas as pd

    from ..sites.risk import courses

    frame, found = reading_frame(assessment), endpoints(assessment)
    first = courses(frame, within_days) == 0
    own = frame.loc[first]
    of = pd.factorize(own["patient_id"], sort=True)[0]
    far = np.iinfo(np.int64).max

    def earliest(values: Ints) -> npt.NDArray[np.datetime64]:
        low = np.full(int(of.max(initial=-1)) + 1, far, dtype=np.int64)
        np.minimum.at(low, of, np.where(values[first] == NEVER, far, values[first]))
        return _dates(np.where(low == far, NEVER, low))

    grouped = own.astype({"site_id": str}).groupby(of, sort=True)
    columns: dict[str, Any] = {
        "patient_id": grouped["patient_id"].first().to_numpy(),
        "site_ids": grouped["site_id"].agg(lambda s: ";".join(sorted(s))).to_numpy(),
        "sbrt_date": grouped["sbrt_date"].min().to_numpy(),
    }
    for p in POLICIES:
        end = found.ends[p]
        columns[f"progression_date_{p}"] = earliest(
            np.where(found.imaged, end.progression, days(frame, "progression_date"))
        )
        columns[f"local_progression_date_{p}"] = earliest(end.local)
        columns[f"last_clear_mri_date_{p}"] = earliest(_clear(frame, found, p))
    columns["new_metastasis_date"] = earliest(found.ends[PRIMARY].distant)
    columns["unresolved_since"] = earliest(found.unresolved)
    columns["unresolved"] = np.where(np.isnat(columns["unresolved_since"]), "no", "yes")
    return pd.DataFrame(columns)


def with_events(assessment: Assessment, policy: str) -> pd.DataFrame:
    """Give the cohort frame itself with events dated under one policy, for `curves`; every declared column is there."""
    frame = reading_frame(assessment).copy()
    found = endpoints(assessment)
    for name, column in _filled(frame, found, policy).items():
        frame[name] = column
    frame["unresolved"] = np.where(found.imaged, np.where(found.unresolved != NEVER, "yes", "no"), NOTHING)
    return frame


def reading_frame(assessment: Assessment) -> pd.DataFrame:
    """Give the cohort frame an assessment was made of."""
    return assessment.reading.frame


def _filled(frame: pd.DataFrame, found: Endpoints, policy: str) -> dict[str, Any]:
    """Fill the contract's own columns; the last follow-up is never before the last MRI."""
    import pandas as pd

    recorded = days(frame, "progression_date")
    levels = frame["progression_site"].cat.categories
    fracture = days(frame, "vcf_date")
    given = days(frame, "last_followup_date")
    return {
        "progression_date": _dates(np.where(found.imaged, found.ends[policy].progression, recorded)),
        "progression_site": pd.Categorical(_site(frame, found, policy), categories=levels, ordered=True),
        "last_clear_mri_date": _dates(_clear(frame, found, policy)),
        "vcf_date": _dates(np.where(fracture == NEVER, found.fracture, fracture)),
        "last_followup_date": _dates(np.maximum(given, found.last_mri)),
    }


def _clear(frame: pd.DataFrame, found: Endpoints, policy: str) -> Ints:
    """Give the last clear MRI; one before treatment says nothing of the time after it."""
    clear = found.ends[policy].last_clear
    clear = np.where(clear < days(frame, "sbrt_date"), NEVER, clear)
    return np.where(found.imaged, clear, days(frame, "last_clear_mri_date"))


def _site(frame: pd.DataFrame, found: Endpoints, policy: str) -> npt.NDArray[np.object_]:
    end = found.ends[policy]
    derived = np.where(end.progression == NEVER, NOTHING, np.where(end.progression == end.local, LOCAL, DISTANT))
    recorded = frame["progression_site"].astype(object).where(frame["progression_site"].notna(), None).to_numpy()
    result: npt.NDArray[np.object_] = np.where(found.imaged, derived, recorded)
    return result


def _dates(values: Ints) -> npt.NDArray[np.datetime64]:
    return values.astype("datetime64[D]").astype("datetime64[s]")
