"""What a schedule of MRIs asks of patients and when it finds progression: closed forms, nothing simulated.

Conventions. Months since time zero. A patient is clear, progressed or dead: a(t) clear → progressed is constant in pieces,
b clear → dead and c progressed → dead are constant; A = ∫a, S = e^−A. MRIs are done at fixed months by everybody alive
whose progression has not been found; an MRI finds progression with a fixed sensitivity, else it stays hidden until the next.
With Φ(t) = ∫₀ᵗ a S e^{−(b−c)u} du the share that progressed in (x, y] and lives at τ is e^{−cτ}(Φ(y) − Φ(x)); of it follow
findings, delay (first moment of Φ), months undetected (deaths undetected ÷ c) and the share found within some months.
With c = b and full sensitivity these are found_k = [S(τ_{k−1}) − S(τ_k)]e^{−bτ_k} and done_k = S(τ_{k−1})e^{−bτ_k}.
Inspection policies: Barlow & Proschan 1965; delay and burden of surveillance: Parmigiani, JASA 1993;88:622.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .hazards import Floats, Rates

SMALL = 1e-4  # |rate × width| below which a series is exact to rounding
NO_DEATHS = 1e-9  # a rate a month below which nobody dies
POINTS, ROUNDS = 65, 6  # of the search for a centile: 1 / 64⁶ of the longest delay


class Flow:
    """The integrals of one group's rates, at any months."""

    def __init__(self, rates: Rates) -> None:
        self.rates = rates
        self.begin = np.array(rates.from_months, dtype=np.float64)
        self.length = np.append(np.diff(self.begin), np.inf)
        self.progression = np.array(rates.progression, dtype=np.float64)
        self.at_begin = rates.cumulative(self.begin)

    def clear(self, month: npt.ArrayLike) -> Floats:
        """Give the share alive and clear."""
        t = np.asarray(month, dtype=np.float64)
        return np.asarray(np.exp(-self.rates.cumulative(t) - self.rates.death_clear * t))

    def clear_months(self, month: npt.ArrayLike) -> Floats:
        """Give the mean months alive and clear so far."""
        return self._integral(month, self.rates.death_clear, 0, np.ones(len(self.begin)))

    def onsets(self, month: npt.ArrayLike) -> Floats:
        """Give the share that has progressed so far."""
        return self._integral(month, self.rates.death_clear, 0, self.progression)

    def progressed(self, month: npt.ArrayLike) -> Floats:
        """Give Φ: times e^−cτ it is the share progressed by a month and alive at τ."""
        return self._integral(month, self.rates.death_clear - self.rates.after, 0, self.progression)

    def progressed_moment(self, month: npt.ArrayLike) -> Floats:
        """Give the first moment of Φ."""
        return self._integral(month, self.rates.death_clear - self.rates.after, 1, self.progression)

    def _integral(self, month: npt.ArrayLike, death: float, moment: int, factor: Floats) -> Floats:
        """Integrate factor × u^moment × exp(−A(u) − death × u) from 0 to each month."""
        t = np.asarray(month, dtype=np.float64)
        total = np.zeros(t.shape)
        for begin, length, rate, reached, weight in zip(
            self.begin, self.length, self.progression, self.at_begin, factor, strict=True
        ):
            width = np.clip(t - begin, 0.0, length)
            part, first = _decay(rate + death, width)
            scale = weight * np.exp(-reached - death * begin)
            total += scale * (part if moment == 0 else begin * part + first)
        return total


def _decay(rate: float, width: Floats) -> tuple[Floats, Floats]:
    """Give ∫e^{−rate v}dv and ∫v e^{−rate v}dv over (0, width)."""
    x = rate * width
    near = np.abs(x) < SMALL
    safe = rate if rate else 1.0
    whole = np.where(near, width * (1 - x / 2 + x**2 / 6), -np.expm1(-x) / safe)
    far = (-np.expm1(-x) - x * np.exp(-x)) / safe**2
    return whole, np.where(near, width**2 * (0.5 - x / 3 + x**2 / 8), far)


@dataclass(frozen=True)
class Detection:
    """What one schedule gives in one group, per patient treated, up to a horizon."""

    visits: Floats
    done: Floats  # MRIs at each visit
    found_at: Floats  # progressions found at each visit
    mris: float
    found: float
    delay_months: float  # of all that are found, together
    undetected_months: float  # alive with progression nobody knows of, to the last MRI
    died_undetected: float  # to the last MRI
    undetected_to_horizon: float
    died_to_horizon: float
    person_months: float  # alive and not found, to the horizon
    onsets: float  # progressions by the horizon, found or not
    flow: Flow
    sensitivity: float

    @property
    def mean_delay(self) -> float:
        """Months from progression to the MRI that finds it, of those found."""
        return self.delay_months / self.found if self.found > 0 else float("nan")

    @property
    def mris_per_found(self) -> float:
        """MRIs done for each progression found."""
        return self.mris / self.found if self.found > 0 else float("nan")

    @property
    def mris_per_year(self) -> float:
        """MRIs per patient and year under surveillance."""
        return self.mris / self.person_months * 12.0 if self.person_months > 0 else float("nan")

    def found_within(self, months: npt.ArrayLike) -> Floats:
        """Give the progressions (per patient treated) found within some months of their beginning."""
        m = np.atleast_1d(np.asarray(months, dtype=np.float64))
        edges = np.concatenate([[0.0], self.visits])
        start, stop = edges[:-1], edges[1:]
        living = np.exp(-self.flow.rates.after * self.visits)
        if self.sensitivity >= 1:
            since = np.clip(stop - m[:, None], start, None)
            return np.asarray(((self.flow.progressed(stop) - self.flow.progressed(since)) * living).sum(axis=-1))
        tau = self.visits[:, None]
        since = np.clip(tau - m[:, None, None], start, stop)
        begun = self.flow.progressed(stop) - self.flow.progressed(since)
        misses = np.arange(len(tau))[:, None] - np.arange(len(tau))
        seen = np.where(misses >= 0, self.sensitivity * (1 - self.sensitivity) ** np.maximum(misses, 0), 0.0)
        return np.asarray((begun * seen * living[:, None]).sum(axis=(1, 2)))


