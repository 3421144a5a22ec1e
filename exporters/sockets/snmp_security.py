"""How a request is sealed and an answer opened: communities here, SNMPv3 users in ``snmp_usm``.

A session knows requests, answers and time-outs; it does not know versions. What it needs of one
is this contract.
"""

from __future__ import annotations

from typing import Protocol

from exporters.errors import FailureReason, WireError
from exporters.wire.snmp_message import (
    Pdu,
    Version,
    decode_community_message,
    encode_community_message,
)
from exporters.wire.tags import RESPONSE


class RejectedAnswerError(WireError):
    """A message that decodes and must not be believed; its reason is for when no better comes."""

    def __init__(self, reason: FailureReason, detail: str) -> None:
        self.reason = reason
        super().__init__(detail)


class Security(Protocol):
    """Credentials for one agent, able to make messages of PDUs and the reverse."""

    version: Version

    @property
    def must_discover(self) -> bool:
        """Whether an exchange of ``discovery`` must come before the next request."""

    def discovery(self, message_id: int) -> bytes:
        """The message that makes the agent tell what must be known of it."""

    def seal(self, request_id: int, pdu: bytes) -> bytes:
        """Wrap an encoded PDU into a message."""

    def open(self, message: bytes) -> tuple[int, Pdu]:
        """Unwrap an answer.

        Returns:
            The number that says which request it answers, and the PDU: a response, or a report.

        Raises:
            WireError: It is not a valid answer under these credentials.
        """

    def accept_discovery(self, message: bytes) -> None:
        """Learn from what answered ``discovery``.

        Raises:
            TargetError: It does not tell what must be known.
        """

    def accept_report(self, report: Pdu, message: bytes) -> FailureReason:
        """Learn from a report, and the message it came in, so that the request can go again.

        Returns:
            What is wrong if sending it again should not help.

        Raises:
            TargetError: Sending it again would not help.
        """

    def after_silence(self) -> str:
        """Note that a request got no answer that can be taken.

        Returns:
            What else may be wrong if it was silence, to follow "is silent"; maybe nothing.
        """


class CommunitySecurity:
    """Version 1 and 2c: a community name in clear text."""

    must_discover = False

    def __init__(self, version: Version, community: bytes) -> None:
        self.version = version
        self._community = community

    def discovery(self, message_id: int) -> bytes:
        """There is none.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError("communities need no discovery")

    def seal(self, request_id: int, pdu: bytes) -> bytes:
        """Put version and community before the PDU."""
        return encode_community_message(self.version, self._community, pdu)

    def open(self, message: bytes) -> tuple[int, Pdu]:
        """Decode the answer; the community is not compared, as agents may answer with another."""
        answer = decode_community_message(message)
        if answer.version != self.version:
            raise WireError(f"the answer has version {answer.version}, expected {self.version}")
        pdu = answer.pdu
        if pdu.type != RESPONSE:  # reports are of version 3 alone
            raise WireError(f"the answer is a PDU of type 0x{pdu.type:02x}, not a response")
        return pdu.request_id, pdu

    def accept_discovery(self, message: bytes) -> None:
        """There is none.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError("communities need no discovery")

    def accept_report(self, report: Pdu, message: bytes) -> FailureReason:
        """There is none: ``open`` lets no report through.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError("reports are of version 3")

    def after_silence(self) -> str:
        """Agents say nothing to a community that they do not know (RFC 1157 s4.1)."""
        return ", or does not know the community"
