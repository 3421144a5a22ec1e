"""The ICMP socket on Linux, in both modes, towards a pretend network in a namespace of its own."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from exporters.errors import FailureReason, TargetError
from exporters.sockets.icmp_socket import IcmpSocket, buffer_for
from exporters.sockets.icmp_values import ErrorReport, Reply, SendError, Stamp
from exporters.wire.echo_payload import EchoPayload
from exporters.wire.icmp import IpVersion

from .inside import inside
from .namespaces import EchoNetwork, Namespace, echo_network, needs_root, network_namespace
from .processes import ENVIRONMENT

pytestmark = [needs_root, pytest.mark.peer("ip", "iproute2")]

PATIENCE_SECONDS = 5.0
PAYLOAD = EchoPayload(0x1122334455667788, 56)
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"]
NOBODY += ["--inh-caps=-all", "--no-new-privs"]
SETUP = """
ip link add near type veth peer name silent
ip address add 10.8.0.1/24 dev near
ip address add fd08::1/64 dev near nodad
ip link set near up
ip link set silent up
sysctl -qw net.ipv4.neigh.near.retrans_time_ms=20 net.ipv6.neigh.near.retrans_time_ms=20
"""


@dataclass
class Link:
    """A socket, and what it has heard."""

    socket: IcmpSocket
    replies: list[Reply] = field(default_factory=list)
    errors: list[ErrorReport] = field(default_factory=list)

    def until(self, condition: Callable[[], object]) -> None:
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < give_up_at, (self.replies, self.errors)
            select.select([self.socket], [], [], 0.1)
            self.socket.receive()

    def reply(self) -> Reply:
        self.until(lambda: self.replies)
        return self.replies[0]

    def error(self) -> ErrorReport:
        self.until(lambda: self.errors)
        return self.errors[0]


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[Namespace, EchoNetwork]]:
    with network_namespace() as namespace:
        for line in filter(None, SETUP.splitlines()):
            namespace.run(*line.split())
        with echo_network(namespace) as network:
            yield namespace, network


@pytest.fixture
def network(place: tuple[Namespace, EchoNetwork]) -> EchoNetwork:
    return place[1]


@pytest.fixture(params=["datagram", "raw"])
def mode(request: pytest.FixtureRequest, place: tuple[Namespace, EchoNetwork]) -> str:
    place[0].allow_ping_sockets(allowed=request.param == "datagram")
    return str(request.param)


@pytest.fixture
def open_link(place: tuple[Namespace, EchoNetwork], mode: str) -> Iterator[Callable[..., Link]]:
    opened: list[IcmpSocket] = []

    def open_one(version: IpVersion = 4, **options: Any) -> Link:
        replies: list[Reply] = []
        errors: list[ErrorReport] = []
        link = IcmpSocket.open(version, on_reply=replies.append, on_error=errors.append, **options)
        opened.append(link)
        assert link.mode == mode
        return Link(link, replies, errors)

    with inside(place[0]):
        yield open_one
        for link in opened:
            link.close()


def to(address: str) -> tuple[Any, ...]:
    return (address, 0, 0, 0) if ":" in address else (address, 0)


both_versions = pytest.mark.parametrize("version", [4, 6])


@both_versions
def test_reply_comes_with_kernel_time_hop_limit_and_traffic_class(
    version: IpVersion, open_link: Callable[..., Link], network: EchoNetwork
) -> None:
    address = {4: "10.9.1.1", 6: "fd09::1:1"}[version]
    network.change({address: {"hop_limit": 57, "answers": {"delay_seconds": 0.02}}})
    link = open_link(version)
    sent = link.socket.send(to(address), 0x1_0007, PAYLOAD.encode(7), traffic_class=0xB8)
    reply = link.reply()
    assert (reply.source, reply.sequence, reply.payload) == (address, 7, PAYLOAD.encode(7))
    assert (reply.hop_limit, reply.traffic_class) == (57, 0xB8)
    round_trip_ns = reply.received.realtime_ns - sent.realtime_ns
    assert 20e6 <= round_trip_ns < 1e9
    assert abs(reply.received.monotonic_ns - sent.monotonic_ns - round_trip_ns) < 1e6


@both_versions
def test_reply_that_lay_unread_has_the_time_of_its_arrival(
    version: IpVersion, open_link: Callable[..., Link]
) -> None:
    address = {4: "127.0.0.1", 6: "::1"}[version]
    link = open_link(version)
    sent = link.socket.send(to(address), 1, PAYLOAD.encode(1))
    time.sleep(0.05)
    read = Stamp.now()
    assert link.socket.receive() == 1
    received = link.replies[0].received
    assert sent.realtime_ns < received.realtime_ns < read.realtime_ns - 40_000_000


@pytest.mark.parametrize(
    ("address", "error", "mtu"),
    [
        ("10.9.2.1", (3, 1), 0),
        ("10.9.2.2", (3, 13), 0),
        ("fd09::2:1", (1, 3), 0),
        ("fd09::2:2", (1, 1), 0),
    ],
)
def test_error_of_a_router_comes_with_its_reporter_type_and_code(
    address: str,
    error: tuple[int, int],
    mtu: int,
    open_link: Callable[..., Link],
    network: EchoNetwork,
) -> None:
    reporter = "fd09::9:1" if ":" in address else "10.9.9.1"
    network.change({address: {"error": error, "reporter": reporter}})
    link = open_link(6 if ":" in address else 4)
    link.socket.send(to(address), 3, PAYLOAD.encode(3))
    report = link.error()
    assert (report.destination, report.reporter) == (address, reporter)
    assert (report.type, report.code, report.mtu) == (*error, mtu)
    assert (report.sequence, report.reported_by_us) == (3, False)
    assert PAYLOAD.encode(3).startswith(report.payload[:8])


@pytest.mark.parametrize(
    ("address", "hops"),
    [("10.9.3.1", ["10.9.9.1", "10.9.9.2"]), ("fd09::3:1", ["fd09::9:1", "fd09::9:2"])],
)
def test_hop_limit_of_one_packet_decides_which_router_reports_it(
    address: str, hops: list[str], open_link: Callable[..., Link], network: EchoNetwork
) -> None:
    network.change({address: {"hops": hops}})
    link = open_link(6 if ":" in address else 4)
    for hop_limit in (1, 2, 3):
        link.socket.send(to(address), hop_limit, PAYLOAD.encode(1), hop_limit=hop_limit)
    link.until(lambda: link.replies and len(link.errors) == 2)
    assert {report.sequence: report.reporter for report in link.errors} == dict(enumerate(hops, 1))
    assert [reply.sequence for reply in link.replies] == [3]


@pytest.mark.parametrize("address", ["10.9.4.1", "fd09::4:1"])
def test_packet_that_may_not_be_cut_is_reported_with_the_mtu_that_fits(
    address: str, open_link: Callable[..., Link], network: EchoNetwork
) -> None:
    reporter = "fd09::9:1" if ":" in address else "10.9.9.1"
    network.change({address: {"mtu": 1400, "mtu_reporter": reporter}})
    link = open_link(6 if ":" in address else 4, dont_fragment=True)
    link.socket.send(to(address), 1, EchoPayload(1, 1400).encode(1))
    assert (link.error().mtu, link.error().reporter) == (1400, reporter)


@both_versions
def test_packet_above_the_mtu_of_its_own_interface_is_a_send_error(
    version: IpVersion, open_link: Callable[..., Link]
) -> None:
    address = {4: "10.8.0.77", 6: "fd08::77"}[version]
    link = open_link(version, dont_fragment=True)
    with pytest.raises(SendError) as raised:
        link.socket.send(to(address), 1, EchoPayload(1, 2000).encode(1))
    assert (raised.value.name, raised.value.congested) == ("EMSGSIZE", False)


@pytest.mark.parametrize("address", ["10.8.0.99", "fd08::99"])
def test_neighbor_that_does_not_answer_is_reported_by_this_machine(
    address: str, open_link: Callable[..., Link]
) -> None:
    link = open_link(6 if ":" in address else 4)
    link.socket.send(to(address), 4, PAYLOAD.encode(4))
    report = link.error()
    assert report.reported_by_us
    assert (report.destination, report.sequence) == (address, 4)
    assert (report.type, report.code) in ((3, 1), (1, 3))


def test_pending_error_of_one_destination_does_not_cost_another_its_ping(
    open_link: Callable[..., Link], network: EchoNetwork, mode: str
) -> None:
    network.change({"10.9.2.7": {"error": (3, 13), "reporter": "10.9.9.1"}})
    link = open_link()
    link.socket.send(to("10.9.2.7"), 1, PAYLOAD.encode(1))
    assert select.select([link.socket], [], [], PATIENCE_SECONDS)[0]  # the error is there, unread
    link.socket.send(to("10.9.1.7"), 2, PAYLOAD.encode(2))
    assert link.reply().sequence == 2
    assert link.error().sequence == 1
    if mode == "datagram":
        assert not link.socket.receive(), "nothing of it is left behind"


def test_many_pending_errors_do_not_cost_anybody_a_ping(
    open_link: Callable[..., Link], network: EchoNetwork
) -> None:
    bad, good = "10.9.2.8", "10.9.1.8"
    network.change({bad: {"error": (3, 1)}})
    link = open_link()
    for sequence in range(100):
        link.socket.send(to(bad if sequence % 2 else good), sequence, PAYLOAD.encode(sequence))
    link.until(lambda: len(link.replies) == 50 and len(link.errors) == 50)
    assert sorted(item.sequence for item in (*link.replies, *link.errors)) == list(range(100))


@both_versions
def test_destination_without_a_route_is_a_send_error(
    version: IpVersion, open_link: Callable[..., Link]
) -> None:
    link = open_link(version)
    with pytest.raises(SendError, match="unreachable") as raised:
        link.socket.send(to({4: "192.0.2.1", 6: "2001:db8::1"}[version]), 1, b"")
    assert raised.value.name == "ENETUNREACH"


def test_broadcast_is_a_send_error(open_link: Callable[..., Link]) -> None:
    with pytest.raises(SendError) as raised:
        open_link().socket.send(to("10.8.0.255"), 1, b"")
    assert raised.value.name == "EACCES"


@pytest.mark.peer("nft", "nftables")
def test_ping_that_the_own_firewall_drops_is_a_send_error(
    open_link: Callable[..., Link], place: tuple[Namespace, EchoNetwork]
) -> None:
    namespace = place[0]
    rules = (
        "table inet own { chain out { type filter hook output priority 0; "
        "ip daddr 10.9.6.6 drop; }; }"
    )
    namespace.run("nft", rules)
    try:
        link = open_link()
        with pytest.raises(SendError) as raised:
            link.socket.send(to("10.9.6.6"), 1, PAYLOAD.encode(1))
    finally:
        namespace.run("nft", "delete", "table", "inet", "own")
    assert raised.value.name == "EPERM"


def test_replies_that_the_buffer_had_no_room_for_are_counted(
    open_link: Callable[..., Link], mode: str
) -> None:
    link = open_link()
    for sequence in range(1000):
        link.socket.send(to("127.0.0.1"), sequence, PAYLOAD.encode(sequence))
    assert link.socket.receive(2000) == len(link.replies) < 1000
    lost = 1000 - len(link.replies)
    assert link.socket.drops() in ((lost,) if mode == "datagram" else (lost, 2 * lost))


def test_buffer_sized_for_the_replies_loses_none(open_link: Callable[..., Link]) -> None:
    link = open_link(receive_buffer_bytes=buffer_for(1000, 56))
    for sequence in range(1000):
        link.socket.send(to("127.0.0.1"), sequence, PAYLOAD.encode(sequence))
    assert link.socket.receive(2000) == 1000
    assert link.socket.drops() == 0


def test_buffer_beyond_the_systems_limit_is_granted_to_root(
    open_link: Callable[..., Link],
) -> None:
    assert open_link(receive_buffer_bytes=64 << 20).socket.buffer_granted_bytes == 64 << 20


@both_versions
def test_two_sockets_do_not_hear_each_others_replies(
    version: IpVersion, open_link: Callable[..., Link]
) -> None:
    address = to({4: "127.0.0.1", 6: "::1"}[version])
    one, other = open_link(version), open_link(version)
    one.socket.send(address, 1, PAYLOAD.encode(1))
    assert one.reply().sequence == 1
    assert other.socket.receive() == 0


def test_error_about_another_programs_ping_is_not_ours(
    open_link: Callable[..., Link], network: EchoNetwork
) -> None:
    network.change({"10.9.2.9": {"error": (3, 1)}})
    one, other = open_link(), open_link()
    one.socket.send(to("10.9.2.9"), 1, PAYLOAD.encode(1))
    one.error()
    other.socket.receive()
    assert other.errors == []


def test_source_address_is_what_is_sent_from(
    open_link: Callable[..., Link], place: tuple[Namespace, EchoNetwork]
) -> None:
    place[0].run("ip", "address", "replace", "10.8.0.2/24", "dev", "near")
    link = open_link(source="10.8.0.2")
    link.socket.send(to("10.8.0.1"), 1, PAYLOAD.encode(1))
    assert link.reply().source == "10.8.0.1"
    assert link.socket._socket.getsockname()[0] == "10.8.0.2"


def test_interface_is_the_only_way_out(open_link: Callable[..., Link]) -> None:
    link = open_link(interface="near")
    link.socket.send(to("10.9.1.1"), 1, PAYLOAD.encode(1))  # elsewhere, but it has to be here
    assert link.error().reported_by_us


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"source": "192.0.2.9"}, "192.0.2.9 is no address of this machine"),
        ({"interface": "nothing0"}, "there is no interface nothing0"),
    ],
)
def test_missing_address_or_interface_is_named(
    options: dict[str, str], said: str, open_link: Callable[..., Link]
) -> None:
    with pytest.raises(TargetError, match=said) as raised:
        open_link(**options)
    assert raised.value.reason is FailureReason.LOCAL


# As uid nobody, without a capability

AS_NOBODY = """
import json, select, sys
from exporters.errors import SocketDenied
from exporters.sockets.icmp_socket import IcmpSocket
heard = []
said = {}
for version, address in ((4, ("10.9.1.9", 0)), (6, ("fd09::1:9", 0, 0, 0))):
    try:
        icmp = IcmpSocket.open(version, receive_buffer_bytes=1 << 20, interface=sys.argv[1],
                               on_reply=heard.append, on_error=heard.append)
    except SocketDenied as error:
        said[version] = str(error)
        continue
    icmp.send(address, 1, bytes(56), hop_limit=5, traffic_class=8)
    select.select([icmp], [], [], 5)
    icmp.receive()
    icmp.send(address, 2, bytes(56), hop_limit=1)
    select.select([icmp], [], [], 5)
    icmp.receive()
    said[version] = [icmp.mode, icmp.drops(), icmp.buffer_granted_bytes]
