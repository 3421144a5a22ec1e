"""What pings all the time starts again when a part of it fails, and ends with the exporter."""

from __future__ import annotations

import asyncio
import logging

from exporters.icmp.pinging import Pinging
from exporters.icmp.probe_sockets import ProbeSockets
from exporters.sockets.host_resolution import HostResolver

from ..sockets.pretend_time import in_pretend_time


@in_pretend_time
async def test_part_that_fails_is_logged_counted_and_started_again():
    pinging = Pinging(HostResolver(), ProbeSockets(lambda: None))
    starts: list[float] = []

    async def run() -> None:
        starts.append(asyncio.get_running_loop().time())
        if len(starts) < 3:
            raise RuntimeError("a fault")
        await asyncio.Event().wait()

    pinging.engine.run = run  # type: ignore[method-assign]
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    logger = logging.getLogger("exporters.icmp.pinging")
    logger.addHandler(handler)
    try:
        async with pinging.running([]):
            await asyncio.sleep(10)
    finally:
        logger.removeHandler(handler)
    assert [start - starts[0] for start in starts] == [0, 1, 2]
    assert pinging.faults == 2
    assert [record.getMessage() for record in records] == [
        "pinging has failed and starts again"
    ] * 2


@in_pretend_time
async def test_nothing_runs_after_the_end():
    before = asyncio.all_tasks()
    async with Pinging(HostResolver(), ProbeSockets(lambda: None)).running([]):
        await asyncio.sleep(1)
        assert len(asyncio.all_tasks() - before) > 1
    assert asyncio.all_tasks() == before
