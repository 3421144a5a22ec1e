"""Reads the ranges and instances of one module from one agent, in as few packets as it can.

Several columns share one GetBulk, the columns of a module are spread over a few concurrent chains
of requests, and what an agent was seen to have decides what it is asked next time: an empty table
costs one question. Not the meaning of what is read, which is the sample writers' business; not a
single question and its errors, which are ``exporters.polling.question``'s.

Agents that cannot answer for several columns at once (they leave out columns that have ended, or
answer for the first alone) are found out where a column ends, before any row of theirs is lost:
then each column is asked for alone.

Source: RFC 3416 s4.2.2 and s4.2.3 (GetNext and GetBulk).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from exporters.errors import FailureReason, TargetError
from exporters.polling.agent_memory import MAX_VARBINDS_PER_ANSWER, AgentMemory
from exporters.polling.cursor import END, LOOP, MORE, STRAY, Cursor, Range, Verdict, is_after
from exporters.polling.question import Questioner, Send, Session
from exporters.polling.walk_result import WalkResult
from exporters.sockets.snmp_session import oid_text
from exporters.wire.ber import Oid, decode_subids
from exporters.wire.snmp_message import VarBind, Version
from exporters.wire.tags import END_OF_MIB_VIEW, EXCEPTIONS

__all__ = ["Instance", "Read", "WalkResult", "Walker"]

_PROBE_ABOVE_COLUMNS: Final = 64
_BACKSTOP_SECONDS: Final = 0.1
_SCALAR_INSTANCE: Final = b"\0"
_BEHIND_ALL: Final = b"\xff" * 8 + b"\x7f"


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance to GET: the whole OID, and the column that its value belongs to.

    *value_bytes* is about how long the value is. What does not fit an answer is no answer at all.
    """

    oid: Oid
    column: Oid
    value_bytes: int = 6


Read = Callable[[Sequence[Range], Sequence[Instance]], Awaitable[WalkResult]]
"""Reads ranges and instances as ``Walker.read`` does; failures are in the result."""


