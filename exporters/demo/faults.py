"""What real agents do wrong, on request: a simulated agent with these faults is what tests poll.

``Faults`` is the list, all off. Each fault acts at one of three places: on the rows
(``FaultyView``), on the response PDU (``FaultyResponder``) or on its way back (``Delivery``). All
chance comes from one seed. OIDs are dotted text; "below" includes the OID itself.

The network's own faults, which happen to any datagram, are in ``exporters.demo.bad_network``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

from exporters.demo.recording import decode_varbind, encode_varbind
from exporters.demo.responder import RequestError, Responder, View
from exporters.wire.ber import Oid, encode_oid
from exporters.wire.snmp_message import ErrorStatus, Pdu
from exporters.wire.tags import COUNTER64

_MOST_ROWS_PASSED_OVER: Final = 10_000
"""A loop of successors through rows that are gone ends here."""


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults of one agent.

    Of its rows:

    * ``successors``: the row served after an OID instead of the next one: backwards for an agent
      that does not increase, to an earlier OID for one that loops.
    * ``gone_after``: rows below an OID vanish after this many requests.
    * ``empty_below``: values below an OID have no content bytes.
    * ``signed_counter64``: Counter64 in eight bytes without the leading zero: large ones look
      negative.

    Of its responses:

    * ``errors_below``: an answer with a row below an OID becomes this error-status.
    * ``too_big_above``: an answer of more varbinds becomes tooBig, even to a GetBulk.
    * ``most_varbinds``: an answer has no more varbinds than this, whatever was asked.
    * ``surplus_varbinds``: so many rows more than asked follow.
    * ``silent_below``: a request that names an OID below is not answered.
    * ``wrong_request_id_rate``: the share of answers with a request-id that nobody used.

    Of the way back: ``drop_rate`` and ``duplicate_rate`` (shares of answers), ``delay_seconds`` of
    each plus up to ``jitter_seconds``, and ``late_rate``, the share that takes ``late_seconds``
    more.
    """

    successors: Mapping[str, str] = field(default_factory=dict)
    gone_after: Mapping[str, int] = field(default_factory=dict)
    empty_below: tuple[str, ...] = ()
    signed_counter64: bool = False

    errors_below: Mapping[str, ErrorStatus] = field(default_factory=dict)
    too_big_above: int | None = None
    most_varbinds: int | None = None
    surplus_varbinds: int = 0
    silent_below: tuple[str, ...] = ()
    wrong_request_id_rate: float = 0.0

    drop_rate: float = 0.0
    duplicate_rate: float = 0.0
    delay_seconds: float = 0.0
    jitter_seconds: float = 0.0
    late_rate: float = 0.0
    late_seconds: float = 0.0

    seed: int = 0


NO_FAULTS: Final = Faults()


class FaultyView:
    """A view whose rows vanish, come in the wrong order or are encoded wrongly."""

    def __init__(self, view: View, faults: Faults) -> None:
        self._view = view
        self._signed_counter64 = faults.signed_counter64
        self._empty = _encode_all(faults.empty_below)
        self._successors = {
            encode_oid(oid): encode_oid(successor) for oid, successor in faults.successors.items()
        }
        self._gone_after = {encode_oid(oid): count for oid, count in faults.gone_after.items()}
        self._requests = 0

    def count_request(self) -> None:
        """Note that one more request has come."""
        self._requests += 1

    def row(self, oid: Oid) -> bytes | None:
        """Give the encoded varbind of an OID; None where there is none any more."""
        row = None if self._is_gone(oid) else self._view.row(oid)
        return None if row is None else self._spoil(row)

    def rows_after(self, oid: Oid, count: int) -> list[bytes]:
        """Give the encoded varbinds that this agent takes for those behind an OID."""
        rows: list[bytes] = []
        for _ in range(count + _MOST_ROWS_PASSED_OVER):
            row = self._next(oid)
            if row is None or len(rows) == count:
                break
            oid = decode_varbind(row)[0]
            if not self._is_gone(oid):
                rows.append(self._spoil(row))
        return rows

    def _next(self, oid: Oid) -> bytes | None:
        successor = self._successors.get(oid)
        if successor is not None:
            return self._view.row(successor)
        return next(iter(self._view.rows_after(oid, 1)), None)

    def _is_gone(self, oid: Oid) -> bool:
        return any(
            self._requests > count and oid.startswith(prefix)
            for prefix, count in self._gone_after.items()
        )

    def _spoil(self, row: bytes) -> bytes:
        oid, tag, content = decode_varbind(row)
        if _is_below(oid, self._empty):
            return encode_varbind(oid, tag, b"")
        if self._signed_counter64 and tag == COUNTER64:
            return encode_varbind(oid, tag, content[-8:].rjust(8, b"\0"))
        return row


