"""What the collector of reference cycles looks at."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from exporters.web.heap import settle_heap


class Configuration:
    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def heap_as_before() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


def test_what_is_there_is_left_out_of_later_collections() -> None:
    settle_heap()
    assert gc.get_freeze_count() > 10_000
    configuration = Configuration()
    assert any(item is configuration for item in gc.get_objects())
    settle_heap()
    assert not any(item is configuration for item in gc.get_objects())


def test_what_a_reload_has_replaced_is_freed() -> None:
    configuration = Configuration()
    watched = weakref.ref(configuration)
    settle_heap()
    del configuration
    gc.collect()
    assert watched() is not None
    settle_heap()
    assert watched() is None


def test_collections_are_seldom() -> None:
    settle_heap()
    assert gc.get_threshold()[0] == 5_000
