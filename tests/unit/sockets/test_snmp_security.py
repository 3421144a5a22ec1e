"""Communities: which answers are taken, and which are not."""

from __future__ import annotations

import pytest

from exporters.errors import WireError
from exporters.sockets.snmp_security import CommunitySecurity
from exporters.wire.snmp_message import (
    Version,
    decode_community_message,
    encode_community_message,
    encode_names,
    encode_pdu,
)
from exporters.wire.tags import GET_REQUEST, REPORT, RESPONSE

BOTH = pytest.mark.parametrize("version", [Version.V1, Version.V2C], ids=["v1", "v2c"])


def pdu(pdu_type: int, request_id: int = 7) -> bytes:
    return encode_pdu(pdu_type, request_id, 0, 0, encode_names([b"\x2b\x06"]))


@BOTH
def test_request_carries_version_and_community(version: Version) -> None:
    message = decode_community_message(
        CommunitySecurity(version, b"secret").seal(7, pdu(GET_REQUEST))
    )
    assert (message.version, message.community) == (version, b"secret")
    assert message.pdu.request_id == 7


@BOTH
def test_answer_is_taken_whatever_its_community(version: Version) -> None:
    answer = encode_community_message(version, b"other", pdu(RESPONSE))
    request_id, opened = CommunitySecurity(version, b"secret").open(answer)
    assert (request_id, opened.type) == (7, RESPONSE)


@BOTH
def test_answer_of_another_version_is_not_taken(version: Version) -> None:
    other = Version.V2C if version == Version.V1 else Version.V1
    answer = encode_community_message(other, b"secret", pdu(RESPONSE))
    with pytest.raises(WireError, match=f"version {other}, expected {version}"):
        CommunitySecurity(version, b"secret").open(answer)


@pytest.mark.parametrize("pdu_type", [GET_REQUEST, REPORT], ids=["request", "report"])
def test_only_a_response_is_an_answer(pdu_type: int) -> None:
    """A report would ask for something to be learnt, which communities cannot."""
    answer = encode_community_message(Version.V2C, b"secret", pdu(pdu_type))
    with pytest.raises(WireError, match="not a response"):
        CommunitySecurity(Version.V2C, b"secret").open(answer)


def test_community_needs_no_discovery() -> None:
    assert not CommunitySecurity(Version.V2C, b"secret").must_discover


def test_silence_may_mean_a_wrong_community() -> None:
    assert "community" in CommunitySecurity(Version.V2C, b"secret").after_silence()
