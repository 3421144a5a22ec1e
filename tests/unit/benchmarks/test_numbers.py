"""What benchmarks make of their measurements."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.answers import differences, of_the_device, packets_sent, read_samples
from benchmarks.load import Scrapes
from benchmarks.loss import Obtained
from benchmarks.percentile import p99
from benchmarks.race import Measured

ANSWER = """\
# HELP ifInOctets What came in.
# TYPE ifInOctets counter
ifInOctets{ifIndex="1",ifDescr="a {b} c"} 5
ifInOctets{ifIndex="2",ifDescr="d"} 1.5e+10
sysUpTime 17
snmp_scrape_packets_sent{module="if_mib"} 38
snmp_scrape_packets_sent{module="system"} 2
snmp_module_success{module="if_mib"} 1
snmp_up 1
"""


def test_samples_are_read_with_their_series_and_values() -> None:
    samples = read_samples(ANSWER)
    assert samples['ifInOctets{ifIndex="1",ifDescr="a {b} c"}'] == 5
    assert samples['ifInOctets{ifIndex="2",ifDescr="d"}'] == 1.5e10
    assert len(samples) == 7
    assert packets_sent(samples) == 40
    assert set(of_the_device(samples)) == {series for series in samples if "snmp_" not in series}


def test_line_that_is_no_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="no sample: 'nonsense'"):
        read_samples("sysUpTime 17\nnonsense\n")


def test_differences_say_what_is_missing_and_what_is_otherwise() -> None:
    assert differences({"a": 1, "b": 2}, {"a": 1, "b": 2}) == []
    assert sorted(differences({"a": 1, "b": 2}, {"b": 3, "c": 4})) == [
        "b: 2, the peer 3",
        "only ours: a",
        "only the peer's: c",
    ]


def test_p99_of_few_values_is_the_largest() -> None:
    assert p99([7.0]) == 7
    assert p99([1.0, 9.0, 2.0]) == 9


def test_p99_of_many_values_leaves_the_largest_out() -> None:
    assert 98.9 < p99([float(value) for value in range(1, 101)]) <= 100
    assert p99([1.0] * 999 + [50.0]) == 1


def test_p99_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError):
        p99([])


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=300))
def test_p99_is_never_more_than_the_largest_nor_less_than_most(values: list[float]) -> None:
    found = p99(values)
    assert found <= max(values)
    assert sum(value <= found * (1 + 1e-9) for value in values) >= 0.98 * len(values)


def test_measured_numbers_are_medians_over_rounds_and_p99_over_all_scrapes() -> None:
    measured = Measured(
        "ours",
        cpu_seconds=[0.005, 0.1, 0.006],
        p50_seconds=[0.3, 0.1, 0.2],
        scrapes_per_second=[10.0, 30.0],
        wall_seconds=[0.1] * 50 + [0.9],
    )
    assert (measured.cpu, measured.p50, measured.rate) == (0.006, 0.2, 20)
    assert measured.p99 == 0.9


def obtained(samples: list[int], failures: int) -> Obtained:
    scrapes = Scrapes(
        wall_seconds=[1.0] * (len(samples) + failures),
        samples=samples,
        failures=["timed out"] * failures,
    )
    return Obtained("ours", scrapes, whole=100)


def test_scrape_that_failed_has_obtained_no_samples() -> None:
    found = obtained([100, 100, 40], failures=1)
    assert found.count == 4
    assert found.share == pytest.approx(0.6)
    assert (found.complete, found.failed) == (0.5, 0.25)


def test_exporter_that_always_failed_has_obtained_nothing() -> None:
    found = obtained([], failures=3)
    assert (found.share, found.complete, found.failed) == (0, 0, 1)
