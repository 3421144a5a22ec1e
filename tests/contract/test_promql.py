"""What is found in an expression, and what is said of one that names what is not there."""

from __future__ import annotations

import pytest

from .metric_names import faults_of, labels_in
from .promql import Selector, read_expression


@pytest.mark.parametrize(
    ("text", "selectors", "listed"),
    [
        ("up", ["up"], set()),
        ("up{job='a',exporter=~\"b|c\"} == 0", ["up"], set()),
        ("sum by (device) (rate(a_total[5m])) > 1e6", ["a_total"], {"device"}),
        (
            "sum(a) without (x, y) / on (z) group_left (site) b:c:d",
            ["a", "b:c:d"],
            {*"xyz", "site"},
        ),
        ('label_replace(a, "b", "$1", "c", "(.*)")', ["a"], set()),
        ("a offset 5m unless on () b", ["a", "b"], set()),
        ("time() - a > bool 3 # a comment", ["a"], set()),
    ],
)
def test_expression_names_metrics_and_labels(
    text: str, selectors: list[str], listed: set[str]
) -> None:
    read = read_expression(text)
    assert [selector.name for selector in read.selectors] == selectors
    assert read.listed == listed


def test_expression_names_conditions_and_labels_that_it_makes() -> None:
    read = read_expression('label_replace({__name__=~"a|b", x!="\\"}"}, "made", "", "", "")')
    assert read.selectors == [Selector("", (("__name__", "=~", "a|b"), ("x", "!=", '"}')))]
    assert read.made == {"made"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("icmp_losst_total", "icmp_losst_total: no golden scrape has it, no rule records it"),
        (
            'icmp_lost_total{reason="tiemout"}',
            'icmp_lost_total: no series of a golden scrape has reason="tiemout"',
        ),
        ("sum by (reasons) (icmp_lost_total)", "label reasons: of none of its metrics"),
        (
            'interface:speed_bits{interface="a"}',
            "interface:speed_bits: has no label interface",
        ),
    ],
)
def test_what_is_not_there_is_told(text: str, fault: str) -> None:
    assert faults_of(text) == [fault]


def test_labels_of_a_recording_are_those_of_what_it_is_made_of() -> None:
    assert {"device", "ifDescr"} <= labels_in("interface:in_utilisation:ratio5m")
    assert "ifDescr" not in labels_in("icmp:mos:estimate5m")
