"""Smoke charts: what goes into a column, and what is drawn of it."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from exporters.icmp.history import NOTHING, UNTIMED
from exporters.icmp.smoke_chart import Column, columns_of, smoke_chart, top_of_scale

LOST = -10.0
LOST_WITH_REASON = -13.0


def test_columns_hold_as_many_pings_each_and_the_rest():
    columns = columns_of([0.001] * 25, 10)
    assert [len(column.times) for column in columns] == [3] * 8 + [1]


def test_fewer_pings_than_columns_have_one_each():
    assert columns_of([0.002, LOST], 50) == [Column((0.002,), 0), Column((), 1)]


def test_nothing_makes_no_columns():
    assert columns_of([], 50) == []


def test_times_are_sorted_and_marks_are_no_times():
    (column,) = columns_of([0.003, 0.001, NOTHING, UNTIMED, LOST, LOST_WITH_REASON], 1)
    assert column == Column((0.001, 0.003), 2)
    assert column.loss == 0.5


def test_scale_leaves_out_the_rarest_times():
    columns = columns_of([0.001] * 199 + [2.0], 50)
    assert top_of_scale(columns) < 0.002


def paths(svg: str) -> dict[str, str]:
    return {path.get("class", ""): path.get("d", "") for path in ElementTree.fromstring(svg)}


def test_chart_has_smoke_core_middle_and_loss():
    columns = [Column((0.001, 0.002, 0.003, 0.004), 0), Column((), 4), Column((0.002,), 1)]
    svg = smoke_chart(columns, width=30, height=10, label="3 columns")
    root = ElementTree.fromstring(svg)
    assert (root.get("role"), root.get("aria-label")) == ("img", "3 columns")
    drawn = paths(svg)
    assert drawn.keys() == {"smoke", "core", "middle", "loss"}
    assert drawn["loss"] == "M10.0 0.0h10.0v10.0h-10.0zM20.0 0.0h10.0v5.0h-10.0z"
    assert drawn["middle"].count("M") == 2


def test_chart_of_nothing_is_empty_and_whole():
    svg = smoke_chart([], width=30, height=10, label="no pings yet")
    assert list(ElementTree.fromstring(svg)) == []


outcomes = st.one_of(st.floats(0, 100, width=32), st.sampled_from([NOTHING, UNTIMED, LOST, -17.0]))


@given(st.lists(outcomes, max_size=400), st.integers(1, 80))
def test_whatever_happened_the_chart_stays_within_its_frame(history, count):
    columns = columns_of(history, count)
    assert len(columns) <= count
    svg = smoke_chart(columns, width=160, height=32, label="x")
    for x, y in re.findall(r"M([\d.e-]+) ([\d.e-]+)", svg):
        assert 0 <= float(x) <= 160
        assert 0 <= float(y) <= 32
