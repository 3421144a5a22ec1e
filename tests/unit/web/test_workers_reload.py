"""A reload reaches all workers, or none, and whoever asks is told."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
from pathlib import Path

import aiohttp
import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that fork")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yml"
    path.write_text("first")
    return path


async def test_reload_by_post_reaches_all(start_crew, file):
    crew = await start_crew(f"--config.file={file}")
    clients = await crew.clients()
    file.write_text("second")
    assert await clients[0].get("/-/reload", "POST") == (200, "Reloaded\n")
    for client in clients:
        assert await client.text("/config") == "tiny: second\n"


async def test_reload_by_hangup_of_the_parent_reaches_all(start_crew, file):
    crew = await start_crew(f"--config.file={file}")
    clients = await crew.clients()
    file.write_text("second")
    crew.parent.send_signal(signal.SIGHUP)
    for _ in ("the parent", *crew.pids):
        await crew.tiny.log_line('msg="configuration reloaded" loaded="text second"')
    for client in clients:
        assert await client.text("/config") == "tiny: second\n"


async def test_reload_of_a_wrong_file_is_refused_for_all(start_crew, file):
    crew = await start_crew(f"--config.file={file}")
    clients = await crew.clients()
    file.write_text("wrong")
    status, text = await clients[0].get("/-/reload", "POST")
    assert status == 500
    assert text.splitlines()[1:] == [f"{file}:1: tiny: is wrong; write what is right", "second"]
    for client in clients:
        assert await client.text("/config") == "tiny: first\n"
        metrics = await client.metrics()
        assert metrics["tiny_exporter_config_last_reload_successful",] == 0
    file.write_text("second")
    assert (await clients[1].get("/-/reload", "POST"))[0] == 200
    metrics = await clients[0].metrics()
    assert metrics["tiny_exporter_config_last_reload_successful",] == 1


async def test_reload_that_meets_a_fault_is_told_and_survived(start_crew, file):
    crew = await start_crew(f"--config.file={file}")
    client = await crew.client()
    file.write_text("fault")
    status, text = await client.get("/-/reload", "POST")
    assert (status, text.splitlines()[1:]) == (
        500,
        ["a fault of this program; its log tells more"],
    )
    await crew.tiny.log_line("level=error .*a fault of the program")
    file.write_text("second")
    assert (await client.get("/-/reload", "POST"))[0] == 200


async def test_reload_that_a_worker_refuses_is_told(start_crew, file):
    crew = await start_crew(f"--config.file={file}")
    client = await crew.client()
    file.write_text("worker-refuses")
    status, text = await client.get("/-/reload", "POST")
    assert status == 500
    assert text.splitlines() == [
        "Not every worker has the new configuration:",
        f"worker 0: {file}: is not for workers",
        f"worker 1: {file}: is not for workers",
    ]
    metrics = await client.metrics()
    assert metrics["tiny_exporter_config_last_reload_successful",] == 0


async def test_worker_that_follows_another_has_the_configuration_in_use(start_crew, file):
    crew = await start_crew(f"--config.file={file}")
    victim, other = await crew.clients()
    file.write_text("second")
    assert (await other.get("/-/reload", "POST"))[0] == 200
    file.write_text("wrong")
    assert (await other.get("/-/reload", "POST"))[0] == 500
    os.kill(victim.pid, signal.SIGKILL)
    client = await crew.client(await crew.next_worker())
    assert await client.text("/config") == "tiny: second\n"
    metrics = await client.metrics()
    assert metrics["tiny_exporter_config_last_reload_successful",] == 0


async def test_certificate_changes_in_all_on_reload(start_crew, tmp_path, authority):
    config = tmp_path / "web.yml"
    authority.issue("server")
    config.write_text("tls_server_config: {cert_file: server.pem, key_file: server.key}\n")
    crew = await start_crew(f"--web.config.file={config}", scheme="https")
    context = ssl.create_default_context(cafile=authority.file)
    host, port = crew.url.removeprefix("https://").split(":")

    async def serials() -> set[str]:
        """Of four connections that are open together, of which each worker has some."""
        opened = [await asyncio.open_connection(host, int(port), ssl=context) for _ in range(4)]
        found = {writer.get_extra_info("peercert")["serialNumber"] for _, writer in opened}
        for _, writer in opened:
            writer.close()
            await writer.wait_closed()
        return found

    (before,) = await serials()
    authority.issue("server")
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{crew.url}/-/reload", ssl=context) as response,
    ):
        assert response.status == 200
    (after,) = await serials()
    assert after != before
