"""A link of a pretend device that goes down and comes up while its agent is asked."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Final

from exporters.demo.numeric import Moment
from exporters.demo.pretend_network import Port, PretendDevice
from exporters.demo.recording import Recording
from exporters.wire.ber import encode_oid, encode_subids

_IF_OPER_STATUS: Final = encode_oid("1.3.6.1.2.1.2.2.1.8")
_UP, _DOWN = 1.0, 2.0


class Link:
    """One link; ``value`` makes it the ifOperStatus of its interface."""

    def __init__(self, device: PretendDevice, port: Port) -> None:
        self.device = device
        self.port = port
        self.up = port.up

    def value(self, now: Moment, last: tuple[float, Moment] | None, random: Random) -> float:
        """Give up(1) or down(2), whatever the time."""
        return _UP if self.up else _DOWN

    def put_into(self, recording: Recording) -> Recording:
        """Give what its device answers, with this link as it is when somebody asks.

        Raises:
            ValueError: The recording has no such interface.
        """
        position = recording.position(_IF_OPER_STATUS + encode_subids((self.port.index,)))
        if position is None:
            raise ValueError(f"{self.device.name} has no interface {self.port.index}")
        return replace(recording, numeric={**recording.numeric, position: self})
