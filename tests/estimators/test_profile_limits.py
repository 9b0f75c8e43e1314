"""Limits by profile likelihood, against a likelihood whose limits are known in closed form."""

from __future__ import annotations

import math

import pytest

from sbrt_followup.estimators.profile_limits import limits


def test_a_parabola_gives_wald_s_limits() -> None:
    low, high = limits(lambda x: -((x - 2.0) ** 2) / (2 * 0.09), 2.0, 0.3, 0.0)
    assert [low, high] == pytest.approx([2 - 0.3 * 1.959963984540054, 2 + 0.3 * 1.959963984540054])
    narrow = limits(lambda x: -((x - 2.0) ** 2) / (2 * 0.09), 2.0, 0.3, 0.0, level=0.5)
    assert narrow[1] - narrow[0] < high - low


def test_a_side_without_limit_is_infinite() -> None:
    low, high = limits(lambda x: -0.1 * max(x, 0.0) ** 2 if x < 0 else -(x**2), 0.0, 0.5, 0.0)
    assert low == -math.inf
    assert math.isfinite(high)
