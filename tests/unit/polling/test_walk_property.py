"""Whatever an agent has, and however little of it fits an answer: the walker reads all of it.

The truth is a plain scan: the agent's rows that start with the column. Agents are simulated ones,
asked without sockets; the tables are made up by Hypothesis.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporters.demo.responder import Responder
from exporters.polling.agent_memory import AgentMemory
from exporters.polling.cursor import Range, Rows
from exporters.polling.walk import Instance, WalkResult
from exporters.wire.ber import Oid, encode_subids
from exporters.wire.snmp_message import VarBind, Version
from exporters.wire.tags import INTEGER, OCTET_STRING

from .fake_session import QUIRKS, Reading, oid, responder

BASE = oid("1.3.6.1.4.1.99999")

subid = st.one_of(
    st.integers(1, 5),
    st.sampled_from([127, 128, 255, 256, 16_383, 16_384, 2_097_151, 2_097_152, 2**32 - 1]),
    st.integers(0, 2**32 - 1),
)
row = st.lists(subid, min_size=1, max_size=4).map(tuple)
table_number = st.sampled_from([1, 2, 127, 128])
column_number = st.sampled_from([1, 2, 3, 127, 128, 16_383, 16_384])


@dataclass(frozen=True)
class Table:
    """Columns and the rows of each: none, the same or others than its neighbours'."""

    number: int
    columns: dict[int, list[tuple[int, ...]]]

    @property
    def oid(self) -> Oid:
        return BASE + encode_subids([self.number, 1])

    def varbinds(self) -> list[VarBind]:
        return [
            (self.oid + encode_subids([column, *index]), INTEGER, b"\x01")
            for column, rows in self.columns.items()
            for index in rows
        ]

    def ranges(self) -> list[Range]:
        roots = [self.oid + encode_subids([column]) for column in self.columns]
        return [Range(root, root, self.oid, scalar=False) for root in roots]


@st.composite
def tables(draw: st.DrawFn) -> list[Table]:
    found = []
    for number in draw(st.lists(table_number, unique=True, min_size=1, max_size=3)):
        shared = draw(st.lists(row, unique=True, max_size=40))
        columns = {
            column: draw(
                st.one_of(
                    st.just(shared),
                    st.just([]),
                    st.lists(row, unique=True, max_size=12),
                    st.integers(0, 40).map(lambda count, shared=shared: shared[:count]),
                )
            )
            for column in draw(st.lists(column_number, unique=True, min_size=1, max_size=6))
        }
        found.append(Table(number, columns))
    return found


@dataclass(frozen=True)
class Agent:
    """How an agent answers."""

    version: int
    most_bytes: int
    most_varbinds: int | None
    too_big_above: int | None
    surplus: int


versions = st.sampled_from([Version.V1, Version.V2C, Version.V2C, Version.V3])
limit = st.one_of(st.none(), st.integers(1, 30))
agents = st.one_of(
    st.builds(
        Agent, versions, st.sampled_from([100, 160, 484, 1400]), limit, limit, surplus=st.just(0)
    ),
    # Whoever cuts answers short has no room to say more than was asked.
    st.builds(Agent, versions, st.just(60_000), st.none(), st.none(), st.sampled_from([0, 1, 7])),
)


def scan(varbinds: list[VarBind], column: Oid) -> Rows:
    """The truth."""
    return {
        name[len(column) :]: (tag, content)
        for name, tag, content in varbinds
        if name.startswith(column)
    }


def start(agent: Agent, varbinds: list[VarBind], memory: AgentMemory, **walker: int) -> Reading:
    faults = {"most_varbinds": agent.most_varbinds, "too_big_above": agent.too_big_above}
    found = responder(varbinds, surplus_varbinds=agent.surplus, **faults)
    return Reading.of(
        found, memory=memory, version=agent.version, most_bytes=agent.most_bytes, **walker
    )


def check(result: WalkResult, varbinds: list[VarBind], ranges: list[Range]) -> None:
    assert result.failures == []
    assert result.incomplete == set()
    assert result.non_increasing == 0
    for item in ranges:
        assert result.columns.get(item.column, {}) == scan(varbinds, item.column)


