"""Where pings go in a benchmark: network namespaces of its own, with thousands of addresses.

*loopback* is 127/8. *veth* leads to another namespace, whose kernel answers for all of 10.64/10.
What a reply takes there by the kernel's own stamps, of sending and of receiving, is measured here,
with one ping at a time and nothing else going on.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PATHS: Final = {"loopback": "127.{}.{}.{}", "veth": "10.{}.{}.{}"}
_FIRST_NET: Final = {"loopback": 1, "veth": 64}

_INSIDE: Final = "NETEXPORTERS_BENCH_INSIDE"
_SETUP: Final = (
    "link set lo up",
    "link add near type veth peer name far",
    "link set far netns {pid}",
    "address add 10.63.0.1/30 dev near",
    "link set near up",
)
_FAR_SETUP: Final = (
    "link set lo up",
    "address add 10.63.0.2/30 dev far",
    "link set far up",
    "route add local 10.64.0.0/10 dev lo",
)

# Linux's numbers: SO_TIMESTAMPING with software stamps of both directions, without the packet.
_SO_TIMESTAMPING: Final = 37
_TIMESTAMPING_FLAGS: Final = 2 | 8 | 16 | 2048
_IP_RECVERR: Final = 11
_TIMESPEC: Final = struct.Struct("@ll")


def move_into_a_namespace() -> None:
    """Start this program again in a network namespace of its own, unless it is in one.

    Raises:
        RuntimeError: That needs root.
    """
    if os.environ.get(_INSIDE):
        return
    if os.geteuid() != 0:
        raise RuntimeError("network namespaces need root")
    os.environ[_INSIDE] = "1"
    command = ["unshare", "--net", sys.executable, *sys.orig_argv[1:]]
    os.execvp(command[0], command)


@contextmanager
def network() -> Iterator[None]:
    """Set up both paths; the other namespace ends with the context."""
    far = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
    try:
        _wait_for_namespace(far.pid)
        _ip(line.format(pid=far.pid) for line in _SETUP)
        _ip(_FAR_SETUP, "nsenter", f"--net=/proc/{far.pid}/ns/net")
        _ip(("route add 10.64.0.0/10 via 10.63.0.2",))
        Path("/proc/sys/net/ipv4/ping_group_range").write_text("0 2147483647", encoding="ascii")
        yield
    finally:
        far.kill()
        far.wait()


def addresses(path: str, count: int) -> list[str]:
    """List *count* addresses that answer over *path*."""
    pattern, first = PATHS[path], _FIRST_NET[path]
    return [
        pattern.format(first + number // 62_500, number // 250 % 250, 1 + number % 250)
        for number in range(count)
    ]


def kernel_round_trips(destinations: Sequence[str]) -> list[float]:
    """Ping each address once; give the seconds between the kernel's two stamps."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as pinger:
        pinger.settimeout(1)
        pinger.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPING, _TIMESTAMPING_FLAGS)
        pinger.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        for sequence, destination in enumerate(destinations):
            request = struct.pack("!BBHHH", 8, 0, 0, 0, sequence & 0xFFFF) + bytes(56)
            pinger.sendto(request, (destination, 0))
            _, control, _, _ = pinger.recvmsg(2048, 512)
            received_ns = _stamp_ns(control)
            _, control, _, _ = pinger.recvmsg(2048, 512, socket.MSG_ERRQUEUE)
            sent_ns = _stamp_ns(control)
            if received_ns and sent_ns:  # the first packets are not stamped yet
                found.append((received_ns - sent_ns) / 1e9)
    return found


def _stamp_ns(control: Sequence[tuple[int, int, bytes]]) -> int:
    for level, kind, data in control:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPING:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    return 0


def _wait_for_namespace(pid: int) -> None:
    own = Path("/proc/self/ns/net").readlink()
    give_up_at = time.monotonic() + 10
    while Path(f"/proc/{pid}/ns/net").readlink() == own:
        if time.monotonic() > give_up_at:
            raise RuntimeError("no second network namespace")
        time.sleep(0.01)


def _ip(lines: Iterator[str] | Sequence[str], *prefix: str) -> None:
    for line in lines:
        subprocess.run([*prefix, "ip", *line.split()], check=True)
