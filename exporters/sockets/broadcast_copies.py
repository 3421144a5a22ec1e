"""Datagrams to a broadcast or multicast address, of which every socket of a port has a copy.

What is sent to one host comes to one of the sockets that share a port
(``exporters.sockets.shared_port``). What is sent to all hosts of a network is not divided: the
kernel gives it to all of them. It counts where its sender is heard, and nowhere else.

Source: net/ipv4/udp.c, __udp4_lib_mcast_deliver.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

Batch = tuple[list[bytes], list[bytes], list[int]]
"""Contents, hosts, and the places of contents that were cut."""

_MOST_HOSTS: Final = 50_000


class Reader(Protocol):
    """Reads a socket."""

    def read(self) -> Batch:
        """Give what has arrived, as much as one call takes."""

    def envelope(self, place: int) -> bytes:
        """Give name and control of a datagram of the last batch, as the kernel writes them."""


class OwnReader:
    """Reads what another reader does, without copies of what others read.

    Args:
        reader: The other one.
        is_own: Whether what a host sends to one address comes to this socket.
    """

    def __init__(self, reader: Reader, is_own: Callable[[bytes], bool]) -> None:
        self.copies = 0
        """How many it has left out."""
        self._reader = reader
        self._is_own = is_own
        self._own_hosts: set[bytes] = set()
        self._places: Sequence[int] | None = None

    def read(self) -> Batch:
        """Give what has arrived."""
        contents, hosts, cut = self._reader.read()
        self._places = None
        if self._own_hosts.issuperset(hosts):
            return contents, hosts, cut
        places = [place for place, host in enumerate(hosts) if self._hears(host)]
        self.copies += len(hosts) - len(places)
        self._places = places
        return (
            [contents[place] for place in places],
            [hosts[place] for place in places],
            [now for now, place in enumerate(places) if place in cut],
        )

    def envelope(self, place: int) -> bytes:
        """Give name and control of a datagram that was given last."""
        return self._reader.envelope(place if self._places is None else self._places[place])

    def _hears(self, host: bytes) -> bool:
        if host in self._own_hosts:
            return True
        if not self._is_own(host):
            return False
        if len(self._own_hosts) >= _MOST_HOSTS:
            self._own_hosts.clear()  # forged addresses; those of devices are soon back
        self._own_hosts.add(host)
        return True
