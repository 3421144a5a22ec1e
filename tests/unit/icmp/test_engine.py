"""The engine, towards a network that loses, delays and refuses, without any time passing."""

from __future__ import annotations

import errno
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.icmp.accounting import LossReason
from exporters.icmp.origin import IDENTIFIERS, OriginKey
from exporters.icmp.target import Target, TargetSettings
from exporters.wire.icmp_errors import ErrorKind

from .pretend_pings import CONGESTED, MS, SECOND, Host, World, closes

GOOD, BAD = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def world() -> World:
    return World()


def lost(target: Target, reason: LossReason) -> int:
    return target.account.lost[reason]


def test_every_target_is_pinged_once_an_interval(world: World) -> None:
    slow = world.add(GOOD, interval_seconds=2.0)
    fast = world.add(BAD, interval_seconds=0.05)
    world.run(10)
    assert (slow.account.sent, fast.account.sent) == (5, 200)
    assert (slow.account.replies, sum(fast.account.lost)) == (5, 0)


def test_silent_target_loses_after_its_timeout(world: World) -> None:
    world.hosts[BAD] = Host(delay_ns=None)
    target = world.add(BAD, timeout_seconds=0.5)
    world.run(10.6)
    assert lost(target, LossReason.TIMEOUT) >= 10
    assert target.account.in_flight <= 1
    assert closes(target)


def test_outage_lasts_from_the_first_lost_ping_to_the_next_reply(world: World) -> None:
    target = world.add(BAD, interval_seconds=1.0, timeout_seconds=0.5)
    world.run(3)
    world.hosts[BAD] = Host(delay_ns=None)
    world.run(4)
    world.hosts[BAD] = Host()
    world.run(3)
    (outage,) = target.outages
    assert outage.losses == 4
    assert outage.ended_at is not None
    assert outage.ended_at - outage.began_at == pytest.approx(4.0, abs=0.05)


@pytest.mark.parametrize(
    "host",
    [
        Host(delay_ns=None),
        Host(error=(3, 1)),
        Host(send_error=errno.EPERM),
        Host(send_error=errno.ENETUNREACH),
        Host(send_error=errno.EINVAL),
        Host(send_error=errno.ENODEV),
        Host(answers_from="203.0.113.7"),
        Host(alter=lambda payload: payload[:-1]),
        Host(times=50),
    ],
    ids=["silent", "error", "eperm", "no-route", "einval", "enodev", "other-source", "cut", "many"],
)
def test_bad_target_never_touches_another(world: World, host: Host) -> None:
    world.hosts[BAD] = host
    bad = world.add(BAD, interval_seconds=0.1)
    good = world.add(GOOD, interval_seconds=0.1)
    world.run(20)
    assert good.account.sent == 200
    assert good.account.replies + good.account.in_flight == 200
    assert good.account.wrong_source == good.account.corrupt == good.account.duplicates == 0
    assert closes(bad)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.EPERM, LossReason.SEND_ERROR),
        (errno.ENETUNREACH, LossReason.SEND_ERROR),
        (errno.EMSGSIZE, LossReason.TOO_BIG),
    ],
)
def test_ping_that_the_kernel_refuses_is_sent_and_lost(
    world: World, number: int, reason: LossReason
) -> None:
    world.hosts[BAD] = Host(send_error=number)
    target = world.add(BAD)
    world.run(5)
    assert target.account.sent == lost(target, reason) == 5
    assert world.engine.counters.send_errors == {errno.errorcode[number]: 5}


def test_error_of_a_router_ends_the_ping_at_once(world: World) -> None:
    world.hosts[BAD] = Host(error=(3, 13), delay_ns=2 * MS)
    target = world.add(BAD, timeout_seconds=30.0)
    world.run(5)
    assert lost(target, LossReason.PROHIBITED) == target.account.sent == 5
    error = target.account.last_error
    assert error is not None
    assert (error.reporter, error.kind) == ("10.0.0.9", ErrorKind.PROHIBITED)


def test_error_that_quotes_the_header_alone_is_matched_by_destination_and_sequence(
    world: World,
) -> None:
    world.hosts[BAD] = Host(error=(3, 1), quoted_bytes=0)
    target = world.add(BAD)
    world.add(GOOD)
    world.run(5)
    assert lost(target, LossReason.UNREACHABLE) == 5


def test_reply_from_another_address_is_no_reply(world: World) -> None:
    world.hosts[BAD] = Host(answers_from=GOOD)
    bad, good = world.add(BAD), world.add(GOOD)
    world.run(10)
    assert (bad.account.replies, bad.account.wrong_source) == (0, 10)
    assert (good.account.replies, good.account.wrong_source) == (10, 0)


@pytest.mark.parametrize("length", [0, 8, 16, 55])
def test_altered_payload_is_counted_where_it_was_asked_for(world: World, length: int) -> None:
    world.hosts[BAD] = Host(alter=lambda payload: payload[:length])
    target = world.add(BAD)
    world.run(10)
    assert (target.account.replies, target.account.corrupt) == (0, 10)
    assert world.engine.counters.unmatched == 0


