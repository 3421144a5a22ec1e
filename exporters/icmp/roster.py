"""From configured hosts to the targets that the engine pings, through reloads and changes of DNS.

A host that is an address is one target for good. A name is resolved again on its period: addresses
that are new are pinged from then on, those that are gone no more, and all others are left alone. Of
a name with one target, the address stays for as long as the name has it, so that name servers that
rotate their answers move nothing. A name that fails keeps the addresses it had; one that never had
any has a target without an address, whose pings are all lost.

A reload touches only what changed in the configuration; counters of everything else go on.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from exporters.errors import FailureReason, TargetError
from exporters.icmp.engine import Engine
from exporters.icmp.target import Address, Target, TargetSettings
from exporters.logs import fields
from exporters.sockets.host_resolution import IpAddress, parse_address, socket_address
from exporters.sockets.kernel_errors import address_text

Resolve = Callable[[str, float], Awaitable[Sequence[IpAddress]]]
"""Gives the addresses of a name before a deadline on the loop's clock; raises ``TargetError``."""

_DEADLINE_SECONDS: Final = 10.0
_AT_ONCE: Final = 64
_FIRST_RETRY_SECONDS: Final = 1.0
_LONGEST_RETRY_SECONDS: Final = 60.0

logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Host:
    """One configured host, and what it is pinged as now."""

    settings: TargetSettings
    targets: list[Target] = field(default_factory=list)
    failures: int = 0
    turn: int = 0
    """The one entry among those that are due that counts."""
    gone: bool = False


class Roster:
    """All configured hosts.

    Attributes:
        resolutions_failed: how often a name had no address, or no answer.
        address_changes: how often a name that had addresses got others.
    """

    def __init__(self, engine: Engine, resolve: Resolve) -> None:
        self.resolutions_failed = 0
        self.address_changes = 0
        self._engine = engine
        self._resolve_name = resolve
        self._hosts: dict[str, _Host] = {}
        self._due: list[tuple[float, int, _Host]] = []
        self._numbers = 0
        self._changed = asyncio.Event()

    def load(self, wanted: Iterable[TargetSettings]) -> None:
        """Ping these hosts and no others from now on."""
        hosts = {settings.name: settings for settings in wanted}
        for name in self._hosts.keys() - hosts.keys():
            host = self._hosts.pop(name)
            host.gone = True
            for target in host.targets:
                self._engine.remove(target)
        for name, settings in hosts.items():
            known = self._hosts.get(name)
            if known is None:
                self._hosts[name] = host = _Host(settings)
                self._begin(host)
            elif known.settings != settings:
                self._change(known, settings)

    def unresolved(self) -> int:
        """Count the hosts that are pinged at no address."""
        return sum(
            not any(target.address for target in host.targets) for host in self._hosts.values()
        )

    async def run(self) -> None:
        """Resolve names when it is time for them, until cancelled."""
        clock = asyncio.get_running_loop().time
        slots = asyncio.Semaphore(_AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._wait_for_a_due_name()
                await slots.acquire()
                _, number, host = heapq.heappop(self._due)
                if host.gone or number != host.turn:
                    slots.release()
                    continue
                task = tasks.create_task(self._resolve(host, clock() + _DEADLINE_SECONDS))
                task.add_done_callback(lambda _: slots.release())

    def _begin(self, host: _Host) -> None:
        """Ping an address at once; have a name resolved at once."""
        ip = parse_address(host.settings.host)
        if ip is None:
            self._resolve_at(host, 0.0)
            return
        try:
            self._settle(host, [_address(ip)])
        except TargetError as error:  # an interface that is not there yet
            self._failed(host, error, now=0.0)

    def _change(self, host: _Host, settings: TargetSettings) -> None:
        """Put other settings of a host to use."""
        own = host.settings
        choice_changed = (settings.version, settings.all_addresses) != (
            own.version,
            own.all_addresses,
        )
        host.settings = settings
        for place, target in enumerate(host.targets):
            if target.can_adopt(settings):
                self._engine.change(target, settings)
            else:
                self._engine.remove(target)
                host.targets[place] = successor = Target(settings, target.address)
                self._engine.add(successor)
        if choice_changed:
            self._begin(host)

    async def _wait_for_a_due_name(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            self._changed.clear()
            delay = self._due[0][0] - clock() if self._due else None
            if delay is not None and delay <= 0:
                return
            try:
                async with asyncio.timeout(delay):
                    await self._changed.wait()
            except TimeoutError:
                return

    async def _resolve(self, host: _Host, deadline_at: float) -> None:
        clock = asyncio.get_running_loop().time
        try:
            found = [
                _address(ip) for ip in await self._resolve_name(host.settings.host, deadline_at)
            ]
            if host.gone:
                return
            self._settle(host, found)
        except TargetError as error:
            self._failed(host, error, clock())
            return
        if host.settings.resolve_seconds and parse_address(host.settings.host) is None:
            self._resolve_at(host, clock() + host.settings.resolve_seconds)

    def _resolve_at(self, host: _Host, when: float) -> None:
        self._numbers += 1
        host.turn = self._numbers
        heapq.heappush(self._due, (when, self._numbers, host))
        self._changed.set()

    def _failed(self, host: _Host, error: TargetError, now: float) -> None:
        """Keep what there is, and try again soon, then less and less often."""
        if host.gone:
            return
        self.resolutions_failed += 1
        if not host.failures:
            logger.warning(
                "host has no address to ping",
                extra=fields(host=host.settings.host, group=host.settings.group, err=error),
            )
        if not host.targets:
            host.targets = [Target(host.settings, None)]
            self._engine.add(host.targets[0])
        delay = min(_FIRST_RETRY_SECONDS * 2**host.failures, _LONGEST_RETRY_SECONDS)
        host.failures = min(host.failures + 1, 10)
        self._resolve_at(host, now + delay)

    def _settle(self, host: _Host, found: Sequence[Address]) -> None:
        """Ping the addresses that the settings choose of those found, and no others.

        Raises:
            TargetError: There is none to choose.
        """
        chosen = _choose(host, found)
        if host.failures:
            host.failures = 0
            logger.info("host has an address again", extra=fields(host=host.settings.host))
        kept = [target for target in host.targets if target.address in chosen]
        for target in host.targets:
            if target not in kept:
                self._engine.remove(target)
                self.address_changes += target.address is not None
        known = {target.address for target in kept}
        for address in chosen:
            if address not in known:
                target = Target(host.settings, address)
                self._engine.add(target)
                kept.append(target)
        host.targets = kept


def _choose(host: _Host, found: Sequence[Address]) -> list[Address]:
    settings = host.settings
    chosen = [address for address in found if settings.version in (None, address.version)]
    if not chosen:
        family = f"no IPv{settings.version} address" if settings.version else "no address"
        raise TargetError(FailureReason.DNS, f"{settings.host} has {family}")
    if settings.all_addresses:
        return chosen
    current = [target.address for target in host.targets]
    return next(([address] for address in chosen if address in current), chosen[:1])


def _address(ip: IpAddress) -> Address:
    """Make an address that sockets take.

    Raises:
        TargetError: It is of many hosts or of none, or its interface is not there.
    """
    if ip.is_multicast or ip.is_unspecified or str(ip) == "255.255.255.255":
        raise TargetError(FailureReason.DNS, f"{ip} is not the address of one host")
    where = socket_address(ip)
    scope = where[3] if len(where) == 4 else 0
    return Address(4 if ip.version == 4 else 6, address_text(str(where[0]), int(str(scope))), where)
