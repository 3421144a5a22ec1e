r"""Messages that reached one process and belong to another: they are handed over, and taken there.

Most messages reach the process that they belong to, as sockets choose by their senders. The others
are those of a device that sends from several addresses, and what a relay or a balancer passes on.
Who may send, and how much, is decided where a message arrives; everything else, its being received
too, is counted once, by its owner. What cannot be handed over is counted where it arrived.

A packet is a line of JSON and the contents, one behind the other::

    ["udp", [["192.0.2.1", "core-1"]], [0, 0], [35, 12]]\n<187>...

the transport, senders as address and device, and for each message the place of its sender there
and its length.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, compress, pairwise
from operator import itemgetter
from typing import Final, NamedTuple

from exporters.events.sources import Source
from exporters.sockets.mailboxes import Mailboxes, Post
from exporters.syslog.outcomes import NOT_HANDED_OVER
from exporters.syslog.receiver import SyslogReceiver
from exporters.wire.syslog_message import decode_hostname

_OWNER: Final = itemgetter(Source._fields.index("owner"))
_PACKET_BYTES: Final = 96 * 1024
"""Of contents, in a packet of several messages."""


class Handed(NamedTuple):
    """Messages that are handed over together."""

    transport: str
    contents: Sequence[bytes]
    sources: Sequence[Source]


class Handover:
    """Hands over what arrives here and belongs elsewhere, and takes what belongs here.

    Args:
        mailboxes: Of all processes.
        number: The place of this one.
        receiver: Its own.
        tell_eased: Is called when those who were too slow are so no more.

    Attributes:
        handed_over: Messages that other processes were given.
        strains: How often that was more than they are taking.
    """

    def __init__(
        self,
        mailboxes: Mailboxes,
        number: int,
        receiver: SyslogReceiver,
        tell_eased: Callable[[], None] = lambda: None,
    ) -> None:
        self.handed_over = 0
        self.strains = 0
        self.post = Post(mailboxes, number, self._take, tell_eased)
        self._receiver = receiver

    def keep_own(
        self, transport: str, contents: Sequence[bytes], sources: Sequence[Source]
    ) -> tuple[Sequence[bytes], Sequence[Source]]:
        """Give those messages that belong here, each with its sender, which speaks for itself."""
        if self._receiver.policy.sources.has_relays:
            sources = self._origins(contents, sources)
        owners = list(map(_OWNER, sources))
        elsewhere: defaultdict[int, list[int]] = defaultdict(list)
        for place, owner in enumerate(owners):
            if owner is not None:
                elsewhere[owner].append(place)
        if not elsewhere:
            return contents, sources
        for owner, places in elsewhere.items():
            for some in _portions(places, contents):
                handed = Handed(transport, [contents[p] for p in some], [sources[p] for p in some])
                self._hand_over(owner, handed)
        is_here = [owner is None for owner in owners]
        return list(compress(contents, is_here)), list(compress(sources, is_here))

    def _origins(self, contents: Sequence[bytes], sources: Sequence[Source]) -> Sequence[Source]:
        """Say who has sent these messages first, as far as relays tell."""
        origin = self._receiver.policy.sources.origin
        return [
            origin(source, decode_hostname(content)) if source.is_relay else source
            for content, source in zip(contents, sources, strict=True)
        ]

    def _hand_over(self, owner: int, handed: Handed) -> None:
        is_posted = self.post.post(owner, encode_handed(handed))
        self.strains += self.post.is_strained(owner)
        if is_posted:
            self.handed_over += len(handed.contents)
            return
        for content, source in zip(handed.contents, handed.sources, strict=True):
            self._receiver.count_refused(NOT_HANDED_OVER, handed.transport, content, source)

    def _take(self, packet: bytes) -> None:
        self._receiver.take_handed(*decode_handed(packet))


def encode_handed(handed: Handed) -> bytes:
    """Write a packet."""
    senders: dict[Source, int] = {}
    places = [senders.setdefault(source, len(senders)) for source in handed.sources]
    head = [
        handed.transport,
        [[source.address, source.device] for source in senders],
        places,
        list(map(len, handed.contents)),
    ]
    return b"".join((json.dumps(head).encode(), b"\n", *handed.contents))


def decode_handed(packet: bytes) -> Handed:
    """Read a packet; its senders may send, as was found where they did."""
    begin = packet.index(b"\n") + 1
    transport, senders, places, lengths = json.loads(packet[:begin])
    sources = [
        Source(address, device, is_allowed=True, is_relay=False) for address, device in senders
    ]
    ends = accumulate(lengths, initial=begin)
    contents = [packet[start:end] for start, end in pairwise(ends)]
    return Handed(transport, contents, [sources[place] for place in places])


def _portions(places: Sequence[int], contents: Sequence[bytes]) -> Iterator[list[int]]:
    """Divide messages into portions that a packet holds; one that is longer is alone."""
    portion: list[int] = []
    size = 0
    for place in places:
        length = len(contents[place])
        if portion and size + length > _PACKET_BYTES:
            yield portion
            portion, size = [], 0
        portion.append(place)
        size += length
    yield portion
