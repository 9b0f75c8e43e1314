"""`curves --prepared`: a table that holds durations and statuses already, counted by an engine, of any size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..problems import nearest, refuse

if TYPE_CHECKING:
    from ..outcomes.analysis import Method
    from ..outcomes.curves import Curves
    from ..tables.records import Records

RISK_GROUP = "risk_group"


def columns(text: str) -> tuple[str, str]:
    """Split `TIME,STATUS`."""
    names = [part.strip() for part in text.split(",")]
    if len(names) != 2 or not all(names):
        raise refuse("not-allowed", "--prepared takes two columns joined by a comma: TIME,STATUS")
    return names[0], names[1]


def refuse_others(given: Mapping[str, Any], by: str | None) -> None:
    """Refuse what needs the dates, the MRIs or the patients behind a prepared table."""
    named = [flag for flag, value in given.items() if value]
    if named:
        raise refuse(
            "prepared",
            f"--prepared does not go with {', '.join(named)}: a prepared table has no dates, MRIs or patients",
            hint="Leave these out, or give the cohort table itself.",
        )
    if by == RISK_GROUP:
        raise refuse(
            "prepared",
            "--by risk_group needs the facts of each site, which a prepared table has not",
            hint="Write the tiers with `sbrt-followup risk` and join them to the table as a column.",
        )


def curves_of(
    path: str | None,
    time: str,
    status: str,
    by: str | None,
    engine: str,
    endpoint: str,
    method: Method,
    order: str | None = None,
) -> tuple[Curves, Records]:
    """Count a prepared table and estimate its groups; with what the manifest says of it."""
    import pandas as pd

    from ..outcomes.curves import Prepared
    from ..outcomes.large import counted_curves, group_counts
    from ..outcomes.question import Question
    from ..tables import lazy
    from ..tables.records import Records
    from . import ordering

    if engine not in lazy.ENGINES:
        raise refuse("not-allowed", f"--engine takes {', '.join(lazy.ENGINES)}", hint=nearest(engine, lazy.ENGINES))
    if path is None or path == "-":
        raise refuse("no-cohort", "name a Parquet table: --prepared does not read stdin")
    chosen: lazy.Engine = next(e for e in lazy.ENGINES if e == engine)
    counts = group_counts(path, group=by, time=time, status=status, engine=chosen)
    question = Question(course_days=0, endpoint=endpoint, censor_at="last_contact")
    ordered = ordering.in_order_counts(counts, by, order, method.trend)
    result = counted_curves(ordered, question, method, Prepared(time, status, by, engine))
    rows = pd.DataFrame(index=pd.RangeIndex(sum(c.n for c in counts.values())))
    return result, Records(rows, content_hash=lazy.content_hash(path))
