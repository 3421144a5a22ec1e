"""How the hosts of a pretend network answer pings: well, badly, or by way of routers that complain.

    hosts = EchoHosts({"10.9.0.7": EchoHost(answers=Impairment(drop_rate=0.1), hops=("10.9.9.1",))})
    for answer in hosts.answers(packet):
        ...                                    # answer.data, after answer.delay_seconds

Pure: no sockets, no clock. ``exporters.demo.echo_network`` has the packets come and go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from random import Random
from typing import Final

from exporters.demo.bad_network import Fate, Impairer, Impairment
from exporters.demo.ip_packets import IcmpPacket, decode_packet, encode_packet, make_error
from exporters.errors import WireError

_ECHO_REPLY: Final = {4: 0, 6: 129}
_TIME_EXCEEDED: Final = {4: (11, 0), 6: (3, 0)}
_TOO_BIG: Final = {4: (3, 4), 6: (2, 0)}
_ECHO_HEADER_BYTES: Final = 4
"""Identifier and sequence number, which an answer that is cut short still has."""


@dataclass(frozen=True, slots=True)
class EchoHost:
    """One address, and the path to it.

    Attributes:
        answers: what the network does to its answers.
        lose_every: of each so many requests the last one stays unanswered; 1 for all, 0 for none.
        answers_from: another address that its answers come from.
        hop_limit: what is left of it when an answer arrives.
        traffic_class: of its answers; None for that of the request.
        payload_bytes: the most that it sends back of a request's payload.
        garbled: it sends back a payload that is not the request's.
        error: type and code of the ICMP error that comes instead of an answer.
        reporter: whose error that is; the host's own where empty.
        extended_errors: errors carry an MPLS label after what they quote.
        hops: addresses of the routers on the way; one without an address keeps silent.
        mtu: the longest packet that the way takes, in bytes; 0 for any.
        mtu_reporter: who says that a packet is too big; nobody where empty: a black hole.
    """

    answers: Impairment = field(default_factory=Impairment)
    lose_every: int = 0
    answers_from: str = ""
    hop_limit: int = 64
    traffic_class: int | None = None
    payload_bytes: int | None = None
    garbled: bool = False
    error: tuple[int, int] | None = None
    reporter: str = ""
    extended_errors: bool = False
    hops: tuple[str, ...] = ()
    mtu: int = 0
    mtu_reporter: str = ""


@dataclass(slots=True)
class HostCounts:
    """What a host has seen and done."""

    requests: int = 0
    answers: int = 0
    errors: int = 0
    bytes_longest: int = 0
    traffic_classes: set[int] = field(default_factory=set)


class EchoHosts:
    """All addresses of a network; those that nothing is said of answer well.

    Args:
        hosts: Addresses, and how each answers.
        seed: Of all chance.
    """

    def __init__(self, hosts: Mapping[str, EchoHost], seed: int = 0) -> None:
        self._seed = seed
        self._hosts: dict[str, EchoHost] = {}
        self._impairers: dict[str, Impairer] = {}
        self.counts: dict[str, HostCounts] = {}
        self.change(hosts)

    def change(self, hosts: Mapping[str, EchoHost]) -> None:
        """Let these addresses answer in another way from now on; counts go on."""
        for address, host in hosts.items():
            key = str(ip_address(address))
            self._hosts[key] = host
            seed = Random(f"{self._seed} {key}").getrandbits(32)
            self._impairers[key] = Impairer(host.answers, seed)

    def answers(self, data: bytes) -> list[Fate]:
        """Give what comes back for the packet *data*, and after how long; most often one packet."""
        try:
            request = decode_packet(data)
        except WireError:
            return []
        if not request.is_echo_request:
            return []
        address = str(request.destination)
        host = self._hosts.get(address, _WELL)
        counts = self.counts.setdefault(address, HostCounts())
        counts.requests += 1
        counts.bytes_longest = max(counts.bytes_longest, len(data))
        counts.traffic_classes.add(request.traffic_class)
        answer = _answer(host, request, data, counts)
        if answer is None:
            return []
        encoded = encode_packet(answer)
        impairer = self._impairers.get(address)
        return [Fate(0.0, encoded, False)] if impairer is None else impairer.fates(encoded)


_WELL: Final = EchoHost()


def _answer(
    host: EchoHost, request: IcmpPacket, data: bytes, counts: HostCounts
) -> IcmpPacket | None:
    """Follow a request along its path: routers first, then the host."""
    version = request.version
    if request.hop_limit <= len(host.hops):
        router = host.hops[request.hop_limit - 1]
        return _error(host, router, data, _TIME_EXCEEDED[version], counts) if router else None
    if host.mtu and len(data) > host.mtu and request.dont_fragment:
        if not host.mtu_reporter:
            return None
        return _error(host, host.mtu_reporter, data, _TOO_BIG[version], counts, mtu=host.mtu)
    if host.lose_every and counts.requests % host.lose_every == 0:
        return None
    if host.error is not None:
        reporter = host.reporter or str(request.destination)
        return _error(host, reporter, data, host.error, counts)
    counts.answers += 1
    rest = request.rest
    if host.payload_bytes is not None:
        rest = rest[: _ECHO_HEADER_BYTES + host.payload_bytes]
    if host.garbled:
        rest = rest[:_ECHO_HEADER_BYTES] + bytes(byte ^ 0x55 for byte in rest[_ECHO_HEADER_BYTES:])
    return replace(
        request,
        source=ip_address(host.answers_from) if host.answers_from else request.destination,
        destination=request.source,
        type=_ECHO_REPLY[version],
        rest=rest,
        hop_limit=host.hop_limit,
        traffic_class=(request.traffic_class if host.traffic_class is None else host.traffic_class),
        dont_fragment=False,
    )


def _error(
    host: EchoHost,
    reporter: str,
    data: bytes,
    type_code: tuple[int, int],
    counts: HostCounts,
    *,
    mtu: int = 0,
) -> IcmpPacket:
    counts.errors += 1
    return make_error(reporter, data, type_code, mtu=mtu, extended=host.extended_errors)


def read_hosts(document: Mapping[str, Mapping[str, object]]) -> dict[str, EchoHost]:
    """Read hosts from a JSON object: address -> the fields of ``EchoHost``, as far as they differ.

    Raises:
        TypeError: A field that there is not.
        ValueError: Not an address.
    """
    hosts = {}
    for address, fields in document.items():
        values = {name: _as_tuple(value) for name, value in fields.items()}
        impairment = values.pop("answers", None)
        if isinstance(impairment, Mapping):
            values["answers"] = Impairment(**impairment)
        hosts[str(ip_address(address))] = EchoHost(**values)  # type: ignore[arg-type]
    return hosts


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