def test_two_targets_at_one_address_keep_their_own_replies(world: World) -> None:
    first, second = world.add(GOOD), world.add(GOOD, traffic_class=0xB8)
    world.run(10)
    for target in (first, second):
        assert (target.account.sent, target.account.replies) == (10, 10)
        assert target.account.duplicates == target.account.wrong_source == 0


def test_target_without_an_address_loses_to_dns(world: World) -> None:
    target = Target(TargetSettings(device="x", group="g", host="no.example"), None)
    world.engine.add(target)
    world.run(5)
    assert target.account.sent == lost(target, LossReason.DNS) == 5


# A process that is held up


def test_stall_loses_no_ping_that_was_answered(world: World) -> None:
    targets = [world.add(f"10.0.0.{number}", timeout_seconds=0.5) for number in range(1, 101)]
    world.run(5)
    for _ in range(5):
        world.stall(3)
        world.run(2)
    world.run(1)
    for target in targets:
        assert sum(target.account.lost) == 0
        assert closes(target)
    assert world.engine.skipped > 0
    assert world.engine.counters.longest_lag_ns > SECOND


def test_timeouts_wait_until_everything_is_read(world: World) -> None:
    world.read_limit = 3  # a tick; ten replies come in it
    targets = [
        world.add(f"10.0.0.{number}", interval_seconds=0.05, timeout_seconds=0.1)
        for number in range(1, 101)
    ]
    world.run(1)
    assert sum(target.account.in_flight for target in targets) > 1000
    world.read_limit = 10**9
    world.run(1)
    assert sum(sum(target.account.lost) for target in targets) == 0


