"""Shares of sources: what they come to for addresses, and a plain reading of the kernel's program.

That the kernel reads the program alike is for ``tests/unit/sockets/test_shared_port.py``.
"""

from __future__ import annotations

import ipaddress
import random
import struct
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.wire.source_shares import share_of, share_program

COUNTS = (2, 3, 4, 7, 512)


def packet(source: str) -> bytes:
    """The header of a packet, as far as the program looks at it; all else is at random."""
    ip = ipaddress.ip_address(source)
    noise = random.Random(source).randbytes
    if ip.version == 4:
        return b"\x45" + noise(11) + ip.packed + noise(20)
    # Version and traffic class share the first octet: a device may mark what it sends.
    return bytes([0x60 | noise(1)[0] & 0x0F]) + noise(7) + ip.packed + noise(20)


def run(program: bytes, header: bytes) -> int:
    """Do what the instructions say, as the kernel's documentation tells it (filter.txt)."""
    accumulator = index = at = 0
    instructions = list(struct.iter_unpack("@HBBI", program))
    while True:
        code, if_true, if_false, operand = instructions[at]
        place = operand - (2**32 - 0x100000)
        at += 1
        match code:
            case 0x20:
                accumulator = int.from_bytes(header[place : place + 4], "big")
            case 0x30:
                accumulator = header[place]
            case 0x54:
                accumulator &= operand
            case 0x24:
                accumulator = accumulator * operand % 2**32
            case 0x74:
                accumulator >>= operand
            case 0x94:
                accumulator %= operand
            case 0xAC:
                accumulator ^= index
            case 0x07:
                index = accumulator
            case 0x05:
                at += operand
            case 0x15:
                at += if_true if accumulator == operand else if_false
            case 0x16:
                return accumulator
            case _:
                raise AssertionError(f"unknown instruction {code:#x}")


@given(st.ip_addresses(), st.sampled_from(COUNTS))
def test_program_gives_what_python_gives(source, count):
    address = str(source)
    if source.version == 6 and source.ipv4_mapped:
        address = str(source.ipv4_mapped)  # on the wire it is IPv4
    assert run(share_program(count), packet(address)) == share_of(str(source), count)


@pytest.mark.parametrize("count", COUNTS)
def test_ipv4_in_ipv6_has_the_share_of_the_ipv4_address(count):
    for last in range(1, 50):
        assert share_of(f"::ffff:192.0.2.{last}", count) == share_of(f"192.0.2.{last}", count)


def test_zone_of_an_address_is_no_part_of_it():
    assert share_of("fe80::1%eth0", 512) == share_of("fe80::1", 512)


def test_shares_of_known_addresses_stay_what_they_were():
    # State files are divided by them.
    addresses = ("192.0.2.1", "198.51.100.7", "10.0.0.1", "2001:db8::1", "fe80::1")
    assert [share_of(address, 512) for address in addresses] == [414, 485, 399, 420, 436]


@pytest.mark.parametrize(
    "addresses",
    [
        [f"10.0.{third}.1" for third in range(256)],
        [f"10.{second}.0.1" for second in range(256)],
        [f"192.0.2.{last}" for last in range(256)],
        [f"10.0.{low // 64}.{low % 64 * 4}" for low in range(256)],
        [f"2001:db8:{number:x}::1" for number in range(256)],
        [f"2001:db8::{number:x}" for number in range(256)],
        [f"fe80::2{number:x}:5eff:fe00:1" for number in range(256)],
    ],
    ids=["third octet", "second octet", "last octet", "multiples", "prefix", "host", "eui64"],
)
def test_addresses_that_are_alike_are_spread(addresses):
    for count in (2, 3, 4, 8):
        shares = Counter(share_of(address, count) for address in addresses)
        even = len(addresses) / count
        assert len(shares) == count
        assert max(shares.values()) < 1.6 * even, shares


def test_what_is_no_address_has_no_share():
    with pytest.raises(ValueError, match="switch"):
        share_of("switch.example", 2)
