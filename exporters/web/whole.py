"""What concerns an exporter as a whole, however many processes serve it.

Whichever process is asked answers for all of them: with what all have measured and counted, with
what all answer to a question of the service, with a reload of all. ``OneProcess`` is the exporter
that has only one; ``exporters.web.workers.link`` asks the parent of several.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from exporters.errors import NetexportersError
from exporters.metrics.negotiation import TextFormat
from exporters.metrics.telemetry import render
from exporters.web.heap import settle_heap
from exporters.web.reloading import Reloader
from exporters.web.service import Service
from exporters.web.turns import BodyWriter


class OthersSilentError(NetexportersError):
    """The other processes of this exporter did not answer in time."""


class PartialReloadError(NetexportersError):
    """The configuration is right, but not every process has it; the text says which and why."""


class WholeExporter(Protocol):
    """All processes of an exporter, as one of them sees them."""

    async def metrics(self, text_format: TextFormat, *, gzipped: bool) -> bytes:
        """Return what the exporter has measured, and its own metrics, as the body of a response.

        Raises:
            OthersSilentError: they could not be collected in time.
        """

    async def ask_all(self, question: str, argument: object) -> Sequence[Any]:
        """Return what each process answers to one of ``Service.questions``; None of the silent.

        Raises:
            OthersSilentError: nobody can be asked.
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

    def __init__(self, service: Service, reloader: Reloader) -> None:
        self._service = service
        self._reloader = reloader

    async def metrics(self, text_format: TextFormat, *, gzipped: bool) -> bytes:
        """Write samples first, because OpenMetrics has an end, which the registry's text brings."""
        writer = BodyWriter(gzipped=gzipped)
        if self._service.samples is not None:
            await writer.write_in_turns(self._service.samples(text_format))
        writer.write(render(self._service.registry, text_format))
        return writer.finish()

    async def ask_all(self, question: str, argument: object) -> Sequence[Any]:
        """Ask this process."""
        return [self._service.questions[question](argument)]

    async def reload(self) -> None:
        """Reload this process."""
        await self._reloader.reload()
        settle_heap()
