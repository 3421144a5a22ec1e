"""Text of syslog messages: UTF-8 if it is, Latin-1 if it is not.

RFC 5424 s6.4 lets MSG be UTF-8 after a byte order mark and any octets without one; devices send
Latin-1 and plain memory with either. Control characters stay: whoever shows text escapes it.
"""

from __future__ import annotations

from typing import Final

BOM: Final = b"\xef\xbb\xbf"


def strip_trailer(data: bytes) -> bytes:
    r"""Drop what senders put after a message: ``\n``, ``\r\n``, ``\0``."""
    return data.rstrip(b"\r\n\0")


def decode_octets(data: bytes) -> tuple[str, bool]:
    """Give the text of *data*, and whether it was UTF-8."""
    try:
        return data.decode(), True
    except UnicodeDecodeError:
        if BOM in data:
            # It claims to be UTF-8: what is not is damage, not another character set.
            return data.decode(errors="replace"), False
        return data.decode("latin-1"), False
