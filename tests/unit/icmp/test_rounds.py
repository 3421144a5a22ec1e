"""Rounds for many destinations, on a loop whose clock is ours."""

from __future__ import annotations

import asyncio
import selectors
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest

from exporters.icmp.path_prober import ErrorPace
from exporters.icmp.probe_sockets import SocketKey
from exporters.icmp.rounds import Destination, Rounds


class _NoWait(selectors.DefaultSelector):  # type: ignore[misc,valid-type]
    """Finds nothing, and lets the clock jump to when something is due."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[object]:
        found = super().select(0)
        if not found:
            self.now += timeout or 0.0
        return found


def run(main: Callable[[Callable[[], float]], Awaitable[None]]) -> None:
    selector = _NoWait()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now  # type: ignore[method-assign]
    try:
        loop.run_until_complete(main(loop.time))
    finally:
        loop.close()


def destinations(count: int) -> list[Destination]:
    return [Destination((f"10.9.{n // 256}.{n % 256}", 0), SocketKey(4)) for n in range(count)]


async def run_for(rounds: Rounds, seconds: float) -> None:
    task = asyncio.get_running_loop().create_task(rounds.run())
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.wait([task])


def test_every_destination_has_its_first_round_soon_and_then_one_each_interval():
    starts: dict[Destination, list[float]] = {}

    async def main(clock: Callable[[], float]) -> None:
        async def do(destination: Destination) -> None:
            starts.setdefault(destination, []).append(clock())

        rounds = Rounds(do, interval_seconds=600, most_at_once=10)
        rounds.watch(destinations(200))
        await run_for(rounds, 630 + 600)

    run(main)
    assert len(starts) == 200
    for times in starts.values():
        first, second, third = times[:3]
        assert first <= 30 < second <= 630
        assert third - second == pytest.approx(600)


def test_rounds_are_spread_evenly_over_the_interval():
    seconds: Counter[int] = Counter()

    async def main(clock: Callable[[], float]) -> None:
        async def do(_: Destination) -> None:
            seconds[int(clock())] += 1

        rounds = Rounds(do, interval_seconds=10, most_at_once=2000)
        rounds.watch(destinations(2000))
        await run_for(rounds, 20.0)

    run(main)
    assert all(150 <= seconds[second] <= 250 for second in range(20))


def test_no_more_are_under_way_than_permitted_and_none_twice():
    most = 0
    doubled = False

    async def main(clock: Callable[[], float]) -> None:
        under_way: Counter[Destination] = Counter()

        async def do(destination: Destination) -> None:
            nonlocal most, doubled
            under_way[destination] += 1
            most = max(most, under_way.total())
            doubled = doubled or under_way[destination] > 1
            await asyncio.sleep(25)
            under_way[destination] -= 1

        rounds = Rounds(do, interval_seconds=10, most_at_once=7)
        rounds.watch(destinations(20))
        await run_for(rounds, 200)

    run(main)
    assert most == 7
    assert not doubled


def test_a_round_out_of_turn_is_run_at_once_and_changes_no_turn():
    times: list[float] = []

    async def main(clock: Callable[[], float]) -> None:
        async def do(_: Destination) -> None:
            times.append(clock())

        (destination,) = destinations(1)
        rounds = Rounds(do, interval_seconds=100, most_at_once=1)
        rounds.watch([destination])
        task = asyncio.get_running_loop().create_task(rounds.run())
        await asyncio.sleep(200)
        rounds.soon(destination)
        rounds.soon(Destination(("10.9.99.99", 0), SocketKey(4)))
        await asyncio.sleep(150)
        task.cancel()
        await asyncio.wait([task])

    run(main)
    out_of_turn = times.index(200)
    regular = times[:out_of_turn] + times[out_of_turn + 1 :]
    gaps = [round(later - earlier, 6) for earlier, later in pairwise(regular[1:])]
    assert set(gaps) == {100}


def test_rounds_out_of_turn_do_not_pile_up():
    times: list[float] = []

    async def main(clock: Callable[[], float]) -> None:
        async def do(failing: Destination) -> None:
            times.append(clock())
            rounds.soon(failing, 60)

        rounds = Rounds(do, interval_seconds=600, most_at_once=1)
        rounds.watch(destinations(1))
        await run_for(rounds, 20_000)

    run(main)
    assert 20_000 / 60 <= len(times) <= 20_000 / 60 + 20_000 / 600 + 2


def test_destinations_that_are_watched_no_more_have_no_rounds():
    seen: list[Destination] = []

    async def main(clock: Callable[[], float]) -> None:
        async def do(destination: Destination) -> None:
            seen.append(destination)

        first, second = destinations(2)
        rounds = Rounds(do, interval_seconds=10, most_at_once=1)
        rounds.watch([first, second])
        rounds.watch([second])
        await run_for(rounds, 50)

    run(main)
    assert set(seen) == set(destinations(2)[1:])


def test_the_phase_of_a_destination_is_its_own_and_stays():
    one, other = destinations(2)
    assert one.phase == Destination(one.address, one.socket).phase
    assert one.phase != other.phase
    assert one.phase != Destination(one.address, one.socket, traffic_class=184).phase


def test_a_router_is_asked_in_a_burst_and_then_once_a_second():
    pace = ErrorPace(per_second=1.0, burst=3)
    permitted = [now / 10 for now in range(100) if pace.permits("r1", now / 10)]
    assert permitted[:3] == [0.0, 0.1, 0.2]
    assert len(permitted) == 3 + 9
    assert pace.permits("r2", 0.3)
