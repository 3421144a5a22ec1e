"""BER as SNMP uses it: lengths, integers, object identifiers and the walk over their bytes.

An OID is handled as the content bytes of its encoding (no tag, no length), because comparing,
slicing and hashing bytes is what a poller does most. Sub-identifiers are self-delimiting, so one
OID lies below another exactly when its bytes start with the other's.

Sources: X.690 sections 8.1 to 8.3 and 8.19, RFC 3417 section 8 (SNMP's restrictions).
"""

from __future__ import annotations

from collections.abc import Iterable

from exporters.errors import WireError

_OID_EXAMPLE = "expected dotted numbers such as 1.3.6.1.2.1.1.3.0"

Oid = bytes

_MAX_SUBID = 0xFFFFFFFF


def encode_length(length: int) -> bytes:
    """Encode a definite length (X.690 s8.1.3)."""
    if length < 0x80:
        return bytes((length,))
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(octets),)) + octets


def encode_tlv(tag: int, content: bytes) -> bytes:
    """Put a tag and a length before *content*."""
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    return bytes((tag,)) + encode_length(length) + content


def encode_integer_content(value: int) -> bytes:
    """Encode a two's-complement integer in as few bytes as it needs (X.690 s8.3)."""
    # -128 needs eight bits as -127 does, not nine as 128: hence the step towards zero.
    return value.to_bytes((value + (value < 0)).bit_length() // 8 + 1, "big", signed=True)


def encode_integer(value: int) -> bytes:
    """Encode an INTEGER with its tag and length."""
    content = encode_integer_content(value)
    return bytes((0x02, len(content))) + content


def encode_subids(subids: Iterable[int]) -> Oid:
    """Encode whole sub-identifiers, base 128 with the high bit as "more follows" (X.690 s8.19).

    Raises:
        ValueError: A sub-identifier is negative or does not fit 32 bits (RFC 2578 s3.5).
    """
    out = bytearray()
    for subid in subids:
        if 0 <= subid < 0x80:
            out.append(subid)
            continue
        if not 0 <= subid <= _MAX_SUBID:
            raise ValueError(f"sub-identifier {subid} does not fit 32 unsigned bits")
        groups = [subid & 0x7F]
        subid >>= 7
        while subid:
            groups.append(0x80 | (subid & 0x7F))
            subid >>= 7
        out.extend(reversed(groups))
    return bytes(out)


def encode_oid(text: str) -> Oid:
    r"""Encode a dotted OID; one leading dot is allowed.

    Raises:
        ValueError: *text* is not an OID: empty, not numeric, or with impossible first arcs.

    Example: ``encode_oid("1.3.6.1") == b"\x2b\x06\x01"``
    """
    dotted = text.removeprefix(".")
    parts = dotted.split(".")
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError(f"{text!r} is not an OID: {_OID_EXAMPLE}")
    arcs = [int(part) for part in parts]
    if arcs[0] > 2 or (len(arcs) > 1 and arcs[0] < 2 and arcs[1] > 39):
        raise ValueError(f"{text!r} is not an OID: the first arcs cannot be {arcs[0:2]}")
    if len(arcs) > 128:
        raise ValueError(f"{text!r} is not an OID: more than 128 sub-identifiers")
    if len(arcs) == 1:
        arcs.append(0)
    return encode_subids([arcs[0] * 40 + arcs[1], *arcs[2:]])


def decode_subids(content: bytes) -> tuple[int, ...]:
    """Decode whole sub-identifiers, such as the instance part of an OID.

    Raises:
        WireError: The last sub-identifier is cut off, or one does not fit 32 bits.
    """
    if content.isascii():
        return tuple(content)
    subids: list[int] = []
    subid = 0
    for octet in content:
        subid = (subid << 7) | (octet & 0x7F)
        if subid > _MAX_SUBID:
            raise WireError("a sub-identifier does not fit 32 bits")
        if octet < 0x80:
            subids.append(subid)
            subid = 0
    if content[-1] >= 0x80:
        raise WireError("an object identifier ends inside a sub-identifier")
    return tuple(subids)


def parent_oid(content: Oid) -> Oid:
    """Give an OID without its last sub-identifier; empty for one that has no other."""
    size = 1
    while size < len(content) and content[-size - 1] >= 0x80:
        size += 1
    return content[:-size]


def decode_oid(content: Oid) -> tuple[int, ...]:
    """Decode an OID to its arcs; the first sub-identifier carries two of them (X.690 s8.19.4).

    Raises:
        WireError: The OID is empty, or as ``decode_subids``.
    """
    if not content:
        raise WireError("an object identifier is empty")
    first, *rest = decode_subids(content)
    if first < 80:
        return (first // 40, first % 40, *rest)
    return (2, first - 80, *rest)


def format_oid(content: Oid) -> str:
    """Write an OID in dotted decimal, without a leading dot.

    Raises:
        WireError: As ``decode_oid``.
    """
    return ".".join(map(str, decode_oid(content)))


def read_header(data: bytes, position: int, end: int) -> tuple[int, int, int]:
    """Read one tag and length.

    A tag is one byte: SNMP has none of several, so whoever compares the tag refuses those too.

    Returns:
        The tag, where the content starts, and where it ends (never past *end*).

    Raises:
        WireError: The element is cut off, is longer than what holds it, or its length has a form
            that SNMP does not have (indefinite, or more than 4 bytes).
    """
    if position + 2 > end:
        raise WireError(f"an element is cut off at byte {position}")
    tag = data[position]
    length = data[position + 1]
    start = position + 2
    if length >= 0x80:
        count = length & 0x7F
        if count == 0 or count > 4 or start + count > end:
            raise WireError(f"byte {position + 1} is not a definite length of at most 4 bytes")
        length = int.from_bytes(data[start : start + count], "big")
        start += count
    stop = start + length
    if stop > end:
        raise WireError(
            f"the element at byte {position} is {stop - end} bytes longer than its frame"
        )
    return tag, start, stop


def expect(data: bytes, position: int, end: int, tag: int, what: str) -> tuple[int, int]:
    """Read a header that must have *tag*; give where its content starts and ends.

    Raises:
        WireError: As ``read_header``, or another tag stands there.
    """
    found, start, stop = read_header(data, position, end)
    if found != tag:
        raise WireError(f"{what} at byte {position} has tag 0x{found:02x}, expected 0x{tag:02x}")
    return start, stop


def read_integer(data: bytes, position: int, end: int, what: str) -> tuple[int, int]:
    """Read an INTEGER; give its value and where it ends.

    Raises:
        WireError: It is not an INTEGER of 1 to 8 bytes (some agents send 5 for 32 bits).
    """
    start, stop = expect(data, position, end, 0x02, what)
    if not 1 <= stop - start <= 8:
        raise WireError(f"{what} at byte {position} is an integer of {stop - start} bytes")
    return int.from_bytes(data[start:stop], "big", signed=True), stop
