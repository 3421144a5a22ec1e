"""Agents of every kind: simulated ones, silent ones, and one that a test can make misbehave."""

from __future__ import annotations

import re
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from .processes import NETEXPORTERS, Program, Programs

Row = tuple[str, int | str, str]
"""OID, tag and value of one line of a recording."""

SYSTEM_ROWS: tuple[Row, ...] = (
    ("1.3.6.1.2.1.1.1.0", 4, "Pretend switch"),
    ("1.3.6.1.2.1.1.2.0", 6, "1.3.6.1.4.1.99999.1"),
    ("1.3.6.1.2.1.1.3.0", 67, "123456"),
    ("1.3.6.1.2.1.1.4.0", 4, "noc@example.com"),
    ("1.3.6.1.2.1.1.5.0", 4, "switch-1"),
    ("1.3.6.1.2.1.1.6.0", 4, "rack 7"),
    ("1.3.6.1.2.1.1.7.0", 2, "72"),
)
_IF_ENTRY = "1.3.6.1.2.1.2.2.1"
_IF_X_ENTRY = "1.3.6.1.2.1.31.1.1.1"
_TARGET = re.compile(r"^(\S+)  ", re.MULTILINE)
_MAX_DATAGRAM = 65535


def interface_rows(count: int) -> Iterator[Row]:
    """The whole of ifTable and ifXTable for so many interfaces."""
    yield "1.3.6.1.2.1.2.1.0", 2, str(count)
    for index in range(1, count + 1):
        name = f"port{index}"
        values: dict[int, tuple[int | str, object]] = {
            1: (2, index),
            2: (4, name),
            3: (2, 6),
            4: (2, 1500),
            5: (66, 1_000_000_000),
            6: ("4x", f"020000{index:06x}"),
            7: (2, 1),
            8: (2, 1 + index % 2),
            9: (67, index * 100),
            **{column: (65, column * index) for column in (10, 11, 12, 13, 14, 15)},
            **{column: (65, column * index) for column in (16, 17, 18, 19, 20)},
            21: (66, 0),
        }
        for column, (tag, value) in values.items():
            yield f"{_IF_ENTRY}.{column}.{index}", tag, str(value)
        wide: dict[int, tuple[int | str, object]] = {
            1: (4, name),
            **{column: (65, column * index) for column in (2, 3, 4, 5)},
            **{column: (70, (column << 40) + index) for column in range(6, 14)},
            15: (66, 1000),
            16: (2, 2),
            17: (2, 1),
            18: (4, f"uplink {index}"),
            19: (67, 0),
        }
        for column, (tag, value) in wide.items():
            yield f"{_IF_X_ENTRY}.{column}.{index}", tag, str(value)


def write_recording(path: Path, *groups: Iterator[Row] | tuple[Row, ...]) -> Path:
    """Write rows as a recording, in the order of OIDs."""
    rows = sorted(
        (row for group in groups for row in group),
        key=lambda row: [int(arc) for arc in row[0].split(".")],
    )
    path.write_text("".join(f"{oid}|{tag}|{value}\n" for oid, tag, value in rows))
    return path


def start_simulation(programs: Programs, *words: str | Path) -> tuple[Program, str]:
    """Start ``netexporters simulate`` with these arguments; give the address of its first agent."""
    program = programs.start(NETEXPORTERS, "simulate", "--listen-address=127.0.0.1:0", *words)
    match = program.until(lambda: _TARGET.search(program.output), "the simulated agent listens")
    return program, match[1]


class Relay:
    """A UDP agent in a thread that passes datagrams to a real one, as far as the test likes.

    *request* and *answer* see each datagram and give what is passed on: ``None`` loses it. Without
    an *agent* the answer is made of the request itself, at once.
    """

    def __init__(
        self,
        agent: str = "",
        *,
        request: Callable[[bytes], bytes | None] = lambda datagram: datagram,
        answer: Callable[[bytes], bytes | None] = lambda datagram: datagram,
    ) -> None:
        self._agent = agent
        self._request = request
        self._answer = answer
        self._stack = ExitStack()
        self._front = self._socket()
        self._front.bind(("127.0.0.1", 0))
        self._stop, self._stopped = socket.socketpair()
        self._stack.enter_context(self._stop)
        self._stack.enter_context(self._stopped)
        self._backs: dict[tuple[str, int], socket.socket] = {}
        self._thread = threading.Thread(target=self._serve, name="relay")
        self.port: int = self._front.getsockname()[1]
        self.target = f"127.0.0.1:{self.port}"
        self.last_client = ("", 0)

    def __enter__(self) -> Relay:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.send(b".")
        self._thread.join()
        self._stack.close()

    def interrupt(self, datagram: bytes) -> None:
        """Send something to whoever asked last; for the callbacks, in the relay's thread."""
        self._front.sendto(datagram, self.last_client)

    def _socket(self) -> socket.socket:
        return self._stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))

    def _serve(self) -> None:
        while True:
            watched = [self._stopped, self._front, *self._backs.values()]
            ready, _, _ = select.select(watched, [], [])
            if self._stopped in ready:
                return
            if self._front in ready:
                self._pass_on()
            for client, back in list(self._backs.items()):
                if back in ready and (datagram := self._answer(_receive(back))) is not None:
                    self._front.sendto(datagram, client)

    def _pass_on(self) -> None:
        datagram, client = self._front.recvfrom(_MAX_DATAGRAM)
        self.last_client = client
        passed = self._request(datagram)
        if passed is None:
            return
        if not self._agent:
            answered = self._answer(passed)
            if answered is not None:
                self._front.sendto(answered, client)
            return
        if client not in self._backs:
            host, _, port = self._agent.rpartition(":")
            self._backs[client] = self._socket()
            self._backs[client].connect((host, int(port)))
        self._backs[client].send(passed)


def _receive(udp: socket.socket) -> bytes:
    return udp.recv(_MAX_DATAGRAM)


@contextmanager
def silent_udp() -> Iterator[socket.socket]:
    """An agent that hears everything and says nothing; it is a socket, so a test can listen in."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(30)
        udp.bind(("127.0.0.1", 0))
        yield udp


@contextmanager
def silent_tcp() -> Iterator[socket.socket]:
    """The same over TCP: the kernel accepts, nobody answers."""
    with socket.socket() as tcp:
        tcp.settimeout(30)
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        yield tcp


def address_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"{host}:{port}"
