"""Requests under way with one agent, and one timer that ends the waits of all of them.

An exchange is one request with all its tries; each try has a request-id of its own. What is sent
and what an answer means is the session's (``exporters.sockets.snmp_session``).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from exporters.errors import TargetError, WireError
from exporters.wire.snmp_message import Pdu

Outcome = tuple[Pdu, bytes] | TargetError | None
"""An answer with its message, what went wrong, or nothing yet."""


@dataclass(slots=True, eq=False)
class Exchange:
    """One request under way."""

    sent_at: dict[int, float] = field(default_factory=dict)
    """The request-ids of its tries, and when each was sent."""
    wake: asyncio.Future[None] | None = None
    """Done when there is an outcome, or when the present try has waited long enough."""
    outcome: Outcome = None
    give_up_at: float = math.inf
    """When the present try will have waited long enough; no time while there is none."""
    rejected: WireError | None = None
    """Why the latest message that came meanwhile was not accepted."""
    hint: TargetError | None = None
    """What the system said meanwhile that need not be the end."""

    def settle(self, outcome: Outcome) -> None:
        """Let the request end; the first outcome counts."""
        if self.outcome is None:
            self.outcome = outcome
            self.end_wait()

    def end_wait(self) -> None:
        """Let the present try wait no longer."""
        if self.wake is not None and not self.wake.done():
            self.wake.set_result(None)


class PendingExchanges:
    """The requests of a session that wait for answers, found by the request-id of any try."""

    __slots__ = ("_alarm", "_by_id", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._by_id: dict[int, Exchange] = {}
        self._alarm: asyncio.TimerHandle | None = None

    def find(self, request_id: int) -> Exchange | None:
        """Give the exchange of a try, or none."""
        return self._by_id.get(request_id)

    def all(self) -> Iterable[Exchange]:
        """Give every exchange, once for each of its tries."""
        return self._by_id.values()

    def add_try(self, exchange: Exchange, request_id: int, sent_at: float) -> asyncio.Future[None]:
        """Note a try; gives what is done with an outcome, or when the try has waited enough."""
        wake = exchange.wake = self._loop.create_future()
        exchange.sent_at[request_id] = sent_at
        self._by_id[request_id] = exchange
        return wake

    def remove(self, exchange: Exchange) -> None:
        """Wait no longer for any try of an exchange."""
        for request_id in exchange.sent_at:
            del self._by_id[request_id]

    def give_up_at(self, exchange: Exchange, at: float) -> None:
        """Let the present try of an exchange wait until *at*.

        One timer serves all requests and outlives those that are answered: of hundreds of waits
        hardly any comes to its end, and a timer for each costs a twentieth of a scrape.
        """
        exchange.give_up_at = at
        self._set_alarm(at)

    def close(self) -> None:
        """End every wait."""
        if self._alarm is not None:
            self._alarm.cancel()
        for exchange in self._by_id.values():
            exchange.end_wait()

    def _set_alarm(self, at: float) -> None:
        """Have ``_ring`` called at *at* or before."""
        if self._alarm is not None:
            if self._alarm.when() <= at:
                return
            self._alarm.cancel()
        self._alarm = self._loop.call_at(at, self._ring, at)

    def _ring(self, at: float) -> None:
        """Wake the requests whose present try has waited long enough at *at*."""
        self._alarm = None
        next_at = math.inf
        for exchange in self._by_id.values():
            if exchange.give_up_at <= at:
                exchange.end_wait()
            else:
                next_at = min(next_at, exchange.give_up_at)
        if next_at < math.inf:
            self._set_alarm(next_at)
