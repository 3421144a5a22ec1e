"""What the log tells of the UDP sockets that a receiver listens on."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from exporters.logs import fields
from exporters.metrics.receive_sockets import ReceiveSocket


def log_listening(logger: logging.Logger, what: str, listeners: Iterable[ReceiveSocket]) -> None:
    """Tell where *what*, traps or syslog, is listened for, and of buffers that are too small."""
    for listener in listeners:
        address = listener.address
        logger.info("listening for %s", what, extra=fields(address=address, transport="udp"))
        if listener.granted_bytes < listener.asked_bytes:
            logger.warning(
                "the receive buffer is smaller than was asked for: raise net.core.rmem_max, or "
                "give the capability CAP_NET_ADMIN",
                extra=fields(
                    address=address,
                    asked_bytes=listener.asked_bytes,
                    granted_bytes=listener.granted_bytes,
                ),
            )
