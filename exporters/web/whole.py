"""What concerns an exporter as a whole, however many processes serve it: telemetry and reload.

Whichever process is asked answers for all of them. ``OneProcess`` is the exporter that has only
one; ``exporters.web.workers.link`` asks the parent of several.
"""

from __future__ import annotations

from typing import Protocol

from prometheus_client import CollectorRegistry

from exporters.errors import NetexportersError
from exporters.metrics.negotiation import TextFormat
from exporters.metrics.telemetry import render
from exporters.web.heap import settle_heap
from exporters.web.reloading import Reloader


class OthersSilentError(NetexportersError):
    """The other processes of this exporter did not answer in time."""


class PartialReloadError(NetexportersError):
    """The configuration is right, but not every process has it; the text says which and why."""


class WholeExporter(Protocol):
    """All processes of an exporter, as one of them sees them."""

    async def telemetry(self, text_format: TextFormat) -> bytes:
        """Return the exporter's own metrics.

        Raises:
            OthersSilentError: they could not be collected in time.
        """

    async def reload(self) -> None:
        """Read the configuration again, everywhere.

        Raises:
            ConfigError: it is wrong, and nothing has changed.
            PartialReloadError: some process has not changed.
            OthersSilentError: nobody can tell.
        """


class OneProcess:
    """An exporter that this process is alone."""

    def __init__(self, registry: CollectorRegistry, reloader: Reloader) -> None:
        self._registry = registry
        self._reloader = reloader

    async def telemetry(self, text_format: TextFormat) -> bytes:
        """Render the registry."""
        return render(self._registry, text_format)

    async def reload(self) -> None:
        """Reload this process."""
        await self._reloader.reload()
        settle_heap()
