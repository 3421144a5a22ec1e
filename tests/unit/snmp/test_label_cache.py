"""Labels from memory: when they are, when they are not, and that no row ever gets another's."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.demo.responder import Responder
from exporters.errors import FailureReason, TargetError
from exporters.snmp.agent_changes import Sighting
from exporters.snmp.label_cache import HeldLabels, LabelCache, Refresh, expiry
from exporters.snmp.plan import compile_module
from exporters.snmp.row_labels import LabelRecipe
from exporters.snmp.sheet import RowLabels
from exporters.wire.ber import encode_integer_content, encode_oid
from exporters.wire.snmp_message import ErrorStatus, Pdu, VarBind
from exporters.wire.tags import (
    COUNTER32,
    GET_NEXT_REQUEST,
    GET_REQUEST,
    INTEGER,
    OCTET_STRING,
    TIME_TICKS,
)

from ..polling.fake_session import Request, responder, silence
from ..sockets.pretend_time import STARTED_AT, in_pretend_time
from .collecting import Collector, Scrape
from .scraping import device, load_module

IF_ENTRY = "1.3.6.1.2.1.2.2.1"
IF_NUMBER = "1.3.6.1.2.1.2.1"
IF_ALIAS = "1.3.6.1.2.1.31.1.1.1.18"
SYS_UPTIME = "1.3.6.1.2.1.1.3"
LAST_CHANGE = "1.3.6.1.2.1.31.1.5"
INDEXES = [{"labelname": "ifIndex", "type": "gauge"}]
LOOKUPS = [
    {"labels": ["ifIndex"], "labelname": label, "oid": oid, "type": "DisplayString"}
    for label, oid in (("ifDescr", f"{IF_ENTRY}.2"), ("ifAlias", IF_ALIAS))
]


def metric(name: str, column: int, **more: Any) -> dict[str, Any]:
    table = {"indexes": INDEXES, "lookups": LOOKUPS}
    return {"name": name, "oid": f"{IF_ENTRY}.{column}", "type": "counter", **table, **more}


MODULE: dict[str, Any] = {
    "walk": ["1.3.6.1.2.1.2", "1.3.6.1.2.1.31.1.1"],
    "metrics": [
        {"name": "ifNumber", "oid": IF_NUMBER, "type": "gauge"},
        metric("ifInOctets", 10),
        metric("ifOutOctets", 16),
    ],
    "lookup_cache": "10m",
}


@dataclass(frozen=True)
class Device:
    """Interfaces by index, each with its description and its counter."""

    interfaces: Mapping[int, str]
    up_since: float | None = 0.0
    last_change: int | None = None

    def rows(self) -> list[VarBind]:
        now = asyncio.get_running_loop().time()
        rows = [integer_row(f"{IF_NUMBER}.0", INTEGER, len(self.interfaces))]
        if self.up_since is not None:
            ticks = round((now - self.up_since) * 100)
            rows.append(integer_row(f"{SYS_UPTIME}.0", TIME_TICKS, ticks))
        if self.last_change is not None:
            rows.append(integer_row(f"{LAST_CHANGE}.0", TIME_TICKS, self.last_change))
        for index, name in self.interfaces.items():
            rows += [
                integer_row(f"{IF_ENTRY}.{column}.{index}", COUNTER32, len(name))
                for column in (10, 16)
            ]
            rows += [
                (encode_oid(f"{column}.{index}"), OCTET_STRING, text.encode())
                for column, text in ((f"{IF_ENTRY}.2", name), (IF_ALIAS, f"to {name}"))
            ]
        return rows

    def agent(self, **faults: Any) -> Responder:
        return responder(self.rows(), **faults)

    def samples(self) -> list[str]:
        """What a scrape has to give for it."""
        return [
            f'ifInOctets{{ifAlias="to {name}",ifDescr="{name}",ifIndex="{index}"}} {len(name)}'
            for index, name in sorted(self.interfaces.items())
        ]


def integer_row(oid: str, tag: int, value: int) -> VarBind:
    return encode_oid(oid), tag, encode_integer_content(value)


THREE = Device({1: "lo", 2: "eth0", 3: "eth1"})


@pytest.fixture
def collector(tmp_path: Path) -> Collector:
    """One whose target has its turn when the ten minutes are nearly over."""
    targets = (f"192.0.2.{number}" for number in range(256))
    target = next(name for name in targets if expiry(name, STARTED_AT, 600.0) > STARTED_AT + 570)
    return Collector.of(MODULE, tmp_path, target=target)


def from_memory(scrape: Scrape) -> bool:
    asked = scrape.asked_below(f"{IF_ENTRY}.2") or scrape.asked_below(IF_ALIAS)
    assert asked is not scrape.outcome.labels_remembered
    return scrape.outcome.labels_remembered


# How it is read


@in_pretend_time
async def test_labels_are_read_once_and_then_remembered(collector: Collector) -> None:
    first = await collector.scrape(THREE.agent())
    await asyncio.sleep(60)
    second = await collector.scrape(THREE.agent())
    assert (first.outcome.labels_refresh, from_memory(first)) == (Refresh.UNKNOWN, False)
    assert (second.outcome.labels_refresh, from_memory(second)) == (None, True)
    for scrape in (first, second):
        assert scrape.named("ifInOctets") == THREE.samples()
        assert len(scrape.named("ifOutOctets")) == 3
        assert scrape.outcome.succeeded


@in_pretend_time
async def test_text_of_labels_is_not_made_again(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[int] = []
    make = LabelRecipe.label_pairs

    def counted(self: LabelRecipe, instances: Sequence[bytes], columns: Any) -> Any:
        if self.names:
            built.append(len(instances))
        return make(self, instances, columns)

    monkeypatch.setattr(LabelRecipe, "label_pairs", counted)
    for _ in range(3):
        assert (await collector.scrape(THREE.agent())).named("ifInOctets") == THREE.samples()
    assert sum(built) == 3


@in_pretend_time
async def test_uptime_costs_no_packet_where_scalars_are_asked_for(collector: Collector) -> None:
    await collector.scrape(THREE.agent())
    second = await collector.scrape(THREE.agent())
    alone = [request for request in second.requests if request.type == GET_NEXT_REQUEST]
    assert alone == [
        Request(GET_NEXT_REQUEST, tuple(map(encode_oid, (SYS_UPTIME, LAST_CHANGE, IF_NUMBER))))
    ]


@in_pretend_time
async def test_uptime_that_the_module_reads_anyway_is_not_asked_for_twice(tmp_path: Path) -> None:
    uptime = {"name": "sysUpTime", "oid": SYS_UPTIME, "type": "gauge"}
    module = {**MODULE, "metrics": [*MODULE["metrics"], uptime], "walk": ["1.3.6.1.2.1"]}
    collector = Collector.of(module, tmp_path)
    for _ in range(2):
        scrape = await collector.scrape(THREE.agent())
        asked = [name for request in scrape.requests for name in request.oids]
        assert asked.count(encode_oid(SYS_UPTIME)) == 1
        assert len(scrape.named("sysUpTime")) == 1
    assert from_memory(scrape)


@in_pretend_time
async def test_debug_tells_where_the_labels_come_from(collector: Collector) -> None:
    first = await collector.scrape(THREE.agent())
    await asyncio.sleep(60)
    second = await collector.scrape(THREE.agent())
    assert "labels of module module: read (unknown)" in first.trace
    line = next(line for line in second.trace if line.startswith("labels of module module: "))
    assert line.startswith("labels of module module: from memory, read 60 s ago, good for ")


@pytest.mark.parametrize(
    ("module", "default", "remembered"),
    [
        ({"lookup_cache": "10m"}, 0.0, True),
        ({}, 600.0, True),
        ({}, 0.0, False),
        ({"lookup_cache": 0}, 600.0, False),
    ],
    ids=["module", "default", "neither", "module says no"],
)
@in_pretend_time
async def test_module_decides_and_else_the_default(
    tmp_path: Path, module: dict[str, Any], default: float, remembered: bool
) -> None:
    bare = {key: value for key, value in MODULE.items() if key != "lookup_cache"}
    collector = Collector.of({**bare, **module}, tmp_path, default_seconds=default)
    await collector.scrape(THREE.agent())
    second = await collector.scrape(THREE.agent())
    assert from_memory(second) is remembered
    assert second.asked_below(SYS_UPTIME) is remembered


@in_pretend_time
async def test_column_that_is_a_metric_too_is_read_in_every_scrape(tmp_path: Path) -> None:
    alias = {"name": "ifAlias", "oid": IF_ALIAS, "type": "DisplayString", "indexes": INDEXES}
    collector = Collector.of({**MODULE, "metrics": [*MODULE["metrics"], alias]}, tmp_path)
    await collector.scrape(THREE.agent())
    second = await collector.scrape(THREE.agent())
    assert second.outcome.labels_remembered
    assert not second.asked_below(f"{IF_ENTRY}.2")
    assert second.asked_below(IF_ALIAS)
    assert second.named("ifInOctets") == THREE.samples()
    renamed = [
        (name, tag, b"new" if name == encode_oid(f"{IF_ALIAS}.2") else content)
        for name, tag, content in THREE.rows()
    ]
    third = await collector.scrape(renamed)
    assert third.outcome.labels_remembered
    assert 'ifInOctets{ifAlias="new",ifDescr="eth0",ifIndex="2"} 4' in third.samples


@in_pretend_time
async def test_module_without_lookups_asks_for_nothing_more(tmp_path: Path) -> None:
    module = {**MODULE, "metrics": [metric("ifInOctets", 10, lookups=[])]}
    collector = Collector.of(module, tmp_path)
    for _ in range(2):
        scrape = await collector.scrape(THREE.agent())
        assert not scrape.asked_below(SYS_UPTIME)
        assert scrape.outcome.labels_refresh is None


# When labels are read again


@in_pretend_time
async def test_labels_are_read_again_when_they_are_old(collector: Collector) -> None:
    await collector.scrape(THREE.agent())
    renamed = replace(THREE, interfaces={1: "lo", 2: "uplink", 3: "eth1"})
    for _ in range(9):
        await asyncio.sleep(60)
        assert from_memory(await collector.scrape(renamed.agent()))
    await asyncio.sleep(60)
    scrape = await collector.scrape(renamed.agent())
    assert scrape.outcome.labels_refresh is Refresh.AGE
    assert scrape.named("ifInOctets") == renamed.samples()


@in_pretend_time
async def test_restart_is_noticed_in_the_scrape_that_meets_it(collector: Collector) -> None:
    """RFC 2863 s3.1.5 lets an agent renumber its interfaces then."""
    await collector.scrape(THREE.agent())
    await asyncio.sleep(60)
    restarted = Device(
        {1: "lo", 2: "eth1", 3: "eth0"}, up_since=asyncio.get_running_loop().time() - 20
    )
    scrape = await collector.scrape(restarted.agent())
    assert scrape.outcome.labels_refresh is Refresh.RESTART
    assert scrape.named("ifInOctets") == restarted.samples()
    await asyncio.sleep(60)
    assert from_memory(await collector.scrape(restarted.agent()))


@in_pretend_time
async def test_wrap_of_the_uptime_is_no_restart(collector: Collector) -> None:
    wraps_at = asyncio.get_running_loop().time() + 30
    for remembered in (False, True):
        seconds = asyncio.get_running_loop().time() - wraps_at
        ticks = integer_row(f"{SYS_UPTIME}.0", TIME_TICKS, int(seconds * 100) % (1 << 32))
        rows = [*replace(THREE, up_since=None).rows(), ticks]
        assert from_memory(await collector.scrape(rows)) is remembered
        await asyncio.sleep(60)


@in_pretend_time
async def test_agent_without_an_uptime_is_remembered_too(collector: Collector) -> None:
    timeless = replace(THREE, up_since=None)
    await collector.scrape(timeless.agent())
    second = await collector.scrape(timeless.agent())
    assert from_memory(second)
    assert second.outcome.succeeded


@pytest.mark.parametrize("status", [ErrorStatus.genErr, ErrorStatus.noAccess])
@in_pretend_time
async def test_agent_that_fails_over_its_uptime_has_not_failed(
    collector: Collector, status: ErrorStatus
) -> None:
    for remembered in (False, True):
        scrape = await collector.scrape(THREE.agent(errors_below={SYS_UPTIME: status}))
        assert scrape.outcome.failures == []
        assert from_memory(scrape) is remembered


@pytest.mark.parametrize(
    "interfaces",
    [
        {1: "lo", 2: "eth0", 3: "eth1", 4: "tun0"},
        {1: "lo", 3: "eth1"},
        {2: "lo", 3: "eth0", 4: "eth1"},
        {1: "lo", 2: "card0", 3: "eth0", 4: "eth1"},
        {},
    ],
    ids=["row more", "row less", "all moved", "row in between", "none"],
)
@in_pretend_time
async def test_other_rows_mean_that_labels_are_read_again(
    collector: Collector, interfaces: dict[int, str]
) -> None:
    """All of them: whoever inserts a card may have moved the names of rows that were there."""
    await collector.scrape(THREE.agent())
    other = replace(THREE, interfaces=interfaces)
    scrape = await collector.scrape(other.agent())
    assert scrape.outcome.labels_refresh is Refresh.ROWS
    assert scrape.named("ifInOctets") == other.samples()
    assert from_memory(await collector.scrape(other.agent()))


@in_pretend_time
async def test_row_that_came_back_as_another_is_not_known(collector: Collector) -> None:
    await collector.scrape(THREE.agent())
    await collector.scrape(replace(THREE, interfaces={1: "lo", 2: "eth0"}).agent())
    other = replace(THREE, interfaces={1: "lo", 2: "eth0", 3: "tun7"})
    assert (await collector.scrape(other.agent())).named("ifInOctets") == other.samples()


@in_pretend_time
async def test_table_that_tells_of_its_change_is_believed(collector: Collector) -> None:
    """A row that went and came back as another between two scrapes shows in no other way."""
    await collector.scrape(replace(THREE, last_change=100).agent())
    assert from_memory(await collector.scrape(replace(THREE, last_change=100).agent()))
    swapped = Device({1: "lo", 2: "eth1", 3: "eth0"}, last_change=200)
    scrape = await collector.scrape(swapped.agent())
    assert scrape.outcome.labels_refresh is Refresh.CHANGE
    assert scrape.named("ifInOctets") == swapped.samples()


@in_pretend_time
async def test_change_that_nothing_tells_of_shows_after_the_time_at_the_latest(
    collector: Collector,
) -> None:
    """The price, as docs/snmp.md states it."""
    await collector.scrape(THREE.agent())
    swapped = Device({1: "lo", 2: "eth1", 3: "eth0"})
    right: list[bool] = []
    for _ in range(61):
        scrape = await collector.scrape(swapped.agent())
        right.append(scrape.named("ifInOctets") == swapped.samples())
        await asyncio.sleep(10)
    assert right == sorted(right)
    assert (right[0], right[60]) == (False, True)


@in_pretend_time
async def test_other_configuration_does_not_know_the_labels(
    collector: Collector, tmp_path: Path
) -> None:
    await collector.scrape(THREE.agent())
    collector.plan = compile_module("module", load_module(MODULE, tmp_path))
    scrape = await collector.scrape(THREE.agent())
    assert scrape.outcome.labels_refresh is Refresh.UNKNOWN


@in_pretend_time
async def test_other_credentials_do_not_know_the_labels(collector: Collector) -> None:
    await collector.scrape(THREE.agent())
    other = replace(collector, target=f"{collector.target}, another auth")
    assert not from_memory(await other.scrape(THREE.agent()))


@in_pretend_time
async def test_filter_that_chooses_other_rows_has_their_labels_read(tmp_path: Path) -> None:
    targets = [f"{IF_ENTRY}.{column}" for column in (2, 10, 16)]
    filters = [{"oid": IF_ALIAS, "targets": targets, "values": ["eth"]}]
    collector = Collector.of({**MODULE, "filters": filters}, tmp_path)

    async def scrape(switch: Device) -> Scrape:
        found = await collector.scrape(switch.agent())
        wanted = [line for line in switch.samples() if "eth" in line]
        assert found.named("ifInOctets") == wanted
        return found

    assert (await scrape(THREE)).outcome.labels_refresh is Refresh.UNKNOWN
    assert (await scrape(THREE)).outcome.labels_remembered
    other = replace(THREE, interfaces={1: "eth7", 2: "eth0", 3: "lo"})
    assert (await scrape(other)).outcome.labels_refresh is Refresh.ROWS


# Agents that do not answer everything


@in_pretend_time
async def test_silent_agent_is_asked_no_more_than_without_memory(collector: Collector) -> None:
    await collector.scrape(THREE.agent())
    scrape = await collector.scrape(THREE.agent(), intervene=lambda _: silence())
    assert len(scrape.requests) <= 4  # those that were under way at once
    assert not scrape.outcome.answered
    assert from_memory(await collector.scrape(THREE.agent()))


@in_pretend_time
async def test_rows_that_could_not_be_read_do_not_cost_the_labels_of_the_others(
    collector: Collector,
) -> None:
    await collector.scrape(THREE.agent())
    broken = {f"{IF_ENTRY}.{column}.3": ErrorStatus.genErr for column in (10, 16)}
    scrape = await collector.scrape(THREE.agent(errors_below=broken))
    assert from_memory(scrape)
    assert scrape.named("ifInOctets") == THREE.samples()[:2]
    assert not scrape.outcome.succeeded


@in_pretend_time
async def test_labels_that_could_not_be_read_to_their_end_are_not_kept(
    collector: Collector,
) -> None:
    broken = {f"{IF_ALIAS}.3": ErrorStatus.genErr}
    first = await collector.scrape(THREE.agent(errors_below=broken))
    assert first.named("ifInOctets") == []
    second = await collector.scrape(THREE.agent())
    assert second.outcome.labels_refresh is Refresh.UNKNOWN
    assert second.named("ifInOctets") == THREE.samples()


@in_pretend_time
async def test_labels_that_cannot_be_read_again_leave_no_row_with_old_ones(
    collector: Collector,
) -> None:
    await collector.scrape(THREE.agent())
    other = replace(THREE, interfaces={1: "lo", 2: "eth1", 3: "eth0", 4: "eth2"})
    broken = {IF_ALIAS: ErrorStatus.genErr}
    scrape = await collector.scrape(other.agent(errors_below=broken))
    assert scrape.named("ifInOctets") == []
    assert {failure.reason for failure in scrape.outcome.failures} == {FailureReason.AGENT_ERROR}


@in_pretend_time
async def test_instances_of_labels_that_could_not_be_got_are_not_kept(tmp_path: Path) -> None:
    gets = [f"{column}.2" for column in (f"{IF_ENTRY}.2", f"{IF_ENTRY}.10", IF_ALIAS)]
    module = {**MODULE, "walk": [], "get": gets}
    collector = Collector.of(module, tmp_path)

    def intervene(request: Request) -> Pdu | TargetError | None:
        return silence() if request.type == GET_REQUEST else None

    await collector.scrape(THREE.agent(), intervene=intervene)
    second = await collector.scrape(THREE.agent())
    assert second.outcome.labels_refresh is Refresh.UNKNOWN
    third = await collector.scrape(THREE.agent())
    assert third.outcome.labels_remembered
    assert second.named("ifInOctets") == third.named("ifInOctets") == [THREE.samples()[1]]


@in_pretend_time
async def test_row_that_got_no_labels_does_not_count_as_known(tmp_path: Path) -> None:
    """A metric that could not be written: the types of its addresses could not be read."""
    table = {
        "indexes": [{"labelname": "port", "type": "gauge"}],
        "lookups": [
            {"labels": ["port"], "labelname": "name", "oid": "1.2.1", "type": "DisplayString"}
        ],
    }
    module = {
        "walk": ["1.1", "1.2"],
        "metrics": [
            {"name": "speed", "oid": "1.1.1", "type": "gauge", **table},
            {"name": "address", "oid": "1.1.3", "type": "InetAddress", **table},
        ],
        "lookup_cache": "10m",
    }
    rows = "1.1.1.1|2|5\n1.1.2.2|2|1\n1.1.3.2|4x|c0000201\n1.2.1.1|4|A\n1.2.1.2|4|B\n"
    collector = Collector.of(module, tmp_path)
    first = await collector.scrape(
        responder(list(device(rows)), errors_below={"1.1.2": ErrorStatus.genErr})
    )
    assert first.named("address") == []
    for remembered in (False, True):
        scrape = await collector.scrape(rows)
        assert scrape.outcome.labels_remembered is remembered
        assert scrape.samples == [
            'address{address="192.0.2.1",name="B",port="2"} 1',
            'speed{name="A",port="1"} 5',
        ]


# Labels of several hops


CHAIN = {
    "walk": ["1.1", "1.2", "1.3"],
    "metrics": [
        {
            "name": "speed",
            "oid": "1.1.1",
            "type": "gauge",
            "indexes": [{"labelname": "port", "type": "gauge"}],
            "lookups": [
                {"labels": ["port"], "labelname": "card", "oid": "1.2.1", "type": "gauge"},
                {"labels": ["card"], "labelname": "name", "oid": "1.3.1", "type": "DisplayString"},
            ],
        }
    ],
    "lookup_cache": "10m",
}
CHAIN_ROWS = "1.1.1.1|2|10\n1.1.1.2|2|20\n1.2.1.1|2|7\n1.2.1.2|2|8\n1.3.1.7|4|A\n1.3.1.8|4|B\n"


@in_pretend_time
async def test_labels_through_other_labels_are_remembered(tmp_path: Path) -> None:
    collector = Collector.of(CHAIN, tmp_path)
    for _ in range(2):
        scrape = await collector.scrape(CHAIN_ROWS)
        assert scrape.samples == [
            'speed{card="7",name="A",port="1"} 10',
            'speed{card="8",name="B",port="2"} 20',
        ]
    assert scrape.outcome.labels_remembered
    assert not scrape.asked_below("1.2.1")
    assert not scrape.asked_below("1.3.1")


@in_pretend_time
async def test_hop_that_every_scrape_reads_is_followed_in_every_scrape(tmp_path: Path) -> None:
    card = {"name": "card", "oid": "1.2.1", "type": "gauge"}
    module = {**CHAIN, "metrics": [*CHAIN["metrics"], card]}  # type: ignore[misc]
    collector = Collector.of(module, tmp_path)
    await collector.scrape(CHAIN_ROWS)
    moved = CHAIN_ROWS.replace("1.2.1.1|2|7", "1.2.1.1|2|8")
    scrape = await collector.scrape(moved)
    assert scrape.outcome.labels_remembered
    assert not scrape.asked_below("1.3.1")
    assert scrape.named("speed") == [
        'speed{card="8",name="B",port="1"} 10',
        'speed{card="8",name="B",port="2"} 20',
    ]


# Any history


@dataclass(frozen=True)
class Step:
    interfaces: dict[int, str]
    sign: str
    seconds: float
    broken: str


names = st.sampled_from(["lo", "eth0", "eth1", "eth2", "tun0"])
steps = st.builds(
    Step,
    st.dictionaries(st.integers(1, 5), names, max_size=5),
    st.sampled_from(["restart", "mark"]),
    st.sampled_from([0.0, 15.0, 60.0, 700.0]),
    st.sampled_from(["", "", IF_ALIAS, f"{IF_ALIAS}.2", f"{IF_ENTRY}.10.2", SYS_UPTIME]),
)


@given(st.lists(steps, min_size=2, max_size=8))
@settings(max_examples=30)
def test_no_row_has_the_label_of_another_whatever_changes_with_a_sign(history: list[Step]) -> None:
    @in_pretend_time
    async def live() -> None:
        with TemporaryDirectory() as folder:
            collector = Collector.of(MODULE, Path(folder))
        switch = THREE
        for number, step in enumerate(history):
            now = asyncio.get_running_loop().time()
            if step.sign == "restart":
                switch = Device(step.interfaces, up_since=now - 6 - number / 100)
            else:
                switch = replace(switch, interfaces=step.interfaces, last_change=number)
            faults = {step.broken: ErrorStatus.genErr} if step.broken else {}
            ill = await collector.scrape(switch.agent(errors_below=faults))
            assert set(ill.named("ifInOctets")) <= set(switch.samples())
            well = await collector.scrape(switch.agent())
            assert well.named("ifInOctets") == switch.samples()
            await asyncio.sleep(10 + step.seconds)

    live()


# The memory


def held(collector: Collector, size: int, expires_at: float) -> HeldLabels:
    seen = Sighting(0, (), 0, 0)
    return HeldLabels(collector.plan, ((), ()), (), {}, {}, seen, 0, expires_at, size)


def test_newcomers_are_not_kept_when_it_is_full(collector: Collector) -> None:
    cache = LabelCache(100)
    labels = partial(held, collector)
    assert cache.put("one", labels(60, 10), 0)
    assert not cache.put("two", labels(60, 10), 0)
    assert cache.get("one") is not None
    assert cache.size_bytes == 60
    assert cache.put("one", labels(90, 10), 0), "its own place is free for it"
    assert not cache.put("one", labels(101, 10), 0)
    assert (cache.get("one"), cache.size_bytes) == (None, 0)


def test_labels_too_old_to_be_used_make_room(collector: Collector) -> None:
    cache = LabelCache(100)
    assert cache.put("one", held(collector, 60, 10), 0)
    assert cache.put("two", held(collector, 60, 20), 10)
    assert cache.get("one") is None
    assert cache.size_bytes == 60


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 60), st.integers(0, 50))))
def test_memory_is_bounded_and_counted(puts: Iterable[tuple[int, int, int]]) -> None:
    with TemporaryDirectory() as folder:
        collector = Collector.of(MODULE, Path(folder))
    cache = LabelCache(100)
    kept: dict[int, HeldLabels] = {}
    for now, (key, size, lifetime) in enumerate(puts):
        labels = held(collector, size, now + lifetime)
        kept.pop(key, None)
        if cache.put(key, labels, now):
            kept[key] = labels
        kept = {key: labels for key, labels in kept.items() if cache.get(key) is labels}
        assert cache.size_bytes == sum(labels.size_bytes for labels in kept.values()) <= 100
    cache.clear()
    assert cache.size_bytes == 0


@in_pretend_time
async def test_labels_that_are_not_kept_are_read_in_every_scrape(tmp_path: Path) -> None:
    collector = Collector.of(MODULE, tmp_path, cache=LabelCache(100))
    for _ in range(2):
        scrape = await collector.scrape(THREE.agent())
        assert scrape.outcome.labels_refused
        assert scrape.named("ifInOctets") == THREE.samples()
        assert not from_memory(scrape)


@in_pretend_time
async def test_size_is_what_the_labels_take(tmp_path: Path) -> None:
    collector = Collector.of(MODULE, tmp_path)
    agent = Device({number: f"Ethernet{number}/1" for number in range(1, 301)}).agent()
    await Collector.of(MODULE, tmp_path).scrape(agent)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        await collector.scrape(agent)
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert 0.5 < collector.cache.size_bytes / taken < 1.5


def test_labels_of_a_row_are_measured_with_their_text() -> None:
    labels = RowLabels()
    empty = labels.size_bytes()
    labels.pairs[b"\x01"] = ('a="' + "x" * 1000 + '"',)
    labels.texts[b"\x01"] = "{" + labels.pairs[b"\x01"][0] + "}"
    assert 2000 < labels.size_bytes() - empty < 2600


# When targets take their turns


def test_targets_are_read_again_evenly_over_the_time() -> None:
    """Ten thousand that were first met in one minute, as after a start of the exporter."""
    targets = [f"10.{number // 250}.0.{number % 250}" for number in range(10_000)]
    met = [number / 10_000 * 60 for number in range(10_000)]
    first = [expiry(target, now, 600.0) for target, now in zip(targets, met, strict=True)]
    minutes = [0] * 11
    for at, now in zip(first, met, strict=True):
        assert now < at <= now + 600
        minutes[int(at // 60)] += 1
    assert max(minutes) < 1200
    assert min(minutes[1:10]) > 800


@given(st.text(), st.floats(0, 1e7), st.floats(0.001, 1e5))
def test_turn_of_a_target_is_always_the_same(target: str, now: float, seconds: float) -> None:
    at = expiry(target, now, seconds)
    assert now <= at <= now + seconds * 1.001
    assert expiry(target, at + seconds / 2, seconds) == pytest.approx(at + seconds, rel=1e-6)
