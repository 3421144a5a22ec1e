"""What a socket leaves to others that share its port, in batches that are made up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from exporters.sockets import broadcast_copies as module
from exporters.sockets.broadcast_copies import Batch, OwnReader


class Batches:
    """A reader of what was made up; the envelope of a datagram tells its place."""

    def __init__(self, *batches: Batch) -> None:
        self._batches: Iterator[Batch] = iter(batches)

    def read(self) -> Batch:
        return next(self._batches)

    def envelope(self, place: int) -> bytes:
        return b"%d" % place


def is_own(host: bytes) -> bool:
    return host.startswith(b"own")


def test_batch_of_own_hosts_is_given_as_it_is():
    batch = ([b"a", b"b"], [b"own-1", b"own-2"], [1])
    reader = OwnReader(Batches(batch, batch), is_own)
    for _ in range(2):
        assert reader.read() == batch
        assert reader.envelope(1) == b"1"
    assert reader.copies == 0


def test_copies_are_left_out_and_counted():
    batch = ([b"a", b"b", b"c", b"d"], [b"x", b"own-1", b"x", b"own-2"], [0, 3])
    reader = OwnReader(Batches(batch), is_own)
    assert reader.read() == ([b"b", b"d"], [b"own-1", b"own-2"], [1])
    assert [reader.envelope(place) for place in range(2)] == [b"1", b"3"]
    assert reader.copies == 2


def test_places_are_those_of_the_last_batch():
    mixed = ([b"a", b"b"], [b"x", b"own-1"], [])
    own = ([b"c", b"d"], [b"own-1", b"own-1"], [])
    reader = OwnReader(Batches(mixed, own), is_own)
    reader.read()
    reader.read()
    assert reader.envelope(0) == b"0"


def test_hosts_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_MOST_HOSTS", 2)
    batches = [([b"a"], [b"own-%d" % number], []) for number in (1, 2, 3, 1)]
    asked: list[bytes] = []

    def note(host: bytes) -> bool:
        asked.append(host)
        return True

    reader = OwnReader(Batches(*batches), note)
    assert [reader.read() for _ in batches] == batches
    assert asked == [b"own-1", b"own-2", b"own-3", b"own-1"]
