"""Reload, by ``POST /-/reload`` or SIGHUP: build, check, swap, and keep count of the outcome.

A wrong file changes nothing. Its problems go to the log and to whoever asked, and
``<name>_exporter_config_last_reload_successful`` shows 0 until a reload succeeds.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from exporters.errors import ConfigError
from exporters.logs import fields
from exporters.metrics.telemetry import ReloadTelemetry
from exporters.web.security import WebSecurity
from exporters.web.service import Service

logger = logging.getLogger(__name__)


class Reloader:
    """Reloads a service and its web configuration, one reload at a time."""

    def __init__(
        self, service: Service, security: WebSecurity, clock: Callable[[], float] = time.time
    ) -> None:
        self._service = service
        self._security = security
        self._clock = clock
        self._telemetry = ReloadTelemetry(service.name, service.registry, clock())
        self._turn = asyncio.Lock()
        self._running: set[asyncio.Task[None]] = set()

    async def reload(self) -> None:
        """Reload everything that is read from files.

        Raises:
            ConfigError: something is wrong; what ran before runs on. It has been logged.
        """
        # A task of its own, because a client that goes away must not stop a reload half way.
        task = asyncio.create_task(self._reload())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        await asyncio.shield(task)

    async def _reload(self) -> None:
        async with self._turn:
            try:
                security = await asyncio.to_thread(self._security.prepare)
                await self._service.reload()
                await self._security.adopt(security)
            except ConfigError as error:
                self._telemetry.failed()
                for problem in error.problems:
                    logger.error(  # noqa: TRY400 - a mistake in a file, no fault of ours
                        "reload refused, the running configuration stays",
                        extra=fields(problem=problem),
                    )
                raise
            except Exception:
                self._telemetry.failed()
                raise
            self._telemetry.succeeded(self._clock())
            logger.info("configuration reloaded", extra=fields(loaded=self._service.summary()))
