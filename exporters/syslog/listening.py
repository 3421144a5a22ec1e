"""Where messages are listened for, but for UDP: TCP, TLS, and sockets of this machine."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

from exporters.logs import fields
from exporters.sockets.unix_sockets import unix_socket
from exporters.syslog.arguments import LISTEN_FLAG, Settings
from exporters.syslog.connections import Connections
from exporters.syslog.local_datagrams import LocalDatagrams
from exporters.syslog.receiver import SyslogReceiver
from exporters.syslog.renewal import Renewal
from exporters.web.listeners import ListenAddress, describe_listener, open_listeners

logger = logging.getLogger(__name__)


@asynccontextmanager
async def listening(
    settings: Settings, connections: Connections, receiver: SyslogReceiver
) -> AsyncIterator[None]:
    """Listen at all addresses but those of UDP.

    Raises:
        ConfigError: The system refuses one of them.
    """
    with ExitStack() as opened:
        streams = _open_streams(settings, opened)
        datagrams = [
            opened.enter_context(
                unix_socket(path, socket.SOCK_DGRAM, mode=settings.unix_mode, flag=LISTEN_FLAG)
            )
            for path in settings.paths("unix-dgram")
        ]
        async with connections.running():
            watch = asyncio.create_task(Renewal(connections).watch())
            opened.callback(watch.cancel)
            for listener, transport in streams:
                connections.accept(listener, transport)
                _tell(listener, transport)
            for one in datagrams:
                local = LocalDatagrams(one, receiver, connections.truncated)
                local.start()
                opened.callback(local.close)
                _tell(one, "unix-dgram")
            yield


def _open_streams(settings: Settings, opened: ExitStack) -> list[tuple[socket.socket, str]]:
    streams: list[tuple[socket.socket, str]] = []
    for transport in ("tcp", "tls"):
        addresses = [ListenAddress(at.host, at.port) for at in settings.addresses(transport)]
        for listener in open_listeners(addresses, flag=LISTEN_FLAG):
            opened.enter_context(listener)
            streams.append((listener, transport))
    for path in settings.paths("unix-stream"):
        mode = settings.unix_mode
        kept = unix_socket(path, socket.SOCK_STREAM, mode=mode, flag=LISTEN_FLAG)
        streams.append((opened.enter_context(kept), "unix-stream"))
    return streams


def _tell(listener: socket.socket, transport: str) -> None:
    address = describe_listener(listener)
    logger.info("listening for syslog", extra=fields(address=address, transport=transport))
