"""Addresses inside the indexes and cells of host and matrix tables."""

from __future__ import annotations

from typing import Final

from exporters.smi.addresses import format_ipv4, format_ipv6, format_physical_address
from exporters.smi.values import hex_text

_LONGEST: Final = 64


def split_addresses(numbers: list[int], count: int) -> list[str]:
    """Take *count* addresses, each behind its length, from the front of an index.

    Raises:
        ValueError: The index ends within an address, or holds what is no octet.
        IndexError: It ends before one.
    """
    found = []
    for _ in range(count):
        length = numbers.pop(0)
        if length > min(_LONGEST, len(numbers)):
            raise ValueError("the index ends within an address")
        found.append(address_text(bytes(numbers[:length])))
        del numbers[:length]
    return found


def address_text(octets: bytes) -> str:
    """Write an address by its length: IPv4, IPv6, MAC, or else hexadecimal."""
    if len(octets) == 4:
        return format_ipv4(octets)
    if len(octets) == 16:
        return format_ipv6(octets)
    return format_physical_address(octets) if len(octets) == 6 else hex_text(octets)
