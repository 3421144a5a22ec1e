from __future__ import annotations

import pytest

from exporters.wire.syslog_priority import FACILITIES, SEVERITIES, Priority, decode_priority


def test_priority_of_every_number_is_facility_and_severity() -> None:
    for number in range(192):
        priority, position = decode_priority(b"<%d>x" % number)
        expected = Priority(FACILITIES[number // 8], SEVERITIES[number % 8])
        assert (priority, position) == (expected, 2 + len(str(number)))


@pytest.mark.parametrize(
    ("data", "fault", "position"),
    [
        (b"", "missing", 0),
        (b"text", "missing", 0),
        (b"<", "missing", 0),
        (b"<13", "missing", 0),
        (b"<a>", "missing", 0),
        (b"<12345>", "missing", 0),
        (b"  text", "missing", 2),
        (b"<>x", "malformed", 2),
        (b"<007>x", "malformed", 5),
        (b"< 34>x", "malformed", 5),
        (b"<1234>x", "malformed", 6),
        (b"<192>x", "out_of_range", 5),
        (b"<999>x", "out_of_range", 5),
    ],
)
def test_priority_that_is_none_says_why(data: bytes, fault: str, position: int) -> None:
    assert decode_priority(data) == (Priority(fault=fault), position)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"<30><13>x", Priority("user", "notice", "double")),
        (b"<999><13>x", Priority("user", "notice", "double")),
        (b"<13><999>x", Priority(fault="out_of_range")),
        (b" \n<13>x", Priority("user", "notice")),
    ],
)
def test_priority_of_the_sender_is_the_inner_one(data: bytes, expected: Priority) -> None:
    priority, position = decode_priority(data)

    assert priority == expected
    assert data[position:] == b"x"
