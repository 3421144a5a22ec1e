"""Conditions on rows: what is asked of an agent for them, scrape after scrape."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from exporters.demo.snmprec import read_recording
from exporters.errors import FailureReason, TargetError
from exporters.wire.ber import encode_oid
from exporters.wire.snmp_message import Pdu, VarBind
from exporters.wire.tags import GET_REQUEST

from ..polling.fake_session import Request
from .collecting import Collector, Scrape
from .scraping import scrape_module

ENTRY = "1.3.6.1.2.1.2.2.1"
STATUS = f"{ENTRY}.8"
ALIAS = "1.3.6.1.2.1.31.1.1.1.18"
INDEX = {"labelname": "ifIndex", "type": "gauge"}
ROWS = 200


def column(name: str, number: int, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "oid": f"{ENTRY}.{number}",
        "type": "gauge",
        "indexes": [INDEX],
        "lookups": [
            {"labels": ["ifIndex"], "labelname": "ifAlias", "oid": ALIAS, "type": "DisplayString"}
        ],
        **more,
    }


def module(condition: str = "ifOperStatus == 1", **more: Any) -> dict[str, Any]:
    return {
        "walk": [ENTRY, ALIAS],
        "metrics": [column("ifMtu", 4), column("ifSpeed", 5), column("ifInOctets", 10)],
        "where": [
            {
                "condition": condition,
                "labels": ["ifIndex"],
                "columns": [
                    {"name": "ifOperStatus", "oid": STATUS, "type": "gauge"},
                    {"name": "ifAlias", "oid": ALIAS, "type": "DisplayString"},
                ],
            }
        ],
        **more,
    }


def rows(up: set[int], count: int = ROWS) -> list[VarBind]:
    lines = [
        f"{oid}.{row}|{tag}|{value}"
        for oid, tag, value in ((f"{ENTRY}.{n}", 2, n) for n in (4, 5, 10))
        for row in range(1, count + 1)
    ]
    lines += [f"{STATUS}.{row}|2|{1 if row in up else 2}" for row in range(1, count + 1)]
    lines += [f"{ALIAS}.{row}|4|to {row}" for row in range(1, count + 1)]
    return list(read_recording("\n".join(lines).encode().splitlines()))


def served(scrape: Scrape) -> set[str]:
    return {line.partition('ifIndex="')[2].partition('"')[0] for line in scrape.samples}


@pytest.fixture
def collector(tmp_path: Path) -> Collector:
    return Collector.of(module(), tmp_path)


async def test_few_rows_of_many_are_asked_for_alone(collector: Collector) -> None:
    agent = rows(up={3, 77})

    first = await collector.scrape(agent)
    again = await collector.scrape(agent)

    for scrape in (first, again):
        assert served(scrape) == {"3", "77"}
        assert scrape.named("ifMtu") == [
            'ifMtu{ifAlias="to 3",ifIndex="3"} 4',
            'ifMtu{ifAlias="to 77",ifIndex="77"} 4',
        ]
        assert f"{ENTRY}.4.77" in scrape.names
        assert not any(f"{ENTRY}.4.{row}" in scrape.names for row in range(4, 70))
    assert sum(request.varbinds for request in again.requests) < ROWS * 3


@pytest.mark.parametrize("share", [0.6, 0.99])
async def test_many_rows_of_many_are_walked_and_then_left_out(
    collector: Collector, share: float
) -> None:
    """A GET names every row in the question too, so that less than half must be left."""
    up = set(range(1, round(ROWS * share)))
    agent = rows(up)

    first = await collector.scrape(agent)
    again = await collector.scrape(agent)

    assert served(first) == served(again) == {str(row) for row in up}
    assert not any(request.type == GET_REQUEST for request in again.requests)


async def test_the_order_changes_with_the_rows_that_pass(collector: Collector) -> None:
    await collector.scrape(rows(up=set(range(1, ROWS + 1))))
    assert collector.memory.passing_rows == {"module.where[0]": (ROWS, ROWS)}

    await collector.scrape(rows(up={9}))
    found = await collector.scrape(rows(up={9}))

    assert served(found) == {"9"}
    assert f"{ENTRY}.4.9" in found.names


async def test_a_small_table_costs_no_packet_more(tmp_path: Path) -> None:
    agent = rows(up={1}, count=4)
    plain = Collector.of(
        {key: value for key, value in module().items() if key != "where"}, tmp_path
    )
    filtered = Collector.of(module(), tmp_path)
    for each in (plain, filtered):
        await each.scrape(agent)
        await each.scrape(agent)

    without, with_condition = await plain.scrape(agent), await filtered.scrape(agent)

    assert served(with_condition) == {"1"}
    assert len(with_condition.requests) <= len(without.requests)


async def test_no_rows_at_all_are_no_failure(collector: Collector) -> None:
    for agent in (rows(up=set()), rows(up=set(), count=0)):
        scrape = await collector.scrape(agent)
        assert (scrape.samples, scrape.outcome.failures) == ([], [])


async def test_labels_that_a_condition_reads_are_not_remembered(tmp_path: Path) -> None:
    collector = Collector.of(module("ifAlias == 'to 7'"), tmp_path, default_seconds=600.0)
    await collector.scrape(rows(up=set()))

    renamed = [(oid, tag, raw.replace(b"to 8", b"to 7")) for oid, tag, raw in rows(up=set())]
    found = await collector.scrape(renamed)

    assert served(found) == {"7", "8"}


async def test_rows_are_not_served_where_the_condition_could_not_be_read(
    collector: Collector,
) -> None:
    def refuse(request: Request) -> Pdu | TargetError | None:
        if any(name.startswith(encode_oid(STATUS)) for name in request.oids):
            return TargetError(FailureReason.NO_ACCESS, "noAccess")
        return None

    scrape = await collector.scrape(rows(up={1}), intervene=refuse)

    assert scrape.samples == []
    assert [failure.reason for failure in scrape.outcome.failures] == [FailureReason.NO_ACCESS]


def test_a_condition_on_a_part_of_the_index_is_for_all_rows_below(tmp_path: Path) -> None:
    below = {
        "name": "queue",
        "oid": "1.1.1",
        "type": "gauge",
        "indexes": [{"labelname": "q", "type": "DisplayString"}, INDEX],
    }
    scraped = scrape_module(
        module(walk=[ENTRY, ALIAS, "1.1"], metrics=[below]),
        f"{STATUS}.1|2|1\n{STATUS}.2|2|2\n1.1.1.1.65.1|2|10\n1.1.1.1.65.2|2|20\n1.1.1.1.66.1|2|30",
        tmp_path,
    )
    assert scraped.samples == ['queue{ifIndex="1",q="A"} 10', 'queue{ifIndex="1",q="B"} 30']


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("ifOperStatus == 1", {"1", "2"}),
        ("ifOperStatus != 1", {"3"}),
        ("not ifOperStatus == 1", {"3", "4"}),
        ("ifAlias == ''", {"2"}),
        ("ifAlias != ''", {"1", "4"}),
        ("ifAlias !~ 'a.*'", {"2", "4"}),
        ("not ifAlias =~ 'a.*'", {"2", "4"}),
        ("not ifAlias =~ 'a.*' and not ifOperStatus == 1", {"3", "4"}),
        ("ifOperStatus >= 1 and ifAlias =~ '.*'", {"1", "2"}),
        ("ifOperStatus < 1 or ifAlias =~ 'b'", {"4"}),
    ],
)
def test_values_and_what_is_missing_meet_conditions(
    condition: str, expected: set[str], tmp_path: Path
) -> None:
    values: Mapping[int, tuple[str, str]] = {
        1: ("2|1", "4|a1"),
        2: ("2|1", "4|"),
        3: ("2|2", ""),
        4: ("4|1", "4|b"),  # a number that comes as text is none
        5: ("", ""),
    }
    lines = [f"{ENTRY}.4.{row}|2|0" for row in values]
    lines += [f"{STATUS}.{row}|{status}" for row, (status, _) in values.items() if status]
    lines += [f"{ALIAS}.{row}|{alias}" for row, (_, alias) in values.items() if alias]
    scraped = scrape_module(
        module(condition, metrics=[column("ifMtu", 4, lookups=[])]), "\n".join(lines), tmp_path
    )
    assert {line.split('"')[1] for line in scraped.samples} == expected
