"""What an agent answers to one PDU: the elements of procedure of RFC 3416, without any message.

``Responder`` turns a request's PDU into the PDU of the response, encoded, no longer than it is
told. Versions differ where RFC 3584 section 4.2 says so: version 1 knows no exceptions (noSuchName
instead) and no Counter64 (passed over). Communities, users and sockets are the agent's business
(``exporters.demo.agent``); the rows come from ``exporters.demo.mib_view``.

Sources: RFC 3416 sections 4.2.1 to 4.2.5, RFC 1157 section 4.1, RFC 3584 section 4.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, chain
from typing import Final, Protocol

from exporters.demo.recording import decode_varbind, encode_varbind
from exporters.wire.ber import Oid, decode_subids, encode_length
from exporters.wire.snmp_message import ErrorStatus, Pdu, VarBind, Version, encode_pdu
from exporters.wire.tags import (
    COUNTER64,
    END_OF_MIB_VIEW,
    EXCEPTIONS,
    GET_BULK_REQUEST,
    GET_NEXT_REQUEST,
    GET_REQUEST,
    NO_SUCH_INSTANCE,
    NO_SUCH_OBJECT,
    RESPONSE,
    SEQUENCE,
    SET_REQUEST,
)

PDU_OVERHEAD_BYTES: Final = 5 + 6 + 3 + 4 + 5
"""The most that a response PDU adds to its varbinds: headers, request-id and the error fields."""

_SHORTEST_VARBIND_BYTES: Final = 12
_NOT_IN_VERSION_1: Final = EXCEPTIONS | {COUNTER64}
_VERSION_1_STRIDE: Final = 64


class View(Protocol):
    """Where the rows come from."""

    def row(self, oid: Oid) -> bytes | None:
        """Give the encoded varbind of an OID; None where there is none."""

    def rows_after(self, oid: Oid, count: int) -> list[bytes]:
        """Give the encoded varbinds behind an OID: *count* of them, fewer at the end."""


class RequestError(Exception):
    """The request as a whole is answered with an error-status."""

    def __init__(self, status: int, index: int) -> None:
        self.status = status
        self.index = index
        super().__init__(f"error-status {status} at varbind {index}")


class Responder:
    """Answers the requests to one recording."""

    def __init__(self, view: View) -> None:
        self._view = view

    def answer(self, version: int, pdu: Pdu, most_bytes: int) -> bytes | None:
        """Give the encoded response PDU; None for what an agent does not answer.

        *most_bytes* bounds the whole PDU: a GetBulk is cut short to fit, everything else becomes
        tooBig.
        """
        try:
            varbinds = self.varbinds(version, pdu, most_bytes - PDU_OVERHEAD_BYTES)
        except RequestError as error:
            return encode_error(version, pdu, error.status, error.index)
        return None if varbinds is None else encode_response(pdu.request_id, varbinds)

    def varbinds(self, version: int, pdu: Pdu, most_bytes: int) -> list[bytes] | None:
        """Give the encoded varbinds of the answer, of *most_bytes* together.

        Raises:
            RequestError: The answer is an error-status instead.
        """
        if pdu.type == GET_BULK_REQUEST and version != Version.V1:
            return self._get_bulk(pdu, most_bytes)
        if pdu.type == GET_REQUEST:
            look_up = self._get_v1 if version == Version.V1 else self._get
        elif pdu.type == GET_NEXT_REQUEST:
            look_up = self._next_v1 if version == Version.V1 else self._next
        elif pdu.type == SET_REQUEST:
            raise self._refuse_set(version, pdu)
        else:
            return None
        varbinds = []
        for index, (oid, _, _) in enumerate(pdu.varbinds, 1):
            row = look_up(oid)
            if row is None:
                raise RequestError(ErrorStatus.noSuchName, index)
            varbinds.append(row)
        if sum(map(len, varbinds)) > most_bytes:
            raise RequestError(ErrorStatus.tooBig, 0)
        return varbinds

    def _get(self, oid: Oid) -> bytes:
        return self._view.row(oid) or encode_varbind(oid, self._exception(oid), b"")

    def _exception(self, oid: Oid) -> int:
        """Tell a missing row of a known object from an unknown object (RFC 3416 s4.2.1).

        Without the MIB: the object is known if the recording has a row of the same length that
        differs in the last sub-identifier alone.
        """
        cut = len(oid) - 1
        while cut > 0 and oid[cut - 1] >= 0x80:
            cut -= 1
        beside = oid[:cut]
        rows = self._view.rows_after(beside, 1) if beside else []
        if rows:
            found = decode_varbind(rows[0])[0]
            if found.startswith(beside) and len(decode_subids(found[cut:])) == 1:
                return NO_SUCH_INSTANCE
        return NO_SUCH_OBJECT

    def _get_v1(self, oid: Oid) -> bytes | None:
        row = self._view.row(oid)
        return None if row is None or decode_varbind(row)[1] in _NOT_IN_VERSION_1 else row

    def _next(self, oid: Oid) -> bytes:
        rows = self._view.rows_after(oid, 1)
        return rows[0] if rows else encode_varbind(oid, END_OF_MIB_VIEW, b"")

    def _next_v1(self, oid: Oid) -> bytes | None:
        """Pass over what version 1 cannot carry (RFC 3584 s4.2.2.1)."""
        rows = self._view.rows_after(oid, 1)
        while rows:
            for row in rows:
                oid, tag, _ = decode_varbind(row)
                if tag not in _NOT_IN_VERSION_1:
                    return row
            rows = self._view.rows_after(oid, _VERSION_1_STRIDE)
        return None

    def _get_bulk(self, pdu: Pdu, most_bytes: int) -> list[bytes]:
        """RFC 3416 s4.2.3: one successor of each non-repeater, many of each repeater, by turns."""
        non_repeaters = max(0, pdu.error_status)
        varbinds = [self._next(oid) for oid, _, _ in pdu.varbinds[:non_repeaters]]
        repeaters = [oid for oid, _, _ in pdu.varbinds[non_repeaters:]]
        room = most_bytes // _SHORTEST_VARBIND_BYTES
        if repeaters and pdu.error_index > 0:
            count = min(pdu.error_index, room // len(repeaters) + 1)
            columns = [self._view.rows_after(oid, count) for oid in repeaters]
            if len(columns) == 1 and len(columns[0]) == count:
                varbinds += columns[0]
            else:
                columns = _fill_up(repeaters, columns, count)
                varbinds += chain.from_iterable(zip(*columns, strict=True))
        if len(varbinds) > room or sum(map(len, varbinds)) > most_bytes:
            kept = _count_that_fits(varbinds, most_bytes)
            if not kept:
                raise RequestError(ErrorStatus.tooBig, 0)
            del varbinds[kept:]
        return varbinds

    def _refuse_set(self, version: int, pdu: Pdu) -> RequestError:
        """Nothing here can be written (RFC 3416 s4.2.5, RFC 1157 s4.1.5)."""
        if version == Version.V1:
            return RequestError(ErrorStatus.noSuchName, 1)
        known = pdu.varbinds and self._view.row(pdu.varbinds[0][0]) is not None
        return RequestError(ErrorStatus.notWritable if known else ErrorStatus.noAccess, 1)


def encode_response(request_id: int, varbinds: Sequence[bytes]) -> bytes:
    """Encode a response PDU around encoded varbinds."""
    joined = b"".join(varbinds)
    header = bytes((SEQUENCE,)) + encode_length(len(joined))
    return encode_pdu(RESPONSE, request_id, ErrorStatus.noError, 0, header + joined)


def encode_error(version: int, pdu: Pdu, status: int, index: int) -> bytes:
    """Encode a response with an error-status; it repeats the request's varbinds.

    Not so for tooBig after version 1, whose list is empty (RFC 3416 s4.2.1).
    """
    empty = status == ErrorStatus.tooBig and version != Version.V1
    varbinds: Sequence[VarBind] = () if empty else pdu.varbinds
    joined = b"".join(encode_varbind(*varbind) for varbind in varbinds)
    header = bytes((SEQUENCE,)) + encode_length(len(joined))
    return encode_pdu(RESPONSE, pdu.request_id, status, index, header + joined)


def _fill_up(repeaters: list[Oid], columns: list[list[bytes]], count: int) -> list[list[bytes]]:
    """Make columns equally long with endOfMibView, up to the first row that has nothing else."""
    longest = max(map(len, columns))
    length = min(count, longest + 1)
    full = []
    for oid, column in zip(repeaters, columns, strict=True):
        if len(column) < length:
            last = decode_varbind(column[-1])[0] if column else oid
            end = encode_varbind(last, END_OF_MIB_VIEW, b"")
            column = column + [end] * (length - len(column))
        full.append(column[:length])
    return full


def _count_that_fits(varbinds: list[bytes], most_bytes: int) -> int:
    count = 0
    for total in accumulate(map(len, varbinds)):
        if total > most_bytes:
            break
        count += 1
    return count
