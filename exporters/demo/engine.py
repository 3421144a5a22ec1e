"""The authoritative SNMPv3 engine of a simulated agent.

``Engine.answer`` takes a request as it came from the network and gives the message to send back:
the response, a Report that says why there is none, or nothing. The message's bytes are the business
of ``exporters.wire.usm``, the answers' those of ``exporters.demo.responder``.

Who may read what (VACM) is one rule: a user reads everything, at the strongest level that it has
keys for; below that level it gets authorizationError.

Sources: RFC 3414 section 3.2 (incoming messages), RFC 3412 section 7.1 (reports), RFC 3413 section
3.2 (contexts), RFC 3411 section 5 (engine ids).
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from exporters.demo.recording import encode_varbind
from exporters.demo.responder import Responder, encode_error
from exporters.errors import WireError
from exporters.wire.ber import Oid, encode_integer_content, encode_tlv
from exporters.wire.report_oids import (
    SNMP_UNKNOWN_CONTEXTS,
    SNMP_UNKNOWN_PDU_HANDLERS,
    USM_DECRYPTION_ERRORS,
    USM_NOT_IN_TIME_WINDOWS,
    USM_UNKNOWN_ENGINE_IDS,
    USM_UNKNOWN_USER_NAMES,
    USM_UNSUPPORTED_SEC_LEVELS,
    USM_WRONG_DIGESTS,
)
from exporters.wire.snmp_message import ErrorStatus, Version, encode_pdu
from exporters.wire.tags import COUNTER32, REPORT, SEQUENCE
from exporters.wire.usm import (
    MAX_BOOTS,
    TIME_WINDOW_SECONDS,
    AuthenticationError,
    DecryptionError,
    ScopedPdu,
    SecurityLevel,
    UserKeys,
    UsmUser,
    V3Message,
    decode_scoped_pdu,
    decode_v3_message,
    encode_scoped_pdu,
    encode_v3_message,
    localize,
    open_v3_message,
)

_OVERHEAD_BYTES: Final = 64 + 48 + 16
"""Headers and numbers, the longest digest, salt and padding; names come on top."""


class _RefusedError(Exception):
    """The message is answered with a Report."""

    def __init__(self, oid: Oid, keys: UserKeys | None = None) -> None:
        self.oid = oid
        self.keys = keys  # of the user whom the report is signed for
        super().__init__(oid)


class Engine:
    """Answers SNMPv3 requests for its contexts; the empty context name must be among them."""

    def __init__(
        self,
        engine_id: bytes,
        users: Iterable[UsmUser],
        contexts: Mapping[bytes, Responder],
        *,
        boots: int,
        most_bytes: int,
        clock: Callable[[], float],
    ) -> None:
        if not 5 <= len(engine_id) <= 32:
            raise ValueError(f"an engine id has 5 to 32 bytes, not {len(engine_id)}")
        self.engine_id = engine_id
        self.boots = boots
        self.reports: Counter[Oid] = Counter()
        self._users = {user.name.encode(): user for user in users}
        self._contexts = contexts
        self._most_bytes = most_bytes
        self._clock = clock
        self._booted_at = clock()
        self._salt = secrets.randbits(63)

    @property
    def time(self) -> int:
        """Seconds since the engine's last boot."""
        return int(self._clock() - self._booted_at)

    def restart(self) -> None:
        """Boot again: the time starts at 0 and messages of before are out of the window."""
        self.boots = min(self.boots + 1, MAX_BOOTS)
        self._booted_at = self._clock()

    def answer(self, data: bytes) -> bytes | None:
        """Give the message that answers *data*; None for what an engine drops.

        Raises:
            WireError: It is not an SNMPv3 message.
        """
        message = decode_v3_message(data)
        try:
            keys = self._check_user(message)
            scoped = self._open(message, keys)
            if scoped.context_engine_id not in (self.engine_id, b""):
                raise _RefusedError(SNMP_UNKNOWN_PDU_HANDLERS, keys)
            responder = self._contexts.get(scoped.context_name)
            if responder is None:
                raise _RefusedError(SNMP_UNKNOWN_CONTEXTS, keys)
        except _RefusedError as refusal:
            return self._report(message, refusal)
        pdu = scoped.pdu
        if message.level < keys.level:
            denied = encode_error(Version.V3, pdu, ErrorStatus.authorizationError, 0)
            return self._encode(message, keys, scoped.context_name, denied)
        names = 2 * len(self.engine_id) + len(message.user_name) + len(scoped.context_name)
        most_bytes = min(self._most_bytes, message.max_size) - _OVERHEAD_BYTES - names
        response = responder.answer(Version.V3, pdu, most_bytes)
        if response is None:
            return None
        return self._encode(message, keys, scoped.context_name, response)

    def _check_user(self, message: V3Message) -> UserKeys:
        """RFC 3414 s3.2 steps 3 to 5: whose message it is, before anything is proven."""
        if message.engine_id != self.engine_id:
            raise _RefusedError(USM_UNKNOWN_ENGINE_IDS)
        user = self._users.get(message.user_name)
        if user is None:
            raise _RefusedError(USM_UNKNOWN_USER_NAMES)
        if message.level > user.level:
            raise _RefusedError(USM_UNSUPPORTED_SEC_LEVELS)
        return localize(user, self.engine_id)

    def _open(self, message: V3Message, keys: UserKeys) -> ScopedPdu:
        """RFC 3414 s3.2 steps 6 to 8: digest, time window, decryption, in this order."""
        try:
            scoped = open_v3_message(message, keys, minimum_level=SecurityLevel.noAuthNoPriv)
        except AuthenticationError as error:
            raise _RefusedError(USM_WRONG_DIGESTS) from error
        except DecryptionError as error:
            self._check_time(message, keys)
            raise _RefusedError(USM_DECRYPTION_ERRORS) from error
        self._check_time(message, keys)
        return scoped

    def _check_time(self, message: V3Message, keys: UserKeys) -> None:
        if message.level == SecurityLevel.noAuthNoPriv:
            return
        if (
            self.boots == MAX_BOOTS
            or message.boots != self.boots
            or abs(message.time - self.time) > TIME_WINDOW_SECONDS
        ):
            raise _RefusedError(USM_NOT_IN_TIME_WINDOWS, keys)

    def _report(self, message: V3Message, refusal: _RefusedError) -> bytes | None:
        """RFC 3412 s7.1 step 3: signed when the user is proven, never encrypted."""
        self.reports[refusal.oid] += 1
        if not message.reportable:
            return None
        count = encode_integer_content(self.reports[refusal.oid])
        varbinds = encode_tlv(SEQUENCE, encode_varbind(refusal.oid, COUNTER32, count))
        pdu = encode_pdu(REPORT, _request_id(message), 0, 0, varbinds)
        level = min(message.level, SecurityLevel.authNoPriv)
        if refusal.keys is None or level == SecurityLevel.noAuthNoPriv:
            level = SecurityLevel.noAuthNoPriv
        keys = refusal.keys or UserKeys(message.user_name, self.engine_id)
        return self._encode(message, keys, b"", pdu, level)

    def _encode(
        self,
        message: V3Message,
        keys: UserKeys,
        context_name: bytes,
        pdu: bytes,
        level: SecurityLevel | None = None,
    ) -> bytes:
        self._salt += 1
        return encode_v3_message(
            encode_scoped_pdu(self.engine_id, context_name, pdu),
            keys,
            msg_id=message.msg_id,
            boots=self.boots,
            time=self.time,
            reportable=False,
            level=message.level if level is None else level,
            salt=self._salt,
        )


def _request_id(message: V3Message) -> int:
    """The request-id of a message that was not accepted; 0 where it cannot be read."""
    if message.level == SecurityLevel.authPriv:
        return 0
    try:
        return decode_scoped_pdu(message.payload).pdu.request_id
    except WireError:
        return 0
