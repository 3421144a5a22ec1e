from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exporters.wire.syslog_shape import Shape, parts_of, shape_of, shapes_of

HEADS = (
    b"", b"Mar 14 09:26:53 ", b"Mar 14 09:26:53 h ", b"Mar 14 09:26:53 h a[1]: ", b"12: ",
    b"Mar 14 09:26:53 h err ", b"2026-03-14T09:26:53Z ", b"2026-", b"1 - - - - - ", b"1 ",
    b"date=1", b"1 - - - - - [a ", b"Mar 14 09:26:53 h 1,2026/03/14 09:26:53,x,y,", b"id=f sn=1 ",
    b"%A-", b'logid="1" type=', b'log_id="1" log_type=', b"h RP/", b"PPE-", b"CISE_A",
    b" 09/11/2021:",
)  # fmt: skip
FILLS = (
    b"a", b"A", b"1", b" ", b"%", b"l", b"s", b":", b"[", b"]", b"[]", b"a-", b"A_", b"a/", b"a,",
    b",", b"=", b'"', b"%A-", b"a-1-b-", b"-1", b"1: ", b"a ", b"a: ", b"p=", b"log", b"lev",
    b"\xef",
)  # fmt: skip
LONGEST = 65_536
MOST_SECONDS = 0.25
"""Two hundred times what the slowest takes, as machines are busy; if what is read is read again for
each of its octets it takes ten times that."""

WORDS = st.sampled_from(
    [b"<13>", b"<", b"Mar 14 09:26:53 ", b"2026-03-14T09:26:53Z ", b"2026-1 ", b"1 ", b"12: ", b" ",
     b"- ", b"host ", b"host: ", b"message repeated 3 ", b"last ", b"err ", b"app", b"[1]", b": ",
     b":", b"%A-1-B: ", b"%%01A/1/B", b"[a b] ", b",", b"=", b'"', b"port1 2026-M", b"CPU0:", b"a/",
     b"date=", b'logid="1"', b' type="', b' level="notice"', b"A_B: ", b"  IP6[015]:", b"a,b ",
     b"1,2026/03/14 x,y,", b"TRAFFIC,end,", b"\xef", b"\t", b"2026 ", b"UTC", b"events type=x"]
)  # fmt: skip
lines = st.lists(WORDS, max_size=9).map(b"".join)


@pytest.mark.parametrize("head", HEADS)
def test_shape_of_a_long_line_is_soon_found(head: bytes) -> None:
    slowest = 0.0
    for fill in FILLS:
        line = b"<13>" + (head + fill * LONGEST)[:LONGEST] + b"\n"
        started_at = time.process_time()
        shapes_of(line)
        slowest = max(slowest, time.process_time() - started_at)

    assert slowest < MOST_SECONDS


@given(lines)
@example(b"2026-edge port1 2018-Nov- 9 15:42:06.972 SIGNAL")
def test_line_has_the_shape_of_its_parts(line: bytes) -> None:
    ((number, *words),) = shapes_of(b"<13>" + line + b"\n")
    shape, match = parts_of(line + b"\n")

    is_plain = not line.startswith(b"<")
    assert number == (b"13" if is_plain else b"")
    assert shape_of(words) == (shape if is_plain else Shape())
    assert shape == shape_of([match[name.upper()] or b"" for name in Shape._fields])


def test_host_that_begins_like_a_date_may_stand_before_a_port() -> None:
    shape, match = parts_of(b"2026-edge port1 2018-Nov- 9 15:42:06.972 SIGNAL: x\n")

    assert (match["host_port"], shape.token, shape.detail) == (b"2026-edge", b"port1", b"SIGNAL")
