"""Clients that scrape many targets at a steady rate, as a Prometheus does, whatever each takes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from types import TracebackType
from typing import Self

import aiohttp


@dataclass(slots=True)
class Latencies:
    """Seconds that scrapes took, of each target, and what was wrong with them."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Latencies) -> None:
        """Add those of further scrapes."""
        for target, seconds in other.seconds.items():
            self.seconds.setdefault(target, []).extend(seconds)
        self.wrong += other.wrong

    def of(self, targets: Sequence[str]) -> list[float]:
        """Those of some targets, all together."""
        return [one for target in targets for one in self.seconds.get(target, [])]


class Clients:
    """Connections to one exporter, one for each scrape under way, kept."""

    def __init__(self, port: int, dead: Sequence[str], timeout_seconds: float) -> None:
        self._port = port
        self._dead = frozenset(dead)
        self._timeout_seconds = timeout_seconds

    async def __aenter__(self) -> Self:
        """Open no connection yet."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=self._timeout_seconds),
            headers={
                "X-Prometheus-Scrape-Timeout-Seconds": f"{self._timeout_seconds:g}",
                "Accept-Encoding": "gzip",
            },
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close all connections."""
        await self._session.close()

    async def metrics(self) -> str:
        """What the exporter tells of itself."""
        url = f"http://127.0.0.1:{self._port}/metrics"
        async with self._session.get(url, headers={"Accept-Encoding": "identity"}) as answer:
            return await answer.text()

    async def scrape(self, targets: Sequence[str], count: int, per_second: float) -> Latencies:
        """Scrape *count* times, one target after the other, starting so many a second."""
        loop = asyncio.get_running_loop()
        latencies = Latencies()
        started_at = loop.time()
        async with asyncio.TaskGroup() as group:
            for number, target in enumerate(islice(cycle(targets), count)):
                start_at = started_at + number / per_second
                await asyncio.sleep(max(0.0, start_at - loop.time()))
                group.create_task(self._scrape(target, start_at, latencies))
        return latencies

    async def _scrape(self, target: str, start_at: float, latencies: Latencies) -> None:
        """Scrape one target; the time counts from when it was due."""
        expected = 500 if target in self._dead else 200
        url = f"http://127.0.0.1:{self._port}/snmp?module=if_mib&target={target}"
        try:
            async with self._session.get(url) as answer:
                await answer.read()
                if answer.status != expected:
                    latencies.wrong.append(f"{target}: HTTP {answer.status}")
        except (TimeoutError, aiohttp.ClientError) as error:
            latencies.wrong.append(f"{target}: {error!r}")
        took = asyncio.get_running_loop().time() - start_at
        latencies.seconds.setdefault(target, []).append(took)
