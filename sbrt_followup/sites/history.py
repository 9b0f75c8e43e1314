"""What happened to each treated site: time zero, MRIs done, bookings, stops; as whole days, absent ones NEVER."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..arrays import NEVER, Flags, Ints
from ..tables.columns import COHORT
from ..vocabulary import STOP_REASONS

if TYPE_CHECKING:
    import pandas as pd

STOP_WORDS = (
    "death",
    *(reason.replace("_", " ") for reason in STOP_REASONS),
    "treated again: a new course has its own time zero",
)
DEATH, TREATED_AGAIN = 0, len(STOP_WORDS) - 1
FAR = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Course:
    """One row per treated site of a cohort frame."""

    patient: Ints
    rank: Ints
    """The place of each patient number in the order of ids."""
    time_zero: Ints
    stop: Ints
    stop_code: Ints
    booked: Ints
    progression: Ints
    progressed: Flags
    no_mri: Flags
    no_gadolinium: Flags
    stop_words: tuple[str, ...] = STOP_WORDS
    passed_through: frozenset[str] = frozenset()

    def ended(self, today: int) -> Flags:
        """Say of each site whether its follow-up has stopped by a day."""
        return np.asarray((self.stop != NEVER) & (self.stop <= today))


def days(frame: pd.DataFrame, column: str) -> Ints:
    """Give a date column as whole days."""
    return frame[column].to_numpy().astype("datetime64[D]").astype(np.int64)


def _yes(frame: pd.DataFrame, column: str) -> Flags:
    return np.asarray(frame[column].to_numpy() == "yes")


def _of_patient(flags: Flags, patient: npt.NDArray[Any]) -> Flags:
    """Spread a flag over all sites of a patient: a contraindication on any row is the patient's."""
    return np.asarray(np.isin(patient, patient[flags]))


def course_of(frame: pd.DataFrame) -> Course:
    """Read the history of every row of a cohort frame."""
    import pandas as pd

    patient, ids = pd.factorize(frame["patient_id"])
    rank = np.empty(len(ids), dtype=np.int64)
    rank[np.argsort(ids.astype(str), kind="stable")] = np.arange(len(ids))
    time_zero = days(frame, "sbrt_date")
    # A death on any row of a patient is the patient's.
    death = pd.Series(frame["death_date"].to_numpy()).groupby(patient).transform("min").to_numpy()
    died = death.astype("datetime64[D]").astype(np.int64)
    left, reason = _left(frame, patient, time_zero)
    again = treated_again(frame, patient, time_zero)
    options = np.stack([died, left, np.where(again == NEVER, NEVER, again - 1)])
    first = np.where(options == NEVER, FAR, options)
    which = first.argmin(axis=0)
    stop = np.where((options == NEVER).all(axis=0), NEVER, first.min(axis=0))
    code = np.select([which == 0, which == 1], [np.full(len(frame), DEATH), reason], TREATED_AGAIN)
    declared = {spec.name for spec in COHORT}
    progression = days(frame, "progression_date")
    return Course(
        patient=patient.astype(np.int64),
        rank=rank,
        time_zero=time_zero,
        stop=stop,
        stop_code=code,
        booked=days(frame, "booked_date"),
        progression=progression,
        progressed=progression != NEVER,
        no_mri=_of_patient(_yes(frame, "mri_contraindication"), patient),
        no_gadolinium=_of_patient(_yes(frame, "gadolinium_contraindication"), patient),
        passed_through=frozenset(c for c in frame.columns if c not in declared and c != "row"),
    )


def _left(frame: pd.DataFrame, patient: npt.NDArray[Any], time_zero: Ints) -> tuple[Ints, Ints]:
    """Give the day each site's follow-up was ended on purpose (NEVER: not), and the code of its reason.

    Surgery ends the follow-up of its site, everything else that of the patient; but treatment after it shows that the
    patient came back, and then it ends that of its own row alone.
    """
    reason = frame["stop_reason"].cat.codes.to_numpy().astype(np.int64) + 1
    day = days(frame, "last_contact_date")
    given = (reason > 0) & (day != NEVER)
    # Day and reason as one number, so that the earliest brings its reason along.
    key = np.where(given, np.where(given, day, 0) * len(STOP_WORDS) + reason, FAR)
    size = int(patient.max(initial=-1)) + 1
    latest, earliest = np.full(size, NEVER, dtype=np.int64), np.full(size, FAR, dtype=np.int64)
    np.maximum.at(latest, patient, time_zero)
    of_patient = given & (reason != STOP_WORDS.index("surgery")) & (key // len(STOP_WORDS) >= latest[patient])
    np.minimum.at(earliest, patient[of_patient], key[of_patient])
    key = np.minimum(key, earliest[patient])
    day, code = np.divmod(key, len(STOP_WORDS))
    return np.where(key == FAR, NEVER, day), np.where(key == FAR, 0, code)


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Sort each patient's rows by site and course, so that no tie is broken by the order of the file."""
    import pandas as pd

    patient = pd.factorize(frame["patient_id"])[0]
    site = pd.factorize(frame["site_id"], sort=True)[0]
    order = np.lexsort((days(frame, "sbrt_date"), site, patient))
    if (order == np.arange(len(order))).all():
        return frame
    return frame.iloc[order].reset_index(drop=True)


def treated_again(frame: pd.DataFrame, patient: npt.NDArray[Any], time_zero: Ints) -> Ints:
    """Give the next course's time zero for the same patient and site, NEVER where there is none."""
    import pandas as pd

    site = pd.factorize(frame["site_id"])[0]
    order = np.lexsort((time_zero, site, patient))
    following = np.full(len(frame), NEVER, dtype=np.int64)
    same = (patient[order][1:] == patient[order][:-1]) & (site[order][1:] == site[order][:-1])
    following[order[:-1][same]] = time_zero[order[1:][same]]
    return following