said["heard"] = [type(item).__name__ for item in heard]
print(json.dumps(said))
"""


def as_nobody(namespace: Namespace, interface: str) -> dict[str, Any]:
    done = subprocess.run(
        namespace.command(*NOBODY, sys.executable, "-c", AS_NOBODY, interface),
        capture_output=True,
        text=True,
        timeout=30,
        env=ENVIRONMENT,
        cwd=Path(__file__).resolve().parents[2],
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.peer("setpriv", "util-linux")
@pytest.mark.parametrize("interface", ["", "pretend0"])
def test_nobody_gets_replies_and_errors_where_the_group_is_allowed(
    interface: str, place: tuple[Namespace, EchoNetwork]
) -> None:
    namespace, network = place
    network.change({"10.9.1.9": {"hops": ["10.9.9.1"]}, "fd09::1:9": {"hops": ["fd09::9:1"]}})
    namespace.set("net.ipv4.ping_group_range", "65534 65534")
    said = as_nobody(namespace, interface)
    assert said["4"][:2] == said["6"][:2] == ["datagram", 0]
    assert said["heard"] == ["Reply", "ErrorReport"] * 2


@pytest.mark.peer("setpriv", "util-linux")
def test_nobody_is_told_the_remedy_where_the_group_is_not_allowed(
    place: tuple[Namespace, EchoNetwork],
) -> None:
    place[0].allow_ping_sockets(allowed=False)
    said = as_nobody(place[0], "")
    for version in ("4", "6"):
        assert "net.ipv4.ping_group_range is 1 0, this process has group 65534" in said[version]
        assert "sysctl -w net.ipv4.ping_group_range='0 2147483647'" in said[version]
        assert "'65534 65534' for this group alone" in said[version]
        assert "AmbientCapabilities=CAP_NET_RAW" in said[version]
        assert "securityContext" in said[version]
