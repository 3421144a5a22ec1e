"""What sockets that receive datagrams tell of themselves: losses, what waits, buffers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric


class QueueState(Protocol):
    """How a receive queue stands."""

    @property
    def waiting_bytes(self) -> int:
        """What waits, as the kernel counts it."""

    @property
    def drops(self) -> int:
        """Datagrams lost since the socket was opened."""


class ReceiveSocket(Protocol):
    """A socket, as far as it is told of."""

    @property
    def address(self) -> object:
        """Where it listens."""

    @property
    def asked_bytes(self) -> int:
        """The buffer that was asked for."""

    @property
    def granted_bytes(self) -> int:
        """The buffer that there is."""

    def state(self) -> QueueState:
        """How its queue stands."""


def socket_families(prefix: str, sockets: Iterable[ReceiveSocket]) -> Iterator[Metric]:
    """Give the families; *prefix* begins their names, ``trap_exporter``."""
    drops = CounterMetricFamily(
        f"{prefix}_socket_drops_total",
        "Datagrams that the kernel dropped, because the receive buffer was full.",
        labels=("address",),
    )
    waiting = GaugeMetricFamily(
        f"{prefix}_socket_waiting_bytes",
        "What waits in the socket, as the kernel counts it.",
        labels=("address",),
    )
    asked = GaugeMetricFamily(
        f"{prefix}_socket_buffer_asked_bytes",
        "Receive buffer that was asked for.",
        labels=("address",),
    )
    granted = GaugeMetricFamily(
        f"{prefix}_socket_buffer_granted_bytes",
        "Receive buffer that the system grants.",
        labels=("address",),
    )
    for socket in sockets:
        labels = (str(socket.address),)
        state = socket.state()
        drops.add_metric(labels, state.drops)
        waiting.add_metric(labels, state.waiting_bytes)
        asked.add_metric(labels, socket.asked_bytes)
        granted.add_metric(labels, socket.granted_bytes)
    yield from (drops, waiting, asked, granted)


def worker_families(
    prefix: str, *, handed_over: int, waiting_bytes: int, copies: int
) -> Iterator[Metric]:
    """Give the families of one of several workers."""
    yield CounterMetricFamily(
        f"{prefix}_handed_over_total",
        "Messages that a worker gave to the one that keeps their devices.",
        value=handed_over,
    )
    yield GaugeMetricFamily(
        f"{prefix}_handover_waiting_bytes",
        "What workers have for others that are too slow for it.",
        value=waiting_bytes,
    )
    yield CounterMetricFamily(
        f"{prefix}_broadcast_copies_total",
        "Copies of broadcasts that workers have left to the one that hears their sender.",
        value=copies,
    )
