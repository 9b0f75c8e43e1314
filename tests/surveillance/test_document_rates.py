import numpy as np
import pytest

from sbrt_followup.rulebook.library import load
from sbrt_followup.rulebook.simulation import Simulation
from sbrt_followup.surveillance.document_rates import document_hazards, document_mix, published_risks


@pytest.fixture(scope="module")
def book():
    return load(None, None)


def test_rates_are_those_of_the_bibliography_and_marked_derived(book):
    found = document_hazards(book.get(Simulation, "spine-progression"), book.evidence)
    assert found.known == ("derived",)
    assert found.of("low").rates.progression == (0.00637,)
    assert found.of("high").rates.from_months == (0.0, 13.2)
    assert found.of("high").rates.progression == (0.03946, 0.00869)
    assert found.of("intermediate").rates.death_clear == 0.006
    assert (
        document_hazards(book.get(Simulation, "spine-progression"), book.evidence, 0.02).of("low").rates.after == 0.02
    )


def test_rates_are_as_uncertain_as_the_published_intervals(book):
    found = document_hazards(book.get(Simulation, "spine-progression"), book.evidence)
    # 4.9 to 7.6 months go with 80 events: 1 / error² (findings on the published widths).
    assert 1 / found.of("low").std_error_log[0] ** 2 == pytest.approx(80, abs=1)
    assert [round(1 / e**2) for e in found.of("high").std_error_log] == [109, 7]
    rates = found.of("low").sampled(2000, np.random.default_rng(1))
    spread = np.std([np.log(r.progression[0]) for r in rates])
    assert spread == pytest.approx(found.of("low").std_error_log[0], rel=0.05)


def test_the_mix_adds_up(book):
    mix = document_mix(book.get(Simulation, "spine-progression"), book.evidence)
    assert mix == pytest.approx({"low": 0.52, "intermediate": 0.07, "high": 0.41})


def test_published_risks_are_of_one_endpoint(book):
    document = book.get(Simulation, "spine-progression")
    spine = published_risks(document, book.evidence, "progression")
    assert {(p.of, p.months): p.risk for p in spine}[("high", 48.0)] == pytest.approx(0.518)
    assert {p.key for p in spine} == {"chen2024"}
    local = published_risks(document, book.evidence, "local_progression")
    assert local and all(p.key.startswith("localfailure") for p in local)
    assert published_risks(document, book.evidence, "vcf") == ()
