"""Reads one module from one target and writes its samples.

What comes back says how it went: a module has succeeded if all of it was read, and has answered if
anything was. Rows of a module that was not read to its end are served, except where columns are
missing that labels are made of: a series under wrong labels is worse than none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from exporters.errors import FailureReason, TargetError
from exporters.metrics.exposition import Exposition
from exporters.polling.agent_memory import AgentMemory
from exporters.polling.cursor import Range, Rows
from exporters.polling.walk import Instance, Read, Walker, WalkResult
from exporters.snmp.filters import apply_filters
from exporters.snmp.label_cache import ModuleLabels, Refresh, TargetLabels
from exporters.snmp.plan import ModulePlan
from exporters.snmp.row_filters import FilteredReading
from exporters.snmp.sheet import Sheet
from exporters.sockets.snmp_session import SnmpSession, Trace, Traffic
from exporters.wire.ber import format_oid

_TURN_SECONDS: Final = 0.005
_DEAD: Final = frozenset({FailureReason.TIMEOUT, FailureReason.UNREACHABLE})
"""How targets fail that are not there: both take as long as all tries, since a router may find its
way again. A port that is closed fails at once."""


@dataclass(slots=True)
class ModuleOutcome:
    """How reading one module went; times in seconds."""

    module: str
    failures: list[TargetError] = field(default_factory=list)
    answered: bool = False
    walk_seconds: float = 0.0
    write_seconds: float = 0.0
    seconds: float = 0.0
    varbinds_per_answer: int = 0
    varbinds: int = 0
    rows: int = 0
    traffic: Traffic = field(default_factory=Traffic)
    not_increasing: int = 0
    truncated: int = 0
    values_unreadable: int = 0
    types_unexpected: int = 0
    columns_shared: int = 0
    labels_remembered: bool = False
    labels_refresh: Refresh | None = None
    labels_refused: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether all of the module was read."""
        return not self.failures

    @property
    def silent(self) -> bool:
        """Whether the target gave no answer at all, after all the tries it gets."""
        return not self.answered and all(failure.reason in _DEAD for failure in self.failures)


@dataclass(frozen=True, slots=True)
class ScrapeContext:
    """What the modules of one request share."""

    open_session: Callable[[ModulePlan, Traffic], SnmpSession]
    memory: AgentMemory
    exposition: Exposition
    concurrency: asyncio.Semaphore
    chains: int
    wrap_counters: bool
    clock: Callable[[], float]
    trace: Trace | None
    labels: TargetLabels
    read_before: dict[Range, Rows] = field(default_factory=dict)
    """Columns that a module of this request has read to their ends."""


async def collect_module(plan: ModulePlan, context: ScrapeContext) -> ModuleOutcome:
    """Read and write one module; what goes wrong with the target is in the outcome."""
    outcome = ModuleOutcome(plan.name)
    labels = context.labels.of(plan, context.clock)
    started_at = context.clock()
    result = WalkResult()
    try:
        result = await _read(plan, context, labels, outcome)
    except TargetError as error:
        outcome.failures.append(error)
    outcome.walk_seconds = context.clock() - started_at
    outcome.failures.extend(result.failures)
    outcome.varbinds = result.varbinds
    outcome.rows = sum(map(len, result.columns.values()))
    outcome.not_increasing = result.non_increasing
    outcome.truncated = result.truncated
    outcome.answered = bool(result.varbinds) or outcome.succeeded
    if outcome.answered:
        await _write(plan, context, result, labels, outcome)
    if labels is not None:
        _note_labels(labels, outcome)
    outcome.seconds = context.clock() - started_at
    outcome.write_seconds = outcome.seconds - outcome.walk_seconds
    outcome.varbinds_per_answer = context.memory.varbinds_per_answer
    if context.trace is not None:
        if labels is not None:
            context.trace(f"labels of module {plan.name}: {labels.describe()}")
        _trace_outcome(outcome, result, context.trace)
    return outcome


