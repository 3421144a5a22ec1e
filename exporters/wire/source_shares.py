"""Which of several processes has what a source address sends: the same, here and in the kernel.

Sockets that share a port are told apart by a classic BPF program, which reads the source address of
a packet, and nothing else of it. ``share_of`` gives what the program gives. Addresses of devices
are seldom at random: all end in .1, or all are multiples of 4. So the address is mixed until each
of its bits has a say in each bit of the number that is divided. An IPv4 address comes to the same
as it is and mapped into IPv6.

Nothing here is secret, and the shares must not change: files that workers keep are divided by them.

Sources: bpf(4) of FreeBSD for the instructions; socket(7), SO_ATTACH_REUSEPORT_CBPF;
include/uapi/linux/filter.h for SKF_NET_OFF. The mixing is the last step of MurmurHash3 (fmix32).
"""

from __future__ import annotations

import ipaddress
import struct
from typing import Final

_WORD: Final = 2**32 - 1
_FIRST_FACTOR: Final = 0x85EBCA6B
_SECOND_FACTOR: Final = 0xC2B2AE35
_IPV6_WORDS: Final = struct.Struct("!4I")

_INSTRUCTION: Final = struct.Struct("@HBBI")
"""``struct sock_filter``: code, jumps if true and if false, operand."""
_NETWORK_HEADER: Final = -0x100000 & _WORD
_IPV4_SOURCE: Final = _NETWORK_HEADER + 12
_IPV6_SOURCE: Final = _NETWORK_HEADER + 8

_LOAD_WORD: Final = 0x20
_LOAD_OCTET: Final = 0x30
_AND: Final = 0x54
_MULTIPLY: Final = 0x24
_SHIFT_RIGHT: Final = 0x74
_MODULO: Final = 0x94
_XOR_X: Final = 0xAC
_COPY_TO_X: Final = 0x07
_JUMP: Final = 0x05
_JUMP_IF_EQUAL: Final = 0x15
_RETURN: Final = 0x16


def share_of(address: str, count: int) -> int:
    """Give the share, from 0, that an IP address belongs to where there are *count*.

    Raises:
        ValueError: It is no address.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    if isinstance(ip, ipaddress.IPv4Address) or mapped is not None:
        return _mix(int(mapped or ip)) % count
    folded = 0
    for word in _IPV6_WORDS.unpack(ip.packed):
        folded = folded * _FIRST_FACTOR & _WORD ^ word
    return _mix(folded) % count


def _mix(word: int) -> int:
    word = (word ^ word >> 16) * _FIRST_FACTOR & _WORD
    word = (word ^ word >> 13) * _SECOND_FACTOR & _WORD
    return word ^ word >> 16


def share_program(count: int) -> bytes:
    """Give the program that gives the share of a packet: an array of ``struct sock_filter``."""
    of_ipv4 = [(_LOAD_WORD, _IPV4_SOURCE)]
    of_ipv6 = [(_LOAD_WORD, _IPV6_SOURCE)]
    for place in (4, 8, 12):
        of_ipv6 += (
            (_MULTIPLY, _FIRST_FACTOR),
            (_COPY_TO_X, 0),
            (_LOAD_WORD, _IPV6_SOURCE + place),
            (_XOR_X, 0),
        )
    rest = [
        *_fold(16), (_MULTIPLY, _FIRST_FACTOR),
        *_fold(13), (_MULTIPLY, _SECOND_FACTOR),
        *_fold(16), (_MODULO, count),
        (_RETURN, 0),
    ]  # fmt: skip
    return b"".join(
        (
            _encode(_LOAD_OCTET, _NETWORK_HEADER),
            _encode(_AND, 0xF0),
            _encode(_JUMP_IF_EQUAL, 0x60, if_false=len(of_ipv6) + 1),
            *(_encode(*instruction) for instruction in of_ipv6),
            _encode(_JUMP, len(of_ipv4)),
            *(_encode(*instruction) for instruction in (*of_ipv4, *rest)),
        )
    )


def _fold(bits: int) -> tuple[tuple[int, int], ...]:
    """Have the upper bits change the lower ones: A = A ^ A >> bits."""
    return (_COPY_TO_X, 0), (_SHIFT_RIGHT, bits), (_XOR_X, 0)


def _encode(code: int, operand: int, *, if_false: int = 0) -> bytes:
    return _INSTRUCTION.pack(code, 0, if_false, operand)
