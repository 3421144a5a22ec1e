"""A real Prometheus and events: the first one ever is an increase, and states come and go."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import yaml
from aiohttp.test_utils import TestServer

from tests.unit.events.conftest import make_message
from tests.unit.events.watched import make_app, make_intake

from .processes import Programs
from .test_prometheus import Prometheus

pytestmark = pytest.mark.peer("prometheus", "prometheus")

RULES = """
rules:
  - {name: down, match: {trap: linkDown}, event: link, raise: {instance: ifDescr}}
  - {name: up, match: {trap: linkUp}, event: link, clear: {instance: ifDescr}}
"""
SEVERITY = "alert"
"""No rule names it, so its series is none of those that are there from the start."""


async def test_first_event_ever_is_seen_and_a_state_comes_and_goes(programs: Programs) -> None:
    intake = make_intake(RULES, "1s")
    async with TestServer(make_app(intake)) as server:
        configuration = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [
                {
                    "job_name": "trap",
                    "honor_labels": True,
                    "static_configs": [{"targets": [f"127.0.0.1:{server.port}"]}],
                }
            ],
        }
        prometheus = await asyncio.to_thread(Prometheus, programs, configuration)

        async def wait_for(expression: str) -> None:
            assert await asyncio.to_thread(prometheus.wait_for, expression)

        def happens(name: str) -> None:
            now, fields = time.time(), {"ifDescr": "eth7"}
            intake.take(make_message(name, "", fields, received_at=now, severity=SEVERITY))

        state = 'network_event_active{device="core-1",event="link",instance="eth7"}'
        series = f'network_events_total{{device="core-1",severity="{SEVERITY}"}}'
        await wait_for('up{job="trap"} == 1')
        assert not await asyncio.to_thread(prometheus.query, series)
        happens("linkDown")
        await wait_for(f"{state} == 1")
        await wait_for(f"increase({series}[1m]) > 0")
        await wait_for("time() - network_event_last_seen_timestamp_seconds < 60")
        happens("linkUp")
        await wait_for(f"{state} == 0")
        await wait_for(f"sum({series}) == 2")
        assert "Error on ingesting" not in prometheus.program.errors


async def test_states_of_two_exporters_of_the_shipped_job_are_told_apart(
    programs: Programs, repository: Path
) -> None:
    shipped = yaml.safe_load((repository / "alert_rules/prometheus.yml").read_text())
    (job,) = (job for job in shipped["scrape_configs"] if job["job_name"] == "events")
    intakes = [make_intake(RULES, "1s") for _ in range(2)]
    async with AsyncExitStack() as stack:
        servers = [TestServer(make_app(intake)) for intake in intakes]
        for server in servers:
            await stack.enter_async_context(server)
        targets = [f"127.0.0.1:{server.port}" for server in servers]
        configuration = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [{**job, "static_configs": [{"targets": targets}]}],
        }
        for intake, names in zip(intakes, (["linkDown"], ["linkDown", "linkUp"]), strict=True):
            for name in names:
                intake.take(make_message(name, "", {"ifDescr": "eth7"}, received_at=time.time()))
        prometheus = await asyncio.to_thread(Prometheus, programs, configuration)
        for target, value in zip(targets, (1, 0), strict=True):
            state = f'network_event_active{{instance="eth7",receiver="{target}"}}'
            await asyncio.to_thread(prometheus.wait_for, f"{state} == {value}")