async def _read(
    plan: ModulePlan, context: ScrapeContext, labels: ModuleLabels | None, outcome: ModuleOutcome
) -> WalkResult:
    ranges: Sequence[Range] = plan.ranges
    instances: Sequence[Instance] = plan.instances
    async with context.open_session(plan, outcome.traffic) as session:
        walker = Walker(
            session,
            context.memory,
            concurrency=context.concurrency,
            chains=context.chains,
            max_repetitions=plan.module.max_repetitions,
            any_order=plan.module.allow_nonincreasing_oids,
        )
        if plan.filters:
            ranges, instances = await apply_filters(plan.filters, walker, ranges, instances)
        read: Read = partial(_read_unshared, walker, context, outcome)
        if not plan.row_filters:
            return await _read_labelled(read, labels, ranges, instances)
        filtered = FilteredReading(plan.row_filters, read, context.memory)
        ranges, instances = await filtered.narrow(ranges, instances)
        result = await _read_labelled(filtered.read, labels, ranges, instances)
        filtered.note(result)
        return result


async def _read_labelled(
    read: Read,
    labels: ModuleLabels | None,
    ranges: Sequence[Range],
    instances: Sequence[Instance],
) -> WalkResult:
    """Read a module, with the help of what is remembered of its labels."""
    if labels is None:
        return await read(ranges, instances)
    return await labels.read(read, ranges, instances)


async def _read_unshared(
    walker: Walker,
    context: ScrapeContext,
    outcome: ModuleOutcome,
    ranges: Sequence[Range],
    instances: Sequence[Instance],
) -> WalkResult:
    """Read what no other module of the request has read."""
    known = context.read_before
    shared = {item: known[item] for item in ranges if item in known}
    result = await walker.read([item for item in ranges if item not in shared], instances)
    for item in ranges:
        if item in shared:
            result.columns[item.column] = shared[item] | result.rows(item.column)
        elif item.column not in result.incomplete and item.root == item.column:
            known[item] = result.rows(item.column)
    outcome.columns_shared += len(shared)
    return result


async def _write(
    plan: ModulePlan,
    context: ScrapeContext,
    result: WalkResult,
    labels: ModuleLabels | None,
    outcome: ModuleOutcome,
) -> None:
    """Write the samples; other requests get their turn meanwhile, as a large device takes long."""
    sheet = Sheet(
        result,
        context.exposition,
        wrap_counters=context.wrap_counters,
        row_labels=None if labels is None else labels.row_labels,
    )
    pause_at = context.clock() + _TURN_SECONDS
    for _ in plan.write(sheet):
        if context.clock() >= pause_at:
            await asyncio.sleep(0)
            pause_at = context.clock() + _TURN_SECONDS
    outcome.values_unreadable = sheet.values_unreadable
    outcome.types_unexpected = sheet.types_unexpected


def _note_labels(labels: ModuleLabels, outcome: ModuleOutcome) -> None:
    outcome.labels_refused = not labels.keep()
    outcome.labels_remembered = labels.remembered
    outcome.labels_refresh = labels.refresh


def _trace_outcome(outcome: ModuleOutcome, result: WalkResult, trace: Trace) -> None:
    for column, rows in result.columns.items():
        end = "incomplete" if column in result.incomplete else "complete"
        trace(f"column {format_oid(column)}: {len(rows)} rows, {end}")
    for failure in outcome.failures:
        trace(f"module {outcome.module} failed: {failure}")
    trace(
        f"module {outcome.module}: success={outcome.succeeded} "
        f"packets={outcome.traffic.packets_sent} retried={outcome.traffic.packets_retried} "
        f"round_trips={len(outcome.traffic.round_trips)} bytes_sent={outcome.traffic.bytes_sent} "
        f"bytes_received={outcome.traffic.bytes_received} varbinds={outcome.varbinds} "
        f"limit_wait={outcome.traffic.limit_wait_seconds:.4f} "
        f"used={outcome.rows} varbinds_per_answer={outcome.varbinds_per_answer} "
        f"seconds={outcome.seconds:.4f} walk={outcome.walk_seconds:.4f} "
        f"decode={outcome.traffic.decode_seconds:.4f} write={outcome.write_seconds:.4f}"
    )
