"""The parent of the workers: starts them, starts others in place of those that end, ends them all.

    SIGHUP      all reload
    SIGTERM,    all drain and end; who takes too long is killed; a second signal ends all at once
    SIGINT
    SIGCHLD     a worker ended

A worker tells when it serves. One that ends before, while no other serves, shows that none will:
the parent gives up (``restarts.py``). The parent reads no HTTP and writes none.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any, NoReturn

from aiohttp import web

from exporters import logs
from exporters.errors import NetexportersError
from exporters.logs import fields
from exporters.metrics.negotiation import TextFormat
from exporters.web.listeners import describe_listener
from exporters.web.server import reload_on_hangup, serve
from exporters.web.shell import SHELL
from exporters.web.signals import handled_signals
from exporters.web.workers.common_reload import CommonReload
from exporters.web.workers.everybody import ask_everybody
from exporters.web.workers.fork import fork
from exporters.web.workers.link import ParentLink
from exporters.web.workers.process import WorkerProcess
from exporters.web.workers.questions import ToParent, ToWorker
from exporters.web.workers.restarts import Restarts
from exporters.web.workers.sharing import ConnectionCounts, SharingAcceptor
from exporters.web.workers.totals import Totals

logger = logging.getLogger(__name__)

_NOT_NOW_SECONDS = 0.1
_LEAVE_SECONDS = 3.0
_KILLED_SECONDS = 5.0
_EXIT_CODES_ON_REQUEST = frozenset(
    (0, *(code for number in (signal.SIGTERM, signal.SIGINT) for code in (-number, 128 + number)))
)


async def supervise(
    app: web.Application,
    listeners: Sequence[socket.socket],
    workers: int,
    shutdown_timeout_seconds: float,
) -> None:
    """Serve *app*, built with a ParentLink, from *workers* processes until SIGTERM or SIGINT.

    Raises:
        NetexportersError: the workers end as soon as they are started.
    """
    supervisor = Supervisor(app, listeners, workers, shutdown_timeout_seconds)
    with handled_signals() as signals:
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, supervisor.reap)
        await supervisor.run(signals.end, signals.hangup)
    logger.info("ended")


class Supervisor:
    """The workers, by their numbers, and what happens to them."""

    def __init__(
        self,
        app: web.Application,
        listeners: Sequence[socket.socket],
        workers: int,
        shutdown_timeout_seconds: float,
    ) -> None:
        shell = app[SHELL]
        if not isinstance(shell.whole, ParentLink):
            raise TypeError("an application of several workers needs a ParentLink")
        self._app = app
        self._service = shell.service
        self._link = shell.whole
        self._security = shell.security
        self._listeners = listeners
        self._workers = workers
        self._shutdown_timeout_seconds = shutdown_timeout_seconds
        self._counts = ConnectionCounts(workers)
        self._restarts = Restarts(workers)
        self._processes: dict[int, WorkerProcess] = {}
        self._tending: set[asyncio.Task[None]] = set()
        self._totals = Totals(shell.service.name, shell.service.registry, workers)
        self._reload = CommonReload(shell.reloader, self._running)
        self._executor = ThreadPoolExecutor()
        self._end = asyncio.Event()
        self._has_listened = False
        self._failure = ""

    async def run(self, end: asyncio.Event, hangup: asyncio.Event) -> None:
        """Keep the workers running until *end* is set, then end them.

        Raises:
            NetexportersError: they cannot be kept running.
        """
        self._end = end
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            background = (
                tasks.create_task(reload_on_hangup(self._reload.reload, hangup)),
                tasks.create_task(self._security.watch()),
            )
            for number in range(self._workers):
                self._start_in(0.0, number)
            await end.wait()
            for task in background:
                task.cancel()
            await self._end_all()
        if self._failure:
            raise NetexportersError(self._failure)

    def _running(self) -> list[WorkerProcess]:
        return list(self._processes.values())

    def _start_in(self, seconds: float, number: int) -> None:
        asyncio.get_running_loop().call_later(seconds, self._start, number)

    def _start(self, number: int) -> None:
        if self._end.is_set():
            return
        if self._reload.loading:
            # In a thread, and the worker shall have the configuration that comes of it.
            self._start_in(_NOT_NOW_SECONDS, number)
            return
        self._let_threads_end()
        try:
            with ExitStack() as undo:
                ours, theirs = map(undo.enter_context, socket.socketpair())
                pid = fork()
                undo.pop_all()
        except OSError as error:
            logger.error("worker cannot be started", extra=fields(worker=number, err=error))  # noqa: TRY400
            self._start_again(number, None, f"cannot be started: {error}")
            return
        if pid == 0:
            ours.close()
            self._be_worker(number, theirs)
        theirs.close()
        process = self._processes[number] = WorkerProcess(number, pid, ours)
        task = self._tasks.create_task(self._tend(process))
        self._tending.add(task)
        task.add_done_callback(self._tending.discard)

    def _let_threads_end(self) -> None:
        """End the threads that file reading was left to; more come when they are needed."""
        self._executor.shutdown(wait=True)
        self._executor = ThreadPoolExecutor()
        asyncio.get_running_loop().set_default_executor(self._executor)

    def _be_worker(self, number: int, end: socket.socket) -> NoReturn:
        """Be the child, to the end of the process."""
        exit_code = 1
        try:
            # Or the others would not notice when their parent is gone.
            for process in self._processes.values():
                process.end.close()
            logs.add_to_every_line(worker=number)
            self._link.connect(end)
            self._service.become(number)
            asyncio.run(
                serve(
                    self._app,
                    SharingAcceptor(self._listeners, self._counts, number),
                    shutdown_timeout_seconds=self._shutdown_timeout_seconds,
                    companion=self._link.attached,
                )
            )
            exit_code = 0
        except (NetexportersError, OSError) as error:
            logger.error("worker cannot serve", extra=fields(err=error))  # noqa: TRY400
        except BaseException:
            logger.exception("ended by a fault of this program")
        finally:
            with suppress(Exception):
                logging.shutdown()
                sys.stdout.flush()
            os._exit(exit_code)

    async def _tend(self, process: WorkerProcess) -> None:
        """Answer *process* until it ends, and do what is to be done then."""
        await process.channel.run(partial(self._answer, process))
        exit_code = await process.exit_code
        process.channel.close()
        del self._processes[process.number]
        self._counts.set_absent(process.number)
        self._totals.ended(process)
        if not self._end.is_set():
            self._ended_unasked(process, exit_code)

    async def _answer(self, process: WorkerProcess, what: str, of: Any) -> object:
        match ToParent(what):
            case ToParent.METRICS:
                text_format, gzipped = of
                return await self._totals.body(
                    self._running(), TextFormat[text_format], gzipped=gzipped
                )
            case ToParent.EVERYBODY:
                return await ask_everybody(self._running(), self._workers, of)
            case ToParent.RELOAD:
                return (await self._reload.reload()).to_json()
            case ToParent.SERVING:
                self._serves(process)
        return None

    def _serves(self, process: WorkerProcess) -> None:
        process.serving_at = asyncio.get_running_loop().time()
        logger.info("worker serves", extra=fields(worker=process.number, pid=process.pid))
        serving = [p for p in self._processes.values() if p.serving_at is not None]
        if len(serving) < self._workers or self._has_listened:
            return
        self._has_listened = True
        tls = self._security.ssl_context is not None
        for listener in self._listeners:
            address = describe_listener(listener)
            logger.info("listening", extra=fields(address=address, tls=tls, workers=self._workers))

    def reap(self) -> None:
        """Take note of the processes that have ended."""
        for process in self._running():
            if not process.exit_code.done():
                pid, status = os.waitpid(process.pid, os.WNOHANG)
                if pid:
                    process.exit_code.set_result(os.waitstatus_to_exitcode(status))

    def _ended_unasked(self, process: WorkerProcess, exit_code: int) -> None:
        how = (
            f"was ended by {signal.Signals(-exit_code).name}"
            if exit_code < 0
            else f"ended with exit code {exit_code}"
        )
        on_request = exit_code in _EXIT_CODES_ON_REQUEST
        logger.log(
            logging.WARNING if on_request else logging.ERROR,
            "worker ended",
            extra=fields(worker=process.number, pid=process.pid, how=how),
        )
        self._start_again(process.number, process.serving_at, how, on_request=on_request)

    def _start_again(
        self, number: int, serving_at: float | None, how: str, *, on_request: bool = False
    ) -> None:
        """Start worker *number* in place of one that ended, or give up."""
        now = asyncio.get_running_loop().time()
        others = [now - p.serving_at for p in self._running() if p.serving_at is not None]
        seconds = self._restarts.after_end(
            number,
            on_request=on_request,
            served_seconds=None if serving_at is None else now - serving_at,
            others_served_seconds=max(others, default=None),
        )
        if seconds is None:
            self._failure = f"gave up: worker {number} {how}, and no other serves for long"
            self._end.set()
            return
        logger.info("worker starts again", extra=fields(worker=number, in_seconds=seconds))
        self._totals.restarts.inc()
        self._start_in(seconds, number)

    async def _end_all(self) -> None:
        for listener in self._listeners:
            listener.close()
        timeout_seconds = self._shutdown_timeout_seconds
        logger.info(
            "shutting down",
            extra=fields(workers=len(self._processes), timeout_seconds=timeout_seconds),
        )
        for process in self._running():
            self._tasks.create_task(_tell_to_end(process))
        if not await self._all_ended(timeout_seconds + _LEAVE_SECONDS):
            for process in self._running():
                if process.exit_code.done():
                    continue
                logger.error(
                    "worker did not end in time, killed",
                    extra=fields(worker=process.number, pid=process.pid),
                )
                os.kill(process.pid, signal.SIGKILL)
            await self._all_ended(_KILLED_SECONDS)

    async def _all_ended(self, seconds: float) -> bool:
        if not self._tending:
            return True
        _, left = await asyncio.wait(self._tending.copy(), timeout=seconds)
        return not left


async def _tell_to_end(process: WorkerProcess) -> None:
    with suppress(ConnectionError):
        await process.channel.ask(ToWorker.END)
