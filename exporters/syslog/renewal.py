"""Certificates that are renewed while the exporter runs: followed without a reload.

A certificate and its key are two files that are written in turn, so they are read when they have
come to rest. What is wrong with them is logged once, and those in use stay.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from exporters.config.file_fingerprint import FileFingerprint, fingerprint_files
from exporters.errors import ConfigError
from exporters.logs import fields
from exporters.syslog.connections import Connections
from exporters.syslog.tls import build_server_tls

logger = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 5.0


class Renewal:
    """Looks at the files of the certificates that connections are accepted with."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._last_look: FileFingerprint | None = None
        self._refused: FileFingerprint | None = None

    async def watch(self) -> None:
        """Look again and again, without end."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Read the files again if they have changed, and not since the last look."""
        tls = self._connections.tls
        if tls is None:
            return
        now = await asyncio.to_thread(fingerprint_files, tls.config.files)
        at_rest, self._last_look = now == self._last_look, now
        if not at_rest or now in (tls.files, self._refused):
            return
        try:
            renewed = await asyncio.to_thread(build_server_tls, tls.config)
        except ConfigError as error:
            self._refused = now
            logger.error(  # noqa: TRY400 - a mistake in a file, no fault of ours
                "changed certificates refused", extra=fields(err=error)
            )
            return
        if self._connections.tls is tls:  # else a reload was faster
            self._connections.tls = renewed
            logger.info("certificates renewed", extra=fields(files=len(now)))
