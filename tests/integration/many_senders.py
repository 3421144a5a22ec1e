"""Senders with addresses of their own, as many as are wanted, in a namespace with all of them."""

from __future__ import annotations

import socket
from collections.abc import Iterable

from .namespaces import Namespace

_IPV6_FREEBIND = 78
_NETWORKS = {"-4": "10.9.0.0/16", "-6": "fd09::/64"}


def have_addresses(namespace: Namespace) -> None:
    """Let every address of 10.9.0.0/16 and fd09::/64 be one of the namespace."""
    for version, network in _NETWORKS.items():
        namespace.run("ip", version, "route", "add", "local", network, "dev", "lo")


def ipv4(number: int) -> str:
    return f"10.9.{number // 250}.{number % 250 + 1}"


def ipv6(number: int) -> str:
    return f"fd09::{number + 1:x}"


def send_datagrams(source: str, port: int, contents: Iterable[bytes]) -> None:
    with _socket(source, socket.SOCK_DGRAM, port) as sender:
        for content in contents:
            sender.send(content)


def send_stream(source: str, port: int, data: bytes) -> None:
    with _socket(source, socket.SOCK_STREAM, port) as sender:
        sender.sendall(data)


def _socket(source: str, kind: int, port: int) -> socket.socket:
    is_ipv6 = ":" in source
    sender = socket.socket(socket.AF_INET6 if is_ipv6 else socket.AF_INET, kind)
    if is_ipv6:
        sender.setsockopt(socket.IPPROTO_IPV6, _IPV6_FREEBIND, 1)
    sender.bind((source, 0))
    sender.connect(("::1" if is_ipv6 else "127.0.0.1", port))
    return sender
