"""Several workers as processes: they share the work, and look like one exporter from outside."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as read_openmetrics,
)

from exporters.errors import NetexportersError
from exporters.web.listeners import describe_listener
from exporters.web.shell import build_app
from exporters.web.workers import supervisor
from exporters.web.workers.link import ParentLink
from exporters.web.workers.questions import QUESTION_SECONDS

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that fork")


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await holds():  # noqa: ASYNC110 - other processes set no event here
            await asyncio.sleep(0.02)


async def is_gone(pid: int) -> bool:
    """Whether the process has ended; who adopts orphans need not have taken note of it."""
    return state(pid) in ("", "Z")


def state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return ""


async def refuses(url: str) -> bool:
    host, port = url.removeprefix("http://").rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except ConnectionRefusedError:
        return True
    return False


def children(pid: int) -> list[str]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    if not path.exists():
        pytest.skip("this kernel does not list children")
    return path.read_text().split()


def all_lines_are_of_the_log(text: str) -> bool:
    return all(line.startswith("ts=") for line in text.splitlines())


# --- sharing -------------------------------------------------------------------------------


async def test_one_worker_is_no_other_process(start):
    tiny = await start("--workers=1")
    url = await tiny.url()
    async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as response:
        text = await response.text()
    assert children(tiny.process.pid) == []
    assert "exporter_workers" not in text
    assert "worker=" not in text


async def test_exporter_is_divided_once_and_each_worker_knows_its_number(start_crew):
    crew = await start_crew()
    became = [await crew.tiny.output_line(r"became (\d) of 2") for _ in range(2)]
    assert sorted(match[1] for match in became) == ["0", "1"]
    os.kill(crew.pids[1], signal.SIGKILL)
    await crew.tiny.output_line("became 1 of 2")
    crew.parent.send_signal(signal.SIGTERM)
    await crew.tiny.output_line("whole again")


async def test_one_worker_is_not_divided(start, tmp_path):
    file = tmp_path / "tiny.yml"
    file.write_text("indivisible")
    await (await start("--workers=1", f"--config.file={file}")).url()


async def test_exporter_that_cannot_be_divided_now_is_one_line_and_exit_code_1(start, tmp_path):
    file = tmp_path / "tiny.yml"
    file.write_text("indivisible")
    tiny = await start("--workers=2", f"--config.file={file}")
    assert await tiny.exit_code() == 1
    assert "".join(tiny.log).splitlines()[-1] == "cannot be divided"


async def test_workers_share_the_connections(start_crew):
    crew = await start_crew()
    clients = [await crew.client() for _ in range(8)]
    counts = Counter(client.pid for client in clients)
    assert set(counts) == set(crew.pids)
    # 4 each, unless this machine is so busy that a worker misses what was left for it.
    assert min(counts.values()) >= 2


async def test_worker_that_is_stopped_keeps_no_new_connection_waiting(start_crew):
    crew = await start_crew()
    os.kill(crew.pids[0], signal.SIGSTOP)
    assert {(await crew.client()).pid for _ in range(4)} == {crew.pids[1]}


async def test_several_addresses_are_served_by_all(start_crew):
    crew = await start_crew("--web.listen-address=127.0.0.2:0", address="127.0.0.3:0")
    assert crew.url.startswith("http://127.0.0.3:")
    assert {client.pid for client in await crew.clients()} == set(crew.pids)
    crew.url = await crew.tiny.url()
    assert crew.url.startswith("http://127.0.0.2:")
    assert {client.pid for client in await crew.clients()} == set(crew.pids)


async def test_address_of_ipv6_is_served(start_crew):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    crew = await start_crew(address="[::1]:0")
    assert crew.url.startswith("http://[::1]:")
    assert {client.pid for client in await crew.clients()} == set(crew.pids)


async def test_socket_of_systemd_is_served(start_crew):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        crew = await start_crew("--web.systemd-socket", listener=listener)
        assert crew.url == f"http://{describe_listener(listener)}"
        assert {client.pid for client in await crew.clients()} == set(crew.pids)


# --- telemetry -----------------------------------------------------------------------------


async def test_telemetry_is_that_of_all_whichever_answers(start_crew):
    crew = await start_crew()
    first, second = await crew.clients()
    counted = (await first.metrics())["tiny_counted_total",]
    for _ in range(3):
        await first.text("/count")
    await second.text("/count")
    for client in (first, second):
        metrics = await client.metrics()
        assert metrics["tiny_counted_total",] == counted + 4
        assert metrics["tiny_open",] == counted + 4
        assert metrics["tiny_exporter_workers",] == 2
        assert metrics["tiny_exporter_workers_answered",] == 2
        assert metrics["tiny_exporter_config_last_reload_successful",] == 1
        builds = [key for key in metrics if key[0] == "tiny_exporter_build_info"]
        assert [metrics[key] for key in builds] == [1]
        of_processes = {key[1] for key in metrics if key[0] == "process_start_time_seconds"}
        assert of_processes == {"0", "1", "parent"}
    assert (await first.metrics())["promhttp_metric_handler_requests_total", "200"] == 3


async def test_telemetry_may_be_openmetrics(start_crew):
    client = await (await start_crew()).client()
    headers = {"Accept": "application/openmetrics-text;version=1.0.0"}
    async with client.session.get(f"{client.url}/metrics", headers=headers) as response:
        assert response.content_type == "application/openmetrics-text"
        text = await response.text()
    assert text.endswith("# EOF\n")
    assert "\ntiny_counted_total 1.0\n" in text


async def test_counters_do_not_fall_when_a_worker_is_killed_and_it_is_replaced(start_crew):
    crew = await start_crew()
    victim, other = await crew.clients()
    for _ in range(5):
        await victim.text("/count")
    before = await other.metrics()
    os.kill(victim.pid, signal.SIGKILL)
    line = await crew.tiny.log_line('msg="worker ended"')
    assert f'worker=0 pid={victim.pid} how="was ended by SIGKILL"' in line.string
    without = await other.metrics()
    assert without["tiny_exporter_workers_answered",] == 1
    successor = await crew.next_worker()
    after = await other.metrics()
    assert after["tiny_exporter_workers_answered",] == 2
    assert after["tiny_exporter_worker_restarts_total",] == 1
    for metrics in (without, after):
        assert metrics["tiny_counted_total",] == before["tiny_counted_total",]
    # What was open there is not any more.
    assert after["tiny_open",] < before["tiny_open",]
    await crew.client(successor)
    assert (await other.metrics())["tiny_counted_total",] > before["tiny_counted_total",]


async def test_worker_that_does_not_answer_is_seen_and_holds_nobody_up(start_crew):
    crew = await start_crew()
    victim, other = await crew.clients()
    before = await other.metrics()
    os.kill(victim.pid, signal.SIGSTOP)
    for _ in range(2):
        metrics = await other.metrics()
        assert metrics["tiny_exporter_workers_answered",] == 1
        assert metrics["tiny_counted_total",] == before["tiny_counted_total",]
        assert ("process_start_time_seconds", "0") not in metrics
    os.kill(victim.pid, signal.SIGCONT)

    async def answers() -> bool:
        return (await other.metrics())["tiny_exporter_workers_answered",] == 2

    await eventually(answers)


async def test_samples_of_all_are_joined_whichever_answers(start_crew):
    crew = await start_crew()
    first, second = await crew.clients()
    for _ in range(3):
        await first.text("/count")
    for client in (first, second):
        metrics = await client.metrics()
        own = [metrics["measured_total", f"of-{number}"] for number in range(2)]
        assert metrics["measured_total", "unknown"] == sum(own) == metrics["tiny_counted_total",]
        assert min(own) >= 1
        assert metrics["measured_active", "of-0"] == metrics["measured_active", "of-1"] == 1


async def test_samples_are_compressed_and_may_be_openmetrics(start_crew):
    client = await (await start_crew()).client()
    headers = {
        "Accept": "application/openmetrics-text;version=1.0.0",
        "Accept-Encoding": "gzip",
    }
    async with client.session.get(f"{client.url}/metrics", headers=headers) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        text = await response.text()
    families = {family.name: family.type for family in read_openmetrics(text)}
    assert families["measured"] == "counter"
    assert families["tiny_counted"] == "counter"


async def test_what_was_measured_stays_while_a_worker_is_killed_and_replaced(start_crew):
    crew = await start_crew()
    victim, other = await crew.clients()
    await victim.text("/count")
    before = await other.metrics()
    os.kill(victim.pid, signal.SIGKILL)
    await crew.tiny.log_line('msg="worker ended"')
    without = await other.metrics()
    await crew.next_worker()
    after = await other.metrics()
    for metrics in (without, after):
        assert metrics["measured_total", "of-0"] == before["measured_total", "of-0"]
        assert metrics["measured_total", "unknown"] == before["measured_total", "unknown"]
        assert metrics["measured_active", "of-0"] == 1


async def test_question_is_answered_by_all_in_their_order(start_crew):
    crew = await start_crew()
    for client in await crew.clients():
        assert json.loads(await client.text("/everybody?word=here")) == ["here 0", "here 1"]


async def test_question_that_a_worker_fails_at_has_the_answers_of_the_others(start_crew):
    crew = await start_crew()
    client = await crew.client()
    assert json.loads(await client.text("/everybody?word=fault-0")) == [None, "fault-0 1"]
    assert json.loads(await client.text("/everybody?word=here")) == ["here 0", "here 1"]


async def test_worker_that_owes_an_answer_keeps_nobody_waiting_again(start_crew):
    crew = await start_crew()
    victim, other = await crew.clients()
    os.kill(victim.pid, signal.SIGSTOP)
    assert json.loads(await other.text("/everybody?word=here")) == [None, "here 1"]
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    for _ in range(5):
        assert json.loads(await other.text("/everybody?word=here")) == [None, "here 1"]
    assert loop.time() - began_at < 5 * QUESTION_SECONDS
    os.kill(victim.pid, signal.SIGCONT)

    async def answers() -> bool:
        return None not in json.loads(await other.text("/everybody?word=here"))

    await eventually(answers)


async def test_question_is_503_while_the_parent_does_not_answer(start_crew):
    crew = await start_crew()
    client = await crew.client()
    os.kill(crew.parent.pid, signal.SIGSTOP)
    status, text = await client.get("/everybody?word=here")
    os.kill(crew.parent.pid, signal.SIGCONT)
    assert (status, text) == (503, "The parent of the workers does not answer.\n")


async def test_telemetry_is_503_while_the_parent_does_not_answer(start_crew):
    crew = await start_crew()
    client = await crew.client()
    os.kill(crew.parent.pid, signal.SIGSTOP)
    status, text = await client.get("/metrics")
    os.kill(crew.parent.pid, signal.SIGCONT)
    assert (status, text) == (503, "The parent of the workers does not answer.\n")

    async def is_counted() -> bool:
        status, _ = await client.get("/metrics")
        return status == 200

    await eventually(is_counted)
    assert (await client.metrics())["promhttp_metric_handler_requests_total", "503"] >= 1


# --- ends ----------------------------------------------------------------------------------


@pytest.mark.parametrize("whom", ["the parent", "all"])
async def test_running_request_finishes_after_sigterm(start_crew, whom):
    """To all, because that is what systemd does, and Ctrl-C in a terminal."""
    crew = await start_crew()
    slow = asyncio.create_task((await crew.client()).text("/slow"))
    await crew.tiny.output_line("waiting")
    for pid in (crew.parent.pid, *(crew.pids if whom == "all" else ())):
        os.kill(pid, signal.SIGTERM)
    await eventually(lambda: refuses(crew.url))
    crew.parent.stdin.write(b"go\n")
    assert await slow == "done"
    assert await crew.tiny.exit_code() == 0
    log = crew.tiny.log[-1]
    assert all_lines_are_of_the_log(log)
    assert "level=error" not in log


async def test_not_ready_while_draining(start_crew):
    crew = await start_crew()
    first = await crew.client()
    second = await crew.client(first.pid)
    slow = asyncio.create_task(first.text("/slow"))
    await crew.tiny.output_line("waiting")
    crew.parent.send_signal(signal.SIGTERM)

    await eventually(lambda: refuses(crew.url))
    assert await second.get("/-/ready") == (503, "shutting down\n")
    crew.parent.stdin.write(b"go\n")
    assert await slow == "done"
    assert await crew.tiny.exit_code() == 0


async def test_second_signal_ends_all_at_once(start_crew):
    crew = await start_crew("--web.shutdown-timeout=1h")
    slow = asyncio.create_task((await crew.client()).text("/slow"))
    await crew.tiny.output_line("waiting")
    crew.parent.send_signal(signal.SIGTERM)
    await eventually(lambda: refuses(crew.url))
    crew.parent.send_signal(signal.SIGTERM)
    assert await crew.tiny.exit_code() == 128 + signal.SIGTERM
    for pid in crew.pids:
        await eventually(lambda pid=pid: is_gone(pid))
    with pytest.raises(aiohttp.ClientError):
        await slow


async def test_workers_end_when_the_parent_is_killed(start_crew):
    crew = await start_crew()
    crew.parent.kill()
    await eventually(lambda: refuses(crew.url))
    for pid in crew.pids:
        await eventually(lambda pid=pid: is_gone(pid))
    await crew.tiny.exit_code()
    log = crew.tiny.log[-1]
    assert log.count('msg="the parent is gone, ending"') == 2
    assert all_lines_are_of_the_log(log)


async def test_worker_that_does_not_end_is_killed(start_crew):
    crew = await start_crew("--web.shutdown-timeout=0s")
    os.kill(crew.pids[0], signal.SIGSTOP)
    crew.parent.send_signal(signal.SIGTERM)
    await crew.tiny.log_line('msg="worker did not end in time, killed" worker=0')
    assert await crew.tiny.exit_code() == 0
    assert await is_gone(crew.pids[0])


async def test_worker_that_was_told_to_end_is_replaced(start_crew):
    crew = await start_crew()
    os.kill(crew.pids[1], signal.SIGTERM)
    await crew.tiny.log_line('msg="worker ended" worker=1 .*how="ended with exit code 0"')
    await crew.next_worker()
    assert {client.pid for client in await crew.clients()} == set(crew.pids)


async def test_worker_that_ends_by_a_fault_is_replaced(start_crew):
    crew = await start_crew()
    victim = await crew.client()
    await victim.text("/crash")
    await crew.tiny.log_line("level=error .*the background task failed")
    await crew.tiny.log_line('msg="worker ended" .*how="ended with exit code 1"')
    await crew.next_worker()
    assert {client.pid for client in await crew.clients()} == set(crew.pids)


async def test_workers_that_cannot_start_are_one_line_and_exit_code_1(start, tmp_path):
    file = tmp_path / "tiny.yml"
    file.write_text("never-serves")
    tiny = await start("--workers=2", f"--config.file={file}")
    assert await tiny.exit_code() == 1
    *log, last = tiny.log[-1].splitlines()
    assert last.startswith("netexporters: gave up: worker ")
    assert last.endswith("ended with exit code 1, and no other serves for long")
    assert all_lines_are_of_the_log("\n".join(log))
    assert "the cable is missing" in "\n".join(log)


async def test_system_that_allows_no_more_processes_is_told(service, monkeypatch):
    def fork() -> int:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(supervisor, "fork", fork)
    listener = socket.create_server(("127.0.0.1", 0))
    app = build_app(service, whole=ParentLink)
    with pytest.raises(NetexportersError, match=r"worker 0 cannot be started: .*unavailable"):
        await supervisor.supervise(app, [listener], 2, 1.0)
    assert listener.fileno() == -1


async def test_port_in_use_is_one_line_and_exit_code_1(start):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = describe_listener(taken)
        tiny = await start("--workers=2", address=address)
        assert await tiny.exit_code() == 1
    line = tiny.log[-1].splitlines()[-1]
    assert line.startswith(f"cannot listen on {address}: address already in use; ")


async def test_port_of_other_workers_is_in_use(start_crew, start):
    crew = await start_crew()
    tiny = await start("--workers=2", address=crew.url.removeprefix("http://"))
    assert await tiny.exit_code() == 1
    assert "address already in use" in tiny.log[-1].splitlines()[-1]
