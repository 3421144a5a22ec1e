"""The certificate in a Certificate message of a TLS handshake: the first of its list.

Layout of the message (RFC 5246 s7.4.2, RFC 8446 s4.4.2)::

    | 11 | length 3 | [TLS 1.3: length 1, context] | length 3 | { length 3, certificate, ... } ... |
"""

from __future__ import annotations

from typing import Final

_CERTIFICATE: Final = 11


def leaf_certificate(message: bytes, *, has_context: bool) -> bytes | None:
    """Give the DER of the sender's own certificate; ``None``: there is none, or no such message.

    Args:
        message: With its header.
        has_context: Whether it is a message of TLS 1.3.
    """
    if message[:1] != bytes((_CERTIFICATE,)):
        return None
    position = 4
    if has_context:
        position += 1 + int.from_bytes(message[position : position + 1])
    position += 3
    size = int.from_bytes(message[position : position + 3])
    certificate = message[position + 3 : position + 3 + size]
    return certificate if size and len(certificate) == size else None
