"""What messages come over: the values of the label ``transport``, and the schemes of addresses."""

from __future__ import annotations

from typing import Final

TRANSPORTS: Final = {
    "udp": "datagrams (RFC 5426)",
    "tcp": "connections, with either framing of RFC 6587",
    "tls": "connections that are encrypted (RFC 5425)",
    "unix-dgram": "datagrams of this machine, such as /dev/log has",
    "unix-stream": "connections of this machine",
}
"""All transports, and what they are."""

LOCAL_ADDRESS: Final = "127.0.0.1"
"""What a message over a Unix socket is of: a host of the inventory, and a relay, if this is one."""