def detect(visits: Sequence[float] | Floats, rates: Rates, horizon: float, sensitivity: float = 1.0) -> Detection:
    """Work out a schedule's MRIs, findings and delays; visits after the horizon are not done."""
    if not 0 < sensitivity <= 1:
        raise ValueError("a sensitivity is above 0 and at most 1")
    planned = np.asarray(visits, dtype=np.float64)
    tau = planned[planned <= horizon + 1e-9]
    if (np.diff(tau, prepend=0.0) <= 0).any():
        raise ValueError("visits come one after another, the first after month 0")
    flow = Flow(rates)
    c = rates.after
    edges = np.concatenate([[0.0], tau, [max(horizon, tau[-1] if len(tau) else 0.0)]])
    clear, onsets, phi, moment = (
        flow.clear(edges),
        flow.onsets(edges),
        flow.progressed(edges),
        flow.progressed_moment(edges),
    )
    width, begun = np.diff(edges), np.diff(onsets)
    living = np.exp(-c * edges[1:])
    new = living * np.diff(phi)
    new_delay = living * (edges[1:] * np.diff(phi) - np.diff(moment))
    dying = begun - new
    undetected = dying / c if c > NO_DEATHS else new_delay
    there = len(tau)
    done, found = np.zeros(there), np.zeros(there)
    late, late_months, delay = 0.0, 0.0, 0.0  # hidden after an MRI that missed, and the months since they progressed
    hidden_deaths, hidden_months = np.zeros(there + 1), np.zeros(there + 1)
    for k in range(there + 1):
        still = late * np.exp(-c * width[k])
        hidden_deaths[k] = late - still
        hidden_months[k] = hidden_deaths[k] / c if c > NO_DEATHS else late * width[k]
        if k == there:
            break
        present = new[k] + still
        present_delay = new_delay[k] + (late_months + late * width[k]) * np.exp(-c * width[k])
        done[k] = clear[k + 1] + present
        found[k] = sensitivity * present
        delay += sensitivity * present_delay
        late, late_months = (1 - sensitivity) * present, (1 - sensitivity) * present_delay
    months, deaths = undetected + hidden_months, dying + hidden_deaths
    return Detection(
        tau,
        done,
        found,
        float(done.sum()),
        float(found.sum()),
        float(delay),
        float(months[:-1].sum()),
        float(deaths[:-1].sum()),
        float(months.sum()),
        float(deaths.sum()),
        float(flow.clear_months(edges[-1]) + months.sum()),
        float(onsets[-1]),
        flow,
        sensitivity,
    )


@dataclass(frozen=True)
class Mixed:
    """What schedules give over groups in stated shares, each group with its own schedule."""

    shares: tuple[float, ...]
    parts: tuple[Detection, ...]

    def total(self, name: str) -> float:
        """Add up a quantity of `Detection` over the groups."""
        return sum(share * float(getattr(part, name)) for share, part in zip(self.shares, self.parts, strict=True))

    @property
    def mean_delay(self) -> float:
        """Months from progression to the MRI that finds it, of those found."""
        return _ratio(self.total("delay_months"), self.total("found"))

    @property
    def mris_per_found(self) -> float:
        """MRIs done for each progression found."""
        return _ratio(self.total("mris"), self.total("found"))

    @property
    def mris_per_year(self) -> float:
        """MRIs per patient and year under surveillance."""
        return 12.0 * _ratio(self.total("mris"), self.total("person_months"))

    def share_found_within(self, months: npt.ArrayLike) -> Floats:
        """Give the share of those found who are found within some months of their beginning."""
        found = self.total("found")
        within = sum(s * part.found_within(months) for s, part in zip(self.shares, self.parts, strict=True))
        return np.asarray(within / found if found > 0 else np.full(np.shape(within), np.nan))

    def delay_centile(self, share: float) -> float:
        """Give the months within which a share of those found are found."""
        if self.total("found") <= 0:
            return float("nan")
        low, high = 0.0, max(float(part.visits[-1]) for part in self.parts if len(part.visits))
        for _ in range(ROUNDS):
            grid = np.linspace(low, high, POINTS)
            k = min(int(np.searchsorted(self.share_found_within(grid), share)), POINTS - 1)
            low, high = float(grid[max(k - 1, 0)]), float(grid[k])
        return high


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")
