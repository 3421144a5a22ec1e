"""The processes that the demo starts, and that end with it."""

from __future__ import annotations

import asyncio
import ctypes
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

from exporters.errors import NetexportersError

_PATIENCE_SECONDS: Final = 15.0
_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Child:
    """A running process and what people call it."""

    name: str
    process: Process

    @property
    def ended(self) -> bool:
        """Whether it runs no more."""
        return self.process.returncode is not None

    @property
    def exit_code(self) -> int | None:
        """Its exit code; None while it runs."""
        return self.process.returncode

    async def watch(self) -> None:
        """Wait for its end, which nobody asked for.

        Raises:
            NetexportersError: It has ended.
        """
        code = await self.process.wait()
        raise NetexportersError(f"{self.name} ended with exit code {code}")

    async def end(self) -> None:
        """Ask it to end, and insist if it does not."""
        if self.ended:
            return
        self.process.terminate()
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self.process.wait()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()


async def start_child(
    stack: AsyncExitStack, name: str, command: Sequence[str], *, pass_fds: Sequence[int] = ()
) -> Child:
    """Start a process that ends when *stack* does, with the descriptors *pass_fds*.

    In a session of its own, so that Ctrl-C reaches this process alone, which then ends the rest in
    order. Where the system can do that (Linux), it also ends when this process is killed.
    """
    process = await asyncio.create_subprocess_exec(
        *command, start_new_session=True, pass_fds=pass_fds, preexec_fn=_end_with_parent
    )
    child = Child(name, process)
    stack.push_async_callback(child.end)
    return child


def _end_with_parent() -> None:
    """Have the system end the process that begins here when its parent ends (prctl(2))."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def free_port(preferred: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """The port *preferred* of the loopback interface, or another one where it is taken."""
    for port in (preferred, 0):
        with socket.socket(type=kind) as probe:
            if kind is socket.SOCK_STREAM:  # with UDP, two sockets would share the port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise NetexportersError("no port is free on the loopback interface")
