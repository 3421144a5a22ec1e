"""Nonsense from the network, on either side: it is counted and survived, never a stack trace.

That there is no stack trace in the log is looked at when the exporter ends, in every test.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import Random
from threading import Thread

import pytest
import yaml

from .agents import (
    SYSTEM_ROWS,
    Relay,
    address_of,
    interface_rows,
    start_simulation,
    write_recording,
)
from .exporter import Exporter, start_exporter
from .processes import Programs

MUTATIONS = 100


@pytest.fixture(scope="module")
def agent(module_programs: Programs) -> str:
    recording = module_programs.folder / "switch.snmprec"
    write_recording(recording, SYSTEM_ROWS, interface_rows(3))
    return start_simulation(module_programs, recording, "--tcp")[1]


@pytest.fixture(scope="module")
def exporter(module_programs: Programs, repository: Path) -> Exporter:
    """An exporter with a module that does not wait long for an answer."""
    shipped = repository / "modules/snmp"
    module = yaml.safe_load((shipped / "system.yml").read_text())["modules"]["system"]
    file = module_programs.folder / "quick.yml"
    quick = {"quick": module | {"timeout": "150ms", "retries": 0}}
    file.write_text(yaml.safe_dump({"modules": quick}))
    flags = (f"--config.file={shipped}/*.yml", f"--config.file={file}", "--log.level=debug")
    return start_exporter(module_programs, *flags)


# --- HTTP -----------------------------------------------------------------------------------

NONSENSE: dict[str, bytes] = {
    "random bytes": Random(1).randbytes(4096),
    "zero bytes": bytes(4096),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + Random(2).randbytes(300),
    "HTTP 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "SNMP": bytes.fromhex("302602010104067075626c6963a01902"),
    "endless request line": b"GET /" + b"a" * 100_000,
    "endless header": b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000,
    "many headers": b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    "header without colon": b"GET / HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n",
    "null in a header": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n",
    "two lengths": b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "negative length": b"POST /-/healthy HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "wrong chunks": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "bytes in the address": b"GET /snmp?target=\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "wrong escapes": b"GET /snmp?target=%zz%&module=%ff HTTP/1.1\r\nHost: x\r\n\r\n",
    "absolute address": b"GET http://[::1:x/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "version 9": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    "upgrade": b"GET /metrics HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: "
    b"Upgrade\r\n\r\n",
    "wrong credentials": b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic \xff\r\n\r\n",
    "expectation": b"POST /-/healthy HTTP/1.1\r\nHost: x\r\nExpect: the worst\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_on_the_http_port_is_answered_in_words_or_not_at_all(
    exporter: Exporter, nonsense: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", exporter.port), 10) as client:
        answer = b"".join(_talk(client, nonsense))
    status = answer[:12]
    assert status[:10] in (b"", b"HTTP/1.1 4", b"HTTP/1.0 4", b"HTTP/1.1 2"), answer
    assert b"Traceback" not in answer
    assert exporter.request("/-/healthy").status == 200


def _talk(client: socket.socket, data: bytes) -> Iterator[bytes]:
    """Send all that the other side takes, end, and give what it answers."""
    try:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        while received := client.recv(65536):
            yield received
    except ConnectionError:
        return  # refused in the middle: a fair answer, too


def test_tls_client_is_turned_away(exporter: Exporter) -> None:
    context = ssl.create_default_context()
    with (
        socket.create_connection(("127.0.0.1", exporter.port), 10) as client,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        context.wrap_socket(client, server_hostname="localhost")
    assert exporter.request("/-/healthy").status == 200


def test_clients_that_say_nothing_keep_nobody_waiting(exporter: Exporter, agent: str) -> None:
    """Slow clients, half a request each, and one that does not read what it asked for."""
    clients = [socket.create_connection(("127.0.0.1", exporter.port), 10) for _ in range(200)]
    try:
        for number, client in enumerate(clients):
            if number % 2:
                client.sendall(b"GET /config HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
            else:
                client.sendall(b"GET /metr")
        assert exporter.scrape(agent).status == 200
        assert exporter.request("/-/healthy").seconds < 1
    finally:
        for client in clients:
            client.close()


# --- SNMP -----------------------------------------------------------------------------------


def ber(tag: int, content: bytes) -> bytes:
    length = len(content)
    head = bytes([length]) if length < 128 else b"\x82" + length.to_bytes(2, "big")
    return bytes([tag]) + head + content


def nested(depth: int) -> bytes:
    inner = b""
    for _ in range(depth):
        inner = ber(0x30, inner)
    return inner


NONSENSICAL_ANSWERS: dict[str, Callable[[bytes, Random], bytes]] = {
    "random bytes": lambda request, random: random.randbytes(random.randrange(1, 500)),
    "nothing": lambda request, random: b"",
    "the request itself": lambda request, random: request,
    "text": lambda request, random: b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "deep nesting": lambda request, random: nested(3000),
    "huge length": lambda request, random: b"\x30\x84\xff\xff\xff\xff" + bytes(100),
    "endless length": lambda request, random: b"\x30\x80" + bytes(100),
    "a whole datagram": lambda request, random: b"\x30\x83\x00\xff\xdc" + bytes(65_000),
    "version 9": lambda request, random: request.replace(bytes((2, 1, 1, 4)), bytes((2, 1, 9, 4))),
}


def nonsensical_answer(kind: str) -> Callable[[bytes], bytes]:
    return partial(NONSENSICAL_ANSWERS[kind], random=Random(3))


@pytest.mark.parametrize("kind", NONSENSICAL_ANSWERS)
def test_nonsense_for_an_answer_is_counted_and_told(exporter: Exporter, kind: str) -> None:
    before = exporter.telemetry()
    with Relay(answer=nonsensical_answer(kind)) as relay:
        answer = exporter.scrape(relay.target, "quick", timeout=5)
    after = exporter.telemetry()
    assert answer.status == 500
    assert answer.text.endswith(" (decode)\n")
    rejected, failures = "snmp_answers_rejected_total", "snmp_request_failures_total"
    assert after.value(rejected) > before.value(rejected)
    assert after.value(failures, reason="decode") == before.value(failures, reason="decode") + 1


@pytest.mark.parametrize("kind", ["random bytes", "text", "deep nesting", "huge length"])
def test_nonsense_over_tcp_is_told(exporter: Exporter, kind: str) -> None:
    with socket.socket() as listener:
        listener.settimeout(30)
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(nonsensical_answer(kind)(connection.recv(65535)))
                while connection.recv(65535):
                    pass

        thread = Thread(target=answer)
        thread.start()
        result = exporter.scrape(f"tcp://{address_of(listener)}", "quick", timeout=5)
        thread.join()
    assert result.status == 500
    assert result.text.endswith(("(decode)\n", "(timeout)\n")), result.text


def test_stranger_who_shouts_in_between_changes_nothing(exporter: Exporter, agent: str) -> None:
    """Nonsense before each answer, as on a port that others send to."""
    generator = Random(4)

    def shout_first(datagram: bytes) -> bytes:
        relay.interrupt(generator.randbytes(50))
        return datagram

    with Relay(agent, answer=shout_first) as relay:
        answer = exporter.scrape(relay.target, "system", "if_mib")
    assert answer.exposition.value("snmp_up") == 1
    assert answer.exposition.value("snmp_scrape_packets_retried", module="if_mib") == 0


@pytest.mark.parametrize("auth", ["public_v1", "public_v2"])
def test_damaged_answers_never_break_the_exporter(
    exporter: Exporter, agent: str, auth: str
) -> None:
    """Bits, lengths and ends of real answers changed at random; what comes of it is valid text."""

    def scrape(seed: int) -> int:
        generator = Random(seed)

        def damage(datagram: bytes) -> bytes:
            data = bytearray(datagram)
            for _ in range(generator.randrange(3)):
                data[generator.randrange(len(data))] = generator.randrange(256)
            return bytes(data[: generator.choice((len(data), generator.randrange(len(data) + 1)))])

        with Relay(agent, answer=damage) as relay:
            answer = exporter.scrape(relay.target, "quick", auth=auth, timeout=5)
        if answer.status == 200:
            assert answer.exposition.value("snmp_up") == 1
        else:
            assert answer.text.startswith("An error has occurred while serving metrics:"), seed
        return answer.status

    with ThreadPoolExecutor(8) as pool:
        statuses = set(pool.map(scrape, range(MUTATIONS)))
    assert statuses == {200, 500}
    assert exporter.scrape(agent).status == 200
