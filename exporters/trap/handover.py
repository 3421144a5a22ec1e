r"""Traps that reached one process and belong to another: they are handed over, and counted there.

Most traps reach the process that keeps their device, as sockets choose by their senders. The others
are those of further addresses of a device, and what relays pass on. And those of version 3: whether
one is new, its engine's clock tells, which one process has for all addresses that it may come
from, or it could be played back to each. That process verifies it, and may have to hand it on.

Who may send, and how much, is decided where a datagram arrives, and there informs are answered.

A packet is a line of JSON and octets. A datagram as it came, of a trap alone::

    {"from": "192.0.2.1"}\n0...

and what was decoded, whose octets are its varbinds::

    {"from": "192.0.2.1", "device": "core-1", "version": "3", "size": 120, "notification":
    [167, 1, "2b06010603010105...", 1000, "", ""]}\n0...
"""

from __future__ import annotations

import json
from typing import Any, Final

from exporters.events.shares import Share
from exporters.events.sources import Source
from exporters.sockets.mailboxes import Mailboxes, Post
from exporters.trap.receiver import TrapReceiver
from exporters.wire.ber import expect
from exporters.wire.snmp_message import decode_varbinds, encode_varbinds
from exporters.wire.snmp_trap import Notification
from exporters.wire.tags import SEQUENCE

_NOTIFICATION: Final = "notification"


class Handover:
    """Hands over what arrives here and belongs elsewhere, and takes what belongs here.

    Attributes:
        handed_over: How much other processes were given.
    """

    def __init__(self, mailboxes: Mailboxes, share: Share, receiver: TrapReceiver) -> None:
        self.handed_over = 0
        self.post = Post(mailboxes, share.number, self._take)
        self._share = share
        self._receiver = receiver

    def home(self, engine_id: bytes) -> int | None:
        """Give the process that has the clock of an engine; None for this one."""
        home = self._share.home(engine_id)
        return None if home == self._share.number else home

    def give_datagram(self, to: int, content: bytes, source: Source) -> bool:
        """Hand over a datagram as it came; whether there was room."""
        return self._give(to, {"from": source.address}, content)

    def give_notification(
        self, to: int, notification: Notification, version: str, source: Source, size_bytes: int
    ) -> bool:
        """Hand over what was decoded, and how long its message was; whether there was room."""
        pdu_type, request_id, oid, uptime, varbinds, address, enterprise = notification
        head = {
            "from": source.address,
            "device": source.device,
            "version": version,
            "size": size_bytes,
            _NOTIFICATION: [pdu_type, request_id, oid.hex(), uptime, address, enterprise.hex()],
        }
        return self._give(to, head, encode_varbinds(varbinds))

    def _give(self, to: int, head: dict[str, Any], octets: bytes) -> bool:
        is_given = self.post.post(to, json.dumps(head).encode() + b"\n" + octets)
        self.handed_over += is_given
        return is_given

    def _take(self, packet: bytes) -> None:
        begin = packet.index(b"\n") + 1
        head, octets = json.loads(packet[:begin]), packet[begin:]
        if _NOTIFICATION not in head:
            self._receiver.take_handed_datagram(octets, head["from"])
            return
        pdu_type, request_id, oid, uptime, address, enterprise = head[_NOTIFICATION]
        varbinds = decode_varbinds(octets, *expect(octets, 0, len(octets), SEQUENCE, "varbinds"))
        notification = Notification(
            pdu_type, request_id, bytes.fromhex(oid), uptime, varbinds, address,
            bytes.fromhex(enterprise),
        )  # fmt: skip
        source = Source(head["from"], head["device"], is_allowed=True, is_relay=False)
        self._receiver.take_handed(notification, head["version"], source, head["size"])
