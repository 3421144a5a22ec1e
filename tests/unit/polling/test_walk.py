"""The walker: how few packets it takes, and what it makes of agents that misbehave.

That it reads all rows and no others is in ``test_walk_property.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from exporters.demo.responder import Responder
from exporters.errors import FailureReason, TargetError
from exporters.polling import question
from exporters.polling.agent_memory import READINGS_BEFORE_GROWTH, AgentMemory
from exporters.polling.cursor import Range
from exporters.polling.walk import Instance, Walker, answers_all
from exporters.wire.ber import encode_subids, format_oid
from exporters.wire.snmp_message import ErrorStatus, Pdu, Version
from exporters.wire.tags import (
    END_OF_MIB_VIEW,
    GET_BULK_REQUEST,
    GET_NEXT_REQUEST,
    INTEGER,
    OCTET_STRING,
    RESPONSE,
)

from ..sockets.pretend_time import in_pretend_time
from .fake_session import (
    QUIRKS,
    TABLE,
    FakeSession,
    FirstColumnOnly,
    Reading,
    Request,
    StartsOver,
    column_range,
    column_rows,
    numbers,
    oid,
    responder,
    scalar_range,
    silence,
)

COLUMNS = [column_range(number) for number in (1, 2, 3, 4)]
SIXTY = [row for number in (1, 2, 3, 4) for row in column_rows(number, range(1, 61))]
EVERY_VERSION = pytest.mark.parametrize(
    "version", [Version.V1, Version.V2C, Version.V3], ids=["v1", "v2c", "v3"]
)


def error(status: int, index: int) -> Pdu:
    return Pdu(RESPONSE, 1, status, index, ())


def reasons(failures: list[TargetError]) -> list[FailureReason]:
    return [failure.reason for failure in failures]


# How few packets


@EVERY_VERSION
@in_pretend_time
async def test_columns_share_questions(version: int) -> None:
    reading = Reading.of(responder(SIXTY), version=version, chains=1)
    result = await reading.read(COLUMNS)
    assert [len(result.columns[item.column]) for item in COLUMNS] == [60] * 4
    kind = GET_NEXT_REQUEST if version == Version.V1 else GET_BULK_REQUEST
    assert {request.type for request in reading.session.requests} == {kind}
    assert len(reading.session.requests[0].oids) == 4
    assert result.failures == []


@in_pretend_time
async def test_version_1_takes_a_packet_for_each_row_of_all_columns() -> None:
    reading = Reading.of(responder(SIXTY), version=Version.V1, chains=4)
    await reading.read(COLUMNS)
    assert len(reading.session.requests) == 61 + 1  # the end of each column, and of the last one


@in_pretend_time
async def test_answers_grow_to_what_is_comfortable() -> None:
    reading = Reading.of(responder(SIXTY), chains=1)
    await reading.read(COLUMNS)
    asked = [request.varbinds for request in reading.session.requests]
    assert asked[0] == 24  # the 25 of max_repetitions, in whole rows
    assert asked[1] == 48
    assert max(asked) * 20 > 1400 * 0.8  # close to a full packet of such rows


@in_pretend_time
async def test_known_rows_are_read_without_waste() -> None:
    reading = Reading.of(responder(SIXTY), chains=1)
    await reading.read(COLUMNS)
    result = await reading.read(COLUMNS)
    assert sum(request.varbinds for request in reading.session.requests) == 4 * 61
    assert result.varbinds == 4 * 61


@in_pretend_time
async def test_order_of_the_columns_costs_nothing() -> None:
    """Each table in the order of a module that needs its labels first."""
    ordered = Reading.of(responder(SIXTY), chains=1)
    await ordered.read(COLUMNS)
    shuffled = Reading.of(responder(SIXTY), chains=1)
    await shuffled.read([COLUMNS[2], COLUMNS[0], COLUMNS[3], COLUMNS[1]])
    assert len(shuffled.session.requests) == len(ordered.session.requests)


@in_pretend_time
async def test_columns_are_spread_over_chains() -> None:
    reading = Reading.of(responder(SIXTY), chains=4, memory=AgentMemory(answered=True))
    await reading.read(COLUMNS)
    assert reading.session.most_open == 4
    assert all(len(request.oids) == 1 for request in reading.session.requests)


@in_pretend_time
async def test_no_more_requests_are_open_than_allowed() -> None:
    many = [column_range(number) for number in range(1, 40)]
    reading = Reading.of(responder(SIXTY), chains=8, concurrency=3)
    await reading.read(many)
    assert reading.session.most_open == 3


@in_pretend_time
async def test_empty_table_costs_one_question_once_it_is_known() -> None:
    reading = Reading.of(responder(column_rows(1, [1], table="1.3.6.1.4.1.99999.9")))
    await reading.read(COLUMNS)
    result = await reading.read(COLUMNS)
    assert reading.session.requests == [Request(GET_NEXT_REQUEST, (oid(TABLE),))]
    assert (result.failures, result.incomplete) == ([], set())


@in_pretend_time
async def test_table_that_was_empty_is_read_when_it_has_rows() -> None:
    memory = AgentMemory()
    await Reading.of(responder(column_rows(9, [1])), memory=memory).read(COLUMNS)
    result = await Reading.of(responder(SIXTY), memory=memory).read(COLUMNS)
    assert [len(result.columns[item.column]) for item in COLUMNS] == [60] * 4


@in_pretend_time
async def test_column_that_was_empty_is_asked_for_once_beside_the_others() -> None:
    rows = column_rows(1, range(1, 6)) + column_rows(3, range(1, 6))
    reading = Reading.of(responder(rows))
    await reading.read(COLUMNS)
    await reading.read(COLUMNS)
    single = [request for request in reading.session.requests if request.type == GET_NEXT_REQUEST]
    assert single == [Request(GET_NEXT_REQUEST, (COLUMNS[1].root, COLUMNS[3].root))]


@in_pretend_time
async def test_column_that_was_empty_is_read_when_it_has_rows() -> None:
    memory = AgentMemory()
    await Reading.of(responder(column_rows(1, range(1, 6))), memory=memory).read(COLUMNS)
    result = await Reading.of(responder(SIXTY), memory=memory).read(COLUMNS)
    assert [len(result.columns[item.column]) for item in COLUMNS] == [60] * 4


def many_tables(tables: int, columns: int) -> list[Range]:
    return [
        column_range(number, f"1.3.6.1.4.1.99999.{table}.1")
        for table in range(1, tables + 1)
        for number in range(1, columns + 1)
    ]


@EVERY_VERSION
@in_pretend_time
async def test_thousand_columns_that_are_not_there_cost_few_packets(version: int) -> None:
    rows = column_rows(1, [1], table="1.3.6.1.4.1.5")
    if version == Version.V1:  # whose agents stumble over each name that nothing follows
        rows += column_rows(1, [1], table="1.3.6.1.4.1.100000")
    reading = Reading.of(responder(rows), version=version)
    ranges = many_tables(100, 10)
    for _ in range(2):
        result = await reading.read(ranges)
        assert (result.failures, result.incomplete) == ([], set())
        assert len(reading.session.requests) == 4  # 100 tables, 25 names in a packet


@in_pretend_time
async def test_among_many_tables_those_that_are_there_are_read() -> None:
    here = "1.3.6.1.4.1.99999.50.1"
    rows = column_rows(3, range(1, 8), here) + column_rows(5, range(1, 4), here)
    reading = Reading.of(responder(rows))
    result = await reading.read(many_tables(100, 10))
    found = {format_oid(column): len(rows) for column, rows in result.columns.items() if rows}
    assert found == {f"{here}.3": 7, f"{here}.5": 3}
    asked = {name for request in reading.session.requests for name in request.oids}
    assert oid(f"{here}.2") not in asked  # lies before the first row of its table


@in_pretend_time
async def test_table_whose_first_row_is_an_error_is_read_all_the_same() -> None:
    here = "1.3.6.1.4.1.99999.50.1"
    rows = [row for number in (1, 3, 4) for row in column_rows(number, range(1, 8), here)]
    faults = {f"{here}.1": ErrorStatus.genErr}
    result = await Reading.of(responder(rows, errors_below=faults)).read(many_tables(100, 10))
    found = {format_oid(column): len(rows) for column, rows in result.columns.items() if rows}
    assert found == {f"{here}.3": 7, f"{here}.4": 7}
    assert reasons(result.failures)[0] is FailureReason.AGENT_ERROR


@in_pretend_time
async def test_scalars_are_asked_for_together() -> None:
    rows = [(oid(f"1.3.6.1.4.1.99999.7.{number}.0"), INTEGER, b"\x07") for number in range(1, 9)]
    scalars = [scalar_range(f"1.3.6.1.4.1.99999.7.{number}") for number in range(1, 12)]
    reading = Reading.of(responder(rows))
    result = await reading.read(scalars)
    assert len(reading.session.requests) == 1
    assert [result.columns[item.column] for item in scalars] == [
        {b"\0": (INTEGER, b"\x07")}
    ] * 8 + [{}] * 3
    assert (result.failures, result.incomplete) == ([], set())


@in_pretend_time
async def test_names_of_a_question_fit_a_packet() -> None:
    long = "1.3.6.1.4.1.99999.1." + ".".join(["4294967295"] * 20)
    rows = column_rows(1, range(1, 60), long)
    reading = Reading.of(responder(rows), memory=AgentMemory(varbinds_per_answer=128))
    await reading.read((), [Instance(row[0], oid(f"{long}.1")) for row in rows])
    sizes = [sum(len(name) + 6 for name in request.oids) for request in reading.session.requests]
    assert len(sizes) > 1
    assert max(sizes) <= question.COMFORTABLE_NAMES_BYTES


@in_pretend_time
async def test_an_answer_to_get_has_room_for_values() -> None:
    """What was learnt of columns of small numbers is too many names where strings stand."""
    rows = column_rows(1, range(1, 60))
    reading = Reading.of(responder(rows), memory=AgentMemory(varbinds_per_answer=128))
    await reading.read((), [Instance(row[0], row[0][:-1]) for row in rows] * 2)
    sizes = [
        sum(len(name) + 6 + 6 for name in request.oids) for request in reading.session.requests
    ]
    assert len(sizes) > 1
    assert max(sizes) <= question.COMFORTABLE_ANSWER_BYTES


@pytest.mark.parametrize(("wish", "most"), [(4, 4), (1, 1), (0, 1)])
@in_pretend_time
async def test_few_repetitions_are_a_limit(wish: int, most: int) -> None:
    """Whoever sets them has an agent that takes no more, whatever another module has learnt."""
    memory = AgentMemory(varbinds_per_answer=100)
    reading = Reading.of(responder(SIXTY), max_repetitions=wish, chains=1, memory=memory)
    result = await reading.read([*COLUMNS, scalar_range("1.3.6.1.4.1.99999.7.1")])
    assert max(request.varbinds for request in reading.session.requests) == most
    assert [len(result.columns[item.column]) for item in COLUMNS] == [60] * 4


# Ranges that are less than a column


@in_pretend_time
async def test_part_of_a_column_is_read_alone() -> None:
    column = oid(f"{TABLE}.1")
    rows = [(column + encode_subids([a, b]), INTEGER, b"") for a in (6, 7, 8) for b in (1, 2)]
    part = Range(column + b"\x07", column, column + b"\x07", scalar=False)
    result = await Reading.of(responder(rows)).read([part])
    assert set(result.columns[column]) == {b"\x07\x01", b"\x07\x02"}


@in_pretend_time
async def test_two_parts_of_a_column_add_up() -> None:
    column = oid(f"{TABLE}.1")
    rows = [(column + encode_subids([a, b]), INTEGER, b"") for a in (6, 7, 8) for b in (1, 2)]
    parts = [
        Range(column + tail, column, column + tail, scalar=False) for tail in (b"\x06", b"\x08")
    ]
    result = await Reading.of(responder(rows)).read(parts)
    assert set(result.columns[column]) == {b"\x06\x01", b"\x06\x02", b"\x08\x01", b"\x08\x02"}


@pytest.mark.parametrize("read", [1, 2], ids=["first", "second"])
@EVERY_VERSION
@in_pretend_time
async def test_instance_that_is_walked_is_got(version: int, read: int) -> None:
    """As snmp_exporter does: no walk of an instance finds it."""
    column = oid(f"{TABLE}.1")
    part = Range(column + b"\x07", column, column + b"\x07", scalar=False)
    rows = column_rows(1, range(1, 10))
    reading = Reading.of(responder(rows), version=version)
    for _ in range(read):
        result = await reading.read([part])
    assert numbers(result.columns[column]) == [7]
    assert (result.failures, result.incomplete) == ([], set())


@pytest.mark.parametrize("scalar", [True, False])
@in_pretend_time
async def test_metric_that_is_an_instance_itself_is_got(scalar: bool) -> None:
    name = oid("1.3.6.1.4.1.99999.7.1.0")
    whole = Range(name, name, name[:-1], scalar=scalar)
    result = await Reading.of(responder([(name, INTEGER, b"\x07")])).read([whole])
    assert result.columns[name] == {b"": (INTEGER, b"\x07")}


@in_pretend_time
async def test_row_that_is_got_and_walked_is_no_loop() -> None:
    instance = Instance(oid(f"{TABLE}.1.30"), oid(f"{TABLE}.1"))
    result = await Reading.of(responder(SIXTY)).read(COLUMNS[:1], [instance])
    assert sorted(numbers(result.columns[instance.column])) == list(range(1, 61))
    assert (result.failures, result.non_increasing) == ([], 0)


# What agents do


@in_pretend_time
async def test_more_varbinds_than_asked_for_are_not_taken_for_rows() -> None:
    reading = Reading.of(responder(SIXTY, surplus_varbinds=3), chains=1, max_repetitions=7)
    result = await reading.read(COLUMNS)
    assert [numbers(result.columns[item.column]) for item in COLUMNS] == [list(range(1, 61))] * 4
    assert all(len(request.oids) == 4 for request in reading.session.requests[:5])


@pytest.mark.parametrize("most", [1, 3, 5, 30])
@in_pretend_time
async def test_answer_cut_short_is_continued_and_counted(most: int) -> None:
    reading = Reading.of(responder(SIXTY, most_varbinds=most), chains=1, max_repetitions=50)
    result = await reading.read(COLUMNS)
    assert [len(result.columns[item.column]) for item in COLUMNS] == [60] * 4
    assert result.truncated > 0
    assert reading.memory.varbinds_per_answer <= 2 * most


@pytest.mark.parametrize("most", [1, 3, 10])
@EVERY_VERSION
@in_pretend_time
async def test_too_big_asks_for_less_and_is_remembered(version: int, most: int) -> None:
    scalars = [scalar_range(f"1.3.6.1.4.1.99999.7.{number}") for number in range(1, 12)]
    instances = [Instance(row[0], oid(f"{TABLE}.4")) for row in column_rows(4, range(1, 30))]
    rows = SIXTY + [(item.root + b"\0", INTEGER, b"") for item in scalars]
    reading = Reading.of(responder(rows, too_big_above=most), version=version)
    for refused in (True, False):
        result = await reading.read([*COLUMNS[:3], *scalars], instances)
        assert [len(result.columns[item.column]) for item in COLUMNS[:3]] == [60] * 3
        assert len(result.columns[oid(f"{TABLE}.4")]) == 29
        assert all(len(result.columns[item.column]) == 1 for item in scalars)
        assert result.failures == []
        assert any(request.varbinds > most for request in reading.session.requests) is refused


@in_pretend_time
async def test_questions_under_way_when_it_was_too_big_do_not_make_it_ever_smaller() -> None:
    memory = AgentMemory(answered=True, varbinds_per_answer=64)
    reading = Reading.of(responder(SIXTY, too_big_above=32), memory=memory, chains=4)
    await reading.read(COLUMNS)
    assert memory.varbinds_limit == 32


async def packets_after_long(agent: Responder, memory: AgentMemory) -> int:
    """How many packets a reading takes when all that can grow has grown."""
    for _ in range(7):
        for _ in range(READINGS_BEFORE_GROWTH):
            memory.note_reading()
        for _ in range(2):
            reading = Reading.of(agent, memory=memory, chains=1)
            await reading.read(COLUMNS)
    return len(reading.session.requests)


@in_pretend_time
async def test_row_that_was_too_big_once_does_not_cost_packets_for_ever() -> None:
    unharmed = await packets_after_long(responder(SIXTY), AgentMemory())
    memory = AgentMemory()
    await Reading.of(responder(SIXTY, too_big_above=1), memory=memory).read(COLUMNS)
    again = Reading.of(responder(SIXTY), memory=memory, chains=1)
    await again.read(COLUMNS)
    assert len(again.session.requests) > 100
    assert await packets_after_long(responder(SIXTY), memory) == unharmed < 10


@in_pretend_time
async def test_agent_that_takes_no_more_is_tried_now_and_then_and_stays_as_it_is() -> None:
    memory = AgentMemory()
    agent = responder(SIXTY, too_big_above=10)
    await Reading.of(agent, memory=memory, chains=1).read(COLUMNS)
    limits: set[int] = set()
    refused = 0
    for _ in range(3 * READINGS_BEFORE_GROWTH):
        reading = Reading.of(agent, memory=memory, chains=1)
        result = await reading.read(COLUMNS[:2])
        assert [len(result.columns[item.column]) for item in COLUMNS[:2]] == [60] * 2
        limits.add(memory.varbinds_limit)
        refused += sum(request.varbinds > 10 for request in reading.session.requests)
    assert 6 <= min(limits) <= 10
    assert 1 <= refused <= 9


@in_pretend_time
async def test_one_value_that_is_too_big_is_a_failure() -> None:
    reading = Reading.of(responder(SIXTY, too_big_above=0))
    result = await reading.read(COLUMNS[:1])
    assert reasons(result.failures) == [FailureReason.TOO_BIG]
    assert result.failures[0].detail == (
        f"error reported by udp 192.0.2.1 port 161: tooBig at {TABLE}.1"
    )


@pytest.mark.parametrize("chains", [1, 4])
@EVERY_VERSION
@in_pretend_time
async def test_error_in_mid_walk_keeps_all_rows_before_it_and_is_a_failure(
    version: int, chains: int
) -> None:
    faults = {f"{TABLE}.2.31": ErrorStatus.genErr}
    reading = Reading.of(responder(SIXTY, errors_below=faults), version=version, chains=chains)
    for _ in range(2):
        result = await reading.read(COLUMNS)
        assert numbers(result.columns[COLUMNS[1].column]) == list(range(1, 31))
        for item in (COLUMNS[0], COLUMNS[2], COLUMNS[3]):
            assert len(result.columns[item.column]) == 60
        assert result.incomplete == {COLUMNS[1].column}
        assert [failure.detail for failure in result.failures] == [
            f"error reported by udp 192.0.2.1 port 161: genErr at {TABLE}.2.30"
        ]
        assert reasons(result.failures) == [FailureReason.AGENT_ERROR]
    assert len(reading.session.requests) < 100


@pytest.mark.parametrize("chains", [1, 4])
@in_pretend_time
async def test_error_that_names_its_column_rightly_keeps_the_rows_before_it(chains: int) -> None:
    """As RFC 3416 s4.2.3 has it: the index is that of the name, in whatever row it was."""

    def intervene(request: Request) -> Pdu | None:
        for index, name in enumerate(request.oids, 1):
            row = name[len(COLUMNS[1].root) :]
            number = row[0] if row else 0
            if name.startswith(COLUMNS[1].root) and number + max(1, request.repetitions) >= 31:
                return error(ErrorStatus.genErr, index)
        return None

    result = await Reading.of(responder(SIXTY), intervene=intervene, chains=chains).read(COLUMNS)
    assert numbers(result.columns[COLUMNS[1].column]) == list(range(1, 31))
    assert [failure.detail.split(": ")[1] for failure in result.failures] == [
        f"genErr at {TABLE}.2.30"
    ]


@pytest.mark.parametrize("index", [0, -1, 77, 2**31 - 1])
@pytest.mark.parametrize("version", [Version.V1, Version.V2C], ids=["v1", "v2c"])
@in_pretend_time
async def test_error_that_names_no_varbind_is_narrowed_down(version: int, index: int) -> None:
    def intervene(request: Request) -> Pdu | None:
        if any(name.startswith(COLUMNS[2].root) for name in request.oids):
            return error(ErrorStatus.genErr, index)
        return None

    reading = Reading.of(responder(SIXTY), version=version, intervene=intervene)
    instances = [Instance(row[0], row[0][:-1]) for row in column_rows(3, [1]) + column_rows(4, [1])]
    result = await reading.read(COLUMNS, instances)
    for item in (COLUMNS[0], COLUMNS[1], COLUMNS[3]):
        assert len(result.columns[item.column]) == 60
    assert result.incomplete == {COLUMNS[2].column}
    assert set(reasons(result.failures)) == {FailureReason.AGENT_ERROR}
    assert all(f"genErr at {TABLE}.3" in failure.detail for failure in result.failures)


@in_pretend_time
async def test_column_without_access_is_one_failure_and_the_others_go_on() -> None:
    def intervene(request: Request) -> Pdu | None:
        named = [name.startswith(COLUMNS[1].root) for name in request.oids]
        return error(ErrorStatus.noAccess, named.index(True) + 1) if any(named) else None

    result = await Reading.of(responder(SIXTY), intervene=intervene).read(COLUMNS)
    assert reasons(result.failures) == [FailureReason.NO_ACCESS]
    assert result.incomplete == {COLUMNS[1].column}


@in_pretend_time
async def test_agent_that_lets_nothing_be_read_is_asked_once() -> None:
    reading = Reading.of(
        responder(SIXTY), intervene=lambda _: error(ErrorStatus.authorizationError, 0)
    )
    result = await reading.read(COLUMNS, [Instance(oid(f"{TABLE}.1.1"), oid(f"{TABLE}.1"))])
    assert reasons(result.failures) == [FailureReason.NO_ACCESS]
    assert "authorizationError" in result.failures[0].detail
    assert len(reading.session.requests) <= 4  # those that were under way


@in_pretend_time
async def test_status_that_no_rfc_names_is_a_failure_with_its_number() -> None:
    result = await Reading.of(responder(SIXTY), intervene=lambda _: error(99, 1)).read(COLUMNS[:1])
    assert result.failures[0].detail.endswith(f": 99 at {TABLE}.1")


@pytest.mark.parametrize("chains", [1, 4])
@in_pretend_time
async def test_v1_agent_without_the_columns_says_so_one_by_one(chains: int) -> None:
    rows = column_rows(1, range(1, 11))  # nothing follows, so columns 2 to 4 are noSuchName
    reading = Reading.of(responder(rows), version=Version.V1, chains=chains)
    for _ in range(2):
        result = await reading.read(COLUMNS)
        assert [len(result.columns[item.column]) for item in COLUMNS] == [10, 0, 0, 0]
        assert (result.failures, result.incomplete) == ([], set())


@pytest.mark.parametrize("version", [Version.V1, Version.V2C], ids=["v1", "v2c"])
@in_pretend_time
async def test_no_such_name_is_an_end_in_every_version(version: int) -> None:
    """Proxies for agents of version 1 pass it on."""

    def intervene(request: Request) -> Pdu | None:
        past = [index for index, name in enumerate(request.oids, 1) if name[-1] >= 60]
        return error(ErrorStatus.noSuchName, past[0]) if past else None

    reading = Reading.of(responder(SIXTY), version=version, intervene=intervene)
    result = await reading.read(COLUMNS)
    assert [len(result.columns[item.column]) for item in COLUMNS] == [60] * 4
    assert (result.failures, result.incomplete) == ([], set())


@pytest.mark.parametrize("version", [Version.V1, Version.V2C], ids=["v1", "v2c"])
@in_pretend_time
async def test_instances_that_do_not_exist_are_left_out(version: int) -> None:
    names = [f"{TABLE}.{column}.{row}" for column in (1, 9) for row in (1, 60, 61)]
    instances = [Instance(oid(name), oid(name.rpartition(".")[0])) for name in names]
    result = await Reading.of(responder(SIXTY), version=version).read((), instances)
    assert {column: numbers(rows) for column, rows in result.columns.items()} == {
        oid(f"{TABLE}.1"): [1, 60]
    }
    assert result.failures == []


@in_pretend_time
async def test_answer_of_nothing_is_asked_for_in_smaller_pieces_and_then_an_end() -> None:
    def intervene(request: Request) -> Pdu | None:
        past = any(name.startswith(COLUMNS[3].root) for name in request.oids)
        return error(0, 0) if past or request.varbinds > 4 else None

    reading = Reading.of(responder(SIXTY), intervene=intervene, chains=1)
    result = await reading.read(COLUMNS)
    assert [len(result.columns[item.column]) for item in COLUMNS] == [60, 60, 60, 0]
    assert (result.failures, result.incomplete) == ([], set())


@pytest.mark.parametrize("chains", [1, 4])
@EVERY_VERSION
@in_pretend_time
async def test_row_that_goes_back_ends_its_column_alone(version: int, chains: int) -> None:
    faults = {f"{TABLE}.2.30": f"{TABLE}.2.10"}
    reading = Reading.of(responder(SIXTY, successors=faults), version=version, chains=chains)
    for _ in range(2):
        result = await reading.read(COLUMNS)
        assert numbers(result.columns[COLUMNS[1].column]) == list(range(1, 31))
        for item in (COLUMNS[0], COLUMNS[2], COLUMNS[3]):
            assert len(result.columns[item.column]) == 60
        assert result.non_increasing == 1
        assert result.incomplete == {COLUMNS[1].column}
        assert reasons(result.failures) == [FailureReason.LOOP]
        assert result.failures[0].detail == (
            f"OID not increasing in {TABLE}.2, after {TABLE}.2.30: its rows end there"
        )


@EVERY_VERSION
@in_pretend_time
async def test_agent_that_repeats_a_row_for_ever_is_left(version: int) -> None:
    faults = {f"{TABLE}.1.5": f"{TABLE}.1.5"}
    reading = Reading.of(responder(SIXTY, successors=faults), version=version)
    result = await reading.read(COLUMNS[:1])
    assert numbers(result.columns[COLUMNS[0].column]) == [1, 2, 3, 4, 5]
    assert reasons(result.failures) == [FailureReason.LOOP]
    assert len(reading.session.requests) <= 6


@in_pretend_time
async def test_circle_that_looks_like_increasing_bytes_is_left() -> None:
    """16384 is three bytes that compare as less than the two of 300: the bytes never go back."""
    column = oid(f"{TABLE}.1")
    names = [column + encode_subids(index) for index in ((300, 1), (16_384,))]
    rows = [(name, INTEGER, b"") for name in names]
    texts = [format_oid(name) for name in names]
    faults = {texts[1]: texts[0]}
    reading = Reading.of(responder(rows, successors=faults))
    result = await reading.read(COLUMNS[:1])
    assert len(result.columns[column]) == 2
    assert reasons(result.failures) == [FailureReason.LOOP]


@in_pretend_time
async def test_any_order_reads_on_and_ends_where_a_row_comes_twice() -> None:
    faults = {
        f"{TABLE}.2.30": f"{TABLE}.2.45",
        f"{TABLE}.2.60": f"{TABLE}.2.31",
        f"{TABLE}.2.44": f"{TABLE}.2.1",
    }
    reading = Reading.of(responder(SIXTY, successors=faults), any_order=True)
    result = await reading.read(COLUMNS)
    assert sorted(numbers(result.columns[COLUMNS[1].column])) == list(range(1, 61))
    assert (result.failures, result.incomplete) == ([], set())
    assert result.non_increasing == 2


@in_pretend_time
async def test_agent_that_starts_over_behind_its_last_row_has_ended() -> None:
    reading = Reading.of(StartsOver(SIXTY))
    result = await reading.read(COLUMNS)
    assert [len(result.columns[item.column]) for item in COLUMNS] == [60] * 4
    assert (result.failures, result.incomplete) == ([], set())
    assert result.non_increasing == 1


@pytest.mark.parametrize("quirk", QUIRKS)
@in_pretend_time
async def test_agent_that_cannot_answer_for_several_columns_is_asked_for_each(
    quirk: type[FirstColumnOnly],
) -> None:
    ragged = [
        row
        for number, count in ((1, 9), (2, 30), (4, 12))
        for row in column_rows(number, range(count))
    ]
    reading = Reading.of(quirk([*ragged, *column_rows(1, [1], "1.3.6.1.5")]), chains=1)
    result = await reading.read(COLUMNS)
    assert [len(result.columns[item.column]) for item in COLUMNS] == [9, 30, 0, 12]
    assert (result.failures, result.incomplete) == ([], set())


def test_answer_for_every_name_is_told_from_others() -> None:
    one, two = oid(f"{TABLE}.1"), oid(f"{TABLE}.2")
    r1, r2 = (one + b"\x01", INTEGER, b""), (two + b"\x01", INTEGER, b"")
    behind = (oid("1.3.6.1.5"), INTEGER, b"")
    end = (r2[0], END_OF_MIB_VIEW, b"")
    assert answers_all([one, two], [r1, r2])
    assert answers_all([one, two], [r2, r2])  # the first column is empty
    assert answers_all([one, two], [r1, r2, r2, end, end, end])
    assert answers_all([one, two], [r1])  # cut short
    assert not answers_all([one, two], [r2, behind])  # what follows 1 follows 2 as well
    assert not answers_all([one, two], [r1, r1])
    assert not answers_all([one, two], [behind, r2])
    assert not answers_all([one, two], [r1, r2, r2, end, end, r2])  # nothing follows the end


# Silence


def silent_after(count: int) -> Callable[[Request], TargetError | None]:
    asked = 0

    def intervene(_: Request) -> TargetError | None:
        nonlocal asked
        asked += 1
        return silence() if asked > count else None

    return intervene


@EVERY_VERSION
@in_pretend_time
async def test_dead_agent_is_asked_one_thing(version: int) -> None:
    reading = Reading.of(responder(SIXTY), version=version, intervene=silent_after(0))
    instance = Instance(oid(f"{TABLE}.1.1"), oid(f"{TABLE}.1"))
    result = await reading.read([*COLUMNS, scalar_range("1.3.6.1.4.1.99999.7.1")], [instance])
    assert len(reading.session.requests) == 1
    assert reasons(result.failures) == [FailureReason.TIMEOUT]
    assert "is silent; asked for 1.3.6.1.4.1.99999" in result.failures[0].detail
    assert len(result.incomplete) == 5


@in_pretend_time
async def test_dead_agent_is_asked_one_thing_by_the_next_module_of_the_scrape() -> None:
    memory = AgentMemory()
    for _ in range(2):
        reading = Reading.of(responder(SIXTY), memory=memory, intervene=silent_after(0))
        result = await reading.read(COLUMNS)
        assert len(reading.session.requests) == 1
        assert reasons(result.failures) == [FailureReason.TIMEOUT]


@in_pretend_time
async def test_row_that_a_module_names_as_a_scalar_is_read() -> None:
    rows = column_rows(1, range(1, 4))
    column = column_range(1).column
    row = Range(column + b"\x02", column + b"\x02", column, scalar=True)
    result = await Reading.of(responder(rows)).read([row])
    assert result.columns[row.column] == {b"": rows[1][1:]}
    assert (result.failures, result.incomplete) == ([], set())


@in_pretend_time
async def test_all_rows_of_a_column_that_a_module_names_as_a_scalar_are_read() -> None:
    column = column_range(1).column
    result = await Reading.of(responder(column_rows(1, range(1, 60)))).read(
        [Range(column, column, column, scalar=True)]
    )
    assert len(result.columns[column]) == 59


@in_pretend_time
async def test_dead_agent_is_asked_again_by_the_next_scrape() -> None:
    memory = AgentMemory()
    await Reading.of(responder(SIXTY), memory=memory, intervene=silent_after(0)).read(COLUMNS)
    await asyncio.sleep(60)  # pretended
    result = await Reading.of(responder(SIXTY), memory=memory).read(COLUMNS)
    assert result.failures == []


@in_pretend_time
async def test_once_it_has_answered_all_chains_start_at_once() -> None:
    reading = Reading.of(responder(SIXTY), chains=4)
    await reading.read(COLUMNS)
    assert reading.session.most_open == 3  # of four: the first had to be answered first
    await reading.read(COLUMNS)
    assert reading.session.most_open == 4


@pytest.mark.parametrize("alive", [1, 5, 9])
@in_pretend_time
async def test_agent_that_dies_in_mid_walk_is_one_failure(alive: int) -> None:
    reading = Reading.of(responder(SIXTY), intervene=silent_after(alive), max_repetitions=5)
    result = await reading.read(many_tables(3, 5) + COLUMNS)
    assert reasons(result.failures) == [FailureReason.TIMEOUT]
    assert len(reading.session.requests) <= alive + 5  # those under way, and one more try


@in_pretend_time
async def test_agent_that_dies_in_mid_walk_leaves_its_rows() -> None:
    reading = Reading.of(responder(SIXTY), intervene=silent_after(2), max_repetitions=5, chains=1)
    result = await reading.read(COLUMNS[:1])
    found = numbers(result.columns[COLUMNS[0].column])
    assert found == list(range(1, len(found) + 1))
    assert 5 <= len(found) < 60
    assert result.incomplete == {COLUMNS[0].column}
    assert COLUMNS[0].root not in reading.memory.row_counts


@in_pretend_time
async def test_column_that_chokes_the_agent_does_not_cost_the_others() -> None:
    reading = Reading.of(responder(SIXTY, silent_below=[f"{TABLE}.2"]), chains=4)
    result = await reading.read(COLUMNS)
    assert [len(result.columns[item.column]) for item in COLUMNS] == [60, 0, 60, 60]
    assert result.incomplete == {COLUMNS[1].column}
    assert result.failures[0].detail.endswith(f"asked for {TABLE}.2")


@pytest.mark.parametrize(
    "reason",
    [
        FailureReason.REFUSED,
        FailureReason.UNREACHABLE,
        FailureReason.AUTH_WRONG_DIGEST,
        FailureReason.UNKNOWN_CONTEXT,
    ],
)
@in_pretend_time
async def test_failure_of_the_whole_agent_stops_everything(reason: FailureReason) -> None:
    many = many_tables(1, 60)
    reading = Reading.of(
        responder(SIXTY),
        intervene=lambda _: TargetError(reason, "no"),
        memory=AgentMemory(answered=True),
        max_repetitions=2,
    )
    result = await reading.read(many)
    assert reasons(result.failures) == [reason]
    assert len(reading.session.requests) == 4  # as many as were under way


@pytest.mark.parametrize("answered", [True, False])
@in_pretend_time
async def test_each_reading_has_its_own_failures(answered: bool) -> None:
    """A filter that could not be read must not let the module look read."""
    reading = Reading.of(
        responder(SIXTY),
        intervene=lambda _: TargetError(FailureReason.REFUSED, "no"),
        memory=AgentMemory(answered=answered),
    )
    for _ in range(2):
        result = await reading.read(COLUMNS)
        assert reasons(result.failures) == [FailureReason.REFUSED]


@in_pretend_time
async def test_garbage_at_first_contact_is_not_asked_for_more() -> None:
    reading = Reading.of(
        responder(SIXTY), intervene=lambda _: TargetError(FailureReason.DECODE, "noise")
    )
    result = await reading.read(COLUMNS)
    assert len(reading.session.requests) == 1
    assert reasons(result.failures) == [FailureReason.DECODE]


@in_pretend_time
async def test_deadline_that_a_session_does_not_keep_ends_the_walk() -> None:
    class Deaf(FakeSession):
        async def _ask(self, request: Request) -> tuple[Pdu, int]:
            await asyncio.Event().wait()
            raise AssertionError

    session = Deaf(responder(SIXTY), seconds=5)
    walker = Walker(
        session, AgentMemory(), concurrency=asyncio.Semaphore(4), chains=4, max_repetitions=25
    )
    started_at = asyncio.get_running_loop().time()
    result = await walker.read(COLUMNS, ())
    assert asyncio.get_running_loop().time() - started_at == pytest.approx(5.1)
    assert reasons(result.failures) == [FailureReason.TIMEOUT]
    assert len(result.incomplete) == 4


@in_pretend_time
async def test_cancelled_walk_ends_at_once() -> None:
    class Deaf(FakeSession):
        async def _ask(self, request: Request) -> tuple[Pdu, int]:
            self._open += 1
            try:
                await asyncio.Event().wait()
            finally:
                self._open -= 1
            raise AssertionError

    session = Deaf(responder(SIXTY))
    walker = Walker(
        session,
        AgentMemory(answered=True),
        concurrency=asyncio.Semaphore(4),
        chains=4,
        max_repetitions=25,
    )
    task = asyncio.ensure_future(walker.read(COLUMNS, ()))
    await asyncio.sleep(1)  # pretended
    assert session._open == 4
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert session._open == 0


@in_pretend_time
async def test_agent_that_makes_up_rows_without_end_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(question, "MAX_VARBINDS", 1000)
    reading = Reading.of(
        responder(column_rows(1, range(1, 5000))), memory=AgentMemory(varbinds_per_answer=100)
    )
    result = await reading.read([*COLUMNS, column_range(9)])
    assert reasons(result.failures) == [FailureReason.LIMIT]
    assert 1000 < result.varbinds < 1200
    assert COLUMNS[0].column in result.incomplete


@in_pretend_time
async def test_failures_are_not_kept_without_end() -> None:
    faults = {f"{TABLE}.{number}": ErrorStatus.genErr for number in range(1, 101)}
    rows = [row for number in range(1, 101) for row in column_rows(number, [1])]
    ranges = [column_range(number) for number in range(1, 101)]
    result = await Reading.of(responder(rows, errors_below=faults)).read(ranges)
    assert len(result.failures) == 32
    assert len(result.incomplete) == 100


@in_pretend_time
async def test_rows_come_and_go_between_scrapes() -> None:
    memory = AgentMemory()
    for count in (60, 3, 80, 0, 1):
        rows = [row for number in (1, 2, 3, 4) for row in column_rows(number, range(1, count + 1))]
        result = await Reading.of(responder(rows), memory=memory).read(COLUMNS)
        assert [len(result.columns.get(item.column, {})) for item in COLUMNS] == [count] * 4
        assert (result.failures, result.incomplete) == ([], set())


@in_pretend_time
async def test_rows_that_vanish_in_mid_walk_are_no_failure() -> None:
    reading = Reading.of(responder(SIXTY, gone_after={f"{TABLE}.2": 3}), chains=1)
    result = await reading.read(COLUMNS)
    assert len(result.columns[COLUMNS[0].column]) == 60
    assert len(result.columns[COLUMNS[1].column]) < 60
    assert (result.failures, result.incomplete) == ([], set())


@in_pretend_time
async def test_order_of_the_rows_is_the_agents() -> None:
    """Columns of a table have their rows in one order, on which the writers' speed relies."""
    rows = [
        (oid(f"{TABLE}.{column}") + encode_subids([index]), OCTET_STRING, b"")
        for column in (1, 2)
        for index in (1, 127, 128, 300, 16_383, 16_384, 70_000)
    ]
    result = await Reading.of(responder(rows)).read(COLUMNS[:2])
    first, second = (list(result.columns[item.column]) for item in COLUMNS[:2])
    assert (
        first == second == [encode_subids([n]) for n in (1, 127, 128, 300, 16_383, 16_384, 70_000)]
    )


@in_pretend_time
async def test_nothing_to_read_asks_nothing() -> None:
    reading = Reading.of(responder(SIXTY))
    result = await reading.read()
    assert (reading.session.requests, result.columns, result.failures) == ([], {}, [])
