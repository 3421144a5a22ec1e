"""Many bad ways to one agent, in a thread: each loses datagrams by a seed of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass

from exporters.demo.bad_network import BadNetwork, Impairment


@dataclass(frozen=True, slots=True)
class BadPath:
    """One way to the agent: the address to poll, and the network behind it."""

    target: str
    network: BadNetwork

    @property
    def datagrams_lost(self) -> int:
        return self.network.requests.counts.dropped + self.network.answers.counts.dropped

    @property
    def answers_delivered(self) -> int:
        return self.network.answers.counts.sent


@contextmanager
def bad_paths(
    agent: str, count: int, *, requests: Impairment, answers: Impairment
) -> Iterator[list[BadPath]]:
    """So many paths to an agent."""
    host, _, port = agent.rpartition(":")
    networks = [
        # a network takes two seeds, one for each direction
        BadNetwork((host, int(port)), requests=requests, answers=answers, seed=2 * number)
        for number in range(count)
    ]
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="bad paths")
    thread.start()
    stack = AsyncExitStack()

    async def serve() -> list[BadPath]:
        paths = []
        for network in networks:
            front_host, front_port = await stack.enter_async_context(network.serve())
            paths.append(BadPath(f"{front_host}:{front_port}", network))
        return paths

    try:
        yield asyncio.run_coroutine_threadsafe(serve(), loop).result(30)
    finally:
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
