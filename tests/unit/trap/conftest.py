"""A receiver without sockets, and senders of every version."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from typing import Any

import pytest

from exporters.config.devices import Device, Inventory
from exporters.config.event_rules import load_event_rules
from exporters.config.event_settings import AccessSettings, EventSettings, RateLimit
from exporters.events.intake import Intake
from exporters.events.rule_files import shipped_rule_files
from exporters.events.rules import RuleSet
from exporters.events.shares import WHOLE, Share
from exporters.events.sources import SourceLimiter, Sources
from exporters.mibs.opening import open_with_directories
from exporters.smi.dictionary import Dictionary
from exporters.sockets.datagrams import Datagrams
from exporters.trap.catalogue import Catalogue
from exporters.trap.engines import Engines
from exporters.trap.objects import Objects
from exporters.trap.own_engine import OwnEngine
from exporters.trap.receiver import Policy, TrapReceiver
from exporters.trap.security import Security, TrapUser
from exporters.trap.seen import Seen
from exporters.trap.series import TrapSeries
from exporters.wire.ber import encode_integer, encode_oid, encode_tlv
from exporters.wire.snmp_message import (
    VarBind,
    encode_community_message,
    encode_pdu,
    encode_varbinds,
)
from exporters.wire.snmp_trap import SNMP_TRAP_OID, SYS_UP_TIME
from exporters.wire.tags import (
    INTEGER,
    IP_ADDRESS,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    TIME_TICKS,
    TRAP_V1,
    TRAP_V2,
)
from exporters.wire.usm import (
    AuthProtocol,
    PrivProtocol,
    SecurityLevel,
    UsmUser,
    encode_scoped_pdu,
    encode_v3_message,
    localize,
)

DEVICE = "192.0.2.1"
STRANGER = "198.51.100.7"
LINK_DOWN = "1.3.6.1.6.3.1.1.5.3"
LINK_UP = "1.3.6.1.6.3.1.1.5.4"
OUR_ENGINE = bytes.fromhex("8000000005aabbccdd")
THEIR_ENGINE = bytes.fromhex("80000000051122334455")
USER = UsmUser("nms", AuthProtocol.SHA, "authentic1", PrivProtocol.AES, "private123")
PLAIN_USER = UsmUser("plain")


# --- packets --------------------------------------------------------------------------------


def varbind(oid: str, tag: int, content: bytes) -> VarBind:
    return encode_oid(oid), tag, content


def head(trap_oid: str = LINK_DOWN, ticks: int = 12345) -> tuple[VarBind, VarBind]:
    return (
        (SYS_UP_TIME, TIME_TICKS, ticks.to_bytes(4, "big")),
        (SNMP_TRAP_OID, OBJECT_IDENTIFIER, encode_oid(trap_oid)),
    )


def interface(number: int = 7, name: str = "Gi0/7") -> tuple[VarBind, ...]:
    return (
        varbind(f"1.3.6.1.2.1.2.2.1.1.{number}", INTEGER, bytes((number,))),
        varbind(f"1.3.6.1.2.1.2.2.1.2.{number}", OCTET_STRING, name.encode()),
    )


def trap_v2c(
    *varbinds: VarBind,
    community: bytes = b"public",
    pdu_type: int = TRAP_V2,
    version: int = 1,
    request_id: int = 4711,
) -> bytes:
    pdu = encode_pdu(pdu_type, request_id, 0, 0, encode_varbinds(varbinds))
    return encode_community_message(version, community, pdu)


def link_down(**parts: Any) -> bytes:
    return trap_v2c(*head(), *interface(), **parts)


def trap_v1(
    generic: int,
    specific: int = 0,
    *varbinds: VarBind,
    enterprise: str = "1.3.6.1.4.1.9.1",
    agent: bytes = bytes(4),
    version: int = 0,
) -> bytes:
    content = (
        encode_tlv(OBJECT_IDENTIFIER, encode_oid(enterprise))
        + encode_tlv(IP_ADDRESS, agent)
        + encode_integer(generic)
        + encode_integer(specific)
        + encode_tlv(TIME_TICKS, b"\x30\x39")
        + encode_varbinds(varbinds)
    )
    return encode_community_message(version, b"public", encode_tlv(TRAP_V1, content))


def message_v3(
    *varbinds: VarBind,
    user: UsmUser = USER,
    engine: bytes = THEIR_ENGINE,
    boots: int = 3,
    time: int = 1000,
    pdu_type: int = TRAP_V2,
    level: SecurityLevel | None = None,
    reportable: bool = False,
    msg_id: int = 1,
    request_id: int = 99,
    **parts: Any,
) -> bytes:
    pdu = encode_pdu(pdu_type, request_id, 0, 0, encode_varbinds(varbinds or head()))
    return encode_v3_message(
        encode_scoped_pdu(engine, b"", pdu),
        localize(user, engine),
        msg_id=msg_id,
        boots=boots,
        time=time,
        reportable=reportable,
        level=level,
        salt=msg_id,
        **parts,
    )


# --- the receiver ---------------------------------------------------------------------------


@cache
def dictionary() -> Dictionary:
    return open_with_directories([], None).dictionary


@cache
def shipped_rules() -> RuleSet:
    return RuleSet(load_event_rules([], shipped_rule_files("trap"), environment={}), "trap")


@dataclass
class Clock:
    """Both clocks; the monotonic one began at 0."""

    wall: float = 1_000_000.0
    monotonic: float = 0.0

    def pass_seconds(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds


@dataclass
class Line:
    """What stands for a socket: it keeps what was answered."""

    answers: list[bytes] = field(default_factory=list)
    fails: bool = False

    def answer(self, content: bytes, place: int) -> None:
        if self.fails:
            raise OSError("no route to host")
        self.answers.append(content)


@dataclass
class Station:
    """A receiver with everything behind it."""

    clock: Clock
    intake: Intake
    series: TrapSeries
    receiver: TrapReceiver
    engines: Engines
    line: Line

    def take(self, *packets: bytes, peer: str = DEVICE, is_cut: bool = False) -> list[str]:
        """Give the outcome of each of *packets*."""
        outcomes = []
        for packet in packets:
            before = dict(self.receiver.outcomes)
            datagrams = Datagrams([packet], [socket.inet_aton(peer)], [0] if is_cut else [])
            self.receiver.take(datagrams, self.line)
            after = self.receiver.outcomes
            (outcome,) = [name for name in after if after[name] != before[name]]
            outcomes.append(outcome)
        assert sum(self.receiver.outcomes.values()) == self.receiver.datagrams
        return outcomes

    @property
    def last(self) -> dict[str, Any]:
        """The latest event, as it is shown."""
        from exporters.events.recent import Query

        return self.intake.recent.search(Query(), limit=1)[0].as_json()


def make_station(
    *,
    users: tuple[TrapUser, ...] = (
        TrapUser(USER, SecurityLevel.authPriv),
        TrapUser(PLAIN_USER, SecurityLevel.noAuthNoPriv),
    ),
    communities: tuple[bytes, ...] = (),
    versions: tuple[str, ...] = ("1", "2c", "3"),
    access: AccessSettings = AccessSettings(),  # noqa: B008 - frozen
    limit: RateLimit = RateLimit(),  # noqa: B008
    engines_limit: int = 100,
    replays: int = 1000,
    boots: int = 5,
    rules: RuleSet | None = None,
    share: Share = WHOLE,
    heard_from: int = 0,
) -> Station:
    clock = Clock()
    inventory = Inventory(
        devices=(
            Device(name="core-1", addresses=(DEVICE, "2001:db8::1")),
            Device(name="edge-1", addresses=("192.0.2.77",)),
        )
    )
    settings = EventSettings()
    rules = shipped_rules() if rules is None else rules
    names = share.own_names(inventory.devices)
    intake = Intake("trap", rules, settings, devices=names, clock=lambda: clock.wall)
    series = TrapSeries(settings)
    for family in series.families():
        intake.add_family(family)
    engines = Engines(engines_limit, clock=lambda: clock.wall, monotonic=lambda: clock.monotonic)
    security = Security(
        users,
        engines,
        OwnEngine(OUR_ENGINE, boots, 0.0, heard_from),
        Seen(replays),
        salts=count(1),
        monotonic=lambda: clock.monotonic,
    )
    policy = Policy(
        sources=Sources(inventory, access, share),
        limiter=SourceLimiter(limit),
        versions=frozenset(versions),
        communities=frozenset(communities),
        security=security,
        catalogue=Catalogue(dictionary()),
        objects=Objects(dictionary()),
    )
    receiver = TrapReceiver(
        intake, series, policy, clock=lambda: clock.wall, monotonic=lambda: clock.monotonic
    )
    return Station(clock, intake, series, receiver, engines, Line())


def samples(intake: Intake, now: float = 0.0) -> Iterator[str]:
    """All sample lines, as if it were long after the first scrape."""
    for moment in (now, now + 3600.0):
        lines = []
        for family in intake.families():
            family.scraped(moment)
            lines.extend(line.strip() for line in family.lines())
    yield from lines


@pytest.fixture
def station() -> Station:
    return make_station()


@pytest.fixture
def make() -> Callable[..., Station]:
    return make_station
