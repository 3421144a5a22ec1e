"""Record what the Linux kernel answers to echo requests, for the tests of the codec.

    python tests/packets/icmp/capture.py            as root, on Linux

makes two network namespaces, a client and a router with nothing behind it, and writes each answer
that a raw ICMP socket of the client gets to a ``NAME.hex`` beside this file: with the IP header for
IPv4, without for IPv6, as the kernel hands them out. The tests read the recordings, so they need
neither this script nor root. Needs the Debian packages iproute2, nftables and util-linux.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CLIENT = """
ip link set lo up
ip link add north type veth peer name south
ip link set south netns {router}
ip address add 10.9.0.1/24 dev north
ip address add fd09::1/64 dev north nodad
ip link set north up
ip route add default via 10.9.0.2
ip route add default via fd09::2
"""
ROUTER = """
ip link set lo up
ip address add 10.9.0.2/24 dev south
ip address add fd09::2/64 dev south nodad
ip link set south up
ip link add narrow type veth peer name silent
ip link set silent up
ip link set narrow mtu 1280 up
ip address add 10.9.1.1/24 dev narrow
ip address add fd09:1::1/64 dev narrow nodad
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
nft add table inet t
nft add chain inet t c { type filter hook forward priority 0 ; }
nft add rule inet t c ip daddr 10.9.1.13 reject with icmp type admin-prohibited
nft add rule inet t c ip6 daddr fd09:1::13 reject with icmpv6 type admin-prohibited
"""
PAYLOAD = bytes(range(56))
IDENTIFIER = 0x1234
RECORD_ROUTE = bytes((7, 7, 4, 0, 0, 0, 0, 0))

# name: version, destination, hop limit, payload, IP options
PINGS = {
    "v4_reply": (4, "10.9.0.2", 64, PAYLOAD, b""),
    "v4_ttl_exceeded": (4, "10.9.1.7", 1, PAYLOAD, b""),
    "v4_ttl_exceeded_options": (4, "10.9.1.7", 1, PAYLOAD, RECORD_ROUTE),
    "v4_network_unreachable": (4, "192.0.2.1", 64, PAYLOAD, b""),
    "v4_prohibited": (4, "10.9.1.13", 64, PAYLOAD, b""),
    "v4_too_big": (4, "10.9.1.7", 64, bytes(1400), b""),
    "v6_reply": (6, "fd09::2", 64, PAYLOAD, b""),
    "v6_hop_limit_exceeded": (6, "fd09:1::7", 1, PAYLOAD, b""),
    "v6_no_route": (6, "2001:db8::1", 64, PAYLOAD, b""),
    "v6_prohibited": (6, "fd09:1::13", 64, PAYLOAD, b""),
    "v6_too_big": (6, "fd09:1::7", 64, bytes(1400), b""),
}


def run(script: str) -> None:
    for line in filter(None, script.splitlines()):
        subprocess.run(line.split(), check=True)


def checksum(data: bytes) -> int:
    return 0xFFFF - int.from_bytes(data, "big") % 0xFFFF


def ping(version: int, destination: str, hop_limit: int, payload: bytes, options: bytes) -> bytes:
    """Send one echo request and give the first answer that is not somebody else's."""
    head = (8 if version == 4 else 128, 0)
    message = struct.pack("!BBHHH", *head, 0, IDENTIFIER, 1) + payload
    if version == 4:
        message = struct.pack("!BBHHH", *head, checksum(message), IDENTIFIER, 1) + payload
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        raw.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, hop_limit)
        raw.setsockopt(socket.IPPROTO_IP, 10, 3)  # don't fragment, whatever the MTU
        if options:
            raw.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, options)
    else:
        raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, hop_limit)
        raw.setsockopt(socket.IPPROTO_IPV6, 23, 3)
    with raw:
        for _ in range(5):  # a router is sparing with its errors
            raw.sendto(message, (destination, 0))
            until = time.monotonic() + 1
            while (left := until - time.monotonic()) > 0 and select.select([raw], [], [], left)[0]:
                answer = raw.recv(65536)
                start = (answer[0] & 15) * 4 if version == 4 else 0
                if answer[start] in ((0, 3, 11) if version == 4 else (129, 1, 2, 3)):
                    return answer
    raise SystemExit(f"no answer from {destination}")


def write(name: str, answer: bytes) -> None:
    text = answer.hex()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    title = f"# Linux {os.uname().release.split('-')[0]}: {name}"
    HERE.joinpath(f"{name}.hex").write_text("\n".join([title, *lines]) + "\n")


def main() -> None:
    if "--inside" not in sys.argv:
        own = [sys.executable, str(Path(__file__).resolve()), "--inside"]
        raise SystemExit(subprocess.run(["unshare", "-n", *own], check=False).returncode)
    router = subprocess.Popen(["unshare", "-n", "sleep", "60"])
    try:
        time.sleep(0.3)
        run(CLIENT.format(router=router.pid))
        enter = ["nsenter", "-t", str(router.pid), "-n"]
        for line in filter(None, ROUTER.splitlines()):
            subprocess.run([*enter, *line.split()], check=True)
        time.sleep(2)
        for name, arguments in PINGS.items():
            write(name, ping(*arguments))
    finally:
        router.kill()
        router.wait()


if __name__ == "__main__":
    main()
