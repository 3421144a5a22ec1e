"""What an observer is shown of messages, and what it may have counted again."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from exporters.syslog.observing import Arrival
from exporters.wire.syslog_classes import MessageClass

from .conftest import DEVICE, STRANGER, Station

NUMBERED = b"<189>%d: *Mar  1 18:46:12: %%SYS-5-CONFIG_I: Configured from console by bob on vty0"
DOWN = b"<187>42: *Mar  1 18:46:11: %LINK-3-UPDOWN: Interface Gi0/7, changed state to down"
SU = b"<34>Oct 11 22:14:15 mymachine su: 'su root' failed"
REPEATED = b"<34>Oct 11 22:14:15 mymachine last message repeated 5 times"
RAISED = 'network_events_total{device="core-1",event="link",severity="error",state="raised"} %d'


class Witness:
    """Notes what it is shown; a repeat stands for five messages."""

    def __init__(self) -> None:
        self.counted: list[tuple[str, bytes]] = []
        self.repeats: list[tuple[str, Arrival | None]] = []
        self.newest: list[tuple[str, bytes, float]] = []
        self.beyond_ascii: list[tuple[str, bytes]] = []

    def take_counted(
        self,
        devices: Sequence[str],
        contents: Sequence[bytes],
        classes: Sequence[MessageClass],
        received_at: float,
    ) -> None:
        assert all(message_class.is_counted for message_class in classes)
        self.counted += zip(devices, contents, strict=True)

    def take_beyond_ascii(self, devices: Sequence[str], contents: Sequence[bytes]) -> None:
        self.beyond_ascii += zip(devices, contents, strict=True)

    def take_repeat(self, device: str, content: bytes, previous: Arrival | None) -> int:
        assert content == REPEATED
        self.repeats.append((device, previous))
        return 5

    def take_newest(self, device: str, newest: Arrival) -> None:
        self.newest.append((device, newest.content, newest.received_at))


class Broken(Witness):
    def take_counted(self, *_: object) -> None:
        raise RuntimeError("broken")

    take_repeat = take_newest = take_counted  # type: ignore[assignment]


def watched() -> tuple[Station, Witness]:
    witness = Witness()
    return Station(observer=witness), witness


def test_messages_with_numbers_are_shown_in_the_order_of_their_arrival() -> None:
    station, witness = watched()
    station.take(NUMBERED % 1, SU, NUMBERED % 2)
    station.take(NUMBERED % 3)
    assert witness.counted == [("core-1", NUMBERED % number) for number in (1, 2, 3)]


def test_messages_beyond_ascii_are_shown() -> None:
    station, witness = watched()
    station.take(SU, b"<34>gr\xc3\xbc\xc3\x9fe", NUMBERED % 1, b"<34>\xff")
    contents = (b"<34>gr\xc3\xbc\xc3\x9fe", b"<34>\xff")
    assert witness.beyond_ascii == [("core-1", content) for content in contents]


def test_newest_message_of_each_device_is_shown_once() -> None:
    station, witness = watched()
    station.take(SU, NUMBERED % 1)
    station.take(SU, peer=STRANGER)
    station.receiver.settle()
    at = station.clock.wall
    assert witness.newest == [("core-1", NUMBERED % 1, at), ("unknown", SU, at)]


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "in a later batch"])
def test_repeat_counts_the_message_before_it_again(together: bool) -> None:
    station, witness = watched()
    for batch in [(SU, REPEATED)] if together else [(SU,), (REPEATED,)]:
        station.take(*batch)
    assert [previous and previous.content for _, previous in witness.repeats] == [SU]
    samples = station.samples()
    wanted = 'syslog_messages_total{device="core-1",facility="auth",severity="critical"} 7'
    assert wanted in samples
    assert station.receiver.outcomes["rfc3164"] == station.receiver.received["udp"] == 2


def test_repeat_of_a_repeat_counts_what_that_repeated() -> None:
    station, witness = watched()
    station.take(SU, REPEATED)
    station.take(REPEATED)
    station.take(REPEATED, REPEATED)
    assert [previous and previous.content for _, previous in witness.repeats] == [SU] * 4


def test_repeat_of_another_device_counts_nothing_again() -> None:
    station, witness = watched()
    station.take(SU, peer=STRANGER)
    station.take(REPEATED)
    assert witness.repeats == [("core-1", None)]
    assert not any(line.endswith(" 6") for line in station.samples())


def test_repeat_counts_a_message_again_that_was_judged_by_itself() -> None:
    station, _ = watched()
    station.take(DOWN, REPEATED)
    samples = station.samples()
    assert RAISED % 6 in samples
    assert station.intake.states.outcomes["raised"] == 1
    assert station.intake.states.outcomes["confirmed"] == 0


def test_observer_that_fails_costs_no_message(caplog: pytest.LogCaptureFixture) -> None:
    station = Station(observer=Broken())
    assert station.take(NUMBERED % 1, SU, REPEATED) == ["rfc3164", "rfc3164", "vendor"]
    assert caplog.text.count("could not be handled") == 1


def test_faults_of_priority_are_counted_by_device() -> None:
    station = Station()
    station.take(b"text", b"<192>text", b"<30><31>text", b"<34>text", b"more text", peer=DEVICE)
    station.receiver.settle()
    for fault, count in {
        "no_priority": 2, "priority_out_of_range": 1, "double_priority": 1, "malformed_priority": 0,
    }.items():  # fmt: skip
        assert station.series.faults.value(("core-1", fault)) == count
