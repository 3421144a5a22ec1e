"""Agents that answer anything at all: no scrape raises, and every sample can be read."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporters.polling.agent_memory import AgentMemory
from exporters.rmon import tables
from exporters.rmon.groups import GROUPS
from exporters.rmon.memory import TargetMemory
from exporters.rmon.tables import Table
from exporters.wire.ber import encode_integer_content, encode_subids
from exporters.wire.snmp_message import VarBind
from exporters.wire.tags import (
    COUNTER32,
    COUNTER64,
    GAUGE32,
    INTEGER,
    IP_ADDRESS,
    NULL,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    OPAQUE,
    TIME_TICKS,
)

from .reading import NOW, Target, target, uptime

TABLES = [item for item in vars(tables).values() if isinstance(item, Table)]
SCALARS = [oid for group in GROUPS.values() for oid in group.scalars]
SCALARS += [tables.PROBE_CAPABILITIES, tables.SMON_CAPABILITIES]
SUBIDS = st.one_of(st.integers(0, 8), st.sampled_from([127, 128, 16_384, 2**31, 2**32 - 1]))
INDEXES = st.lists(SUBIDS, min_size=1, max_size=8)
NUMBERS = st.one_of(st.integers(-3, 12), st.sampled_from([2**31 - 1, 2**32 - 1, 2**64 - 1]))
SOURCES = st.sampled_from(
    [bytes.fromhex("2b060102010202010101"), bytes.fromhex("2b06010201101604010a"), b"", b"\x81"]
)
VALUES = st.one_of(
    st.tuples(
        st.sampled_from([INTEGER, COUNTER32, GAUGE32, TIME_TICKS, COUNTER64]),
        NUMBERS.map(encode_integer_content),
    ),
    st.tuples(st.just(OBJECT_IDENTIFIER), SOURCES),
    st.tuples(st.sampled_from([OCTET_STRING, IP_ADDRESS, OPAQUE, NULL]), st.binary(max_size=9)),
    st.tuples(st.sampled_from([INTEGER, COUNTER32, COUNTER64]), st.binary(max_size=12)),
)


@st.composite
def cells(draw: st.DrawFn) -> VarBind:
    """A value of any type in a column that is read, or in a scalar."""
    if draw(st.integers(0, 9)) == 0:
        tag, content = draw(VALUES)
        return draw(st.sampled_from(SCALARS)), tag, content
    table = draw(st.sampled_from(TABLES))
    number = draw(st.sampled_from(sorted(table.columns.values())))
    tag, content = draw(VALUES)
    return table.entry + encode_subids((number, *draw(INDEXES))), tag, content


@st.composite
def rows(draw: st.DrawFn) -> list[VarBind]:
    """Rows of which most columns are there, and cells besides."""
    found = draw(st.lists(cells(), max_size=15))
    for table in draw(st.lists(st.sampled_from(TABLES), max_size=5)):
        index = draw(INDEXES)
        for number in table.columns.values():
            tag, content = draw(VALUES)
            found.append((table.entry + encode_subids((number, *index)), tag, content))
    return found


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(rows(), rows(), st.integers(0, 2**32 - 1))
def test_any_answers_give_samples_that_can_be_read(
    first: list[VarBind], second: list[VarBind], ticks: int
) -> None:
    memory, agent = TargetMemory(), AgentMemory()
    for number, found in enumerate((first, second, first)):
        scraped: Target = target([uptime(ticks), *found])
        scraped.memory, scraped.agent = memory, agent
        samples = scraped.scrape(*GROUPS, now=NOW + 60 * number)
        assert samples.values
