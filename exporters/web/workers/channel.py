"""Questions and answers between the parent and one worker, both of whom may ask.

A message is its length in four bytes, big-endian, and as many bytes of JSON:

    {"ask": 7, "what": "telemetry", "of": "PROMETHEUS"}     a question; its number is the asker's
    {"answer": 7, "value": ...}                             its answer, in any order

The channel ends with either process: the kernel closes a socket of the dead. Nothing here has a
deadline; whoever asks sets one.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Awaitable, Callable, Coroutine
from itertools import count
from typing import Any, Generic, TypeVar

from exporters.logs import fields

logger = logging.getLogger(__name__)

Answer = Callable[[str, str], Awaitable[object]]
"""Answers a question and its argument with what JSON can carry."""

T = TypeVar("T")

_LENGTH_BYTES = 4


class Channel:
    """One end of the pair of sockets that a parent and its worker share."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._numbers = count()
        self._open: dict[int, asyncio.Future[Any]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._connected = asyncio.Event()
        self._ended = False

    async def ask(self, what: str, of: str = "") -> Any:
        """Ask the other end *what*, with an argument if the question has one; return the answer.

        Raises:
            ConnectionError: it is gone, or goes before it answers.
        """
        await self._connected.wait()
        if self._ended or self._writer is None:
            raise ConnectionResetError("the other process is gone")
        number = next(self._numbers)
        answer = self._open[number] = asyncio.get_running_loop().create_future()
        try:
            _write(self._writer, {"ask": number, "what": what, "of": of})
            return await answer
        finally:
            del self._open[number]

    async def run(self, answer: Answer) -> None:
        """Answer questions, several at a time, until the other process is gone."""
        reader, self._writer = await asyncio.open_unix_connection(sock=self._socket)
        self._connected.set()
        try:
            async with asyncio.TaskGroup() as tasks:
                answering: set[asyncio.Task[None]] = set()
                while (message := await _read(reader)) is not None:
                    if "ask" in message:
                        task = tasks.create_task(self._answer(answer, message))
                        answering.add(task)
                        task.add_done_callback(answering.discard)
                    elif (question := self._open.get(message["answer"])) and not question.done():
                        question.set_result(message["value"])
                for task in answering:
                    task.cancel()
        finally:
            self._ended = True
            for question in self._open.values():
                if not question.done():
                    question.set_exception(ConnectionResetError("the other process is gone"))

    async def _answer(self, answer: Answer, message: dict[str, Any]) -> None:
        try:
            value = await answer(message["what"], message["of"])
        except Exception:
            # Whoever asked has a deadline.
            logger.exception("question not answered", extra=fields(question=message["what"]))
            return
        if self._writer is not None:
            _write(self._writer, {"answer": message["ask"], "value": value})

    def close(self) -> None:
        """Close this end."""
        if self._writer is None:
            self._socket.close()
        else:
            self._writer.close()


def _write(writer: asyncio.StreamWriter, message: dict[str, object]) -> None:
    body = json.dumps(message, separators=(",", ":")).encode()
    writer.write(len(body).to_bytes(_LENGTH_BYTES, "big") + body)


async def _read(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """Read a message, or None if there will be no more."""
    try:
        length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES), "big")
        message: dict[str, Any] = json.loads(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return message


class SharedQuestion(Generic[T]):
    """A question that is asked once at a time: who asks while it is open shares its answer.

    So an end that does not answer is not asked again and again, whatever deadlines have passed.
    """

    def __init__(self, ask: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._ask = ask
        self._open: asyncio.Task[T] | None = None
        self._asked_at = 0.0

    async def answer(self, within_seconds: float) -> T:
        """Return the answer, or raise what the question raises.

        Raises:
            TimeoutError: it has been open for *within_seconds*, at once where it has been before.
        """
        now = asyncio.get_running_loop().time()
        if self._open is None:
            self._asked_at = now
            self._open = asyncio.create_task(self._ask())
            self._open.add_done_callback(self._close)
        async with asyncio.timeout_at(self._asked_at + within_seconds):
            return await asyncio.shield(self._open)

    def _close(self, question: asyncio.Task[T]) -> None:
        self._open = None
        if not question.cancelled():
            question.exception()  # which is nobody's concern where nobody waits any more
