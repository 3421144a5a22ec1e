"""Questions and answers between the parent and one worker, both of whom may ask.

A message is two lengths of four bytes, big-endian, and as many bytes of JSON and of content:

    {"ask": 7, "what": "question", "of": ...}   a question; its number is the asker's
    {"answer": 7, "value": ...}                 its answer, in any order
    {"answer": 7, "is_content": true} + bytes   an answer that is bytes: a text of megabytes
    {"answer": 7, "failed": true}               there is none; the log of who was asked tells why

The channel ends with either process: the kernel closes a socket of the dead. Nothing here has a
deadline; whoever asks sets one.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import struct
from collections.abc import Awaitable, Callable, Coroutine
from itertools import count
from typing import Any, Generic, TypeVar

from exporters.logs import fields

logger = logging.getLogger(__name__)

Answer = Callable[[str, Any], Awaitable[object]]
"""Answers a question and its argument with bytes, or with what JSON can carry."""

T = TypeVar("T")

_LENGTHS = struct.Struct(">II")
_READ_AHEAD_BYTES = 1024 * 1024


class Channel:
    """One end of the pair of sockets that a parent and its worker share."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._numbers = count()
        self._open: dict[int, asyncio.Future[Any]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._connected = asyncio.Event()
        self._ended = False

    async def ask(self, what: str, of: object = None) -> Any:
        """Ask the other end *what*, with an argument if the question has one; return the answer.

        Raises:
            ConnectionError: it is gone, goes before it answers, or fails to.
        """
        await self._connected.wait()
        if self._ended or self._writer is None:
            raise ConnectionResetError("the other process is gone")
        number = next(self._numbers)
        answer = self._open[number] = asyncio.get_running_loop().create_future()
        try:
            _write(self._writer, {"ask": number, "what": what, "of": of}, b"")
            return await answer
        finally:
            del self._open[number]

    async def run(self, answer: Answer) -> None:
        """Answer questions, several at a time, until the other process is gone."""
        reader, self._writer = await asyncio.open_unix_connection(
            sock=self._socket, limit=_READ_AHEAD_BYTES
        )
        self._connected.set()
        try:
            async with asyncio.TaskGroup() as tasks:
                answering: set[asyncio.Task[None]] = set()
                while (read := await _read(reader)) is not None:
                    message, content = read
                    if "ask" in message:
                        task = tasks.create_task(self._answer(answer, message))
                        answering.add(task)
                        task.add_done_callback(answering.discard)
                    elif (question := self._open.get(message["answer"])) and not question.done():
                        _settle(question, message, content)
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
            logger.exception("question not answered", extra=fields(question=message["what"]))
            self._give({"answer": message["ask"], "failed": True})
            return
        if isinstance(value, bytes):
            self._give({"answer": message["ask"], "is_content": True}, value)
        else:
            self._give({"answer": message["ask"], "value": value})

    def _give(self, message: dict[str, object], content: bytes = b"") -> None:
        if self._writer is not None:
            _write(self._writer, message, content)

    def close(self) -> None:
        """Close this end."""
        if self._writer is None:
            self._socket.close()
        else:
            self._writer.close()


def _settle(question: asyncio.Future[Any], message: dict[str, Any], content: bytes) -> None:
    if "failed" in message:
        question.set_exception(ConnectionAbortedError("the other process has failed to answer"))
    else:
        question.set_result(content if "is_content" in message else message["value"])


def _write(writer: asyncio.StreamWriter, message: dict[str, object], content: bytes) -> None:
    body = json.dumps(message, separators=(",", ":")).encode()
    writer.write(_LENGTHS.pack(len(body), len(content)) + body)
    if content:
        writer.write(content)


async def _read(reader: asyncio.StreamReader) -> tuple[dict[str, Any], bytes] | None:
    """Read a message and its content, or None if there will be no more."""
    try:
        lengths = _LENGTHS.unpack(await reader.readexactly(_LENGTHS.size))
        message: dict[str, Any] = json.loads(await reader.readexactly(lengths[0]))
        return message, await reader.readexactly(lengths[1])
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


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
