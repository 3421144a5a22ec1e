"""Logs of events by cursor: how many there ever were, however few are left."""

from __future__ import annotations

from exporters.demo.mib_view import MibView
from exporters.demo.recording import Recording
from exporters.wire.tags import INTEGER, OCTET_STRING, TIME_TICKS

from .reading import Samples, Target, row, uptime


class Device:
    """A device with one event that has fired, and one that has not."""

    def __init__(self) -> None:
        self.target = Target(MibView(Recording.from_varbinds([])))

    def scrape(self, oldest: int, newest: int) -> Samples:
        rows = [uptime(100_000)]
        for event, sent in ((7, 90_000), (8, 0)):
            rows += [
                row(f"9.1.1.2.{event}", OCTET_STRING, b"link\0"),
                row(f"9.1.1.3.{event}", INTEGER, 4),
                row(f"9.1.1.5.{event}", TIME_TICKS, sent),
                row(f"9.1.1.7.{event}", INTEGER, 1),
            ]
        for entry in range(oldest, newest + 1):
            rows.append(row(f"9.2.1.3.7.{entry}", TIME_TICKS, entry))
        self.target.view = MibView(Recording.from_varbinds(rows))
        return self.target.scrape("event")


def entries(samples: Samples) -> tuple[float, float]:
    return (
        samples.one("rmon_event_log_entries_total", rmon_index="7"),
        samples.one("rmon_event_log_retained", rmon_index="7"),
    )


def test_event_that_never_fired_is_not_shown() -> None:
    samples = Device().scrape(1, 3)
    assert samples.labels("rmon_event_info") == [
        {
            "rmon_index": "7",
            "description": "link",
            "type": "logAndTrap",
            "owner": "",
            "status": "valid",
        }
    ]
    assert samples.one("rmon_events_configured") == 2


def test_log_is_read_from_where_it_was_read_to() -> None:
    device = Device()
    first = device.scrape(1, 400)
    assert entries(first) == (400, 400)
    again = device.scrape(1, 403)
    assert entries(again) == (403, 403)
    assert again.outcome.varbinds < 40 < first.outcome.varbinds


def test_entries_that_were_dropped_still_count() -> None:
    device = Device()
    device.scrape(1, 100)
    assert entries(device.scrape(95, 120)) == (120, 26)
    assert entries(device.scrape(130, 140)) == (140, 11)


def test_log_that_begins_anew_is_a_counter_reset() -> None:
    device = Device()
    device.scrape(1, 100)
    assert entries(device.scrape(1, 3)) == (3, 3)
    assert entries(device.scrape(1, 5)) == (5, 5)
