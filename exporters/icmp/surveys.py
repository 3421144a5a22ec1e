"""Paths and path MTUs of the targets whose groups want them.

What is found belongs to a destination, and several targets may share one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from exporters.icmp.path_prober import PathProber, PathState
from exporters.icmp.pmtu_prober import PmtuProber, PmtuState
from exporters.icmp.probe_sockets import ProbeSockets, SocketKey
from exporters.icmp.rounds import Destination
from exporters.icmp.target import Target

_LOOK_SECONDS: Final = 1.0


class Surveys:
    """Both kinds; ``targets`` gives all targets, and ``changes`` a number that grows with them."""

    def __init__(
        self,
        sockets: ProbeSockets,
        *,
        targets: Callable[[], Iterable[Target]],
        changes: Callable[[], int],
        unix_time: Callable[[], float],
    ) -> None:
        self._targets = targets
        self._changes = changes
        self._seen = -1
        self._paths = PathProber(sockets, unix_time=unix_time)
        self._pmtus = PmtuProber(sockets, unix_time=unix_time)

    def path_of(self, target: Target) -> PathState | None:
        """What is known of the path to *target*; None where nobody looks."""
        destination = _destination(target) if target.settings.path else None
        return None if destination is None else self._paths.states.get(destination)

    def pmtu_of(self, target: Target) -> PmtuState | None:
        """What is known of its path MTU; None where nobody looks."""
        destination = _destination(target, whole=True) if target.settings.pmtu else None
        return None if destination is None else self._pmtus.states.get(destination)

    def outage_begins(self, target: Target) -> None:
        """Look at the path while it is broken."""
        destination = _destination(target) if target.settings.path else None
        if destination is not None:
            self._paths.losses_begin(destination)

    async def run(self) -> None:
        """Look until this is cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._paths.run())
            group.create_task(self._pmtus.run())
            while True:
                self._follow()
                await asyncio.sleep(_LOOK_SECONDS)

    def _follow(self) -> None:
        """Watch the targets that there are now."""
        changes = self._changes()
        if changes == self._seen:
            return
        self._seen = changes
        targets = list(self._targets())
        paths = (_destination(target) for target in targets if target.settings.path)
        pmtus = (_destination(target, whole=True) for target in targets if target.settings.pmtu)
        self._paths.watch(filter(None, paths))
        self._pmtus.watch(filter(None, pmtus))


def _destination(target: Target, *, whole: bool = False) -> Destination | None:
    """Where the probes of *target* go; *whole* packets must not be cut on their way."""
    key, address = target.origin_key, target.address
    if key is None or address is None:
        return None
    socket = SocketKey(key.version, key.source, whole, key.interface)
    return Destination(address.socket_address, socket, target.settings.traffic_class)
