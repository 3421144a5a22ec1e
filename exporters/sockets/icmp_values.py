"""What an ICMP socket gives: replies, errors, and why a packet was not sent."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from time import CLOCK_MONOTONIC, CLOCK_REALTIME, clock_gettime_ns
from typing import Any, Final, NamedTuple

from exporters.errors import FailureReason, TargetError
from exporters.wire.icmp import ExtensionObject

SocketAddress = tuple[Any, ...]
"""What Python's sockets take: ``("192.0.2.1", 0)``, or ``("fe80::1", 0, 0, 2)``."""

CONGESTED: Final = frozenset((errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM))
"""Errors of sending that pass by themselves: buffers are full."""


class Stamp(NamedTuple):
    """One instant on both clocks; a step of the first shows in their difference."""

    realtime_ns: int
    monotonic_ns: int

    @classmethod
    def now(cls) -> Stamp:
        """Read both clocks."""
        return cls(clock_gettime_ns(CLOCK_REALTIME), clock_gettime_ns(CLOCK_MONOTONIC))


class Reply(NamedTuple):
    """An echo reply. A tuple and no dataclass, because one is made for every ping."""

    source: str
    sequence: int
    payload: bytes
    received: Stamp
    hop_limit: int | None
    traffic_class: int | None


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """An ICMP error about an echo request of ours.

    Attributes:
        destination: where the request was sent.
        reporter: who says that it did not arrive.
        reported_by_us: whether that is this machine, for want of a neighbour.
        mtu: what fits, where the error is about size; else 0.
        sequence: the 16 bits of the request.
        payload: the request's, as much as is quoted.
        extensions: what the reporter says beside (RFC 4884); raw sockets only.
    """

    destination: str
    reporter: str
    reported_by_us: bool
    type: int
    code: int
    mtu: int
    sequence: int
    payload: bytes
    received: Stamp
    extensions: tuple[ExtensionObject, ...] = ()


class SendError(TargetError):
    """The kernel did not send a packet; *mtu* is what would fit, if that is why."""

    def __init__(self, number: int, destination: SocketAddress, mtu: int) -> None:
        self.errno = number
        self.mtu = mtu
        super().__init__(
            FailureReason.LOCAL, f"cannot send to {destination[0]}: {os.strerror(number)}"
        )

    @property
    def congested(self) -> bool:
        """Whether buffers are full: a little later it may go."""
        return self.errno in CONGESTED

    @property
    def name(self) -> str:
        """The error's symbol, "EPERM"."""
        return errno.errorcode.get(self.errno, str(self.errno))
