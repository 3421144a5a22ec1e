"""Who sends: looked up once for each host, and whether a message of it is taken.

Most senders may send any number of messages, each is about the sender itself, and what is known of
it is in this process. They are *plain*, and a batch of theirs needs one look into a dictionary for
each message.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import itemgetter
from typing import Final

from exporters.events.sources import Source, SourceLimiter, Sources
from exporters.sockets.datagrams import address_of
from exporters.syslog.outcomes import RATE_LIMITED, SOURCE_DENIED

_MOST_HOSTS: Final = 50_000
_IS_ALLOWED: Final = itemgetter(Source._fields.index("is_allowed"))

Refuse = Callable[[str, Source, int], None]
"""Is told the outcome of messages that are not taken, their sender and their number."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What is taken: all that a reload exchanges at once."""

    sources: Sources
    limiter: SourceLimiter
    max_message_bytes: int


class Senders:
    """All senders, by one policy."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._hosts: dict[bytes, Source] = {}
        self._plain_hosts: dict[bytes, Source] = {}

    def plain_senders(self, hosts: Sequence[bytes]) -> list[Source] | None:
        """Give the senders of a batch if all of them are plain and known."""
        senders = list(map(self._plain_hosts.get, hosts))
        return senders if all(senders) else None  # type: ignore[return-value]  # none is None

    def senders(self, hosts: Sequence[bytes]) -> list[Source]:
        """Give the senders of a batch, whoever they are."""
        return [self._hosts.get(host) or self._look_up(host) for host in hosts]

    def is_plain(self, source: Source) -> bool:
        """Whether all messages of a sender are taken, are its own, and are taken here."""
        return (
            source.is_allowed
            and not source.is_relay
            and source.owner is None
            and self.policy.limiter.is_open
        )

    def admit(
        self, contents: Sequence[bytes], sources: Sequence[Source], now: float, refuse: Refuse
    ) -> tuple[Sequence[bytes], Sequence[Source]]:
        """Give those messages whose senders may send, and may send so much, at *now* (monotonic).

        Of a sender that may send some of its messages, these are the first.
        """
        if self.policy.limiter.is_open and all(map(_IS_ALLOWED, sources)):
            return contents, sources
        left: dict[Source, int] = {}
        for source, count in Counter(sources).items():
            left[source] = 0
            if not source.is_allowed:
                refuse(SOURCE_DENIED, source, count)
                continue
            left[source] = self.policy.limiter.take(source.address, now, count)
            if left[source] < count:
                refuse(RATE_LIMITED, source, count - left[source])
        is_taken = []
        for source in sources:
            is_taken.append(left[source] > 0)
            left[source] -= 1
        return list(compress(contents, is_taken)), list(compress(sources, is_taken))

    def _look_up(self, host: bytes) -> Source:
        source = self.policy.sources.source(address_of(host))
        if len(self._hosts) >= _MOST_HOSTS:  # forged addresses; those of devices are soon back
            self._hosts.clear()
            self._plain_hosts.clear()
        self._hosts[host] = source
        if self.is_plain(source):
            self._plain_hosts[host] = source
        return source
