"""One question to an agent and what came of it: the answer judged, the agent's limits learnt.

All questions of a module go through one ``Questioner``. It keeps to the number of packets that may
be under way, asks an agent that may be dead one thing at a time, and turns every answer into one of
a few cases that a walk can act on. Not the order in which things are asked, which is the walk's.

The agent's word is not taken for more than it is: an error-status is never the end of a table, and
what is too big, or too much to say where it went wrong, is asked for in smaller pieces.

Sources: RFC 3416 s4.2 (which error-status belongs to which request), RFC 3413 s3.2 (access), RFC
3584 s4.1 (noSuchName).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from exporters.errors import FailureReason, TargetError
from exporters.polling.agent_memory import MAX_VARBINDS_PER_ANSWER, AgentMemory
from exporters.polling.walk_result import WalkResult
from exporters.sockets.resolution import Endpoint
from exporters.sockets.snmp_session import oid_text
from exporters.wire.ber import Oid
from exporters.wire.snmp_message import ErrorStatus, Pdu, VarBind, error_status_name
from exporters.wire.tags import END_OF_MIB_VIEW

DEFAULT_REPETITIONS: Final = 25
COMFORTABLE_ANSWER_BYTES: Final = 1400
"""Answers grow to this size: what passes nearly every path without IP fragments."""
COMFORTABLE_NAMES_BYTES: Final = 1200
"""The same for what is asked: names without the message around them."""
_VARBIND_OVERHEAD_BYTES: Final = 6
MAX_VARBINDS: Final = 1_000_000
"""What one module may read; an agent that has more makes it up."""

_FATAL: Final = frozenset(
    {
        FailureReason.REFUSED,
        FailureReason.UNREACHABLE,
        FailureReason.LOCAL,
        FailureReason.LIMIT,
        FailureReason.RATE_LIMIT,
        FailureReason.AUTH_WRONG_DIGEST,
        FailureReason.AUTH_UNKNOWN_USER,
        FailureReason.AUTH_UNKNOWN_ENGINE,
        FailureReason.AUTH_TIME_WINDOW,
        FailureReason.AUTH_UNSUPPORTED_LEVEL,
        FailureReason.DECRYPT,
        FailureReason.UNKNOWN_CONTEXT,
    }
)
_DENIED: Final = frozenset({ErrorStatus.noAccess, ErrorStatus.authorizationError})

Send = Callable[[Sequence[Oid]], Awaitable[tuple[Pdu, int]]]


class Session(Protocol):
    """What is needed of ``exporters.sockets.snmp_session.SnmpSession``."""

    endpoint: Endpoint
    deadline_at: float

    @property
    def version(self) -> int:
        """The SNMP version spoken."""

    async def get(self, oids: Sequence[Oid]) -> tuple[Pdu, int]:
        """Ask for exactly these instances; gives the answer and its size in bytes."""

    async def get_next(self, oids: Sequence[Oid]) -> tuple[Pdu, int]:
        """Ask for what follows each of these."""

    async def get_bulk(self, oids: Sequence[Oid], repetitions: int) -> tuple[Pdu, int]:
        """Ask for the next *repetitions* instances after each of these."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one question: exactly one of the four cases.

    * *varbinds*, at least one and never more than were asked for.
    * *culprit*, the index of the name that the agent stumbled over; *absent* says that there is
      just nothing there, else a failure has been noted.
    * *too_much*: ask again, for less.
    * none of these: there is no answer, and a failure has been noted.
    """

    varbinds: Sequence[VarBind] = ()
    culprit: int | None = None
    absent: bool = False
    too_much: bool = False


_UNANSWERED: Final = Answer()
_TOO_MUCH: Final = Answer(too_much=True)


class Questioner:
    """Asks one agent for one module; failures go into *result* and are never raised."""

    def __init__(
        self,
        session: Session,
        memory: AgentMemory,
        *,
        concurrency: asyncio.Semaphore,
        max_repetitions: int,
    ) -> None:
        self.session = session
        self.memory = memory
        self.result = WalkResult()
        self._concurrency = concurrency
        self._first_answer = asyncio.Lock()
        self._silence: TargetError | None = None
        self._stopped = False
        most = max(1, max_repetitions)
        # Whoever asks for few rows at a time has an agent that takes no more; many are a wish.
        self._most = most if most < DEFAULT_REPETITIONS else MAX_VARBINDS_PER_ANSWER
        if memory.varbinds_per_answer == 0:
            memory.varbinds_per_answer = most

    @property
    def varbinds_per_answer(self) -> int:
        """How many varbinds a question may ask for at present."""
        return min(self.memory.varbinds_per_answer, self._most, MAX_VARBINDS_PER_ANSWER)

    def fitting(
        self,
        names: Sequence[Oid],
        most: int = MAX_VARBINDS_PER_ANSWER,
        *,
        value_bytes: Sequence[int] = (),
    ) -> int:
        """How many of *names* fit one question that asks for no more than *most* varbinds.

        *value_bytes* is for an answer that has just these names: how long their values may be.
        """
        most = min(most, self.varbinds_per_answer, len(names))
        most = _within(names[:most], _VARBIND_OVERHEAD_BYTES, COMFORTABLE_NAMES_BYTES)
        room = COMFORTABLE_ANSWER_BYTES
        for index, (name, value) in enumerate(zip(names[:most], value_bytes, strict=False)):
            room -= len(name) + _VARBIND_OVERHEAD_BYTES + value
            if room < 0:
                return max(1, index)
        return most

    def begin(self) -> WalkResult:
        """Start with a new result, and give the agent another chance."""
        self._stopped = False
        self.memory.note_reading()
        self.result = WalkResult()
        return self.result

    async def ask(
        self, send: Send, names: Sequence[Oid], repetitions: int = 1, *, adapt: bool = False
    ) -> Answer:
        """Send one request and judge the answer; with *adapt*, its size decides on the next."""
        memory = self.memory
        try:
            if memory.answered:
                reply = await self._send(send, names)
            else:
                reply = await self._ask_silent_agent(send, names)
        except TargetError as error:
            if error.reason is FailureReason.TIMEOUT:
                memory.answered = False
                error = TargetError(error.reason, f"{error.detail}; asked for {oid_text(names[0])}")
            self.fail(error)
            return _UNANSWERED
        if reply is None:
            return _UNANSWERED
        pdu, size = reply
        if pdu.error_status or not pdu.varbinds:
            return self._judge(pdu, names, repetitions)
        return Answer(self._accept(pdu, len(names) * repetitions, size if adapt else 0))

    async def ask_next(self, oids: Sequence[Oid]) -> list[VarBind | None]:
        """GETNEXT of each OID, in as many packets as it takes; None for what was not answered.

        An OID after which the agent (of version 1) has nothing is answered by itself.
        """
        answers: list[VarBind | None] = [None] * len(oids)
        waiting = list(range(len(oids)))
        most = MAX_VARBINDS_PER_ANSWER
        while waiting:
            names = [oids[index] for index in waiting]
            names = names[: self.fitting(names, most)]
            answer = await self.ask(self.session.get_next, names)
            if answer.culprit is not None:
                index = waiting.pop(answer.culprit)
                if answer.absent:
                    answers[index] = (oids[index], END_OF_MIB_VIEW, b"")
            elif answer.too_much:
                most = len(names) // 2
                continue
            elif not answer.varbinds:
                break
            else:
                for index, varbind in zip(waiting, answer.varbinds, strict=False):
                    answers[index] = varbind
                del waiting[: len(answer.varbinds)]
            most = min(2 * most, MAX_VARBINDS_PER_ANSWER)
        return answers

    def fail(self, error: TargetError) -> None:
        """Note a failure; after some of them the agent is asked nothing more."""
        self._stopped = self._stopped or error.reason in _FATAL
        self.result.fail(error)

    async def _send(self, send: Send, names: Sequence[Oid]) -> tuple[Pdu, int] | None:
        """Send one request when its turn has come; None if nothing is asked any more by then."""
        async with self._concurrency:
            return None if self._stopped else await send(names)

    async def _ask_silent_agent(self, send: Send, names: Sequence[Oid]) -> tuple[Pdu, int] | None:
        """Ask an agent that may be dead one thing at a time, so that its silence costs little.

        Once it was silent for one question of a module, the module asks it nothing more. Who waits
        here holds no turn, which other modules of the request may need.
        """
        memory = self.memory
        async with self._first_answer:
            if not memory.answered:
                if self._silence is not None:
                    raise TargetError(self._silence.reason, self._silence.detail)
                try:
                    reply = await self._send(send, names)
                except TargetError as error:
                    self._silence = error
                    raise
                if reply is not None:
                    memory.answered = True
                return reply
        return await self._send(send, names)

    def _judge(self, pdu: Pdu, names: Sequence[Oid], repetitions: int) -> Answer:
        """Make one of the cases of an error-status, or of an answer that holds nothing.

        An error takes the whole answer with it, however many rows were good. So what was asked for
        is halved until the error stands alone.
        """
        status = pdu.error_status
        wanted = len(names) * repetitions
        if status == ErrorStatus.authorizationError and not self.result.varbinds:
            # It is about who asks, not what for (RFC 3413 s3.2): whatever index an agent makes up.
            self._stopped = True
            denied = f"{error_status_name(status)} for anything that these credentials ask for"
            detail = f"error reported by {self.session.endpoint}: {denied}"
            self.fail(TargetError(FailureReason.NO_ACCESS, detail))
            return _UNANSWERED
        culprit = pdu.error_index - 1
        if wanted > 1:
            if status == ErrorStatus.tooBig:
                self.memory.note_too_big(wanted)
                return _TOO_MUCH
            if not status or repetitions > 1 or not 0 <= culprit < len(names):
                return _TOO_MUCH
        else:
            culprit = 0
        if not status or status == ErrorStatus.noSuchName:
            return Answer(culprit=culprit, absent=True)
        self.fail(self._error(status, names[culprit]))
        return Answer(culprit=culprit)

    def _accept(self, pdu: Pdu, wanted: int, size_bytes: int) -> Sequence[VarBind]:
        """Count an answer and, where its size is given, learn from it.

        Answers grow to what is comfortable, and not past what the agent sends at once. One may end
        with a row of nothing but endOfMibView (RFC 3416 s4.2.3): that is the end of all there is,
        not a full message.
        """
        result, memory = self.result, self.memory
        varbinds = pdu.varbinds
        received = len(varbinds)
        if received > wanted:
            varbinds, received = varbinds[:wanted], wanted
        result.varbinds += received
        if result.varbinds > MAX_VARBINDS:
            detail = f"{self.session.endpoint} has over {MAX_VARBINDS} values"
            self.fail(TargetError(FailureReason.LIMIT, detail))
        if varbinds[-1][1] == END_OF_MIB_VIEW:
            return varbinds
        if received < wanted:
            result.truncated += 1
            if size_bytes:
                memory.varbinds_per_answer = received
        elif size_bytes:
            comfortable = COMFORTABLE_ANSWER_BYTES * received // size_bytes
            most = min(comfortable, 2 * memory.varbinds_per_answer, self._most)
            memory.varbinds_per_answer = max(1, min(most, memory.varbinds_limit or most))
        return varbinds

    def _error(self, status: int, oid: Oid) -> TargetError:
        reason = FailureReason.AGENT_ERROR
        if status in _DENIED:
            reason = FailureReason.NO_ACCESS
        elif status == ErrorStatus.tooBig:
            reason = FailureReason.TOO_BIG
        where = f"{error_status_name(status)} at {oid_text(oid)}"
        return TargetError(reason, f"error reported by {self.session.endpoint}: {where}", oid)


def _within(names: Sequence[Oid], overhead: int, room: int) -> int:
    """How many of *names*, each with some bytes more, take no more than *room* bytes: at least one.

    All of them, as a rule, which one sum tells.
    """
    if sum(map(len, names)) + len(names) * overhead <= room:
        return len(names)
    for index, name in enumerate(names):
        room -= len(name) + overhead
        if room < 0:
            return max(1, index)
    return len(names)
