"""The command ``netexporters`` with one exporter, ``tiny``, for tests that need a whole process.

    python tiny_exporter.py [--pass-listener=FD] tiny FLAGS...

``--pass-listener`` does what systemd does to pass a socket.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from aiohttp import web
from prometheus_client import Counter, Gauge

from exporters import cli
from exporters.errors import ConfigError, Problem
from exporters.metrics.negotiation import TextFormat
from exporters.metrics.telemetry import build_registry
from exporters.metrics.text import FamilyType, family_header
from exporters.web.service import Route, Service
from exporters.web.shell import SHELL

NAME = "tiny"
TITLE = "Tiny exporter"


class Tiny:
    def __init__(self, files: list[str]) -> None:
        self.files = files
        self.text = "nothing"
        self.crash = asyncio.Event()
        self.registry = build_registry(NAME)
        self.counted = Counter("tiny_counted", "What was counted.", registry=self.registry)
        self.open = Gauge("tiny_open", "What is open.", registry=self.registry)
        self.loader = os.getpid()
        self.workers = 0
        self.number = 0

    def load(self) -> None:
        for file in self.files:
            text = Path(file).read_text().strip()
            if "wrong" in text:
                raise ConfigError(
                    (Problem("is wrong", "write what is right", file, 1, "tiny"), Problem("second"))
                )
            if "fault" in text:
                raise RuntimeError("a fault of the program")
            if "worker-refuses" in text and os.getpid() != self.loader:
                raise ConfigError((Problem("is not for workers", file=file),))
            self.text = text

    async def reload(self) -> None:
        self.load()

    async def slow(self, request: web.Request) -> web.Response:
        """Answer when told to on stdin, and say on stdout that the wait has begun or ended."""
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
        print("waiting", flush=True)
        try:
            await reader.readline()
        except asyncio.CancelledError:
            print("cancelled", flush=True)
            raise
        return web.Response(text="done")

    async def crash_now(self, request: web.Request) -> web.Response:
        self.crash.set()
        return web.Response(text="crashing")

    async def count(self, request: web.Request) -> web.Response:
        """Count, keep something open, and tell which process did it."""
        self.counted.inc()
        self.open.inc()
        return web.Response(text=str(os.getpid()))

    @contextmanager
    def divide(self, count: int) -> Iterator[None]:
        if "indivisible" in self.text:
            raise ConfigError((Problem("cannot be divided"),))
        self.workers = count
        yield
        print("whole again", flush=True)

    def become(self, number: int) -> None:
        self.number = number
        print(f"became {number} of {self.workers}", flush=True)

    def samples(self, text_format: TextFormat) -> Iterator[str]:
        """What each worker has of its own, and of something that all have."""
        counted = int(self.counted._value.get())
        yield family_header("measured_total", FamilyType.COUNTER, "Measured.", text_format)
        yield f'measured_total{{device="unknown"}} {counted}\n'
        yield f'measured_total{{device="of-{self.number}"}} {counted}\n'
        yield family_header("measured_active", FamilyType.GAUGE, "So it is.", text_format)
        yield f'measured_active{{device="of-{self.number}"}} 1\n'

    async def everybody(self, request: web.Request) -> web.Response:
        """Ask all, what the query says."""
        whole = request.app[SHELL].whole
        return web.json_response(await whole.ask_all("told", request.query["word"]))

    def told(self, word: str) -> str:
        if word == f"fault-{self.number}":
            raise RuntimeError("a fault of the program")
        return f"{word} {self.number}"

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        async def crash() -> None:
            await self.crash.wait()
            raise RuntimeError("the background task failed")

        if "never-serves" in self.text:
            raise OSError("the cable is missing")
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(crash())
            print("lifespan entered", flush=True)
            yield
            task.cancel()
        print("lifespan left", flush=True)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tiny.wrap", action=argparse.BooleanOptionalAction, default=True)


def build(arguments: argparse.Namespace) -> Service:
    tiny = Tiny(arguments.config_files)
    tiny.load()
    return Service(
        name=NAME,
        title=TITLE,
        registry=tiny.registry,
        samples=tiny.samples,
        questions={"told": tiny.told},
        routes=(
            Route("GET", "/everybody", tiny.everybody, "asks all processes"),
            Route("GET", "/slow", tiny.slow, "answers when told to"),
            Route("GET", "/crash", tiny.crash_now, "ends a background task"),
            Route("GET", "/count", tiny.count, "counts"),
        ),
        running_config=lambda: f"tiny: {tiny.text}\n",
        reload=tiny.reload,
        summary=lambda: f"text {tiny.text}",
        lifespan=tiny.lifespan,
        divide=tiny.divide,
        become=tiny.become,
    )


def main(argv: list[str]) -> int:
    if argv[0].startswith("--pass-listener="):
        os.dup2(int(argv.pop(0).partition("=")[2]), 3)
        os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
    cli.EXPORTERS = {"tiny": cli.Entry("tiny_exporter", "answer very little (:9999)")}
    return cli.main(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