def test_rounds_after_a_stall_keep_to_the_pace() -> None:
    world = World(max_per_second=1000)
    for number in range(1, 201):
        world.add(f"10.0.0.{number}")
    world.run(2)
    world.stall(60)
    started_ns = world.now_ns
    world.run(1)
    first_tenth = [at_ns for at_ns, _, _ in world.sends if 0 <= at_ns - started_ns < SECOND // 10]
    assert len(first_tenth) <= 1000 * 0.1 + 20


def test_cap_on_the_rate_is_kept_and_what_is_above_it_is_skipped() -> None:
    world = World(max_per_second=50)
    targets = [world.add(f"10.0.0.{number}") for number in range(1, 101)]
    world.run(20)
    assert sum(target.account.sent for target in targets) <= 50 * 20 + 20
    assert world.engine.skipped > 0
    assert all(closes(target) for target in targets)


# Full buffers


def test_full_buffer_puts_a_ping_off(world: World) -> None:
    world.hosts[GOOD] = Host(send_error=CONGESTED)
    target = world.add(GOOD)
    while not world.sends:
        world.run(0.001)
    world.hosts[GOOD] = Host()
    world.run(0.9)
    assert (target.account.sent, target.account.replies) == (1, 1)
    assert world.engine.counters.put_off > 0


def test_buffer_that_stays_full_is_a_send_error(world: World) -> None:
    world.hosts[GOOD] = Host(send_error=CONGESTED)
    target = world.add(GOOD)
    world.run(5)
    assert lost(target, LossReason.SEND_ERROR) >= 4
    assert closes(target)


def test_full_buffer_of_one_origin_leaves_the_others_alone(world: World) -> None:
    world.hosts[BAD] = Host(send_error=CONGESTED)
    bad = [world.add(BAD, interface="eth1", interval_seconds=0.05) for _ in range(20)]
    good = world.add(GOOD, interval_seconds=0.05)
    world.run(10)
    assert good.account.replies == good.account.sent == 200
    assert all(closes(target) for target in bad)


# Sockets


def test_targets_of_one_origin_share_a_socket(world: World) -> None:
    for number in range(1, 51):
        world.add(f"10.0.0.{number}")
    world.add("2001:db8::1")
    world.add("10.0.1.1", interface="eth1")
    world.add("10.0.1.2", source_v4="192.0.2.200")
    world.run(2)
    assert sorted(opened.key for opened in world.sockets) == [
        OriginKey(4, "", ""),
        OriginKey(4, "", "eth1"),
        OriginKey(4, "192.0.2.200", ""),
        OriginKey(6, "", ""),
    ]


def test_origin_without_a_socket_costs_only_its_own_targets(world: World) -> None:
    missing = OriginKey(4, "", "eth9")
    world.refused_origins.add(missing)
    bad, good = world.add(BAD, interface="eth9"), world.add(GOOD)
    world.run(5)
    assert lost(bad, LossReason.SEND_ERROR) == bad.account.sent == 5
    assert good.account.replies == 5
    assert world.engine.origins[missing].failed
    world.refused_origins.clear()
    world.run(5)
    assert bad.account.replies >= 4
    assert not world.engine.origins[missing].failed


@pytest.mark.parametrize("number", [errno.ENODEV, errno.ENETUNREACH])
def test_socket_whose_interface_is_gone_is_opened_again(world: World, number: int) -> None:
    target = world.add(GOOD, interface="eth1")
    world.run(2)
    world.hosts[GOOD] = Host(send_error=number)
    world.lost_interfaces.add("eth1")
    world.refused_origins.add(OriginKey(4, "", "eth1"))
    world.run(5)
    world.hosts[GOOD] = Host()
    world.lost_interfaces.clear()
    world.refused_origins.clear()
    world.run(5)
    assert target.account.consecutive_losses == 0
    assert world.sockets[0].closed
    assert len(world.sockets) == 2


def test_interface_that_is_down_costs_no_socket(world: World) -> None:
    target = world.add(GOOD, interface="eth1")
    world.hosts[GOOD] = Host(send_error=errno.ENETUNREACH)
    world.run(5)
    world.hosts[GOOD] = Host()
    world.run(5)
    assert target.account.consecutive_losses == 0
    assert len(world.sockets) == 1


def test_removed_target_is_not_pinged_and_its_origin_is_closed(world: World) -> None:
    target = world.add(GOOD)
    world.run(3)
    world.engine.remove(target)
    count = len(world.sends)
    world.run(5)
    assert len(world.sends) == count
    assert world.engine.origins == {}
    assert all(opened.closed for opened in world.sockets)


def test_changed_target_keeps_its_account(world: World) -> None:
    world.hosts[GOOD] = Host(delay_ns=400 * MS)
    target = world.add(GOOD)
    while len(world.sends) < 3:
        world.run(0.01)
    assert target.account.in_flight == 1
    world.engine.change(target, replace(target.settings, interval_seconds=0.1))
    world.run(3)
    assert target.account.sent == 3 + 30
    assert len(world.sockets) == 1
    assert sum(target.account.lost) == 0
    assert closes(target)


def test_receive_buffer_is_sized_from_the_targets(world: World) -> None:
    for number in range(5000):
        world.add(f"10.0.{number // 250}.{number % 250}", interval_seconds=0.5, size_bytes=1000)
    world.run(0.1)
    assert world.sockets[0].buffer_granted_bytes >= 20_000 * 2000


# Identifiers


def test_target_that_a_firewall_has_pinned_gets_another_identifier(world: World) -> None:
    world.add(GOOD)
    target = world.add(BAD)
    world.run(10)
    first = world.sockets[0].identifier
    world.hosts[BAD] = Host(identifiers=frozenset({first + 1}))
    world.run(60)
    assert target.account.consecutive_losses == 0
    assert world.engine.counters.rotations == 1
    assert target.identifier_index == 1


def test_identifiers_stay_when_everybody_is_silent(world: World) -> None:
    world.hosts[GOOD] = world.hosts[BAD] = Host(delay_ns=None)
    world.add(GOOD)
    world.add(BAD)
    world.run(300)
    assert world.engine.counters.rotations == 0


def test_dead_target_uses_no_more_sockets_than_there_are_identifiers(world: World) -> None:
    world.hosts[BAD] = Host(delay_ns=None)
    world.add(GOOD)
    world.add(BAD, interval_seconds=0.05)
    world.run(600)
    assert len(world.sockets) == IDENTIFIERS
    assert 15 <= world.engine.counters.rotations <= 20


# Everything at once

HOSTS = st.builds(
    Host,
    delay_ns=st.one_of(st.none(), st.integers(0, 3 * SECOND)),
    answers_from=st.sampled_from(["", "203.0.113.1", "10.0.0.1"]),
    error=st.sampled_from([None, None, (3, 1), (11, 0), (5, 0)]),
    quoted_bytes=st.sampled_from([0, 56]),
    alter=st.sampled_from([bytes, lambda payload: payload[:20], lambda _: b""]),
    times=st.integers(1, 3),
    send_error=st.sampled_from([None, None, None, errno.EPERM, errno.ENOBUFS, errno.ENODEV]),
)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(HOSTS, HOSTS), min_size=1, max_size=6),
    st.lists(st.sampled_from(["run", "stall", "swap", "clock", "read", "remove"]), max_size=12),
)
def test_accounts_close_whatever_happens(hosts: list[tuple[Host, Host]], events: list[str]) -> None:
    world = World()
    targets = []
    for number, (host, _) in enumerate(hosts):
        world.hosts[f"10.0.0.{number}"] = host
        targets.append(world.add(f"10.0.0.{number}", interval_seconds=0.3, timeout_seconds=1.0))
    good = world.add("192.0.2.1", interval_seconds=0.3, timeout_seconds=1.0)
    for event in events:
        match event:
            case "run":
                world.run(1.7)
            case "stall":
                world.stall(2.5)
            case "swap":
                for number, (_, host) in enumerate(hosts):
                    world.hosts[f"10.0.0.{number}"] = host
            case "clock":
                world.unix_offset_ns += 7 * SECOND
            case "read":
                world.read_limit = 2 if world.read_limit > 2 else 10**9
            case "remove" if targets:
                world.engine.remove(targets.pop())
        assert all(closes(target) for target in (*targets, good))
    world.read_limit = 10**9
    world.run(4)
    for target in (*targets, good):
        assert closes(target)
        assert target.account.in_flight <= 4
    assert good.account.wrong_source == good.account.corrupt == 0
    assert lost(good, LossReason.TIMEOUT) == 0
