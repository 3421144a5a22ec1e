"""The telemetry of all workers as one page, whichever of them is asked for it.

The workers are asked for their samples, and what those say that answer in time is added up. The
counters of one that does not, or that has ended, stay in the sum as they were last seen, so that no
counter ever falls. What a worker counted between the last scrape and a sudden end is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge

from exporters.metrics.merging import (
    Snapshot,
    merge,
    never_falling,
    of_a_parent,
    registry_of,
    snapshot,
)
from exporters.metrics.negotiation import TextFormat
from exporters.metrics.telemetry import render
from exporters.web.workers.process import WorkerProcess
from exporters.web.workers.questions import SAMPLES_SECONDS


class Totals:
    """What all workers have counted, those that run and those that ended."""

    def __init__(self, name: str, registry: CollectorRegistry, workers: int) -> None:
        self._registry = registry
        self._of_the_ended: Snapshot = []
        self._of_workers = CollectorRegistry()
        Gauge(
            f"{name}_exporter_workers",
            "Worker processes that there should be.",
            registry=self._of_workers,
        ).set(workers)
        self._answered = Gauge(
            f"{name}_exporter_workers_answered",
            "Worker processes whose own metrics are in this answer as they are now.",
            registry=self._of_workers,
        )
        self.restarts = Counter(
            f"{name}_exporter_worker_restarts",
            "Worker processes that were started in place of one that ended.",
            registry=self._of_workers,
        )

    async def text(self, processes: Sequence[WorkerProcess], text_format: TextFormat) -> str:
        """Ask *processes*, and return the metrics of all that there are and have been."""
        answers = await asyncio.gather(*(self._see(process) for process in processes))
        # Without those that have ended meanwhile, whose counters are among those of the ended.
        answered = {p: yes for p, yes in zip(processes, answers, strict=True) if not p.is_gone}
        self._answered.set(sum(answered.values()))
        parts = [
            (str(process.number), process.last_seen if yes else never_falling(process.last_seen))
            for process, yes in answered.items()
        ]
        parts.append(("parent", of_a_parent(snapshot(self._registry))))
        parts.append(("", self._of_the_ended))
        parts.append(("", snapshot(self._of_workers)))
        return render(registry_of(merge(parts)), text_format).decode()

    async def _see(self, process: WorkerProcess) -> bool:
        if process.serving_at is None:
            return False
        try:
            await process.samples.answer(SAMPLES_SECONDS)
        except (TimeoutError, ConnectionError):
            return False
        return True

    def ended(self, process: WorkerProcess) -> None:
        """Keep what *process* had counted."""
        process.is_gone = True
        left = never_falling(process.last_seen)
        self._of_the_ended = merge((("", self._of_the_ended), ("", left)))