@settings(deadline=None, max_examples=250, suppress_health_check=[HealthCheck.too_slow])
@given(
    tables(),
    agents,
    st.sampled_from([1, 2, 3, 10, 25, 50, 200]),
    st.integers(1, 6),
    st.integers(1, 6),
    st.data(),
)
def test_every_row_is_read_and_no_other(
    found: list[Table],
    agent: Agent,
    max_repetitions: int,
    chains: int,
    concurrency: int,
    data: st.DataObject,
) -> None:
    varbinds = [varbind for table in found for varbind in table.varbinds()]
    # Something before, between and behind, which is nobody's business.
    varbinds += [(BASE + encode_subids([0, 5]), OCTET_STRING, b"before")]
    varbinds += [(BASE + encode_subids([64, 1, 1, 1]), OCTET_STRING, b"between")]
    if data.draw(st.booleans(), label="something behind"):
        varbinds += [(BASE + encode_subids([2**20]), OCTET_STRING, b"behind")]
    ranges = [item for table in found for item in table.ranges()]
    ranges = data.draw(st.permutations(ranges), label="ranges")

    async def read() -> None:
        memory = AgentMemory()
        walker = {
            "max_repetitions": max_repetitions,
            "chains": chains,
            "concurrency": concurrency,
        }
        reading = start(agent, varbinds, memory, **walker)
        for _ in range(2):  # knowing nothing, and knowing what there is
            check(await reading.read(ranges), varbinds, ranges)
            assert reading.session.most_open <= concurrency
        # Rows come and go, and what is remembered is wrong.
        changed = [one for one in varbinds if data.draw(st.booleans())]
        changed += [(name + b"\x01", tag, content) for name, tag, content in changed[:20]]
        reading = start(agent, changed, memory, **walker)
        check(await reading.read(ranges), changed, ranges)

    asyncio.run(read())


@settings(deadline=None, max_examples=100)
@given(tables(), agents, st.data())
def test_every_instance_is_read_and_no_other(
    found: list[Table], agent: Agent, data: st.DataObject
) -> None:
    varbinds = [varbind for table in found for varbind in table.varbinds()]
    varbinds += [(BASE + encode_subids([64, 1, 1, 1]), OCTET_STRING, b"something")]
    there = [
        Instance(table.oid + encode_subids([column, *index]), table.oid + encode_subids([column]))
        for table in found
        for column, rows in table.columns.items()
        for index in rows
    ]
    wanted = data.draw(st.lists(st.sampled_from(there), unique=True)) if there else []
    missing = [Instance(item.oid + b"\x01", item.column) for item in wanted[:5]]
    wanted = data.draw(st.permutations([*wanted, *missing]))

    async def read() -> None:
        reading = start(agent, varbinds, AgentMemory())
        result = await reading.read((), wanted)
        assert result.failures == []
        names = {item.oid for item in wanted}
        for item in wanted:
            expected = scan([one for one in varbinds if one[0] in names], item.column)
            assert result.columns.get(item.column, {}) == expected

    asyncio.run(read())


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(tables(), st.sampled_from(QUIRKS), st.integers(1, 4), st.data())
def test_agents_that_cannot_answer_for_several_columns_are_read_too(
    found: list[Table], quirk: type[Responder], chains: int, data: st.DataObject
) -> None:
    varbinds = [varbind for table in found for varbind in table.varbinds()]
    varbinds += [(BASE + encode_subids([0, 5]), OCTET_STRING, b"before")]
    varbinds += [(BASE + encode_subids([2**20]), OCTET_STRING, b"behind")]
    ranges = [item for table in found for item in table.ranges()]
    ranges = data.draw(st.permutations(ranges), label="ranges")

    async def read() -> None:
        reading = Reading.of(quirk(varbinds), chains=chains)
        for _ in range(2):
            result = await reading.read(ranges)
            assert (result.failures, result.incomplete) == ([], set())
            for item in ranges:
                assert result.columns[item.column] == scan(varbinds, item.column)

    asyncio.run(read())
