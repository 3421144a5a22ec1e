"""What ``--web.config.file`` demands of whoever connects, as one value that can be exchanged.

The file is that of Prometheus' exporter-toolkit: TLS, client certificates, users, headers, a rate
limit. A new state is prepared and checked first, then adopted as a whole, so that a wrong file or
half of a renewed certificate never weakens what is running. The toolkit reads its file at every
request; here it is read again on reload, and when it or a file that it names has changed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exporters.config.file_fingerprint import FileFingerprint, fingerprint_files
from exporters.config.web_config import (
    WebConfig,
    build_ssl_context,
    is_client_allowed,
    load_web_config,
)
from exporters.errors import ConfigError
from exporters.logs import fields
from exporters.web.authentication import BasicAuthentication
from exporters.web.rate_limit import TokenBucket

logger = logging.getLogger(__name__)

_WATCH_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """A state that was read and checked, and is not in use yet."""

    config: WebConfig
    ssl_context: ssl.SSLContext | None
    fingerprint: FileFingerprint


async def _nothing_to_do(ssl_context: ssl.SSLContext | None) -> None:
    return None


class WebSecurity:
    """The state in use, and how to get to the next one."""

    def __init__(
        self,
        path: Path | None = None,
        *,
        environment: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read *path*; without one, everybody is let in over plain HTTP.

        Raises:
            ConfigError: the file is wrong.
        """
        self._path = path
        self._environment = environment
        self._clock = clock
        self.authentication = BasicAuthentication({})
        self.on_adopt: Callable[[ssl.SSLContext | None], Awaitable[None]] = _nothing_to_do
        self._use(self.prepare())
        self._last_look = self._state.fingerprint
        self._refused: FileFingerprint | None = None

    @property
    def ssl_context(self) -> ssl.SSLContext | None:
        """The TLS context for new connections, or None for plain HTTP."""
        return self._state.ssl_context

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers that every response has."""
        return self._state.config.http_server_config.headers

    def allows_certificate(self, certificate: Mapping[str, Any] | None) -> bool:
        """Whether a client with this verified certificate, or none, is one of those allowed."""
        allowed = self._state.config.tls_server_config.client_allowed_sans
        return is_client_allowed(certificate, allowed)

    def prepare(self) -> Prepared:
        """Read the file and what it names, and change nothing; blocks for as long as disks do.

        Raises:
            ConfigError: something of it is wrong.
        """
        if self._path is None:
            return Prepared(WebConfig(), None, ())
        # Each file is looked at before it is read: what changes meanwhile is read once more.
        config_file = fingerprint_files((self._path,))
        config = load_web_config(self._path, environment=self._environment)
        named_files = fingerprint_files(config.tls_server_config.files)
        return Prepared(config, build_ssl_context(config), config_file + named_files)

    async def adopt(self, prepared: Prepared) -> None:
        """Put *prepared* to use, for new connections and for every request from now on."""
        if self._path is not None:
            self._use(prepared)
            await self.on_adopt(prepared.ssl_context)

    def _use(self, prepared: Prepared) -> None:
        self._state = prepared
        users = prepared.config.basic_auth_users
        self.authentication.replace_users({name: users[name].reveal() for name in users})
        limit = prepared.config.rate_limit
        self.rate_limit = TokenBucket(limit.interval, limit.burst, self._clock)

    async def watch(self) -> None:
        """Follow changes of the files, without end; a renewed certificate needs no reload."""
        while self._path is not None:
            await asyncio.sleep(_WATCH_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Read the files again if they have changed, and have come to rest since the last look.

        A certificate and its key are two files that are written in turn. What is wrong is logged
        once, and the state in use stays.
        """
        if self._path is None:
            return
        now = await asyncio.to_thread(
            fingerprint_files, (self._path, *self._state.config.tls_server_config.files)
        )
        at_rest, self._last_look = now == self._last_look, now
        if not at_rest or now in (self._state.fingerprint, self._refused):
            return
        try:
            await self.adopt(await asyncio.to_thread(self.prepare))
        except ConfigError as error:
            self._refused = now
            logger.error(  # noqa: TRY400 - a mistake in a file, no fault of ours
                "changed web configuration refused", extra=fields(err=error)
            )
