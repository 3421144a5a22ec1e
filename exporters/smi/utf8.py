"""Text from octets that should be UTF-8 and often are not.

Prometheus refuses a label value that is not UTF-8, and devices send Latin-1, GBK and plain memory.
A run of octets that are no UTF-8 becomes one U+FFFD, however long the run is, because that is the
text snmp_exporter's users have in their dashboards (Go's ``strings.ToValidUTF8``). Everything that
is UTF-8 stays as it is, NUL and control characters included.

Sources: RFC 3629 (UTF-8), RFC 2579 section 2 (DisplayString is NVT ASCII, which UTF-8 contains).
"""

from __future__ import annotations

import re

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

# "surrogateescape" turns an octet that is no UTF-8 into one of these, and nothing else into them.
_INVALID_RUN = re.compile("[\udc80-\udcff]+")


def decode_text(raw: bytes) -> str:
    r"""Decode UTF-8, with one U+FFFD for each run of octets that are not.

    Example: ``decode_text(b"sane\xfd\xbe\xd6") == "sane\ufffd"``
    """
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return _INVALID_RUN.sub(REPLACEMENT, raw.decode(errors="surrogateescape"))
