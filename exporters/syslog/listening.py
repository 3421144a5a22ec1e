"""Where messages are listened for, and what takes them there.

Sockets are opened first, by the process that listens or by the parent of several, which gives each
its share (``exporters.sockets.shared_port``). Sockets of this machine cannot be shared so: the
first process has them, and hands over what belongs to others.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field

from exporters.events.listening import log_listening
from exporters.logs import fields
from exporters.sockets.datagrams import (
    DatagramSocket,
    open_datagram_sockets,
    open_shared_datagram_sockets,
)
from exporters.sockets.draining import draining
from exporters.sockets.shared_port import share_port
from exporters.sockets.unix_sockets import unix_socket
from exporters.syslog.arguments import LISTEN_FLAG, Settings
from exporters.syslog.connections import Connections
from exporters.syslog.local_datagrams import LocalDatagrams
from exporters.syslog.receiver import SyslogReceiver
from exporters.syslog.renewal import Renewal
from exporters.web.listeners import ListenAddress, describe_listener, open_listeners

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Listeners:
    """The sockets of one process.

    Attributes:
        datagrams: Of UDP.
        streams: Those that connections come to, each with its transport.
        local_datagrams: Of this machine.
    """

    datagrams: Sequence[DatagramSocket] = ()
    streams: list[tuple[socket.socket, str]] = field(default_factory=list)
    local_datagrams: list[socket.socket] = field(default_factory=list)


def open_sockets(settings: Settings, opened: ExitStack, count: int = 1) -> list[Listeners]:
    """Open sockets at all addresses, for each of *count* processes, until *opened* is left.

    Raises:
        ConfigError: The system refuses one of them.
    """
    shares = [Listeners() for _ in range(count)]
    for share, datagrams in zip(shares, _open_datagrams(settings, count), strict=True):
        share.datagrams = datagrams
        for one in datagrams:
            opened.callback(one.close)
    log_listening(logger, "syslog", shares[0].datagrams)
    for transport in ("tcp", "tls"):
        addresses = [ListenAddress(at.host, at.port) for at in settings.addresses(transport)]
        for listener in open_listeners(addresses, flag=LISTEN_FLAG):
            _tell(listener, transport)
            for share, stream in zip(shares, _share(listener, count), strict=True):
                share.streams.append((opened.enter_context(stream), transport))
    for path in settings.paths("unix-stream"):
        kept = unix_socket(path, socket.SOCK_STREAM, mode=settings.unix_mode, flag=LISTEN_FLAG)
        shares[0].streams.append((opened.enter_context(kept), "unix-stream"))
        _tell(shares[0].streams[-1][0], "unix-stream")
    for path in settings.paths("unix-dgram"):
        kept = unix_socket(path, socket.SOCK_DGRAM, mode=settings.unix_mode, flag=LISTEN_FLAG)
        shares[0].local_datagrams.append(opened.enter_context(kept))
        _tell(shares[0].local_datagrams[-1], "unix-dgram")
    return shares


@asynccontextmanager
async def listening(
    listeners: Listeners, connections: Connections, receiver: SyslogReceiver
) -> AsyncIterator[None]:
    """Take what comes to *listeners*, for as long as the context lasts."""
    with ExitStack() as stack:
        for one in listeners.datagrams:
            stack.enter_context(draining(one, receiver.take_datagrams))
        async with connections.running():
            watch = asyncio.create_task(Renewal(connections).watch())
            stack.callback(watch.cancel)
            for listener, transport in listeners.streams:
                connections.accept(listener, transport)
            for opened in listeners.local_datagrams:
                local = LocalDatagrams(opened, receiver, connections.truncated)
                local.start()
                stack.callback(local.close)
            yield


def _open_datagrams(settings: Settings, count: int) -> Sequence[Sequence[DatagramSocket]]:
    addresses = settings.addresses("udp")
    size = settings.receive_buffer_bytes
    if count == 1:
        return [
            open_datagram_sockets(
                addresses, receive_buffer_bytes=size, flag=LISTEN_FLAG, answers=False
            )
        ]
    return open_shared_datagram_sockets(
        addresses, count, receive_buffer_bytes=size, flag=LISTEN_FLAG, answers=False
    )


def _share(listener: socket.socket, count: int) -> list[socket.socket]:
    return [listener] if count == 1 else share_port(listener, count)


def _tell(listener: socket.socket, transport: str) -> None:
    address = describe_listener(listener)
    logger.info("listening for syslog", extra=fields(address=address, transport=transport))
