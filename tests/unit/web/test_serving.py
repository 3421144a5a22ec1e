"""The server as a process: signals, drain, reload, sockets, and clients that misbehave."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import ssl
from contextlib import suppress

import aiohttp
import pytest

from exporters.web import shell
from exporters.web.listeners import describe_listener

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="needs POSIX signals")


@pytest.fixture
async def session():
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        yield session


async def text_of(session: aiohttp.ClientSession, url: str, **settings: object) -> str:
    async with session.get(url, **settings) as response:
        return await response.text()


async def raw_answer(url: str, request: bytes) -> bytes:
    host, port = url.removeprefix("http://").rsplit(":", 1)
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    async with asyncio.timeout(20):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def refuses_connections(url: str) -> bool:
    host, port = url.removeprefix("http://").rsplit(":", 1)
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except ConnectionRefusedError:
        return True
    writer.close()
    await writer.wait_closed()
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
async def test_signal_ends_an_idle_server_at_once_with_exit_code_0(start, session, number):
    tiny = await start()
    url = await tiny.url()
    assert await text_of(session, f"{url}/-/healthy") == "Healthy\n"  # leaves an idle connection
    tiny.process.send_signal(number)
    await tiny.output_line("lifespan left")
    assert await tiny.exit_code() == 0


async def test_running_request_finishes_while_new_ones_are_refused(start, session):
    tiny = await start()
    url = await tiny.url()
    slow = asyncio.create_task(text_of(session, f"{url}/slow"))
    await tiny.output_line("waiting")
    tiny.process.send_signal(signal.SIGTERM)
    await tiny.log_line('msg="shutting down"')
    assert await refuses_connections(url)
    tiny.process.stdin.write(b"go\n")
    assert await slow == "done"
    await tiny.output_line("lifespan left")
    assert await tiny.exit_code() == 0


async def test_open_connection_is_told_not_ready_while_draining(start):
    connector = aiohttp.TCPConnector(limit=2)
    async with aiohttp.ClientSession(connector=connector) as session:
        tiny = await start()
        url = await tiny.url()
        # Two connections: one will be idle when the drain begins, one busy.
        first = asyncio.create_task(text_of(session, f"{url}/slow"))
        await tiny.output_line("waiting")
        assert await text_of(session, f"{url}/-/ready") == "Ready\n"
        tiny.process.send_signal(signal.SIGTERM)
        await tiny.log_line('msg="shutting down"')
        async with session.get(f"{url}/-/ready") as response:
            assert response.status == 503
            assert await response.text() == "shutting down\n"
            assert response.headers["Connection"] == "close"
        tiny.process.stdin.write(b"go\n")
        assert await first == "done"
        assert await tiny.exit_code() == 0


async def test_request_that_lasts_longer_than_the_drain_is_cancelled(start, session):
    tiny = await start("--web.shutdown-timeout=50ms")
    slow = asyncio.create_task(text_of(session, f"{await tiny.url()}/slow"))
    await tiny.output_line("waiting")
    tiny.process.send_signal(signal.SIGTERM)
    await tiny.output_line("cancelled")
    with pytest.raises(aiohttp.ClientError):
        await slow
    await tiny.log_line('msg="requests cancelled" requests=1')
    assert await tiny.exit_code() == 0


async def test_second_signal_ends_at_once(start, session):
    tiny = await start("--web.shutdown-timeout=1h")
    slow = asyncio.create_task(text_of(session, f"{await tiny.url()}/slow"))
    await tiny.output_line("waiting")
    tiny.process.send_signal(signal.SIGTERM)
    await tiny.log_line('msg="shutting down"')
    tiny.process.send_signal(signal.SIGTERM)
    assert await tiny.exit_code() == 128 + signal.SIGTERM
    with pytest.raises(aiohttp.ClientError):
        await slow


async def test_client_that_gives_up_cancels_its_request(start, session):
    tiny = await start()
    slow = asyncio.create_task(text_of(session, f"{await tiny.url()}/slow"))
    await tiny.output_line("waiting")
    slow.cancel()
    await tiny.output_line("cancelled")


async def test_hangup_reloads(start, session, tmp_path):
    file = tmp_path / "tiny.yml"
    file.write_text("first")
    tiny = await start(f"--config.file={file}")
    url = await tiny.url()
    assert await text_of(session, f"{url}/config") == "tiny: first\n"
    file.write_text("second")
    tiny.process.send_signal(signal.SIGHUP)
    await tiny.log_line('msg="configuration reloaded" loaded="text second"')
    assert await text_of(session, f"{url}/config") == "tiny: second\n"


async def test_hangup_with_a_wrong_file_keeps_the_configuration(start, session, tmp_path):
    file = tmp_path / "tiny.yml"
    file.write_text("first")
    tiny = await start(f"--config.file={file}")
    url = await tiny.url()
    file.write_text("wrong")
    tiny.process.send_signal(signal.SIGHUP)
    await tiny.log_line(r"msg=\"reload refused.*tiny.yml:1: tiny: is wrong; write what is right")
    assert await text_of(session, f"{url}/config") == "tiny: first\n"
    assert "last_reload_successful 0.0" in await text_of(session, f"{url}/metrics")


async def test_hangup_that_meets_a_fault_is_survived(start, session, tmp_path):
    file = tmp_path / "tiny.yml"
    file.write_text("first")
    tiny = await start(f"--config.file={file}")
    url = await tiny.url()
    file.write_text("fault")
    tiny.process.send_signal(signal.SIGHUP)
    await tiny.log_line("level=error .*a fault of the program")
    file.write_text("second")
    tiny.process.send_signal(signal.SIGHUP)
    await tiny.log_line("configuration reloaded")
    assert await text_of(session, f"{url}/config") == "tiny: second\n"


async def test_tls_begins_and_its_certificate_changes_on_reload(
    start, session, tmp_path, authority
):
    config = tmp_path / "web.yml"
    authority.issue("server")
    config.write_text("tls_server_config: {cert_file: server.pem, key_file: server.key}\n")
    tiny = await start(f"--web.config.file={config}")
    url = await tiny.url("https")
    context = ssl.create_default_context(cafile=authority.file)

    async def serial() -> str:
        host, port = url.removeprefix("https://").split(":")
        _, writer = await asyncio.open_connection(host, int(port), ssl=context)
        writer.close()
        await writer.wait_closed()
        return writer.get_extra_info("peercert")["serialNumber"]

    before = await serial()
    assert await serial() == before
    authority.issue("server")
    async with session.post(f"{url}/-/reload", ssl=context) as response:
        assert response.status == 200
    assert await serial() != before


async def test_connections_survive_a_change_of_the_certificate(start, tmp_path, authority):
    config = tmp_path / "web.yml"
    authority.issue("server")
    config.write_text("tls_server_config: {cert_file: server.pem, key_file: server.key}\n")
    tiny = await start(f"--web.config.file={config}")
    url = await tiny.url("https")
    context = ssl.create_default_context(cafile=authority.file)
    host, port = url.removeprefix("https://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), ssl=context)
    for request, answer in (
        (b"POST /-/reload", b"Reloaded\n"),
        (b"GET /-/healthy", b"Healthy\n"),
    ):
        writer.write(request + b" HTTP/1.1\r\nHost: tiny\r\n\r\n")
        async with asyncio.timeout(20):
            assert (await reader.readuntil(answer)).startswith(b"HTTP/1.1 200 OK")
    writer.close()
    await writer.wait_closed()


async def test_address_of_ipv6_is_served(start, session):
    tiny = await start(address="[::1]:0")
    if "cannot assign" in (line := (await tiny.log_line("listening|cannot listen")).string):
        pytest.skip("this machine has no IPv6")
    url = "http://" + re.search(r"address=(\S+)", line)[1].strip('"')
    assert url.startswith("http://[::1]:")
    assert await text_of(session, f"{url}/-/healthy") == "Healthy\n"


async def test_socket_of_systemd_is_served(start, session):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        tiny = await start("--web.systemd-socket", listener=listener)
        url = await tiny.url()
        assert url == f"http://{describe_listener(listener)}"
        assert await text_of(session, f"{url}/-/healthy") == "Healthy\n"


async def test_port_in_use_is_one_line_and_exit_code_1(start):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = describe_listener(taken)
        tiny = await start(address=address)
        assert await tiny.exit_code() == 1
    line = tiny.log[-1].splitlines()[-1]
    assert line.startswith(f"cannot listen on {address}: address already in use; ")


async def test_fault_of_a_background_task_ends_the_server_and_is_logged(start, session):
    tiny = await start()
    url = await tiny.url()
    assert await text_of(session, f"{url}/crash") == "crashing"
    assert await tiny.exit_code() == 1
    log = tiny.log[-1]
    assert log.count("the background task failed") >= 1
    assert all(line.startswith("ts=") for line in log.splitlines())


@pytest.mark.parametrize(
    "request_bytes",
    [b"NONSENSE\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nbad header\r\n\r\n"],
)
async def test_malformed_request_is_400_and_no_error_in_the_log(start, session, request_bytes):
    tiny = await start()
    url = await tiny.url()
    answer = await raw_answer(url, request_bytes)
    assert answer.startswith((b"HTTP/1.0 400", b"HTTP/1.1 400"))
    tiny.process.send_signal(signal.SIGTERM)
    assert await tiny.exit_code() == 0
    assert "level=error" not in "".join(tiny.log)


async def test_client_that_speaks_no_tls_is_no_error_in_the_log(start, tmp_path, authority):
    config = tmp_path / "web.yml"
    authority.issue("server")
    config.write_text("tls_server_config: {cert_file: server.pem, key_file: server.key}\n")
    tiny = await start(f"--web.config.file={config}")
    answer = await raw_answer(await tiny.url(), b"GET / HTTP/1.1\r\nHost: tiny\r\n\r\n")
    assert b"HTTP" not in answer
    tiny.process.send_signal(signal.SIGTERM)
    assert await tiny.exit_code() == 0
    assert "level=error" not in "".join(tiny.log)


async def test_endless_header_is_refused(start):
    tiny = await start()
    request = b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 100_000
    assert b" 400 " in (await raw_answer(await tiny.url(), request)).splitlines()[0]


async def test_client_that_does_not_read_is_cut_off(connect, monkeypatch):
    monkeypatch.setattr(shell, "_SEND_SECONDS", 0.05)
    size = 50_000_000
    client = await connect()
    in_flight = client.app[shell.SHELL].in_flight
    left = asyncio.Event()

    class Tasks(set):
        def discard(self, task: object) -> None:
            super().discard(task)
            left.set()

    in_flight._tasks = Tasks()
    reader, writer = await asyncio.open_connection(client.host, client.port, limit=1024)
    writer.write(f"GET /echo?size={size} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    read = 0
    async with asyncio.timeout(20):
        await left.wait()
        with suppress(ConnectionResetError):
            while data := await reader.read(1_000_000):
                read += len(data)
    assert 0 < read < size
    writer.close()
    with suppress(ConnectionResetError):
        await writer.wait_closed()
