"""Clocks of devices."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.syslog.clocks import Clocks
from exporters.wire.syslog_classes import Classifier

SEOUL = ZoneInfo("Asia/Seoul")
BERLIN = ZoneInfo("Europe/Berlin")
NOON = "2026-03-15T12:00:00Z"

CISCO = b"<189>1: %sMar 15 %s: %%SYS-5-CONFIG_I: x"
QUALITY = b'<13>1 2026-03-15T12:00:00Z h a - - [timeQuality tzKnown="%d" isSynced="%d"] x'


class Watched:
    """Clocks, and the messages that they are read from."""

    def __init__(self, **zones: ZoneInfo) -> None:
        self.clocks = Clocks({name.replace("_", "-"): zone for name, zone in zones.items()})

    def take(self, message: bytes, received: str = NOON, device: str = "core-1") -> None:
        received_at = datetime.fromisoformat(received).timestamp()
        self.clocks.take(device, message, Classifier().classify(message), received_at)

    def values(self) -> dict[str, float]:
        """Give the samples of core-1, in short."""
        samples: dict[str, float] = {}
        for family in self.clocks.families():
            for line in family.lines():
                name, _, value = line.rpartition(" ")
                samples[name.removeprefix("syslog_clock_").removesuffix('{device="core-1"}')] = (
                    float(value)
                )
        return samples


def test_long_message_takes_no_more_memory_than_its_beginning() -> None:
    watched = Watched()
    watched.take(CISCO % (b"", b"12:00:02") + b"x" * 60_000)

    assert [len(newest.content) for newest in watched.clocks._newest.values()] == [2048]
    assert watched.values() == {"skew_seconds": 2, "unreadable": 0}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(
            CISCO % (b"", b"11:59:58.500"), {"skew_seconds": -1.5, "unreadable": 0}, id="behind"
        ),
        pytest.param(
            CISCO % (b"*", b"12:00:02"),
            {"skew_seconds": 2, "unsynchronised": 1, "unreadable": 0},
            id="never set",
        ),
        pytest.param(
            CISCO % (b".", b"12:00:00"),
            {"skew_seconds": 0, "unsynchronised": 1, "unreadable": 0},
            id="source lost",
        ),
        pytest.param(b"<189>1w2d: %SYS-5-CONFIG_I: x", {"unsynchronised": 1}, id="uptime"),
        pytest.param(
            b"<189>45: *Mar  1 00:00:45.123: %SYS-5-RESTART: x",
            {"unsynchronised": 1, "unreadable": 0},
            id="began with the device",
        ),
        pytest.param(
            QUALITY % (1, 1), {"skew_seconds": 0, "unsynchronised": 0, "unreadable": 0}, id="good"
        ),
        pytest.param(
            QUALITY % (1, 0), {"skew_seconds": 0, "unsynchronised": 1, "unreadable": 0}, id="bad"
        ),
        pytest.param(
            QUALITY % (0, 1),
            {"skew_seconds": 0, "unsynchronised": 1, "unreadable": 0},
            id="no zone",
        ),
        pytest.param(b"<13>Oct 32 25:00:00 h a: x", {"unreadable": 1}, id="no such time"),
        pytest.param(b"<13>app: x", {}, id="no time stamp"),
        pytest.param(b"<13>1 - h a - - - x", {}, id="nil"),
    ],
)
def test_clock_is_as_its_message_says(message: bytes, expected: dict[str, float]) -> None:
    watched = Watched()
    watched.take(message)

    assert watched.values() == expected


@pytest.mark.parametrize(
    ("stamp", "received"),
    [
        pytest.param(b"Mar 15 21:00:00", NOON, id="same day"),
        pytest.param(b"Mar 16 03:00:00", "2026-03-15T18:00:00Z", id="day before"),
        pytest.param(b"Jan  1 08:59:59", "2025-12-31T23:59:59Z", id="year before"),
    ],
)
def test_stamp_without_a_zone_is_in_that_of_the_device(stamp: bytes, received: str) -> None:
    watched = Watched(core_1=SEOUL)
    watched.take(b"<13>%s h a: x" % stamp, received)

    assert watched.values()["skew_seconds"] == 0


@pytest.mark.parametrize(
    ("stamp", "received", "skew"),
    [
        pytest.param(b"Jan 20 13:00:00", "2026-01-20T12:00:00Z", 0, id="winter"),
        pytest.param(b"Jul 20 14:00:00", "2026-07-20T12:00:00Z", 0, id="summer"),
        pytest.param(b"Mar 29 03:00:10", "2026-03-29T01:00:10Z", 0, id="after the gap"),
        pytest.param(b"Mar 29 02:00:10", "2026-03-29T01:00:10Z", 0, id="in the gap"),
        pytest.param(b"Oct 25 02:30:00", "2026-10-25T00:30:00Z", 0, id="first of two"),
        pytest.param(b"Oct 25 02:30:00", "2026-10-25T01:30:00Z", 0, id="second of two"),
    ],
)
def test_summer_time_of_the_device_is_heeded(stamp: bytes, received: str, skew: float) -> None:
    watched = Watched(core_1=BERLIN)
    watched.take(b"<13>%s h a: x" % stamp, received)

    assert watched.values()["skew_seconds"] == skew


def test_clock_that_is_set_is_synchronised() -> None:
    watched = Watched()
    watched.take(CISCO % (b"*", b"12:00:00"))
    assert watched.values()["unsynchronised"] == 1
    watched.take(CISCO % (b"", b"12:00:00"))
    assert watched.values()["unsynchronised"] == 0


def test_message_without_a_stamp_changes_nothing() -> None:
    watched = Watched()
    watched.take(CISCO % (b"*", b"12:00:05"))
    before = watched.values()
    watched.take(b"<13>app: x")

    assert watched.values() == before


def test_message_without_a_stamp_hides_none_that_was_not_read() -> None:
    watched = Watched()
    watched.take(CISCO % (b"", b"12:00:05"))
    watched.take(b"<13>app: x")

    assert watched.values()["skew_seconds"] == 5


def test_newest_message_counts() -> None:
    watched = Watched()
    watched.take(CISCO % (b"", b"12:00:05"))
    watched.take(CISCO % (b"", b"12:00:01"))

    assert watched.values()["skew_seconds"] == 1


def test_strangers_have_no_clock() -> None:
    watched = Watched()
    watched.take(CISCO % (b"*", b"12:00:05"), device="unknown")

    assert watched.values() == {}


def test_device_that_left_the_inventory_has_no_clock() -> None:
    watched = Watched()
    watched.take(CISCO % (b"*", b"12:00:05"))
    assert watched.values()
    watched.take(CISCO % (b"*", b"12:00:05"))
    watched.clocks.keep_only({"core-2"})

    assert watched.values() == {}


@given(st.binary(max_size=80))
def test_any_message_can_be_the_newest(message: bytes) -> None:
    watched = Watched(core_1=BERLIN)
    watched.take(b"<189>" + message)
    watched.values()
