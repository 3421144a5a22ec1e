"""The engine with real sockets: interfaces that go and come back, firewalls, dead neighbours."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from exporters.icmp.accounting import LossReason
from exporters.icmp.engine import Engine
from exporters.icmp.pinging import open_socket
from exporters.icmp.target import Address, Target, TargetSettings

from .inside import inside
from .namespaces import Namespace, echo_network, needs_root, network_namespace
from .processes import ENVIRONMENT

pytestmark = [needs_root, pytest.mark.peer("ip", "iproute2")]

INTERVAL = 0.05
PATIENCE_SECONDS = 10.0
GOOD = "127.0.0.1"


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    with network_namespace() as namespace:
        yield namespace


@pytest.fixture(params=["datagram", "raw"])
def place(request: pytest.FixtureRequest, namespace: Namespace) -> Iterator[Place]:
    namespace.allow_ping_sockets(allowed=request.param == "datagram")
    with inside(namespace):
        place = Place(namespace)
        yield place
        place.close()


class Place:
    """An engine in a namespace; time is real and short."""

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace
        self.engine = Engine(open_socket)

    def add(self, ip: str, **settings: Any) -> Target:
        options = {"interval_seconds": INTERVAL, "timeout_seconds": 0.4, **settings}
        own = TargetSettings(device=ip, group=f"g{len(self.engine.targets)}", host=ip, **options)
        where = (ip, 0, 0, 0) if ":" in ip else (ip, 0)
        target = Target(own, Address(6 if ":" in ip else 4, ip, where))
        self.engine.add(target)
        return target

    def run(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(self.engine.tick() / 1e9)

    def until(self, condition: Callable[[], object]) -> None:
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < give_up_at
            time.sleep(self.engine.tick() / 1e9)

    def answers(self, *targets: Target) -> None:
        """Run until each has been answered five times more."""
        goals = [(target.account, target.account.replies + 5) for target in targets]
        self.until(lambda: all(account.replies >= goal for account, goal in goals))

    def loses(self, target: Target, reason: LossReason) -> None:
        """Run until it has lost five times more for that reason."""
        goal = target.account.lost[reason] + 5
        self.until(lambda: target.account.lost[reason] >= goal)

    def link(self) -> None:
        for line in (
            "link add near type veth peer name far",
            "address add 10.8.0.1/24 dev near",
            "address add fd08::1/64 dev near nodad",
            "link set near up",
            "link set far up",
        ):
            self.namespace.run("ip", *line.split())
        self.namespace.set("net.ipv4.neigh.near.retrans_time_ms", "20")
        self.namespace.set("net.ipv6.neigh.near.retrans_time_ms", "20")

    def close(self) -> None:
        for origin in self.engine.origins.values():
            origin.close()


def test_interface_that_is_deleted_and_made_anew_is_pinged_from_again(place: Place) -> None:
    place.link()
    near = [place.add(ip, interface="near") for ip in ("10.8.0.1", "fd08::1")]
    other = place.add(GOOD)
    place.answers(*near, other)
    place.namespace.run("ip", "link", "delete", "near")
    for target in near:
        place.loses(target, LossReason.SEND_ERROR)
    place.link()
    place.answers(*near, other)
    assert sum(other.account.lost) == 0
    assert all(origin.opened <= 2 for origin in place.engine.origins.values())


def test_interface_that_goes_down_and_up_is_pinged_from_again(place: Place) -> None:
    place.link()
    target, other = place.add("10.8.0.1", interface="near"), place.add(GOOD)
    place.answers(target, other)
    place.namespace.run("ip", "link", "set", "near", "down")
    place.loses(target, LossReason.SEND_ERROR)
    place.namespace.run("ip", "link", "set", "near", "up")
    place.answers(target, other)
    assert sum(other.account.lost) == 0
    assert all(origin.opened == 1 for origin in place.engine.origins.values())


def test_source_address_that_comes_later_is_pinged_from_then_on(place: Place) -> None:
    target, other = place.add(GOOD, source_v4="10.8.0.1"), place.add(GOOD)
    place.loses(target, LossReason.SEND_ERROR)
    place.link()
    place.answers(target, other)
    assert sum(other.account.lost) == 0


@pytest.mark.peer("nft", "nftables")
def test_each_verdict_of_a_firewall_has_its_reason(place: Place) -> None:
    verdicts = {
        "127.0.1.1": ("output", "drop", LossReason.SEND_ERROR),
        "127.0.1.2": ("input", "drop", LossReason.TIMEOUT),
        "127.0.1.3": ("input", "reject with icmp type admin-prohibited", LossReason.PROHIBITED),
        "127.0.1.4": ("input", "reject with icmp type port-unreachable", LossReason.UNREACHABLE),
    }
    for number, (ip, (hook, verdict, _)) in enumerate(verdicts.items()):
        rules = (
            f"chain c{number} {{ type filter hook {hook} priority 0; ip daddr {ip} {verdict}; }}"
        )
        place.namespace.run("nft", f"table inet t {{ {rules}; }}")
    place.namespace.set("net.ipv4.icmp_ratelimit", "0")
    targets = {ip: place.add(ip) for ip in verdicts}
    other = place.add(GOOD)
    place.answers(other)
    for ip, (_, _, reason) in verdicts.items():
        place.loses(targets[ip], reason)
    assert sum(other.account.lost) == 0


def test_neighbor_that_is_not_there_is_the_reason_even_where_it_is_known_late(
    place: Place,
) -> None:
    place.link()
    dead = [place.add(ip, timeout_seconds=0.05) for ip in ("10.8.0.99", "fd08::99")]
    other = place.add(GOOD)
    for target in dead:
        place.loses(target, LossReason.NEIGHBOR)
    place.answers(other)
    assert sum(other.account.lost) == 0


def test_network_that_does_everything_wrong_is_accounted_for(
    place: Place, namespace: Namespace
) -> None:
    hosts: dict[str, dict[str, object]] = {
        "10.9.1.1": {"lose_every": 2},
        "10.9.1.2": {"answers": {"duplicate_rate": 1.0}},
        "10.9.1.3": {"answers": {"delay_seconds": 0.6}},
        "10.9.1.4": {"answers_from": "10.9.7.7"},
        "10.9.1.5": {"garbled": True},
        "10.9.1.6": {"payload_bytes": 10},
        "10.9.1.7": {"error": (3, 13), "reporter": "10.9.9.1"},
        "10.9.1.8": {"hop_limit": 33},
    }
    with echo_network(namespace) as network:
        network.change(hosts)
        targets = {ip: place.add(ip) for ip in (*hosts, "10.9.1.9")}
        place.run(3)
        counts = network.counts()
    accounts = [targets[ip].account for ip in targets]
    half, twice, late, foreign, garbled, cut, refused, far, good = accounts
    assert 0.4 < half.lost[LossReason.TIMEOUT] / half.sent < 0.6
    assert (sum(twice.lost), twice.duplicates >= twice.replies - 1 > 10) == (0, True)
    assert (late.replies, late.late > 10) == (0, True)
    assert (foreign.replies, foreign.wrong_source > 10) == (0, True)
    assert (garbled.replies, garbled.corrupt > 10) == (0, True)
    assert (cut.replies, cut.corrupt > 10) == (0, True)
    assert (refused.replies, refused.lost[LossReason.PROHIBITED] > 10) == (0, True)
    assert refused.last_error is not None
    assert refused.last_error.reporter == "10.9.9.1"
    assert (far.hop_limit, sum(far.lost)) == (33, 0)
    assert (sum(good.lost), good.replies > 10) == (0, True)
    for ip, account in zip(targets, accounts, strict=True):
        assert account.sent == account.replies + sum(account.lost) + account.in_flight
        assert account.sent == counts[ip]["requests"]


@pytest.mark.peer("fping", "fping")
@pytest.mark.peer("ping", "iputils-ping")
def test_shortest_round_trip_is_that_of_ping_and_of_fping(
    place: Place, namespace: Namespace
) -> None:
    ip = "10.9.3.3"
    with echo_network(namespace) as network:
        network.change({ip: {"answers": {"delay_seconds": 0.03}}})
        target = place.add(ip)
        place.until(lambda: target.account.replies >= 40)
        ping = namespace.run("ping", "-n", "-q", "-c", "20", "-i", "0.05", ip).stdout
        fping = namespace.run("fping", "-q", "-c", "20", "-p", "50", ip).stderr
    own = target.account.history.window(40).minimum
    assert own is not None
    for said in (ping, fping):
        [shortest_ms] = re.findall(r"min/avg/max(?:/mdev)? = ([\d.]+)/", said)
        assert own * 1000 == pytest.approx(float(shortest_ms), abs=1.0)
    assert own >= 0.03


# As uid nobody, with no more buffer than a stock system grants

AS_NOBODY = """
import sys, time
from exporters.icmp.engine import Engine
from exporters.icmp.pinging import open_socket
from exporters.icmp.target import Address, Target, TargetSettings
engine = Engine(open_socket)
targets = []
for number in range(2000):
    ip = f"127.1.{number // 250}.{number % 250 + 1}"
    own = TargetSettings(device=ip, group="g", host=ip)
    targets.append(Target(own, Address(4, ip, (ip, 0))))
    engine.add(targets[-1])
until = time.monotonic() + 3
while time.monotonic() < until:
    time.sleep(engine.tick() / 1e9)
time.sleep(0.1)
engine.tick()
[origin] = engine.origins.values()
[socket] = origin.sockets()
print(socket.mode, sum(t.account.replies for t in targets) >= 5000,
      sum(sum(t.account.lost) for t in targets), origin.drops())
"""


@pytest.mark.peer("setpriv", "util-linux")
def test_nobody_pings_two_thousand_targets_without_a_loss(namespace: Namespace) -> None:
    namespace.allow_ping_sockets(allowed=True)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"]
    done = subprocess.run(
        namespace.command(*nobody, "--no-new-privs", sys.executable, "-c", AS_NOBODY),
        capture_output=True,
        text=True,
        timeout=60,
        env=ENVIRONMENT,
        cwd=Path(__file__).resolve().parents[2],
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.split() == ["datagram", "True", "0", "0"]
