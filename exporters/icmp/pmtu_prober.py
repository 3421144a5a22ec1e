"""Finds the path MTU of destinations, by asking with packets that no router may cut.

Which sizes to ask with, and what the answers mean, is ``exporters.icmp.pmtu_search``'s business.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from exporters.errors import ConfigError, FailureReason, TargetError
from exporters.icmp.pmtu_search import PathMtu, PmtuSearch
from exporters.icmp.probe_sockets import Answered, Outcome, ProbeSockets
from exporters.icmp.rounds import Destination, Rounds
from exporters.logs import fields
from exporters.sockets.icmp_values import SendError
from exporters.wire.icmp import HEADER_BYTES, IPV4_HEADER_BYTES, IPV6_HEADER_BYTES
from exporters.wire.icmp_errors import ErrorKind, error_name

INTERVAL_SECONDS: Final = 600.0
TIMEOUT_SECONDS: Final = 1.0

_RETRY_SECONDS: Final = 60.0
_TRIES: Final = 3
_MOST_SEARCHES_AT_ONCE: Final = 100
_HEADERS_BYTES: Final = {4: IPV4_HEADER_BYTES + HEADER_BYTES, 6: IPV6_HEADER_BYTES + HEADER_BYTES}

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class PmtuState:
    """What is known of one destination."""

    found: PathMtu | None = None
    """By the latest search that came to an end."""
    searched_at: float = 0.0
    """When that was, in Unix time."""
    failure: str = ""
    """Why the search after it came to none."""


class PmtuProber:
    """Knows the path MTUs of the destinations that it watches."""

    def __init__(
        self,
        sockets: ProbeSockets,
        *,
        unix_time: Callable[[], float],
        interval_seconds: float = INTERVAL_SECONDS,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._sockets = sockets
        self._unix_time = unix_time
        self._timeout_seconds = timeout_seconds
        self._states: dict[Destination, PmtuState] = {}
        self._retry_seconds = min(interval_seconds, _RETRY_SECONDS)
        self._rounds = Rounds(
            self._search, interval_seconds=interval_seconds, most_at_once=_MOST_SEARCHES_AT_ONCE
        )

    @property
    def states(self) -> Mapping[Destination, PmtuState]:
        """What is known, for each destination that is watched."""
        return self._states

    def watch(self, destinations: Iterable[Destination]) -> None:
        """Watch exactly these from now on; what is known of the others is forgotten."""
        wanted = set(destinations)
        self._states = {
            destination: self._states.get(destination) or PmtuState() for destination in wanted
        }
        self._rounds.watch(wanted)

    async def run(self) -> None:
        """Search until this is cancelled."""
        await self._rounds.run()

    async def _search(self, destination: Destination) -> None:
        state = self._states.get(destination)
        if state is None:
            return
        search = PmtuSearch(destination.socket.version)
        try:
            while (size := search.next_size()) is not None:
                await self._ask(search, destination, size)
        except TargetError as error:
            self._fail(destination, state, error.detail)
            return
        except ConfigError as error:
            self._fail(destination, state, str(error))
            return
        found = search.found
        if found is None:
            self._fail(destination, state, "the target does not answer")
            return
        if state.found not in (None, found):
            logger.info(
                "path MTU changed",
                extra=fields(
                    target=destination.address[0],
                    mtu_bytes=found.mtu_bytes,
                    reporter=found.reporter,
                    black_hole=found.black_hole,
                ),
            )
        state.found, state.searched_at, state.failure = found, self._unix_time(), ""

    def _fail(self, destination: Destination, state: PmtuState, failure: str) -> None:
        """Keep what was found before, and search again before its turn."""
        state.failure = failure
        self._rounds.soon(destination, self._retry_seconds)

    async def _ask(self, search: PmtuSearch, destination: Destination, size: int) -> None:
        """Ask with a packet of *size*, more than once if need be, and tell *search* the answer.

        Raises:
            TargetError: No packet of any size arrives, and somebody says why.
            ConfigError: This user may have no socket.
        """
        for _ in range(_TRIES):
            try:
                outcome = await self._ask_once(destination, size)
            except SendError as error:
                if error.errno != errno.EMSGSIZE:
                    raise
                search.too_big(size, error.mtu, "")
                return
            if outcome is None:
                continue
            if isinstance(outcome, Answered):
                search.replied(size)
                return
            report = outcome.report
            if outcome.kind is not ErrorKind.TOO_BIG:
                name = error_name(destination.socket.version, report.type, report.code)
                raise TargetError(FailureReason.UNREACHABLE, f"{report.reporter} says: {name}")
            search.too_big(size, report.mtu, report.reporter)
            return
        search.silent(size)

    async def _ask_once(self, destination: Destination, size: int) -> Outcome | None:
        """Send one packet and wait for what comes of it; None for nothing."""
        ping = self._sockets.send(
            destination.socket,
            destination.address,
            size - _HEADERS_BYTES[destination.socket.version],
            traffic_class=destination.traffic_class,
        )
        try:
            await asyncio.wait([ping.outcome], timeout=self._timeout_seconds)
            return ping.outcome.result() if ping.outcome.done() else None
        finally:
            ping.give_up(lost=False)
