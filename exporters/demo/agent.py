"""A simulated SNMP agent: answers version 1, 2c and 3 from recordings, over UDP and TCP.

    agent = SimulatedAgent(load_recording(Path("switch.snmprec")))
    async with agent.serve("127.0.0.1", 0) as (host, port):
        ...

One agent serves one recording, or several that the community or the SNMPv3 context tells apart (as
snmpsim does). It can listen on several addresses at once; ``handle`` answers without any socket.

This module decides who answers. What the answer is: ``exporters.demo.responder``; SNMPv3:
``exporters.demo.engine``; misbehaviour: ``exporters.demo.faults``; sockets:
``exporters.demo.listeners``.

Sources: RFC 1901, RFC 3584 section 5 (communities).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from exporters.demo.engine import Engine
from exporters.demo.faults import NO_FAULTS, Delivery, Faults, FaultyResponder
from exporters.demo.listeners import Address, AgentCounts, listen_tcp, listen_udp
from exporters.demo.mib_view import MibView
from exporters.demo.recording import Recording
from exporters.demo.responder import Responder, View
from exporters.demo.rmon_probe import Rmon
from exporters.demo.rmon_view import RmonView
from exporters.errors import WireError
from exporters.wire.ber import encode_integer
from exporters.wire.snmp_message import (
    MAX_MESSAGE_BYTES,
    Version,
    decode_community_message,
    encode_community_message,
    peek_version,
)
from exporters.wire.usm import UsmUser

DEFAULT_ENGINE_ID: Final = bytes.fromhex("80001f8804") + b"simulated"
"""Format 4, administratively assigned text, under net-snmp's enterprise number (RFC 3411 s5)."""

_MESSAGE_OVERHEAD_BYTES: Final = 4 + len(encode_integer(Version.V2C)) + 4


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """How an agent is set up.

    ``max_response_bytes`` is its largest message, 1472 for one Ethernet frame, up to 65507.
    ``moving`` makes counters and uptimes grow (see ``exporters.demo.mib_view``). ``rmon`` puts a
    probe with live tables before each recording.
    """

    communities: tuple[str, ...] = ("public",)
    users: tuple[UsmUser, ...] = ()
    max_response_bytes: int = 1472
    engine_id: bytes = DEFAULT_ENGINE_ID
    engine_boots: int = 1
    moving: bool = False
    rmon: Rmon | None = None
    faults: Faults = NO_FAULTS

    def __post_init__(self) -> None:
        if not 484 <= self.max_response_bytes <= MAX_MESSAGE_BYTES:
            raise ValueError(
                f"max_response_bytes is {self.max_response_bytes}, expected 484 (RFC 3417 s3.2) "
                f"to {MAX_MESSAGE_BYTES}"
            )


class SimulatedAgent:
    """An agent; see the module.

    With several recordings, the first answers to the communities of the settings and to the empty
    context, and each to its own name as community and context.
    """

    def __init__(
        self,
        recordings: Recording | Mapping[str, Recording],
        settings: AgentSettings | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        epoch_clock: Callable[[], float] = time.time,
    ) -> None:
        named = {"": recordings} if isinstance(recordings, Recording) else dict(recordings)
        if not named:
            raise ValueError("an agent needs a recording")
        self.settings = settings = settings or AgentSettings()
        self.counts = AgentCounts()
        faults = settings.faults
        responders: dict[bytes, Responder] = {}
        for name, recording in named.items():
            view = MibView(
                recording,
                moving=settings.moving,
                seed=faults.seed,
                clock=clock,
                epoch_clock=epoch_clock,
            )
            served: View = view
            if settings.rmon is not None:
                served = RmonView(view, settings.rmon.probe(recording), clock=clock)
            faulty = faults != NO_FAULTS
            responders[name.encode()] = (
                FaultyResponder(served, faults) if faulty else Responder(served)
            )
        first = next(iter(responders.values()))
        self._communities = {name: found for name, found in responders.items() if name}
        for community in settings.communities:
            self._communities.setdefault(community.encode(), first)
        self.engine = Engine(
            settings.engine_id,
            settings.users,
            {**responders, b"": first},
            boots=settings.engine_boots,
            most_bytes=settings.max_response_bytes,
            clock=clock,
        )
        self._delivery = Delivery(faults)

    def handle(self, data: bytes) -> bytes | None:
        """Give the message that answers the message *data*; None for what is not answered."""
        try:
            return self._answer(data)
        except WireError:
            return None

    def _answer(self, data: bytes) -> bytes | None:
        if peek_version(data) == Version.V3:
            return self.engine.answer(data)
        message = decode_community_message(data)
        community = message.community
        responder = self._communities.get(community)
        if responder is None:
            return None
        most_bytes = self.settings.max_response_bytes - _MESSAGE_OVERHEAD_BYTES - len(community)
        response = responder.answer(message.version, message.pdu, most_bytes)
        if response is None:
            return None
        return encode_community_message(message.version, community, response)

    @contextlib.asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Address]:
        """Answer on a UDP address while the context lasts; port 0 takes a free one.

        Bind to the addresses that are polled rather than to a wildcard: from a wildcard, the system
        chooses the address that answers come from.

        Raises:
            OSError: The address cannot be listened on.
        """
        async with listen_udp(host, port, self.handle, self._delivery, self.counts) as address:
            yield address

    @contextlib.asynccontextmanager
    async def serve_tcp(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Address]:
        """Answer on a TCP address while the context lasts; port 0 takes a free one.

        Raises:
            OSError: The address cannot be listened on.
        """
        async with listen_tcp(host, port, self.handle, self.counts) as address:
            yield address
