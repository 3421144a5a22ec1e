"""What stands in the payload of our echo requests, by which a reply is known to be the answer.

Layout, 24 bytes and then filling, cut to the size that is wanted::

    magic 4 | nonce 8 | sequence 8 | balance 2 | zero 2 | filling

The nonce belongs to one destination of one process; the sequence does not wrap as the 16 bits in
the ICMP header do. The balance makes up for the sequence, in header and payload, so that the
checksum of the message stays the same: routers that choose among parallel paths by the first bytes
behind the IP header send all pings of a destination along one of them. No time is in it: what a
stranger sends back is no clock.

Source: Augustin et al., "Avoiding traceroute anomalies with Paris traceroute" (the balance).
"""

from __future__ import annotations

from struct import Struct
from typing import Final

SIGNED_BYTES: Final = 24
"""The size from which on a payload says all of itself; a shorter one is cut."""

SIGNATURE_BYTES: Final = 12
"""How much of a payload tells whose it is: magic and nonce."""

_MAGIC: Final = b"nxp\x01"
_HEAD: Final = Struct("!4sQ")
_SEQUENCE: Final = Struct("!QHH")
_SEQUENCE_END: Final = 20
_FILLING: Final = bytes(range(0x10, 0x38))


class EchoPayload:
    """The payloads of one destination: the same but for the sequence.

    Attributes:
        signature: what all of them start with, as far as they have room.
    """

    __slots__ = ("_size_bytes", "_tail", "signature")

    def __init__(self, nonce: int, size_bytes: int) -> None:
        """Prepare payloads of *size_bytes*; *nonce* is a number of 64 bits."""
        self.signature = _HEAD.pack(_MAGIC, nonce)
        filling = max(size_bytes - SIGNED_BYTES, 0)
        self._tail = (_FILLING * (filling // len(_FILLING) + 1))[:filling]
        self._size_bytes = size_bytes

    def encode(self, sequence: int) -> bytes:
        """Build the payload of the ping number *sequence*, whose header has its lowest 16 bits."""
        # The words' sum modulo 65535 is the number modulo 65535, as in a checksum.
        balance = 0xFFFF - ((sequence & 0xFFFF) + sequence) % 0xFFFF
        payload = self.signature + _SEQUENCE.pack(sequence, balance, 0) + self._tail
        return payload if self._size_bytes >= SIGNED_BYTES else payload[: self._size_bytes]


def read_sequence(payload: bytes) -> int | None:
    """Return the unwrapped sequence of a payload of this form; None where it is cut off."""
    if len(payload) < _SEQUENCE_END or not payload.startswith(_MAGIC):
        return None
    return int.from_bytes(payload[SIGNATURE_BYTES:_SEQUENCE_END], "big")
