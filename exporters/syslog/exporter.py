"""The syslog exporter: listens for messages, and serves what they tell.

What becomes of a message is told by ``exporters.syslog.receiver``, what becomes of an event by
``exporters.events.intake``, and what a connection may do by ``exporters.syslog.connections``.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from exporters.build import this_build
from exporters.config.syslog_dump import dump_syslog_config
from exporters.events.explain_page import explain_routes
from exporters.events.exposition import write_families
from exporters.events.flags import state_path
from exporters.events.health import Health
from exporters.events.intake import Intake
from exporters.events.json_lines import JsonLines
from exporters.events.pages import event_routes
from exporters.events.state_file import StateFile
from exporters.logs import fields
from exporters.metrics.negotiation import TextFormat
from exporters.metrics.telemetry import build_registry
from exporters.sockets.datagrams import DatagramSocket, open_datagram_sockets
from exporters.sockets.draining import draining
from exporters.syslog.arguments import (
    LISTEN_FLAG,
    NAME,
    Settings,
    add_arguments,
    load,
    read_settings,
)
from exporters.syslog.cases import shipped_cases
from exporters.syslog.connections import Connections
from exporters.syslog.explaining import explain
from exporters.syslog.listening import listening
from exporters.syslog.receiver import SyslogReceiver
from exporters.syslog.series import SyslogSeries
from exporters.syslog.telemetry import SyslogTelemetry
from exporters.syslog.watch import Watch
from exporters.web.service import Service, Shares
from exporters.wording import counted

__all__ = ["NAME", "TITLE", "add_arguments", "build"]

TITLE: Final = "Syslog exporter"

_EXAMPLE_SOURCE: Final = "192.0.2.1"
_EXAMPLE: Final = (
    "<187>42: *Mar  1 18:46:11: %LINK-3-UPDOWN: Interface GigabitEthernet0/7, changed state to down"
)

logger = logging.getLogger(__name__)


def build(arguments: argparse.Namespace) -> Service:
    """Load the configuration and make the service.

    Raises:
        ConfigError: The configuration is wrong.
    """
    return SyslogExporter(read_settings(arguments)).service()


class SyslogExporter:
    """One exporter: its configuration, its sockets, its counters."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loaded = load(settings)
        config = self._loaded.config
        self._intake = Intake(
            NAME, self._loaded.rules, config.events, devices=self._loaded.device_names
        )
        series = SyslogSeries(config.events)
        self._watch = Watch(config.events, series.faults, self._loaded.zones)
        for family in (*series.families, *self._watch.counters):
            self._intake.add_family(family)
        self._receiver = SyslogReceiver(
            self._intake, series, self._loaded.policy(), observer=self._watch
        )
        self._connections = Connections(self._receiver, config.connections, self._loaded.tls)
        self._listeners: Sequence[DatagramSocket] = ()
        self._registry = build_registry(NAME, this_build())
        SyslogTelemetry(
            self._registry,
            self._receiver,
            self._connections,
            self._intake,
            Health(
                lambda: self._listeners,
                self._intake,
                time.monotonic,
                others={
                    "connections_full": lambda: self._connections.is_full,
                    "certificate_expired": lambda: self._connections.has_expired(time.time()),
                },
            ),
            lambda: self._listeners,
        )

    def service(self) -> Service:
        """What the HTTP shell serves."""
        return Service(
            name=NAME,
            title=TITLE,
            description="Listens for syslog messages.",
            registry=self._registry,
            samples=self._samples,
            routes=(
                *event_routes(TITLE, self._intake, lambda: self._loaded.device_names),
                *explain_routes(
                    TITLE,
                    self._explain,
                    hint="A message as a device sends it, or the name of an example that ships, "
                    "such as cisco-bgp-down or junos-bgp-down. Nothing is counted or kept.",
                    example=_EXAMPLE,
                ),
            ),
            running_config=lambda: dump_syslog_config(self._loaded.config),
            reload=self._reload,
            summary=self._summary,
            lifespan=self._lifespan,
            shares=Shares.NOTHING,
        )

    def _explain(self, text: str, source: str) -> list[str]:
        shipped = {case.name: case.message for case in shipped_cases()}
        message = shipped.get(text.strip(), text.encode())
        return list(explain(self._loaded, message, source or _EXAMPLE_SOURCE))

    @asynccontextmanager
    async def _lifespan(self) -> AsyncIterator[None]:
        """Listen for as long as the server serves.

        Raises:
            ConfigError: An address cannot be listened on.
        """
        async with AsyncExitStack() as stack:
            self._attach(stack)
            await stack.enter_async_context(self._intake.running())
            await stack.enter_async_context(self._receiver.running())
            self._listeners = open_datagram_sockets(
                self._settings.addresses("udp"),
                receive_buffer_bytes=self._settings.receive_buffer_bytes,
                flag=LISTEN_FLAG,
                answers=False,
            )
            for listener in self._listeners:
                stack.callback(listener.close)
                stack.enter_context(draining(listener, self._receiver.take_datagrams))
                _tell(listener)
            await stack.enter_async_context(
                listening(self._settings, self._connections, self._receiver)
            )
            yield

    def _attach(self, stack: AsyncExitStack) -> None:
        """Take up what an earlier process left.

        Raises:
            ConfigError: A file is in use, or cannot be written.
        """
        target = self._settings.events_log
        path = state_path(self._settings.state_file, NAME)
        state_file = None if path is None else StateFile.open(path)
        if state_file is not None:
            stack.callback(state_file.close)
        self._intake.attach(state_file=state_file, json_lines=JsonLines(target) if target else None)

    def _samples(self, text_format: TextFormat) -> Iterator[str]:
        self._receiver.settle()
        self._watch.settle()
        families = [*self._intake.families(), *self._watch.gauges()]
        return write_families(families, text_format)

    async def _reload(self) -> None:
        loaded = await asyncio.to_thread(load, self._settings)
        self._loaded = loaded
        self._intake.replace(loaded.rules, loaded.device_names)
        self._receiver.replace(loaded.policy())
        self._watch.replace(set(loaded.device_names), loaded.zones)
        self._connections.replace(loaded.config.connections, loaded.tls)

    def _summary(self) -> str:
        loaded = self._loaded
        text = counted(len(loaded.rules), "rule")
        if loaded.inventory is not None:
            text += f", {counted(len(loaded.inventory.devices), 'device')}"
        return text


def _tell(listener: DatagramSocket) -> None:
    logger.info("listening for syslog", extra=fields(address=listener.address, transport="udp"))
    if listener.granted_bytes < listener.asked_bytes:
        logger.warning(
            "the receive buffer is smaller than was asked for: raise net.core.rmem_max, or give "
            "the capability CAP_NET_ADMIN",
            extra=fields(
                address=listener.address,
                asked_bytes=listener.asked_bytes,
                granted_bytes=listener.granted_bytes,
            ),
        )