class FaultyResponder(Responder):
    """A responder that answers with errors, with too little, too much or not at all."""

    def __init__(self, view: View, faults: Faults) -> None:
        self._rows = FaultyView(view, faults)
        super().__init__(self._rows)
        self._faults = faults
        self._random = Random(faults.seed)
        self._silent = _encode_all(faults.silent_below)
        self._errors = {encode_oid(oid): status for oid, status in faults.errors_below.items()}

    def answer(self, version: int, pdu: Pdu, most_bytes: int) -> bytes | None:
        """Give the encoded response PDU; None where the agent stays silent."""
        self._rows.count_request()
        if any(_is_below(oid, self._silent) for oid, _, _ in pdu.varbinds):
            return None
        if self._random.random() < self._faults.wrong_request_id_rate:
            pdu = replace(pdu, request_id=pdu.request_id ^ 0x2AAAAAAA)
        return super().answer(version, pdu, most_bytes)

    def varbinds(self, version: int, pdu: Pdu, most_bytes: int) -> list[bytes] | None:
        """Give the encoded varbinds of the answer.

        Raises:
            RequestError: The answer is an error-status instead.
        """
        faults = self._faults
        varbinds = super().varbinds(version, pdu, most_bytes)
        if varbinds is None:
            return None
        for index, row in enumerate(varbinds, 1):
            oid = decode_varbind(row)[0]
            for prefix, status in self._errors.items():
                if oid.startswith(prefix):
                    raise RequestError(status, index)
        if faults.too_big_above is not None and len(varbinds) > faults.too_big_above:
            raise RequestError(ErrorStatus.tooBig, 0)
        if faults.most_varbinds is not None:
            del varbinds[faults.most_varbinds :]
        if faults.surplus_varbinds and varbinds:
            last = decode_varbind(varbinds[-1])[0]
            varbinds += self._rows.rows_after(last, faults.surplus_varbinds)
        return varbinds


class Delivery:
    """Decides when, how often and whether an answer is sent."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._random = Random(faults.seed)
        self.immediate = not (
            faults.drop_rate
            or faults.duplicate_rate
            or faults.delay_seconds
            or faults.jitter_seconds
            or faults.late_rate
        )

    def delays(self) -> tuple[float, ...]:
        """Give the seconds after which to send the answer: none when lost, two when doubled."""
        faults = self._faults
        # every answer draws as many numbers, so that one fault does not shift another
        lost, doubled, late, jitter = (self._random.random() for _ in range(4))
        if lost < faults.drop_rate:
            return ()
        delay = faults.delay_seconds + jitter * faults.jitter_seconds
        if late < faults.late_rate:
            delay += faults.late_seconds
        return (delay, delay) if doubled < faults.duplicate_rate else (delay,)


def _encode_all(oids: Iterable[str]) -> tuple[Oid, ...]:
    return tuple(encode_oid(oid) for oid in oids)


def _is_below(oid: Oid, prefixes: tuple[Oid, ...]) -> bool:
    return oid.startswith(prefixes) if prefixes else False
