"""The risk group of each row of a cohort, as a grouping for curves.

Conventions. With the patient as unit a row has the tier of its course (worst site), with the site its own. An undecided
tier is no group: such rows are left out and listed, never counted as high.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..sites.risk import by_patient, by_site, courses, site_risk

if TYPE_CHECKING:
    import pandas as pd

    from ..rulebook.library import Rulebook


def tier_of_rows(frame: pd.DataFrame, rulebook: Rulebook, unit: str) -> pd.Series[Any]:
    """Give each row its risk group (ordered categories; missing where undecided)."""
    import pandas as pd

    risk = site_risk(frame, rulebook)
    if unit == "site":
        return pd.Series(by_site(risk, frame)["risk_group"].array, index=frame.index)
    course = courses(frame, int(rulebook.risk.course.value))
    keys = np.array([f"{c:06d}" for c in course], dtype=object)
    patient = frame["patient_id"].to_numpy().astype(str)
    # by_patient gives one row per patient and course in this order.
    order = np.lexsort((keys.astype(str), patient))
    place = pd.factorize(pd.Series(list(zip(patient[order], course[order], strict=True))))[0]
    row_place = np.empty(len(frame), dtype=np.int64)
    row_place[order] = place
    tiers = by_patient(risk, frame)
    if not (tiers["patient_id"].to_numpy()[row_place].astype(str) == patient).all():
        raise AssertionError("courses and their tiers are out of step")
    return pd.Series(tiers["risk_group"].array[row_place], index=frame.index)
