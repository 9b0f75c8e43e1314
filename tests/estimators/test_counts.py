import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbrt_followup.estimators.counts import count, from_cells, pool

people = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 2), st.integers(0, 30)), min_size=1, max_size=60)


def split(rows):
    return (np.array(column) for column in zip(*rows, strict=True))


@given(people)
def test_numbers_at_risk_are_what_counting_by_hand_gives(rows):
    time, status, entry = split(rows)
    entry = np.minimum(entry, time - 1)
    for given_entry, late in ((None, np.full(len(time), -1)), (entry, entry if entry.any() else entry - 1)):
        table = count(time, status, given_entry)
        by_hand = [int(((time >= t) & (late < t)).sum()) for t in table.time]
        assert table.n_risk.tolist() == by_hand
        assert table.n == len(rows) == table.events + table.competing + table.censored


@given(people, st.randoms())
def test_neither_row_order_nor_the_way_of_counting_matters(rows, random):
    time, status, _ = split(rows)
    shuffled = list(rows)
    random.shuffle(shuffled)
    other_time, other_status, _ = split(shuffled)
    cells, number = np.unique(np.column_stack([time, status]), axis=0, return_counts=True)
    tables = [count(time, status), count(other_time, other_status), from_cells(cells[:, 0], cells[:, 1], number)]
    fractional = count(time + 0.5, status)  # counted by sorting instead of by day
    for table in tables:
        assert table.time.tolist() == (fractional.time - 0.5).tolist()
        assert table.n_event.tolist() == fractional.n_event.tolist()
        assert table.n_competing.tolist() == fractional.n_competing.tolist()
        assert table.n_censor.tolist() == fractional.n_censor.tolist()


@given(people, st.integers(0, 60), st.booleans())
def test_splitting_a_group_and_pooling_the_parts_changes_nothing(rows, cut, late):
    time, status, entry = split(rows)
    entry = np.minimum(entry, time - 1) if late else None
    whole = count(time, status, entry)
    parts = [
        count(time[s], status[s], None if entry is None else entry[s]) for s in (slice(None, cut), slice(cut, None))
    ]
    pooled = pool(parts)
    for name in ("time", "n_event", "n_competing", "n_censor", "n_risk"):
        assert getattr(pooled, name).tolist() == getattr(whole, name).tolist()


def test_an_empty_group_counts_nobody():
    empty = count([], [])
    assert (empty.n, empty.last, empty.time.tolist(), empty.at_risk(3.0).tolist()) == (0, 0.0, [], 0)
    assert pool([empty, empty]).n == 0


@pytest.mark.parametrize(
    ("time", "status", "entry"),
    [([-1.0], [1], None), ([np.nan], [1], None), ([3.0], [3], None), ([3.0], [-1], None), ([3.0], [1], [3.0])],
)
def test_what_cannot_be_counted_is_refused(time, status, entry):
    with pytest.raises(ValueError, match=r"times must|every entry"):
        count(time, status, entry)
