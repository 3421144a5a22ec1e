"""Recent events: what is remembered, what is found, and who watches."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from multidict import MultiDict

from exporters.errors import BadRequest
from exporters.events.event import Event, Verdict
from exporters.events.event_query import read_event_query
from exporters.events.recent import Query, Recent

from .conftest import make_message


def event(number: int, name: str = "linkDown", text: str = "", **parts) -> Event:
    verdict = Verdict(parts.pop("event", "link"), parts.pop("severity", "error"))
    return Event(number, make_message(name, text, **parts), verdict)


def filled(*events: Event, most_events: int = 100, most_bytes: int = 10**6) -> Recent:
    recent = Recent(most_events=most_events, most_bytes=most_bytes)
    for item in events:
        recent.add(item)
    return recent


def numbers(recent: Recent, limit: int = 100, before: int = 0, **query) -> list[int]:
    return [item.number for item in recent.search(Query(**query), limit=limit, before=before)]


def test_newest_event_comes_first_and_the_oldest_go():
    recent = filled(*(event(number) for number in range(1, 6)), most_events=3)

    assert numbers(recent) == [5, 4, 3]
    assert len(recent) == 3


def test_events_are_bounded_by_bytes_too():
    recent = filled(*(event(n, size_bytes=2000) for n in range(1, 9)), most_bytes=10_000)

    assert numbers(recent) == [8, 7, 6]
    assert recent.size_bytes == 9000


def test_event_larger_than_all_there_is_room_for_is_kept_alone():
    recent = filled(event(1), event(2, size_bytes=10**7), most_bytes=1000)

    assert numbers(recent) == [2]


class Unmade(Sequence):
    """Events that are made when somebody looks, and how many were."""

    def __init__(self, first: int, count: int) -> None:
        self.first = first
        self.count = count
        self.made = 0

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, place: int) -> Event:
        number = range(self.first, self.first + self.count)[place]
        self.made += 1
        return event(number, size_bytes=100)


def test_batch_is_made_into_events_when_somebody_looks():
    recent = filled(event(1), event(2), most_events=4)
    batch = Unmade(3, 3)
    recent.add_batch(batch, 300)

    assert (len(recent), batch.made) == (4, 0)
    assert numbers(recent, limit=1) == [5]
    assert batch.made == 1
    assert numbers(recent) == [5, 4, 3, 2]


def test_batches_go_as_soon_as_newer_events_are_enough():
    recent = filled(most_events=4)
    for first in (1, 4, 7):
        recent.add_batch(Unmade(first, 3), 300)

    assert numbers(recent) == [9, 8, 7, 6]
    assert recent.size_bytes == 6600


def test_batch_that_is_larger_than_all_events_may_be_keeps_its_newest():
    recent = filled(most_bytes=5000)
    recent.add_batch(Unmade(1, 20), 2000)

    assert numbers(recent) == [20, 19, 18, 17]
    assert recent.size_bytes == 4400


def test_events_of_a_batch_are_offered_to_whoever_watches():
    recent = filled()
    watcher = recent.watch(Query(severity="alert"))
    recent.add_batch([event(1), event(2, severity="alert")], 0)
    recent.add(event(3, severity="alert"))

    assert watcher.first_waiting().number == 2
    assert [item.number for item in watcher.take()] == [2, 3]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [3, 2, 1]),
        ({"devices": frozenset({"edge"})}, [2]),
        ({"events": frozenset({"fan"})}, [3]),
        ({"severity": "error"}, [2, 1]),
        ({"severity": "alert"}, [2]),
        ({"text": "ETH7"}, [1]),
        ({"text": "linkup"}, [2]),
        ({"text": "198.51"}, [3]),
        ({"since": 150.0}, [3, 2]),
        ({"until": 150.0}, [1]),
        ({"since": 150.0, "until": 250.0}, [2]),
        ({"text": "nowhere"}, []),
    ],
)
def test_events_are_found_by_what_is_asked_for(query, found):
    recent = filled(
        event(1, text="eth7 is down", received_at=100.0),
        event(2, "linkUp", device="edge", severity="alert", received_at=200.0),
        event(3, event="fan", severity="info", source="198.51.100.1", received_at=300.0),
    )

    assert numbers(recent, **query) == found


def test_pages_follow_each_other():
    recent = filled(*(event(number) for number in range(1, 8)))

    assert numbers(recent, limit=3) == [7, 6, 5]
    assert numbers(recent, limit=3, before=5) == [4, 3, 2]


async def test_who_watches_gets_what_is_asked_for():
    recent = filled(event(1))
    watcher = recent.watch(Query(devices=frozenset({"edge"})))
    recent.add(event(2))
    recent.add(event(3, device="edge"))
    await watcher.arrival(10.0)
    assert [item.number for item in watcher.take()] == [3]
    await watcher.arrival(0)
    assert watcher.take() == []
    assert watcher.first_waiting() is None
    assert recent.watchers == 1
    watcher.close()
    assert recent.watchers == 0


def test_slow_watcher_misses_events_and_is_told():
    recent = filled()
    watcher = recent.watch(Query())
    for number in range(800):
        recent.add(event(number))
    taken = [item.number for item in watcher.take(1000)]
    missed = watcher.take_missed()

    assert len(taken) + missed == 800
    assert taken == list(range(len(taken)))
    assert recent.dropped == missed > 0
    assert watcher.take_missed() == 0


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("", 0.0),
        ("15m", 100.0),
        ("1000000000.5", 1_000_000_000.5),
        ("2001-09-09T01:46:40Z", 1_000_000_000.0),
        ("2001-09-09T01:46:40", 1_000_000_000.0),
        ("2001-09-09T03:46:40+02:00", 1_000_000_000.0),
    ],
)
def test_time_is_read_as_people_write_it(text, since):
    assert read_event_query(MultiDict(since=text), 1000.0).query.since == since


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"evnt": "link"}, "unknown parameter 'evnt'; known: device, event"),
        ({"event": "lnk"}, "unknown event 'lnk'; known: link, bgp"),
        ({"severity": "bad"}, "unknown severity 'bad'; known: emergency"),
        ({"since": "yesterday"}, "since='yesterday' is not a time; write"),
        ({"until": "nan"}, "until='nan' is not a time"),
        ({"limit": "many"}, "limit='many' is not a number"),
        ({"before": "-1"}, "before='-1' is not a number"),
        ({"text": "x" * 300}, "text is longer than 200 characters"),
    ],
)
def test_query_that_cannot_be_is_refused(parameters, problem):
    with pytest.raises(BadRequest, match=problem):
        read_event_query(MultiDict(parameters), 1000.0)


def test_empty_parameters_of_a_form_are_none():
    names = ("device", "event", "severity", "text", "since", "limit")
    empty = MultiDict([(name, "") for name in names])

    assert not any(read_event_query(empty, 1000.0).query)
