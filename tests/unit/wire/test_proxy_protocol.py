from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.errors import WireError
from exporters.wire.proxy_protocol import ProxyHeader, decode_proxy_header

SIGNATURE = bytes.fromhex("0d0a0d0a000d0a515549540a")
LINE = b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"
LONGEST_LINE = b"PROXY UNKNOWN " + b" ".join([b"ffff:" * 7 + b"ffff"] * 2) + b" 65535 65535\r\n"
BINARY = SIGNATURE + bytes.fromhex("2111 000c c0000207 c6336401 dc04 0202")
BINARY6 = (
    SIGNATURE
    + bytes.fromhex("2121 0024 20010db8 00000000 00000000 00000001")
    + bytes.fromhex("20010db8 00000000 00000000 00000002 dc04 0202")
)
EXTENDED = SIGNATURE + bytes.fromhex("2111 0013 c0000207 c6336401 dc04 0202 03 0004 deadbeef")


@pytest.mark.parametrize(
    ("header", "source"),
    [
        pytest.param(LINE, "255.255.255.255", id="the specification's longest of IPv4"),
        pytest.param(b"PROXY TCP6 2001:db8::1 ::1 1 2\r\n", "2001:db8::1", id="IPv6"),
        pytest.param(b"PROXY TCP6 2001:DB8:0::1 ::1 1 2\r\n", "2001:db8::1", id="one spelling"),
        pytest.param(b"PROXY UNKNOWN\r\n", "", id="unknown"),
        pytest.param(LONGEST_LINE, "", id="the specification's longest of all"),
        pytest.param(BINARY, "192.0.2.7", id="binary IPv4"),
        pytest.param(BINARY6, "2001:db8::1", id="binary IPv6"),
        pytest.param(EXTENDED, "192.0.2.7", id="with an extension"),
        pytest.param(SIGNATURE + bytes.fromhex("2000 0000"), "", id="the balancer itself"),
        pytest.param(SIGNATURE + bytes.fromhex("2011 0000"), "", id="itself, of a family"),
        pytest.param(SIGNATURE + bytes.fromhex("2100 0002 abcd"), "", id="unspecified"),
        pytest.param(SIGNATURE + bytes.fromhex("2131 00d8") + bytes(216), "", id="Unix socket"),
    ],
)
def test_header_tells_the_source_when_it_is_whole(header: bytes, source: str) -> None:
    for size in range(len(header)):
        assert decode_proxy_header(header[:size]) is None
    assert decode_proxy_header(header) == ProxyHeader(source, len(header))
    assert decode_proxy_header(header + b"<13>x\r\n") == ProxyHeader(source, len(header))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"<13>Oct 11 22:14:15 a b: c\n", id="a message"),
        pytest.param(b"\x16\x03\x01", id="TLS"),
        pytest.param(b"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", id="a port too few"),
        pytest.param(b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n", id="a port too many"),
        pytest.param(b"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n", id="no port"),
        pytest.param(b"PROXY TCP4 1.2.3.4 1.2.3.4 1 -2\r\n", id="a negative port"),
        pytest.param(b"PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n", id="two blanks"),
        pytest.param(b"PROXY TCP4 1.2.3.400 1.2.3.4 1 2\r\n", id="no address"),
        pytest.param(b"PROXY TCP4 ::1 ::1 1 2\r\n", id="another family"),
        pytest.param(b"PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", id="a zone"),
        pytest.param(b"PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n", id="datagrams"),
        pytest.param(b"PROXY \r\n", id="nothing"),
        pytest.param(b"PROXY UNKNOWN" + b"x" * 100, id="no end"),
        pytest.param(BINARY.replace(b"\x21\x11", b"\x11\x11", 1), id="version 1 in binary"),
        pytest.param(BINARY.replace(b"\x21\x11", b"\x22\x11", 1), id="another command"),
        pytest.param(BINARY.replace(b"\x21\x11", b"\x21\x12", 1), id="binary datagrams"),
        pytest.param(BINARY.replace(b"\x21\x11", b"\x21\x21", 1), id="too short for IPv6"),
        pytest.param(SIGNATURE + bytes.fromhex("2111 0000"), id="no addresses"),
        pytest.param(SIGNATURE + bytes.fromhex("2111 ffff"), id="an attacker's length"),
    ],
)
def test_what_is_no_header_is_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        decode_proxy_header(data)


@given(st.sampled_from([b"", b"PROXY ", SIGNATURE]), st.binary(max_size=120))
def test_any_octets_are_a_header_or_not_whole_or_refused(begin: bytes, rest: bytes) -> None:
    try:
        header = decode_proxy_header(begin + rest)
    except WireError:
        return
    assert header is None or header.size <= len(begin + rest)
