"""What is remembered of ``auto``, when a target is asked again, and what failures come to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, cast

import pytest

from exporters.config.snmp_config import AUTO
from exporters.demo.responder import Responder
from exporters.errors import FailureReason, TargetError
from exporters.polling.agent_memory import AgentMemory
from exporters.polling.cursor import Value
from exporters.snmp.agent_changes import watched_with
from exporters.snmp.module_choice import Asking, ModuleChoices, WantedModules
from exporters.snmp.survey import Candidates
from exporters.sockets.snmp_session import SnmpSession, Traffic
from exporters.wire.ber import encode_integer_content, encode_oid
from exporters.wire.snmp_message import ErrorStatus, Pdu, VarBind, Version
from exporters.wire.tags import INTEGER, TIME_TICKS

from ..polling.fake_session import FakeSession, Intervene, Request, responder, silence
from ..sockets.pretend_time import STARTED_AT, in_pretend_time
from .test_survey import candidates, column, scalar, walking

VENDOR = "1.3.6.1.4.1.99999"
FAN = f"{VENDOR}.1.1.2.1"
CPU = f"{VENDOR}.2.1.0"
UPTIME = "1.3.6.1.2.1.1.3.0"
SYS_UPTIME = watched_with(())[0]


@pytest.fixture
def fans_and_cpu(tmp_path: Path) -> Candidates:
    return candidates(
        {
            "fans": walking(column("fan", f"{VENDOR}.1.1.2")),
            "cpu": walking(scalar("cpu", f"{VENDOR}.2.1")),
        },
        tmp_path,
    )


def number(oid: str, value: int = 1, tag: int = INTEGER) -> VarBind:
    return encode_oid(oid), tag, encode_integer_content(value)


def uptime(seconds: float) -> VarBind:
    return number(UPTIME, int(seconds * 100), TIME_TICKS)


class _OpenSession(FakeSession):
    def __init__(self, *arguments: object, traffic: Traffic, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]
        self._traffic = traffic

    async def _ask(self, request: Request) -> tuple[Pdu, int]:
        self._traffic.packets_sent += 1
        return await super()._ask(request)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


@dataclass
class Target:
    """One target, and requests for it."""

    rows: list[VarBind]
    choices: ModuleChoices = field(default_factory=lambda: ModuleChoices(3600.0))
    memory: AgentMemory = field(default_factory=AgentMemory)
    intervene: Intervene | None = None
    version: int = Version.V2C
    name: str = "192.0.2.1"
    agent: Responder | None = None
    """What answers, if it is not made of *rows*."""
    packets: int = 0
    """Of the latest request."""

    def want(self, found: Candidates, *modules: str) -> WantedModules:
        clock = asyncio.get_running_loop().time
        return self.choices.of(self.name, modules or (AUTO,), found, clock)

    def _open(self, traffic: Traffic) -> SnmpSession:
        agent = self.agent or responder(self.rows)
        opened = _OpenSession(
            agent, traffic=traffic, intervene=self.intervene, version=self.version
        )
        return cast(SnmpSession, opened)

    def _uptime_rows(self) -> Iterator[tuple[bytes, Value]]:
        for oid, tag, raw in self.rows:
            if oid == encode_oid(UPTIME):
                yield b"\0", (tag, raw)

    async def scrape(
        self, found: Candidates, *modules: str, read_uptime: bool = True
    ) -> WantedModules:
        """Ask if that is due, and see afterwards whether the target has restarted."""
        wanted = self.want(found, *modules)
        if wanted.due:
            await wanted.ask(self._open, self.memory)
        read = {SYS_UPTIME: dict(self._uptime_rows())} if read_uptime else {}
        await wanted.look_for_restart(read, self._open, self.memory)
        self.packets = wanted.outcome.traffic.packets_sent
        return wanted


@in_pretend_time
async def test_a_target_is_asked_once_until_its_time_is_over(fans_and_cpu: Candidates) -> None:
    target = Target([number(FAN)])

    first, second = [await target.scrape(fans_and_cpu) for _ in range(2)]
    await asyncio.sleep(3600)
    third = await target.scrape(fans_and_cpu)

    assert [wanted.names for wanted in (first, second, third)] == [("fans",)] * 3
    assert [wanted.asking for wanted in (first, second, third)] == [
        Asking.UNKNOWN,
        None,
        Asking.AGE,
    ]
    assert first.outcome.traffic.packets_sent == 1
    assert not second.asked


@in_pretend_time
async def test_targets_that_come_together_are_asked_again_apart(fans_and_cpu: Candidates) -> None:
    choices = ModuleChoices(3600.0)
    targets = [Target([number(FAN)], choices, name=f"192.0.2.{place}") for place in range(20)]
    for target in targets:
        await target.scrape(fans_and_cpu)

    await asyncio.sleep(1800)

    due = [target.want(fans_and_cpu).due for target in targets]
    assert 2 < due.count(Asking.AGE) < 18


@in_pretend_time
async def test_without_time_a_target_is_asked_in_each_scrape(fans_and_cpu: Candidates) -> None:
    target = Target([number(FAN)], ModuleChoices(0.0))

    scrapes = [await target.scrape(fans_and_cpu) for _ in range(3)]

    assert [wanted.asking for wanted in scrapes] == [Asking.UNKNOWN, Asking.AGE, Asking.AGE]


@in_pretend_time
async def test_modules_that_are_named_beside_auto_are_read_in_their_place(
    fans_and_cpu: Candidates,
) -> None:
    target = Target([number(FAN), number(CPU)])

    wanted = target.want(fans_and_cpu, "if_mib", AUTO, "cpu")
    assert wanted.names == ("if_mib", "cpu")
    await target.scrape(fans_and_cpu)

    assert target.want(fans_and_cpu, "if_mib", AUTO, "cpu").names == ("if_mib", "cpu", "fans")
    assert target.want(fans_and_cpu, "cpu").due is None


@in_pretend_time
async def test_a_restart_is_noticed_and_the_target_asked_next_time(
    fans_and_cpu: Candidates,
) -> None:
    target = Target([number(FAN), uptime(STARTED_AT)])
    await target.scrape(fans_and_cpu)
    await asyncio.sleep(60)
    target.rows = [number(FAN), uptime(STARTED_AT + 60)]
    quiet = await target.scrape(fans_and_cpu)
    target.rows = [number(FAN), number(CPU), uptime(5)]

    noticed = await target.scrape(fans_and_cpu)
    following = await target.scrape(fans_and_cpu)

    assert (quiet.asking, noticed.asking, following.asking) == (None, None, Asking.RESTART)
    assert (noticed.names, set(following.names)) == (("fans",), {"cpu", "fans"})
    assert (await target.scrape(fans_and_cpu)).asking is None


@in_pretend_time
async def test_uptime_that_no_module_reads_is_asked_for_in_one_packet(
    fans_and_cpu: Candidates,
) -> None:
    target = Target([number(FAN), uptime(STARTED_AT)])
    await target.scrape(fans_and_cpu)
    target.rows = [number(FAN), uptime(3)]

    await target.scrape(fans_and_cpu, read_uptime=False)

    assert target.packets == 1
    assert target.want(fans_and_cpu).due is Asking.RESTART


@in_pretend_time
async def test_another_configuration_asks_again(fans_and_cpu: Candidates, tmp_path: Path) -> None:
    target = Target([number(FAN), number(CPU)])
    under_way = target.want(fans_and_cpu)
    await target.scrape(fans_and_cpu)
    reloaded = candidates({"only_cpu": walking(scalar("cpu", f"{VENDOR}.2.1"))}, tmp_path)

    assert target.want(reloaded).due is Asking.UNKNOWN
    assert (await target.scrape(reloaded)).names == ("only_cpu",)
    assert under_way.names == ()  # nothing of the other configuration


@in_pretend_time
async def test_a_device_that_answers_none_of_the_modules_fails_with_a_reason(
    fans_and_cpu: Candidates,
) -> None:
    target = Target([number("1.3.6.1.2.1.1.7.0")])

    wanted = await target.scrape(fans_and_cpu)

    assert wanted.names == ()
    assert not wanted.outcome.answered
    assert not wanted.outcome.silent
    assert [str(failure) for failure in wanted.outcome.failures] == [
        "the device answers, but has nothing that any of the 2 loaded modules reads (no_module)"
    ]
    assert target.want(fans_and_cpu).due is Asking.UNKNOWN


@in_pretend_time
async def test_a_silent_target_is_as_one_of_a_module_that_is_silent(
    fans_and_cpu: Candidates,
) -> None:
    target = Target([number(FAN)], intervene=lambda _: silence())

    wanted = await target.scrape(fans_and_cpu)

    assert (wanted.names, wanted.outcome.silent, target.packets) == ((), True, 1)
    assert [failure.reason for failure in wanted.outcome.failures] == [FailureReason.TIMEOUT]


@in_pretend_time
async def test_an_earlier_choice_serves_while_a_target_is_silent(
    fans_and_cpu: Candidates,
) -> None:
    target = Target([number(FAN)], ModuleChoices(0.0))
    await target.scrape(fans_and_cpu)
    target.intervene = lambda _: silence()

    wanted = await target.scrape(fans_and_cpu)

    assert wanted.names == ("fans",)
    assert not wanted.outcome.succeeded
    assert target.want(fans_and_cpu).due is Asking.AGE


@in_pretend_time
async def test_what_a_target_told_before_it_fell_silent_serves_once(tmp_path: Path) -> None:
    many = {
        f"m{place}": walking(column(f"m{place}", f"{VENDOR}.{place}.1.1")) for place in range(200)
    }
    found = candidates(many, tmp_path)
    requests: list[Request] = []

    def first_only(request: Request) -> TargetError | None:
        requests.append(request)
        return silence() if len(requests) > 1 else None

    rows = [number(f"{VENDOR}.{place}.1.1.1") for place in range(200)]
    target = Target(rows, intervene=first_only)

    wanted = await target.scrape(found)

    assert 0 < len(wanted.names) < 60
    assert wanted.outcome.answered
    assert not wanted.outcome.succeeded
    assert target.want(found).due is Asking.UNKNOWN


@in_pretend_time
async def test_objects_that_the_agent_denies_leave_the_others(fans_and_cpu: Candidates) -> None:
    fans = encode_oid(f"{VENDOR}.1.1")

    def deny(request: Request) -> Pdu | None:
        if fans not in request.oids:
            return None
        names = [(oid, INTEGER, b"\1") for oid in request.oids]
        return Pdu(0xA2, 1, ErrorStatus.noAccess, request.oids.index(fans) + 1, names)

    target = Target([number(FAN), number(CPU)], intervene=deny)

    wanted = await target.scrape(fans_and_cpu)

    assert (wanted.names, wanted.outcome.succeeded) == (("cpu",), True)
    assert target.want(fans_and_cpu).due is None


@in_pretend_time
async def test_an_agent_of_version_1_is_asked_in_few_packets(tmp_path: Path) -> None:
    many = {
        f"m{place}": walking(column(f"m{place}", f"{VENDOR}.{place}.1.1")) for place in range(500)
    }
    target = Target([number(f"{VENDOR}.77.1.1.9")], version=Version.V1)

    wanted = await target.scrape(candidates(many, tmp_path))

    assert wanted.names == ("m77",)
    assert target.packets <= 25


@in_pretend_time
async def test_the_log_of_a_scrape_tells_what_was_chosen_and_why(
    fans_and_cpu: Candidates,
) -> None:
    target = Target([number(FAN)])
    asked = await target.scrape(fans_and_cpu)
    remembered = await target.scrape(fans_and_cpu)

    left = round(asked._choice.expires_at - STARTED_AT) if asked._choice else 0
    why = f"auto: module fans: the device has {FAN}"
    assert list(asked.describe()) == [
        f"auto: asked (unknown), good for {left} s more: fans",
        why,
    ]
    assert list(remembered.describe()) == [
        f"auto: from memory, good for {left} s more: fans",
        why,
    ]
    assert list(target.want(fans_and_cpu, "cpu").describe()) == []
