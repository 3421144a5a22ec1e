"""What an ICMP error means for the ping that it is about, and its name.

Sources: RFC 792, RFC 1122 s3.2.2, RFC 1812 s5.2.7.1 (codes 9 to 15), RFC 4443 s3, RFC 6550 and 8754
(ICMPv6 codes 7 and 8); the names are icmplib's where it has one.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Final

import icmplib

from exporters.wire.icmp import IpVersion


class ErrorKind(StrEnum):
    """What an error says of the ping; only ``INFORMATIONAL`` leaves open that a reply comes."""

    UNREACHABLE = "unreachable"
    PROHIBITED = "prohibited"
    TTL_EXCEEDED = "ttl_exceeded"
    TOO_BIG = "too_big"
    NEIGHBOR = "neighbor"
    INFORMATIONAL = "informational"


_KINDS: Final[dict[tuple[int, int], ErrorKind]] = {
    (4, 3): ErrorKind.UNREACHABLE,
    (4, 11): ErrorKind.TTL_EXCEEDED,
    (6, 1): ErrorKind.UNREACHABLE,
    (6, 2): ErrorKind.TOO_BIG,
    (6, 3): ErrorKind.TTL_EXCEEDED,
}
_KINDS_OF_CODES: Final[dict[tuple[int, int, int], ErrorKind]] = {
    (4, 3, 4): ErrorKind.TOO_BIG,
    (4, 3, 9): ErrorKind.PROHIBITED,
    (4, 3, 10): ErrorKind.PROHIBITED,
    (4, 3, 13): ErrorKind.PROHIBITED,
    (6, 1, 1): ErrorKind.PROHIBITED,
    (6, 1, 5): ErrorKind.PROHIBITED,
    (6, 1, 6): ErrorKind.PROHIBITED,
}
_NEIGHBOR_FAILED: Final = frozenset(((4, 3, 1), (6, 1, 3)))

# icmplib names the codes of unreachable and exceeded; these it misspells or knows by number only.
_FURTHER_NAMES: Final[dict[tuple[int, int, int], str]] = {
    (4, 3, 9): "Destination network prohibited",
    (4, 3, 10): "Destination host prohibited",
    (6, 1, 7): "Error in source routing header",
    (6, 1, 8): "Headers too long",
}
_NAMES_OF_TYPES: Final[dict[tuple[int, int], str]] = {
    (4, 4): "Source quench",
    (4, 5): "Redirect",
    (4, 12): "Parameter problem",
    (6, 2): "Packet too big",
    (6, 4): "Parameter problem",
    (6, 137): "Redirect",
}


def error_kind(
    version: IpVersion, error_type: int, code: int, *, reported_by_us: bool = False
) -> ErrorKind:
    """Classify an error; *reported_by_us* says that it comes from an address of this machine.

    Our own machine reports a host as unreachable when nobody answered to ARP or neighbour
    discovery: the host, or the next router, is silent on a network that we are part of.
    """
    if reported_by_us and (version, error_type, code) in _NEIGHBOR_FAILED:
        return ErrorKind.NEIGHBOR
    return _KINDS_OF_CODES.get(
        (version, error_type, code),
        _KINDS.get((version, error_type), ErrorKind.INFORMATIONAL),
    )


def may_be_neighbor(version: IpVersion, error_type: int, code: int) -> bool:
    """Whether it depends on the reporter what this error means; see ``error_kind``."""
    return (version, error_type, code) in _NEIGHBOR_FAILED


@lru_cache(maxsize=512)
def error_name(version: IpVersion, error_type: int, code: int) -> str:
    """Name an error, as in "Destination host unreachable"."""
    name = _FURTHER_NAMES.get((version, error_type, code))
    name = name or _NAMES_OF_TYPES.get((version, error_type))
    if name is None:
        try:
            icmplib.ICMPReply("", version, 0, 0, error_type, code, 0, 0.0).raise_for_status()
        except icmplib.ICMPError as error:
            name = str(error)
    return name or "Echo reply"
