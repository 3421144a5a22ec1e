"""Reload: one at a time, to the end, and counted."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from exporters.errors import ConfigError, Problem
from exporters.web.reloading import Reloader
from exporters.web.security import WebSecurity


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reloader(service, clock):
    return Reloader(service, WebSecurity(), clock)


def telemetry(service) -> tuple[float | None, float | None]:
    prefix = "tiny_exporter_config_last_reload"
    value = service.registry.get_sample_value
    return value(f"{prefix}_successful"), value(f"{prefix}_success_timestamp_seconds")


async def test_start_counts_as_a_load(reloader, service):
    assert telemetry(service) == (1, 1000)


async def test_reload_that_succeeds_is_noted_and_logged(reloader, service, clock, tiny, caplog):
    caplog.set_level("INFO")
    clock.now = 2000.0
    await reloader.reload()
    assert tiny.reloads == 1
    assert telemetry(service) == (1, 2000)
    assert [record.fields["loaded"] for record in caplog.records] == ["2 modules"]


async def test_reload_that_is_refused_is_noted_and_each_problem_logged_once(
    reloader, service, clock, tiny, caplog
):
    clock.now = 2000.0
    tiny.reload_error = ConfigError((Problem("one", file="a.yml"), Problem("two")))
    with pytest.raises(ConfigError):
        await reloader.reload()
    assert telemetry(service) == (0, 1000)
    assert [str(record.fields["problem"]) for record in caplog.records] == ["a.yml: one", "two"]
    assert all(record.exc_info is None for record in caplog.records)
    tiny.reload_error = None
    await reloader.reload()
    assert telemetry(service) == (1, 2000)


async def test_fault_of_a_reload_is_noted_and_told(reloader, service, tiny):
    tiny.reload_error = RuntimeError("a fault")
    with pytest.raises(RuntimeError, match="a fault"):
        await reloader.reload()
    assert telemetry(service) == (0, 1000)


async def test_wrong_web_configuration_refuses_the_reload_of_everything(
    service, tiny, security, tmp_path
):
    reloader = Reloader(service, security(""))
    (tmp_path / "web.yml").write_text("nonsense: [")
    with pytest.raises(ConfigError):
        await reloader.reload()
    assert tiny.reloads == 0
    assert telemetry(service)[0] == 0


async def test_refused_service_leaves_the_web_configuration_as_it_was(
    service, tiny, security, tmp_path
):
    guarded = security("")
    reloader = Reloader(service, guarded)
    (tmp_path / "web.yml").write_text("basic_auth_users: {alice: $2y$04$" + "a" * 53 + "}\n")
    tiny.reload_error = ConfigError("wrong")
    with pytest.raises(ConfigError):
        await reloader.reload()
    assert not guarded.authentication.required
    tiny.reload_error = None
    await reloader.reload()
    assert guarded.authentication.required


async def test_reloads_take_turns(service, clock):
    at_once, most = 0, 0

    async def reload() -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        for _ in range(3):
            await asyncio.sleep(0)
        at_once -= 1

    reloader = Reloader(replace(service, reload=reload), WebSecurity(), clock)
    await asyncio.gather(*(reloader.reload() for _ in range(5)))
    assert most == 1


async def test_client_that_goes_away_does_not_stop_a_reload(service, clock):
    begun, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def reload() -> None:
        begun.set()
        await go_on.wait()
        done.set()

    reloader = Reloader(replace(service, reload=reload), WebSecurity(), clock)
    client = asyncio.create_task(reloader.reload())
    await begun.wait()
    client.cancel()
    with pytest.raises(asyncio.CancelledError):
        await client
    go_on.set()
    async with asyncio.timeout(10):
        await done.wait()
