"""What is kept of a reading, and what of its failures."""

from __future__ import annotations

from exporters.errors import FailureReason, TargetError
from exporters.polling.cursor import Cursor, Range
from exporters.polling.walk_result import MAX_FAILURES, WalkResult

COLUMN = b"\x2b\x06\x01"


def cursor(rows: dict[bytes, tuple[int, bytes]], *, complete: bool = True) -> Cursor:
    found = Cursor(Range(COLUMN, COLUMN, COLUMN[:-1], scalar=False), rows)
    found.finish(complete=complete)
    return found


def test_same_failure_is_noted_once() -> None:
    result = WalkResult()
    for _ in range(3):
        result.fail(TargetError(FailureReason.AGENT_ERROR, "genErr at 1.3"))
    result.fail(TargetError(FailureReason.AGENT_ERROR, "genErr at 1.4"))
    assert [failure.detail for failure in result.failures] == ["genErr at 1.3", "genErr at 1.4"]


def test_silence_is_one_failure_whatever_was_asked() -> None:
    result = WalkResult()
    result.fail(TargetError(FailureReason.TIMEOUT, "asked for 1.3"))
    result.fail(TargetError(FailureReason.TIMEOUT, "asked for 1.4"))
    result.fail(TargetError(FailureReason.REFUSED, "gone"))
    assert [failure.reason for failure in result.failures] == [
        FailureReason.TIMEOUT,
        FailureReason.REFUSED,
    ]


def test_failures_are_bounded() -> None:
    result = WalkResult()
    for number in range(2 * MAX_FAILURES):
        result.fail(TargetError(FailureReason.AGENT_ERROR, str(number)))
    assert len(result.failures) == MAX_FAILURES


def test_rows_of_two_ranges_and_of_instances_add_up() -> None:
    result = WalkResult()
    result.rows(COLUMN)[b"\x01"] = (2, b"got")
    result.add(cursor({b"\x02": (2, b"walked")}))
    result.add(cursor({b"\x03": (2, b"walked")}))
    assert sorted(result.columns[COLUMN]) == [b"\x01", b"\x02", b"\x03"]
    assert result.incomplete == set()


def test_column_is_incomplete_if_a_part_of_it_is() -> None:
    result = WalkResult()
    result.add(cursor({b"\x02": (2, b"")}, complete=False))
    result.add(cursor({b"\x03": (2, b"")}))
    assert result.incomplete == {COLUMN}
    assert len(result.columns[COLUMN]) == 2
