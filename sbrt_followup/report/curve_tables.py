"""The results of `curves` as tables: one frame each, every number kept, nothing rounded.

A caution stands in the row it concerns. Rows without a group concern the whole cohort.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sbrt_followup.outcomes.analysis import Analysis, GroupResult

if TYPE_CHECKING:
    import pandas as pd

    from sbrt_followup.outcomes.accounts import Ending, LateDeaths, ScanGaps
    from sbrt_followup.outcomes.comparisons import Comparison
    from sbrt_followup.outcomes.curves import Curves

Row = dict[str, Any]


def groups_table(result: Curves) -> list[Row]:
    """Give one row per group: numbers, median, means, follow-up."""
    return [
        {
            "group": g.label,
            "n": g.counts.n,
            "events": g.counts.events,
            "competing": g.counts.competing,
            "censored": g.counts.censored,
            "median_days": g.median.estimate,
            "median_low": g.median.ci_low,
            "median_high": g.median.ci_high,
            "tau_months": result.analysis.method.tau_months,
            "rmst_days": g.restricted_mean.estimate,
            "rmst_std_error": g.restricted_mean.std_error,
            "time_lost_days": g.restricted_loss.estimate,
            "time_lost_std_error": g.restricted_loss.std_error,
            "followup_median_days": g.follow_up.estimate,
            "followup_low": g.follow_up.ci_low,
            "followup_high": g.follow_up.ci_high,
            "caution": _caution(result.analysis, g),
        }
        for g in result.analysis.groups
    ]
