"""An agent without sockets for the walker: a session that asks a simulated agent directly."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from exporters.demo.faults import NO_FAULTS, Faults, FaultyResponder
from exporters.demo.mib_view import MibView
from exporters.demo.recording import Recording, encode_varbind
from exporters.demo.responder import Responder
from exporters.errors import FailureReason, TargetError
from exporters.polling.agent_memory import AgentMemory
from exporters.polling.cursor import Range, Rows
from exporters.polling.walk import Instance, Walker, WalkResult
from exporters.sockets.resolution import Endpoint
from exporters.wire.ber import Oid, decode_oid, encode_oid, encode_subids
from exporters.wire.snmp_message import Pdu, VarBind, Version, decode_pdu
from exporters.wire.tags import (
    END_OF_MIB_VIEW,
    GET_BULK_REQUEST,
    GET_NEXT_REQUEST,
    GET_REQUEST,
    INTEGER,
    NULL,
)

TABLE = "1.3.6.1.4.1.99999.1.1"
COLUMN_LENGTH = 10
"""Sub-identifiers of a column of such a table."""
ENDPOINT = Endpoint(socket.AF_INET, False, ("192.0.2.1", 161), ipaddress.ip_address("192.0.2.1"))


@dataclass(frozen=True)
class Request:
    type: int
    oids: tuple[Oid, ...]
    repetitions: int = 0

    @property
    def varbinds(self) -> int:
        return len(self.oids) * max(1, self.repetitions)


Intervene = Callable[[Request], Pdu | TargetError | None]


class FakeSession:
    """What a walker needs of a session. *intervene* may answer or fail a request instead."""

    endpoint = ENDPOINT

    def __init__(
        self,
        responder: Responder,
        *,
        version: int = Version.V2C,
        most_bytes: int = 1400,
        seconds: float = 1000.0,
        intervene: Intervene | None = None,
    ) -> None:
        self.version = version
        self.deadline_at = asyncio.get_running_loop().time() + seconds
        self.requests: list[Request] = []
        self.most_open = 0
        self._open = 0
        self._responder = responder
        self._most_bytes = most_bytes
        self._intervene = intervene

    async def get(self, oids: Sequence[Oid]) -> tuple[Pdu, int]:
        return await self._ask(Request(GET_REQUEST, tuple(oids)))

    async def get_next(self, oids: Sequence[Oid]) -> tuple[Pdu, int]:
        return await self._ask(Request(GET_NEXT_REQUEST, tuple(oids)))

    async def get_bulk(self, oids: Sequence[Oid], repetitions: int) -> tuple[Pdu, int]:
        assert self.version != Version.V1
        return await self._ask(Request(GET_BULK_REQUEST, tuple(oids), repetitions))

    async def _ask(self, request: Request) -> tuple[Pdu, int]:
        assert request.oids
        self.requests.append(request)
        self._open += 1
        self.most_open = max(self.most_open, self._open)
        try:
            await asyncio.sleep(0)
        finally:
            self._open -= 1
        outcome = self._intervene(request) if self._intervene is not None else None
        if isinstance(outcome, TargetError):
            raise outcome
        if outcome is not None:
            return outcome, 100
        names = [(oid, NULL, b"") for oid in request.oids]
        pdu = Pdu(request.type, 1, 0, request.repetitions, names)
        answer = self._responder.answer(self.version, pdu, self._most_bytes)
        if answer is None:
            raise silence()
        return decode_pdu(answer, 0, len(answer)), len(answer) + 30


def silence() -> TargetError:
    return TargetError(FailureReason.TIMEOUT, f"request timeout: {ENDPOINT} is silent")


def oid(text: str) -> Oid:
    return encode_oid(text)


def subids(*numbers: int) -> bytes:
    return encode_subids(numbers)


def column_range(number: int, table: str = TABLE) -> Range:
    return Range(oid(f"{table}.{number}"), oid(f"{table}.{number}"), oid(table), scalar=False)


def scalar_range(text: str) -> Range:
    return Range(oid(text), oid(text), oid(text.rpartition(".")[0]), scalar=True)


def column_rows(number: int, rows: Iterable[int], table: str = TABLE) -> list[VarBind]:
    return [(oid(f"{table}.{number}.{row}"), INTEGER, b"\x01") for row in rows]


def responder(rows: Iterable[VarBind], **faults: Any) -> Responder:
    view = MibView(Recording.from_varbinds(rows))
    found = Faults(**faults)
    return Responder(view) if found == NO_FAULTS else FaultyResponder(view, found)


@dataclass
class Reading:
    """Reads one agent again and again with what is remembered of it."""

    session: FakeSession
    memory: AgentMemory
    walker: Walker

    @classmethod
    def of(
        cls,
        agent: Responder,
        *,
        memory: AgentMemory | None = None,
        max_repetitions: int = 25,
        chains: int = 4,
        concurrency: int = 4,
        any_order: bool = False,
        **session: Any,
    ) -> Reading:
        memory = AgentMemory() if memory is None else memory
        opened = FakeSession(agent, **session)
        walker = Walker(
            opened,
            memory,
            concurrency=asyncio.Semaphore(concurrency),
            chains=chains,
            max_repetitions=max_repetitions,
            any_order=any_order,
        )
        return cls(opened, memory, walker)

    async def read(
        self, ranges: Sequence[Range] = (), instances: Sequence[Instance] = ()
    ) -> WalkResult:
        self.session.requests.clear()
        return await self.walker.read(ranges, instances)


def numbers(rows: Rows) -> list[int]:
    """The instances of rows whose index is one small number."""
    return [instance[0] for instance in rows]


class _Quirky(Responder):
    """An agent with a mistake in its GetBulk, *bulk*: rows of columns in, varbinds out."""

    def __init__(self, rows: Iterable[VarBind]) -> None:
        self._all = sorted(rows, key=lambda varbind: decode_oid(varbind[0]))
        super().__init__(MibView(Recording.from_varbinds(self._all)))

    def varbinds(self, version: int, pdu: Pdu, most_bytes: int) -> list[bytes] | None:
        if pdu.type != GET_BULK_REQUEST:
            return super().varbinds(version, pdu, most_bytes)
        names = [name for name, _, _ in pdu.varbinds]
        rows = [self._following(name, pdu.error_index) for name in names]
        return [encode_varbind(*varbind) for varbind in self.bulk(names, rows)]

    def bulk(self, names: list[Oid], rows: list[list[VarBind]]) -> list[VarBind]:
        raise NotImplementedError

    def _following(self, name: Oid, count: int) -> list[VarBind]:
        numbers = decode_oid(name)
        found = [one for one in self._all if decode_oid(one[0]) > numbers][:count]
        last = found[-1][0] if found else name
        return found + [(last, END_OF_MIB_VIEW, b"")] * (count - len(found))


class FirstColumnOnly(_Quirky):
    """Answers for the first name, whatever else is asked for."""

    def bulk(self, names: list[Oid], rows: list[list[VarBind]]) -> list[VarBind]:
        return rows[0]


class ColumnByColumn(_Quirky):
    """Gives all rows of the first column, then all of the second."""

    def bulk(self, names: list[Oid], rows: list[list[VarBind]]) -> list[VarBind]:
        return [varbind for column in rows for varbind in column]


class LeavesEndedOut(_Quirky):
    """Repeats only the columns that have not ended, so that rows get shorter."""

    def bulk(self, names: list[Oid], rows: list[list[VarBind]]) -> list[VarBind]:
        found: list[VarBind] = []
        going = dict(enumerate(rows))
        for at in range(len(rows[0])):
            for index, column in list(going.items()):
                found.append(column[at])
                same_column = decode_oid(names[index])[:COLUMN_LENGTH]
                if decode_oid(column[at][0])[:COLUMN_LENGTH] != same_column:
                    del going[index]
        return found


class StartsOver(_Quirky):
    """Begins again with its first row behind its last."""

    def bulk(self, names: list[Oid], rows: list[list[VarBind]]) -> list[VarBind]:
        first = self._all[0]
        return [
            first if column[at][1] == END_OF_MIB_VIEW else column[at]
            for at in range(len(rows[0]))
            for column in rows
        ]


QUIRKS = (FirstColumnOnly, ColumnByColumn, LeavesEndedOut, StartsOver)