class Walker:
    """Reads from one agent over one session, never with more than *concurrency* open requests."""

    def __init__(
        self,
        session: Session,
        memory: AgentMemory,
        *,
        concurrency: asyncio.Semaphore,
        chains: int,
        max_repetitions: int,
        any_order: bool = False,
    ) -> None:
        self._session = session
        self._memory = memory
        self._chains = max(1, chains)
        self._any_order = any_order
        self._one_by_one = session.version == Version.V1  # which has no GetBulk
        self._questioner = Questioner(
            session, memory, concurrency=concurrency, max_repetitions=max_repetitions
        )

    async def read(self, ranges: Sequence[Range], instances: Sequence[Instance]) -> WalkResult:
        """Read everything; failures are collected, never raised, and what was read is kept."""
        result = self._questioner.begin()
        cursors = [Cursor(item) for item in ranges]
        try:
            # Each request keeps the deadline itself, and says more about it.
            backstop_at = self._session.deadline_at + _BACKSTOP_SECONDS
            async with asyncio.timeout_at(backstop_at), asyncio.TaskGroup() as group:
                self._start(group, cursors, instances)
        except TimeoutError:
            detail = "request timeout: the deadline of the scrape has passed"
            self._questioner.fail(TargetError(FailureReason.TIMEOUT, detail))
        for cursor in cursors:
            if cursor.complete:
                self._memory.row_counts[cursor.range.root] = len(cursor.rows)
            result.add(cursor)
        return result

    async def following(self, oids: Sequence[Oid]) -> tuple[list[VarBind | None], WalkResult]:
        """Ask what follows each OID; None where that was not answered.

        The result beside the answers has what it took, and the failures.
        """
        result = self._questioner.begin()
        try:
            async with asyncio.timeout_at(self._session.deadline_at + _BACKSTOP_SECONDS):
                return await self._questioner.ask_next(oids), result
        except TimeoutError:
            detail = "request timeout: the deadline of the scrape has passed"
            self._questioner.fail(TargetError(FailureReason.TIMEOUT, detail))
            return [None] * len(oids), result

    def _start(
        self, group: asyncio.TaskGroup, cursors: list[Cursor], instances: Sequence[Instance]
    ) -> None:
        single, tables, columns = self._sort(cursors)
        instances = [*instances, *self._possible_instances(cursors)]
        size = self._questioner.varbinds_per_answer
        for start in range(0, len(instances), size):
            group.create_task(self._get(instances[start : start + size]))
        for start in range(0, len(single), size):
            group.create_task(self._step(group, single[start : start + size]))
        for start in range(0, len(tables), size):
            group.create_task(self._probe(group, tables[start : start + size]))
        self._spread(group, columns)

    def _possible_instances(self, cursors: list[Cursor]) -> list[Instance]:
        """Ranges that may be single instances themselves, which no walk of them would find.

        They are less than a column, or end with 0, which no column does (RFC 2578 s7.10).
        """
        known = self._memory.row_counts
        found: list[Instance] = []
        for cursor in cursors:
            root, column = cursor.range.root, cursor.range.column
            ends_with_zero = root[-1:] == b"\0" and root[-2:-1] < b"\x80"
            if (root != column or ends_with_zero) and not known.get(root):
                found.append(Instance(root, column))
        return found

    def _sort(self, cursors: list[Cursor]) -> tuple[list[Cursor], list[list[Cursor]], list[Cursor]]:
        """Split into what needs one question, tables to be asked for first, columns to walk.

        A table of which nothing is known is asked for first only where there are many of them:
        modules for whole product families name hundreds of columns that a given device lacks.
        """
        known = self._memory.row_counts
        single: list[Cursor] = []
        by_table: dict[Oid, list[Cursor]] = {}
        for cursor in cursors:
            if cursor.range.scalar:
                single.append(cursor)
            else:
                by_table.setdefault(cursor.range.table, []).append(cursor)
        many = len(cursors) - len(single) > _PROBE_ABOVE_COLUMNS
        tables: list[list[Cursor]] = []
        columns: list[Cursor] = []
        for members in by_table.values():
            counts = [known.get(cursor.range.root, -1) for cursor in members]
            if (many and max(counts) < 0) or (len(members) > 1 and max(counts) == 0):
                tables.append(members)
                continue
            for cursor, count in zip(members, counts, strict=True):
                (single if count == 0 else columns).append(cursor)
        return single, tables, columns

    def _spread(self, group: asyncio.TaskGroup, columns: list[Cursor]) -> None:
        """Divide columns into chains of requests that run side by side.

        Not so in version 1, whose answers hold one row: there every chain is that many packets more
        and none comes sooner.
        """
        if not columns:
            return
        chains = 1 if self._one_by_one else self._chains
        size = min(self._questioner.varbinds_per_answer, -(-len(columns) // chains))
        for start in range(0, len(columns), size):
            group.create_task(self._walk(columns[start : start + size]))

    async def _probe(self, group: asyncio.TaskGroup, tables: list[list[Cursor]]) -> None:
        """Ask which tables have anything, and walk those columns that may."""
        found: list[Cursor] = []
        roots = [members[0].range.table for members in tables]
        for members, answer in zip(tables, await self._questioner.ask_next(roots), strict=True):
            if answer is None:
                if self._memory.answered:  # it stumbled over one row, which need not be all
                    found.extend(members)
                continue
            oid, tag, _ = answer
            there = oid.startswith(members[0].range.table) and tag not in EXCEPTIONS
            for cursor in members:
                # A column before the first instance of its table has none.
                if there and (
                    oid.startswith(cursor.range.root) or is_after(cursor.range.root, oid)
                ):
                    found.append(cursor)
                else:
                    cursor.finish(complete=True)
        self._spread(group, found)

    async def _step(self, group: asyncio.TaskGroup, cursors: list[Cursor]) -> None:
        """Ask once for scalars, and for columns that were empty last time."""
        found: list[Cursor] = []
        rows: list[Instance] = []
        answers = await self._questioner.ask_next([cursor.position for cursor in cursors])
        for cursor, answer in zip(cursors, answers, strict=True):
            if answer is None:
                continue
            self._settle(cursor, cursor.take((answer,), any_order=self._any_order))
            if cursor.range.scalar and cursor.rows.keys() <= {_SCALAR_INSTANCE}:
                cursor.finish(complete=True)
            elif cursor.open:
                found.append(cursor)
            if _is_row(cursor, answer):
                rows.append(Instance(cursor.range.root, cursor.range.column))
        self._spread(group, found)
        if rows:
            group.create_task(self._get(rows))

    async def _walk(self, cursors: list[Cursor]) -> None:
        """Walk some columns to their ends, several in one request."""
        # In this order, an answer that is meant for a column before goes back, and shows.
        cursors = sorted(cursors, key=lambda cursor: decode_subids(cursor.range.root))
        width = len(cursors)
        most = MAX_VARBINDS_PER_ANSWER
        questioner = self._questioner
        while cursors:
            names = [cursor.position for cursor in cursors[:width]]
            fitting = questioner.fitting(names, most)
            asked, names = cursors[:fitting], names[:fitting]
            repetitions = self._repetitions(asked, most)
            send = self._sender(repetitions)
            answer = await questioner.ask(send, names, repetitions, adapt=True)
            if answer.culprit is not None:
                asked[answer.culprit].finish(complete=answer.absent)
            elif answer.too_much:
                most = len(names) * repetitions // 2
                continue
            elif not answer.varbinds:
                return
            elif not self._take(asked, names, answer.varbinds):
                width = 1
                continue
            most = min(2 * most, MAX_VARBINDS_PER_ANSWER)
            cursors = [cursor for cursor in cursors if cursor.open]

    def _sender(self, repetitions: int) -> Send:
        if self._one_by_one:
            return self._session.get_next
        return partial(self._session.get_bulk, repetitions=repetitions)

    def _repetitions(self, asked: list[Cursor], most: int) -> int:
        """As many rows as fit an answer, but no more than the columns had last time and one."""
        if self._one_by_one:
            return 1
        fitting = max(1, min(most, self._questioner.varbinds_per_answer) // len(asked))
        known = self._memory.row_counts
        wanted = 1
        for cursor in asked:
            count = known.get(cursor.range.root)
            if count is None or count < len(cursor.rows):
                return fitting
            left = count - len(cursor.rows) + 1
            if left >= fitting:
                return fitting
            wanted = max(wanted, left)
        return wanted

    def _take(self, asked: list[Cursor], names: list[Oid], varbinds: Sequence[VarBind]) -> bool:
        """Deal the varbinds of one answer to their columns (RFC 3416 s4.2.3: row by row).

        False if they are not what the agent was asked for: nothing of them has been kept.
        """
        width = len(asked)
        verdicts = [
            cursor.take(varbinds[index::width], any_order=self._any_order)
            for index, cursor in enumerate(asked)
        ]
        if verdicts.count(MORE) == width:
            return True
        if width > 1 and not self._can_be_true(asked, verdicts, names, varbinds):
            for cursor in asked:
                cursor.give_back()
            return False
        for cursor, verdict in zip(asked, verdicts, strict=True):
            self._settle(cursor, verdict)
        return True

    def _can_be_true(
        self,
        asked: list[Cursor],
        verdicts: list[Verdict],
        names: list[Oid],
        varbinds: Sequence[VarBind],
    ) -> bool:
        """Whether an answer in which a column ends is one to all the columns."""
        if self._any_order or STRAY in verdicts:
            return STRAY not in verdicts
        ends = zip(asked, verdicts, strict=True)
        first = min(cursor.taken for cursor, verdict in ends if verdict is not MORE)
        start = first * len(asked)
        if start:  # the rows before are what their columns expected
            names = [oid for oid, _, _ in varbinds[start - len(asked) : start]]
        return answers_all(names, varbinds[start:])

    def _settle(self, cursor: Cursor, verdict: Verdict) -> None:
        """End a column as the answer to it demands.

        An agent that starts over behind its last row has none left. One that goes back inside the
        column may have rows that it did not tell, unless any order was expected of it.
        """
        if verdict is MORE:
            return
        cursor.non_increasing += verdict is not END
        looped = verdict is LOOP and not self._any_order
        cursor.finish(complete=not looped)
        if looped:
            column, last = oid_text(cursor.range.root), oid_text(cursor.position)
            detail = f"OID not increasing in {column}, after {last}: its rows end there"
            self._questioner.fail(TargetError(FailureReason.LOOP, detail, cursor.range.root))

    async def _get(self, instances: Sequence[Instance]) -> None:
        """GET some instances; those that do not exist are left out."""
        waiting = list(instances)
        columns = {item.oid: item.column for item in instances}
        most = MAX_VARBINDS_PER_ANSWER
        while waiting:
            names = [item.oid for item in waiting]
            sizes = [item.value_bytes for item in waiting]
            names = names[: self._questioner.fitting(names, most, value_bytes=sizes)]
            answer = await self._questioner.ask(self._session.get, names)
            if answer.culprit is not None:
                del waiting[answer.culprit]
            elif answer.too_much:
                most = len(names) // 2
                continue
            elif not answer.varbinds:
                return
            else:
                answered = {oid for oid, _, _ in answer.varbinds}
                left = [item for item in waiting if item.oid not in answered]
                # Whoever answers for something else is not asked the same again.
                waiting = left if len(left) < len(waiting) else waiting[len(names) :]
                for oid, tag, content in answer.varbinds:
                    column = columns.get(oid)
                    if column is not None and tag not in EXCEPTIONS:
                        rows = self._questioner.result.rows(column)
                        rows[oid[len(column) :]] = (tag, content)
            most = min(2 * most, MAX_VARBINDS_PER_ANSWER)


def answers_all(names: Sequence[Oid], varbinds: Sequence[VarBind]) -> bool:
    """Whether *varbinds* can be what follows each of *names*, row by row.

    *names* are in order. What follows a later one is then never before what follows an earlier one,
    and is the same if that lies behind both. An agent that answers for some of the names alone, or
    deals its rows otherwise, does not keep to this where a column ends.
    """
    width = len(names)
    before: Sequence[Oid] = names
    for start in range(0, len(varbinds), width):
        row = [
            _BEHIND_ALL if tag == END_OF_MIB_VIEW else oid
            for oid, tag, _ in varbinds[start : start + width]
        ]
        left = b""
        for oid, asked in zip(row, before, strict=False):
            if not _follows(oid, asked) and oid is not _BEHIND_ALL:
                return False
            if left and left != oid and (_follows(left, asked) or not _follows(oid, left)):
                return False
            left = oid
        before = row
    return True


def _follows(oid: Oid, other: Oid) -> bool:
    return oid > other or (oid != other and is_after(oid, other))


def _is_row(cursor: Cursor, after: VarBind) -> bool:
    """Whether a scalar that has no instance may be a row of a table itself.

    A module may name one row so. Then what comes *after* it is an instance too, as long as it is;
    behind a scalar that the agent lacks come instances of other objects, which are longer.
    """
    oid, tag, _ = after
    if not cursor.range.scalar or cursor.rows or tag in EXCEPTIONS:
        return False
    return _subid_count(oid) == _subid_count(cursor.range.root)


def _subid_count(oid: Oid) -> int:
    """How many sub-identifiers an OID has: each ends with a byte whose high bit is clear."""
    return sum(octet < 0x80 for octet in oid)
