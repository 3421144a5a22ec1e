"""Which targets may be asked, and which may be sent credentials."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import pytest

from exporters.errors import Forbidden
from exporters.polling.guard import check_target
from exporters.sockets.target_guard import Network


def networks(*texts: str) -> list[Network]:
    return [ipaddress.ip_network(text) for text in texts]


def check(ip: str, allowed: Sequence[str] = (), auth_targets: Sequence[str] = ()) -> None:
    check_target(ipaddress.ip_address(ip), networks(*allowed), "prod", networks(*auth_targets))


@pytest.mark.parametrize("ip", ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "fe80::1%2"])
def test_without_lists_every_target_passes(ip: str) -> None:
    check(ip)


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("192.0.2.1", "192.0.2.0/24"),
        ("192.0.2.1", "192.0.2.1/32"),
        ("192.0.2.255", "192.0.2.0/24"),
        ("2001:db8::1", "2001:db8::/32"),
        ("fe80::1%2", "fe80::/10"),
        ("::ffff:192.0.2.1", "192.0.2.0/24"),
    ],
)
def test_target_in_a_listed_network_passes(ip: str, network: str) -> None:
    check(ip, allowed=["198.51.100.0/24", network], auth_targets=[network])


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("192.0.3.1", "192.0.2.0/24"),
        ("127.0.0.1", "192.0.2.0/24"),
        ("0.0.0.0", "192.0.2.0/24"),
        ("2001:db9::1", "2001:db8::/32"),
        ("192.0.2.1", "2001:db8::/32"),
        ("::1", "192.0.2.0/24"),
        ("::ffff:127.0.0.1", "192.0.2.0/24"),
        ("::ffff:127.0.0.1", "::/0"),
    ],
)
def test_target_outside_is_refused_by_either_list(ip: str, network: str) -> None:
    """An IPv4 address is one however it is written: all of IPv6 does not admit it."""
    with pytest.raises(Forbidden, match=r"outside of --targets\.allow"):
        check(ip, allowed=[network])
    with pytest.raises(Forbidden, match="outside of the targets of auth 'prod'"):
        check(ip, auth_targets=[network])


def test_both_lists_must_admit_the_target() -> None:
    with pytest.raises(Forbidden, match="auth 'prod'"):
        check("192.0.2.1", allowed=["192.0.0.0/16"], auth_targets=["192.0.3.0/24"])
    with pytest.raises(Forbidden, match=r"--targets\.allow"):
        check("192.0.2.1", allowed=["192.0.3.0/24"], auth_targets=["192.0.0.0/16"])


def test_refusal_names_the_address() -> None:
    with pytest.raises(Forbidden, match=r"^target 192\.0\.2\.1 is outside"):
        check("::ffff:192.0.2.1", allowed=["198.51.100.0/24"])
