"""Connections without sockets: whoever makes them, what they write, and a clock."""

from __future__ import annotations

from typing import Any, cast

from exporters.config.syslog_config import ConnectionSettings
from exporters.syslog.connection import Connection
from exporters.syslog.connections import Connections
from exporters.syslog.tls import ServerTls

from .conftest import DEVICE, Station


class Transport:
    """What stands for a connection's socket."""

    def __init__(self) -> None:
        self.written = bytearray()
        self.is_closed = False
        self.is_read = True
        """Whether the other side reads what is written."""
        self.is_paused = False
        """Whether what the other side writes is left unread."""

    def write(self, data: bytes) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return 0 if self.is_read else len(self.written)

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False

    def close(self) -> None:
        self.is_closed = True

    abort = close


class Line:
    """One connection, as its sender has it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.transport = Transport()
        self._has_been_told = False
        connection.connection_made(cast("Any", self.transport))
        self._settle()

    def send(self, data: bytes, *, chunk: int = 0) -> None:
        """Have *data* arrive, in chunks if asked for."""
        size = chunk or max(1, len(data))
        for begin in range(0, len(data), size):
            piece = data[begin : begin + size]
            self.connection.get_buffer(-1)[: len(piece)] = piece
            self.connection.buffer_updated(len(piece))
        self._settle()

    def answer(self) -> bytes:
        """Give what was written since the last time."""
        written = bytes(self.transport.written)
        self.transport.written.clear()
        return written

    def end(self, error: Exception | None = None) -> None:
        """Have the sender close it, or the network lose it."""
        if not self._has_been_told:
            self._has_been_told = True
            self.connection.connection_lost(error)

    def settle(self) -> None:
        """Tell the connection of its end, as the loop would."""
        self._settle()

    @property
    def is_closed(self) -> bool:
        return self.transport.is_closed

    def _settle(self) -> None:
        if self.is_closed:
            self.end()


class Network:
    """Connections, and a clock."""

    def __init__(self, station: Station, tls: ServerTls | None = None, **settings: Any) -> None:
        self.now = 0.0
        self.station = station
        self.lines: list[Line] = []
        self.connections = Connections(
            station.receiver, ConnectionSettings(**settings), tls, monotonic=lambda: self.now
        )

    def connect(self, peer: str = DEVICE, transport: str = "tcp") -> Line:
        """Make a connection that is let in."""
        line = self.try_to_connect(peer, transport)
        assert line is not None
        return line

    def try_to_connect(self, peer: str = DEVICE, transport: str = "tcp") -> Line | None:
        connection = self.connections.admit((peer, 4711), transport)
        if connection is None:
            return None
        self.lines.append(Line(connection))
        return self.lines[-1]

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass, and have connections looked at."""
        self.now += seconds
        self.connections.look()
        self.settle()

    def settle(self) -> None:
        for line in self.lines:
            line.settle()

    def ends(self) -> dict[str, int]:
        """Why connections have ended."""
        return {reason: count for reason, count in self.connections.closed.items() if count}

    def tls_failures(self) -> dict[str, int]:
        failures = self.connections.tls_failures
        return {reason: count for reason, count in failures.items() if count}
