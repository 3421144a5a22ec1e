"""Everything between a request for a target and a session that is open towards it.

A ``Poller`` knows what outlives a scrape: names resolved, agents and their SNMPv3 engines as they
were seen, which targets are silent, the limits of devices, and how many scrapes are under way. What
is read over a session, and what is made of it, is the exporter's business.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from exporters.config.devices import Inventory
from exporters.errors import TargetError
from exporters.polling.agent_memory import AgentMemory, BoundedCache
from exporters.polling.arguments import PollingSettings
from exporters.polling.circuit import PROBE_SECONDS, CircuitBreaker
from exporters.polling.credentials import Credentials
from exporters.polling.device_limits import DeviceLimits, LimitedDevice, Queues
from exporters.polling.guard import check_target
from exporters.polling.scrape_places import ScrapePlaces
from exporters.sockets.device_queue import DeviceQueue, SendLimiter
from exporters.sockets.resolution import Endpoint, NameLookups, resolve
from exporters.sockets.snmp_security import Security
from exporters.sockets.snmp_session import SessionSettings, SnmpSession, Trace, Traffic
from exporters.sockets.snmp_usm import EngineMemory
from exporters.sockets.target_address import TargetAddress
from exporters.wire.ber import encode_oid

_PROBED: Final = encode_oid("1.3.6.1.2.1.1")
_TIMEOUT_HEADER: Final = "X-Prometheus-Scrape-Timeout-Seconds"


@dataclass(frozen=True, slots=True)
class Access:
    """With what an agent is asked: an auth, and the context that the request names."""

    auth: str
    context_name: bytes | None = None
    context_engine_id: bytes = b""


@dataclass(frozen=True, slots=True)
class PolledAgent:
    """One agent for one scrape: opens sessions towards it until the deadline."""

    key: tuple[object, ...]
    """What the agent, seen with these credentials, is remembered by."""
    memory: AgentMemory
    device: LimitedDevice
    deadline_at: float
    endpoint: Endpoint
    _security: Security
    _source: tuple[str, int] | None
    _request_ids: Iterator[int]
    _trace: Trace | None

    def session(
        self,
        settings: SessionSettings,
        traffic: Traffic,
        limiter: SendLimiter | None,
        *,
        connected: bool = True,
    ) -> SnmpSession:
        """Make a session, to be entered by the caller."""
        return SnmpSession(
            self.endpoint,
            self._security,
            replace(settings, source=self._source, connected=connected),
            deadline_at=self.deadline_at,
            request_ids=self._request_ids,
            rtt=self.memory.rtt,
            traffic=traffic,
            trace=self._trace,
            limiter=limiter,
        )

    async def probe(self, traffic: Traffic) -> TargetError | None:
        """Ask a target that was silent for long one thing; give why it did not answer."""
        settings = SessionSettings(PROBE_SECONDS, 0)
        try:
            async with self.session(settings, traffic, self.device.limiter()) as session:
                await session.get_next([_PROBED])
        except TargetError as error:
            return error
        return None


class Poller:
    """What the scrapes of one exporter share; *dropped* is called for one that got no place."""

    def __init__(
        self,
        settings: PollingSettings,
        inventory: Inventory | None,
        dropped: Callable[[], object],
    ) -> None:
        self._settings = settings
        self.breaker = CircuitBreaker(settings.silent_scrapes)
        self.places = ScrapePlaces(settings.most_scrapes, dropped)
        self._agents = BoundedCache[tuple[object, ...], AgentMemory](AgentMemory)
        self._engines = BoundedCache[tuple[object, ...], EngineMemory](EngineMemory)
        self._names = NameLookups()
        self._queues: Queues = BoundedCache(DeviceQueue)
        self._chance = random.SystemRandom().random
        self._request_ids = _counting(31)
        self._salts = _counting(64)
        self.use_inventory(inventory)

    def use_inventory(self, inventory: Inventory | None) -> None:
        """Let the limits of another inventory hold; what is under way keeps its place."""
        self._limits = DeviceLimits(inventory, self._settings.device_limits, self._queues)

    def allowed_seconds(self, headers: Mapping[str, str]) -> float:
        """How long a scrape may take: what Prometheus says it waits for, less the offset."""
        longest = self._settings.longest_scrape_seconds
        try:
            announced = float(headers.get(_TIMEOUT_HEADER, ""))
        except ValueError:
            return longest
        if not 0 < announced < 86_400:
            return longest
        return max(announced - self._settings.timeout_offset_seconds, announced / 2)

    async def reach(
        self, target: TargetAddress, deadline_at: float, credentials: Credentials, auth: str
    ) -> Endpoint:
        """Resolve *target* once, and check the address that will be used.

        Raises:
            TargetError: It has no address, or none in time.
            Forbidden: It is not to be asked, or not with these credentials.
        """
        endpoint = await resolve(target, deadline_at, self._names.find)
        check_target(endpoint.ip, self._settings.allowed, auth, credentials.auths[auth].targets)
        return endpoint

    @asynccontextmanager
    async def take_place(self, endpoint: Endpoint, deadline_at: float) -> AsyncIterator[None]:
        """Hold a place for a scrape; probes of silent targets are spread before they queue.

        Raises:
            TargetError: There was none in time.
        """
        if self.breaker.is_open(where(endpoint)):
            delay_seconds = self.breaker.delay_seconds(self._chance())
            left_seconds = deadline_at - asyncio.get_running_loop().time() - PROBE_SECONDS
            await asyncio.sleep(max(0.0, min(delay_seconds, left_seconds)))
        async with self.places.take(deadline_at):
            yield

    def agent(
        self,
        target: TargetAddress,
        endpoint: Endpoint,
        credentials: Credentials,
        access: Access,
        *,
        deadline_at: float,
        trace: Trace | None = None,
    ) -> PolledAgent:
        """Give the agent at *endpoint*, with what is known of it."""
        at = where(endpoint)
        security = credentials.security(
            access.auth,
            self._engines.get(at),
            context_name=access.context_name,
            context_engine_id=access.context_engine_id,
            clock=asyncio.get_running_loop().time,
            salts=self._salts,
        )
        return PolledAgent(
            key=(*at, access.auth, access.context_name, access.context_engine_id),
            memory=self._agents.get((*at, access.auth, access.context_name)),
            device=self._limits.device(target, endpoint),
            deadline_at=deadline_at,
            endpoint=endpoint,
            _security=security,
            _source=self._settings.source,
            _request_ids=self._request_ids,
            _trace=trace,
        )


def where(endpoint: Endpoint) -> tuple[object, ...]:
    """What an agent is remembered by."""
    return (endpoint.ip, endpoint.socket_address[1], endpoint.stream)


def _counting(bits: int) -> Iterator[int]:
    """Count on from a random number below 2**bits, and around; never 0, which some agents mean."""
    value = random.SystemRandom().getrandbits(bits)
    while True:
        value = (value + 1) & ((1 << bits) - 1)
        if value:
            yield value
