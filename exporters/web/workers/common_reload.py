"""A reload of the parent and all workers.

The parent is first: what is wrong is found there, before any worker has changed. Then the workers
reload side by side. One that is started later begins with what the parent has.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable, Sequence

from exporters.errors import ConfigError
from exporters.logs import fields
from exporters.web.reloading import Reloader
from exporters.web.workers.process import WorkerProcess
from exporters.web.workers.questions import WORKER_RELOAD_SECONDS, ReloadOutcome, ToWorker

logger = logging.getLogger(__name__)


class CommonReload:
    """Reloads all, one reload at a time."""

    def __init__(
        self, reloader: Reloader, processes: Callable[[], Sequence[WorkerProcess]]
    ) -> None:
        self._reloader = reloader
        self._processes = processes
        self._turn = asyncio.Lock()
        self._running: set[asyncio.Task[ReloadOutcome]] = set()
        self.loading = False
        """Whether the parent's configuration is on its way from one state to the next."""

    async def reload(self) -> ReloadOutcome:
        """Reload all, and return what became of it; what went wrong has been logged."""
        # A task of its own, because a worker that ends must not stop half way what it asked for.
        task = asyncio.create_task(self._reload())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def _reload(self) -> ReloadOutcome:
        async with self._turn:
            self.loading = True
            try:
                await self._reloader.reload()
            except ConfigError as error:
                return ReloadOutcome(problems=[str(problem) for problem in error.problems])
            except Exception:
                logger.exception("reload failed, the running configuration stays")
                return ReloadOutcome(failures=["a fault of this program; its log tells more"])
            finally:
                self.loading = False
                # The former configuration may go; the next fork freezes what there is then.
                gc.unfreeze()
            failures = await asyncio.gather(*map(self._reload_worker, self._processes()))
            return ReloadOutcome(failures=[text for texts in failures for text in texts])

    async def _reload_worker(self, process: WorkerProcess) -> list[str]:
        try:
            async with asyncio.timeout(WORKER_RELOAD_SECONDS):
                failures: list[str] = await process.channel.ask(ToWorker.RELOAD)
        except TimeoutError:
            logger.error(  # noqa: TRY400 - the place tells nothing
                "worker has not reloaded in time", extra=fields(worker=process.number)
            )
            failures = [f"did not reload within {WORKER_RELOAD_SECONDS:g} seconds"]
        except ConnectionError:
            # Its successor has the new configuration; that it ended is logged where it is noticed.
            return []
        return [f"worker {process.number}: {failure}" for failure in failures]
