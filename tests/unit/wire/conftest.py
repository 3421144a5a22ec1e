"""Recorded conversations of net-snmp (tests/packets/snmp) and the users that had them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from exporters.wire.usm import (
    AuthProtocol,
    PrivProtocol,
    SecurityLevel,
    UserKeys,
    UsmUser,
    V3Message,
    decode_v3_message,
    localize,
)

RECORDINGS = Path(__file__).resolve().parents[2] / "packets" / "snmp"

AUTH_PASSWORD = "correct horse battery"
PRIV_PASSWORD = "staple the packets"


def read_conversation(path: Path) -> list[bytes]:
    """Give the packets of a recording; its format is told in ``capture.py`` beside it."""
    packets: list[list[str]] = []
    for line in path.read_text().splitlines():
        if line in ("<", ">"):
            packets.append([])
        elif not line.startswith("#"):
            packets[-1].append(line)
    return [bytes.fromhex("".join(lines)) for lines in packets]


CONVERSATIONS = {path.stem: read_conversation(path) for path in sorted(RECORDINGS.glob("*.hex"))}
PACKETS = {
    f"{name}-{number}": packet
    for name, packets in CONVERSATIONS.items()
    for number, packet in enumerate(packets)
}
V3_PACKETS = {name: packet for name, packet in PACKETS.items() if name.startswith("v3_")}
SIGNED_PACKETS = {
    name: packet
    for name, packet in V3_PACKETS.items()
    if decode_v3_message(packet).level > SecurityLevel.noAuthNoPriv
}


@pytest.fixture
def conversation() -> Callable[[str], list[bytes]]:
    """The packets of a named recording, in the order in which they went over the wire."""
    return CONVERSATIONS.__getitem__


@pytest.fixture(params=PACKETS.values(), ids=PACKETS.keys())
def packet(request: pytest.FixtureRequest) -> bytes:
    """Every recorded packet, one after the other."""
    return request.param


@pytest.fixture(params=V3_PACKETS.values(), ids=V3_PACKETS.keys())
def v3_packet(request: pytest.FixtureRequest) -> bytes:
    """Every recorded packet of version 3."""
    return request.param


@pytest.fixture(params=SIGNED_PACKETS.values(), ids=SIGNED_PACKETS.keys())
def signed_packet(request: pytest.FixtureRequest) -> bytes:
    """Every recorded packet that has a digest, be it right or wrong."""
    return request.param


@pytest.fixture
def recorded_user() -> Callable[[str], UsmUser]:
    """A user of the recordings by name: ``sha_aes`` has the protocols that its name says."""
    return user_named


@pytest.fixture
def recorded_keys() -> Callable[[V3Message], UserKeys]:
    """The keys of the user that a recorded message names, at the engine that it names."""
    return lambda message: localize(user_named(message.user_name.decode()), message.engine_id)


def user_named(name: str) -> UsmUser:
    auth, _, priv = name.upper().partition("_")
    if auth not in AuthProtocol.__members__:
        return UsmUser(name)
    return UsmUser(
        name,
        AuthProtocol(auth),
        AUTH_PASSWORD,
        PrivProtocol(priv) if priv else None,
        PRIV_PASSWORD if priv else "",
    )
