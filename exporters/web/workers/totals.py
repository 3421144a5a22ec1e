"""The metrics of all workers as one page, whichever of them is asked for it.

The workers are asked for what they have to tell, and what those say that answer in time is joined.
A part that is missing must not look like a counter that was reset, or a state that has ended:

    a worker that does not answer       what it has measured counts as it was last seen, and so do
                                        its counters; its gauges of itself are missing
    one that has ended                  its counters stay in the sum, beside those of its successor;
                                        what else it has measured, states above all, is shown until
                                        its successor has told what there is now

What a worker counted between the last scrape and a sudden end is lost. The parent does the work:
it receives nothing, so it may take its time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge

from exporters.metrics.joining import join, split_by_life
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
from exporters.web.turns import BodyWriter
from exporters.web.workers.process import Seen, WorkerProcess
from exporters.web.workers.questions import SEEN_SECONDS


class Totals:
    """What all workers have measured and counted, those that run and those that ended."""

    def __init__(self, name: str, registry: CollectorRegistry, workers: int) -> None:
        self._registry = registry
        self._telemetry_of_the_ended: Snapshot = []
        self._samples_of_the_ended = ""
        self._until_succeeded: dict[int, str] = {}
        """What was there when a worker ended, by its number, until another has its place."""
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

    async def body(
        self, processes: Sequence[WorkerProcess], text_format: TextFormat, *, gzipped: bool
    ) -> bytes:
        """Ask *processes*, and return the metrics of all that there are and have been."""
        answers = await asyncio.gather(*(self._see(process) for process in processes))
        # Without those that have ended meanwhile, whose counters are among those of the ended.
        answered = {p: yes for p, yes in zip(processes, answers, strict=True) if not p.is_gone}
        self._answered.set(sum(answered.values()))
        writer = BodyWriter(gzipped=gzipped)
        await writer.write_in_turns(self._samples(list(answered), text_format))
        writer.write(self._telemetry(answered, text_format))
        return writer.finish()

    def _samples(
        self, processes: Sequence[WorkerProcess], text_format: TextFormat
    ) -> Iterator[str]:
        texts = self._until_succeeded | {
            process.number: process.last_seen.samples
            for process in processes
            if process.last_seen is not None
        }
        in_order = [texts[number] for number in sorted(texts)]
        for family in join((*in_order, self._samples_of_the_ended)):
            yield family.text(text_format)

    def _telemetry(self, answered: dict[WorkerProcess, bool], text_format: TextFormat) -> bytes:
        parts = [
            (str(process.number), telemetry if yes else never_falling(telemetry))
            for process, yes in answered.items()
            for telemetry in (_seen(process).telemetry,)
        ]
        parts.append(("parent", of_a_parent(snapshot(self._registry))))
        parts.append(("", self._telemetry_of_the_ended))
        parts.append(("", snapshot(self._of_workers)))
        return render(registry_of(merge(parts)), text_format)

    async def _see(self, process: WorkerProcess) -> bool:
        if process.serving_at is None:
            return False
        try:
            await process.seeing.answer(SEEN_SECONDS)
        except (TimeoutError, ConnectionError):
            return False
        self._until_succeeded.pop(process.number, None)
        return True

    def ended(self, process: WorkerProcess) -> None:
        """Keep what *process* had counted, and for a while what it had to tell of now."""
        process.is_gone = True
        left = never_falling(_seen(process).telemetry)
        self._telemetry_of_the_ended = merge((("", self._telemetry_of_the_ended), ("", left)))
        samples = _seen(process).samples
        if samples:
            stays, self._until_succeeded[process.number] = split_by_life(join((samples,)))
            families = join((self._samples_of_the_ended, stays))
            self._samples_of_the_ended, _ = split_by_life(families)


def _seen(process: WorkerProcess) -> Seen:
    return process.last_seen or Seen()
