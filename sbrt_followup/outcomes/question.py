"""What is asked of a cohort: the endpoint, who is followed until when, and the words for why follow-up ended."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..timing import analysis_days

ENDPOINTS = ("progression", "local_progression", "death", "progression_or_death", "vcf")
UNITS = ("patient", "site")
CENSORING = ("last_mri", "last_contact")
RETREATMENT = ("censor", "ignore", "event")
DISTANT = ("censor", "ignore", "competing")  # what a distant spine progression does to local progression
SITE_ENDPOINTS = ("local_progression", "vcf")
DEATH_INSIDE = ("death", "progression_or_death")  # endpoints without a competing event
BY_MRI = ("progression", "local_progression", "progression_or_death")  # censored at the last clear MRI unless asked
DEATH_COMPETES = ("progression", "local_progression")  # found by MRIs: a death long after the last one says nothing
MOST_GROUPS = 30  # more is a measurement or an identifier, not a grouping
ALL = "all"  # the one group of a cohort that is not divided

MRIS = "mris_after_sbrt"  # the number of a row's MRIs, where imaging gives it

# Why follow-up for the endpoint ended.
ENDED_BY_EVENT, ENDED_BY_DEATH, ENDED_BY_DISTANT = "event", "death first", "distant spine progression first"
AT_LAST_MRI, AT_LAST_CONTACT = "last clear MRI", "last contact"
AT_UNSEEN_DEATH, NEVER_SCANNED = "last clear MRI long before death", "no clear MRI"
AT_AS_OF, AT_DISTANT, AT_RETREATMENT = "as-of date", "distant spine progression", "re-treatment"


@dataclass(frozen=True)
class Question:
    """What is asked of a cohort; sites treated within `course_days` of the first belong to one course."""

    course_days: int
    endpoint: str = "progression"
    unit: str = "patient"
    censor_at: str | None = None  # the endpoint's own unless given
    retreatment: str = "censor"
    as_of: np.datetime64 | None = None
    entry: str | None = None
    landmark_day: int | None = None
    strata: str | None = None
    death_within_days: float | None = None
    """A death counts only so many days after the last clear MRI, else follow-up ended at that MRI; none: whenever it happens."""
    distant: str = "censor"
    require_mri: int = 0
    """Clear MRIs that a unit must have had after time zero."""

    @property
    def censored_at(self) -> str:
        """Where those without an event are censored."""
        return self.censor_at or ("last_mri" if self.endpoint in BY_MRI else "last_contact")

    @property
    def death_rule(self) -> str:
        """Which deaths count, in words."""
        if self.death_within_days is None:
            return "a death whenever it happens"
        return f"a death within {self.death_within_days / analysis_days(1):g} months of the last clear MRI"

    @property
    def follows_mris(self) -> bool:
        """Whether follow-up ends at the last clear MRI also for those who die later or were never scanned."""
        return self.death_within_days is not None and self.censored_at == "last_mri" and self.endpoint in BY_MRI
