"""Finds the paths to destinations: probes with growing hop limits, in parallel, unprivileged.

All probes of a destination look the same to routers that choose among parallel paths (their
checksum and identifier do not change), so that they go one way. No router is made to complain more
often than routers do: Linux sends one peer one error a second. What each probe came to is known by
its own sequence number, so that an answer that comes late is not taken for another hop's.

What the answers mean is ``exporters.icmp.path``'s business.

Sources: Augustin et al., "Avoiding traceroute anomalies with Paris traceroute"; icmp(7) of Linux
(icmp_ratelimit).
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from exporters.errors import ConfigError, TargetError
from exporters.icmp.path import HopAnswer, Path, PathTracker
from exporters.icmp.probe_sockets import Answered, Ping, ProbeSockets
from exporters.icmp.rounds import Destination, Rounds
from exporters.logs import fields
from exporters.wire.icmp_errors import ErrorKind

INTERVAL_SECONDS: Final = 10.0
TIMEOUT_SECONDS: Final = 2.0

_GAP_SECONDS: Final = 0.002
_PAYLOAD_BYTES: Final = 32
_MOST_ROUNDS_AT_ONCE: Final = 500
_SNAPSHOTS_KEPT: Final = 5
_MOST_ROUTERS: Final = 20_000

logger = logging.getLogger(__name__)


class ErrorPace:
    """Says whether a router may be made to complain once more; pure.

    Args:
        per_second: How many errors each router is made to send, over time.
        burst: How many of them at once.
    """

    def __init__(self, per_second: float = 1.0, burst: int = 3) -> None:
        self._step = 1 / per_second
        self._slack = (burst - 1) / per_second
        self._free_at: OrderedDict[str, float] = OrderedDict()

    def permits(self, router: str, now: float) -> bool:
        """Whether *router* may be asked at *now*; if so, it counts as asked."""
        free_at = max(self._free_at.get(router, now), now)
        if free_at - now > self._slack:
            return False
        self._free_at[router] = free_at + self._step
        self._free_at.move_to_end(router)
        if len(self._free_at) > _MOST_ROUTERS:
            self._free_at.popitem(last=False)
        return True


@dataclass(frozen=True, slots=True)
class PathSnapshot:
    """What the path looked like when losses began, in Unix time; *answers* from hop limit 1 on."""

    taken_at: float
    before: Path
    answers: tuple[HopAnswer | None, ...]


@dataclass(slots=True)
class PathState:
    """What is known of the path to one destination."""

    tracker: PathTracker = field(default_factory=PathTracker)
    snapshots: deque[PathSnapshot] = field(default_factory=lambda: deque(maxlen=_SNAPSHOTS_KEPT))
    failure: str = ""
    """Why the latest round could not be."""
    nonce: int = field(default_factory=lambda: secrets.randbits(64))
    snapshot_wanted: bool = False


class PathProber:
    """Knows the paths to the destinations that it watches."""

    def __init__(
        self,
        sockets: ProbeSockets,
        *,
        unix_time: Callable[[], float],
        interval_seconds: float = INTERVAL_SECONDS,
        timeout_seconds: float = TIMEOUT_SECONDS,
        pace: ErrorPace | None = None,
    ) -> None:
        self._sockets = sockets
        self._unix_time = unix_time
        self._timeout_seconds = timeout_seconds
        self._pace = pace or ErrorPace()
        self._states: dict[Destination, PathState] = {}
        self._rounds = Rounds(
            self._find_path, interval_seconds=interval_seconds, most_at_once=_MOST_ROUNDS_AT_ONCE
        )

    @property
    def states(self) -> Mapping[Destination, PathState]:
        """What is known, for each destination that is watched."""
        return self._states

    def watch(self, destinations: Iterable[Destination]) -> None:
        """Watch exactly these from now on; what is known of the others is forgotten."""
        wanted = set(destinations)
        self._states = {
            destination: self._states.get(destination) or PathState() for destination in wanted
        }
        self._rounds.watch(wanted)

    def losses_begin(self, destination: Destination) -> None:
        """Look at the path at once, and keep what is seen."""
        state = self._states.get(destination)
        if state is not None:
            state.snapshot_wanted = True
            self._rounds.soon(destination)

    async def run(self) -> None:
        """Look for paths until this is cancelled."""
        await self._rounds.run()

    async def _find_path(self, destination: Destination) -> None:
        """One round: probe each hop, wait, and take in what came back."""
        state = self._states.get(destination)
        if state is None:
            return
        wanted, before = state.snapshot_wanted, state.tracker.path
        pings: dict[int, Ping] = {}
        try:
            await self._send_probes(destination, state, pings, hurried=wanted)
            state.failure = ""
            if pings:
                outcomes = [ping.outcome for ping in pings.values()]
                await asyncio.wait(outcomes, timeout=self._timeout_seconds)
        except TargetError as error:
            state.failure = error.detail
            return
        except ConfigError as error:
            state.failure = str(error)
            return
        finally:
            for ping in pings.values():
                ping.give_up(lost=False)
        answers = {limit: _read_answer(ping) for limit, ping in pings.items()}
        now = self._unix_time()
        if wanted:
            state.snapshot_wanted = False
            seen = tuple(answers.get(limit) for limit in range(1, max(answers, default=0) + 1))
            state.snapshots.append(PathSnapshot(now, before, seen))
        if state.tracker.finish_round(answers, now):
            logger.info(
                "path changed",
                extra=fields(
                    target=destination.address[0],
                    before=before.text(),
                    now=state.tracker.path.text(),
                ),
            )

    async def _send_probes(
        self, destination: Destination, state: PathState, pings: dict[int, Ping], *, hurried: bool
    ) -> None:
        """Send one probe for each hop that may be asked; when *hurried*, for all.

        Raises:
            TargetError: This machine cannot send there.
            ConfigError: This user may have no socket.
        """
        clock = asyncio.get_running_loop().time
        for limit in state.tracker.hop_limits():
            router = state.tracker.router(limit)
            if router and not self._pace.permits(router, clock()) and not hurried:
                continue
            pings[limit] = self._sockets.send(
                destination.socket,
                destination.address,
                _PAYLOAD_BYTES,
                limit,
                traffic_class=destination.traffic_class,
                nonce=state.nonce,
            )
            await asyncio.sleep(_GAP_SECONDS)


def _read_answer(ping: Ping) -> HopAnswer | None:
    """Read what came back; our own machine's complaint of a dead neighbour is no hop."""
    if not ping.outcome.done():
        return None
    outcome = ping.outcome.result()
    if isinstance(outcome, Answered):
        return HopAnswer(ping.host, outcome.rtt_seconds, is_end=True)
    if outcome.report.reported_by_us:
        return None
    is_end = outcome.kind is not ErrorKind.TTL_EXCEEDED
    return HopAnswer(outcome.report.reporter, outcome.rtt_seconds, is_end)
