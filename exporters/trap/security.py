"""Messages of version 3: whose they are, whether that is proven, whether they are new.

Of a trap the sender's engine is the authoritative one, of an inform ours (RFC 3414 s1.5.1): keys
and clocks are that engine's. The sender of an inform asks for our engine first, and is told with a
report; so it is when something else is wrong with its inform. A trap is never answered.

Users may share a name while their passwords are exchanged: whose digest is right, it is. Each has a
level below which nothing is believed in its name.

Sources: RFC 3412 s7.2 (receiving), RFC 3414 s3.2 (incoming messages), s4 (discovery).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from exporters.errors import WireError
from exporters.trap.engines import Engines
from exporters.trap.own_engine import OwnEngine
from exporters.trap.seen import Seen
from exporters.wire.ber import Oid, encode_integer_content
from exporters.wire.report_oids import (
    USM_DECRYPTION_ERRORS,
    USM_NOT_IN_TIME_WINDOWS,
    USM_UNKNOWN_ENGINE_IDS,
    USM_UNKNOWN_USER_NAMES,
    USM_UNSUPPORTED_SEC_LEVELS,
    USM_WRONG_DIGESTS,
)
from exporters.wire.snmp_message import VarBind, encode_pdu, encode_varbinds
from exporters.wire.snmp_trap import Notification, TrapError, read_notification, refuse_as_too_big
from exporters.wire.tags import COUNTER32, INFORM_REQUEST, REPORT, RESPONSE, TRAP_V2
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
    verify_v3_message,
)

_SHORTEST_ENGINE_ID_BYTES: Final = 5
_MOST_COUNTED: Final = 2**31 - 1


class Refused(Exception):  # noqa: N818 - not an error of ours
    """A message that is not taken: the outcome, and the report to answer with, if there is one."""

    def __init__(self, outcome: str, report: bytes = b"") -> None:
        self.outcome = outcome
        self.report = report
        super().__init__(outcome)


class TrapUser(NamedTuple):
    """A user, and the least level at which a message in its name is believed."""

    user: UsmUser
    minimum_level: SecurityLevel


class Opened(NamedTuple):
    """A message that is taken.

    Attributes:
        notification: What it says.
        acknowledgement: The answer to an inform; empty for a trap.
        identity: What an inform that is sent again has in common with the first.
    """

    notification: Notification
    acknowledgement: bytes = b""
    identity: bytes = b""


class Security:
    """All users, towards all engines."""

    def __init__(
        self,
        users: Sequence[TrapUser],
        engines: Engines,
        own: OwnEngine,
        replays: Seen,
        *,
        salts: Iterator[int],
        monotonic: Callable[[], float],
    ) -> None:
        self._users: dict[bytes, list[TrapUser]] = defaultdict(list)
        for user in users:
            self._users[user.user.name.encode()].append(user)
            # Here and not with its first message: 4 ms for each password, 80 ms for the library.
            localize(user.user, own.id)
        self._engines = engines
        self._own = own
        self._replays = replays
        self._salts = salts
        self._monotonic = monotonic
        self._reports: dict[Oid, int] = defaultdict(int)

    def open(self, data: bytes, peer: str) -> Opened:
        """Verify, decrypt and read a message from the address *peer*.

        Raises:
            Refused: It is not to be believed.
            TrapError: It is no notification.
            WireError: It is no message of version 3.
        """
        message = decode_v3_message(data)
        if not message.engine_id and message.reportable:
            raise self._refuse(message, "discovery", USM_UNKNOWN_ENGINE_IDS)
        if len(message.engine_id) < _SHORTEST_ENGINE_ID_BYTES:
            raise self._refuse(message, "unknown_engine", USM_UNKNOWN_ENGINE_IDS)
        keys, scoped = self._open(message)
        is_ours = message.engine_id == self._own.id
        if message.level >= SecurityLevel.authNoPriv:
            self._check_time(message, keys, peer)
        if scoped.pdu.type == INFORM_REQUEST:
            if not is_ours:
                raise self._refuse(message, "unknown_engine", USM_UNKNOWN_ENGINE_IDS)
            return self._take_inform(message, keys, scoped)
        if scoped.pdu.type != TRAP_V2:
            detail = f"a PDU of type 0x{scoped.pdu.type:02x} is no notification"
            raise TrapError("unsupported_pdu", detail)
        if message.level >= SecurityLevel.authNoPriv and self._replays.has_seen(
            message.engine_id, message.auth_params, self._monotonic()
        ):
            raise Refused("duplicate")
        return Opened(read_notification(scoped.pdu))

    def engine_to_ask(self, data: bytes) -> bytes:
        """Give the engine whose clock tells whether a message is new; nothing if it is ours.

        Nor where its sender waits for an answer, which only the process can give that hears it.

        Raises:
            Refused: It is not to be believed, and its sender waits for an answer.
            WireError: It is no message of version 3.
        """
        message = decode_v3_message(data)
        if len(message.engine_id) < _SHORTEST_ENGINE_ID_BYTES or message.engine_id == self._own.id:
            return b""
        if message.reportable and self._open(message)[1].pdu.type == INFORM_REQUEST:
            return b""
        return message.engine_id

    def _open(self, message: V3Message) -> tuple[UserKeys, ScopedPdu]:
        """Find the user whose message it is (RFC 3414 s3.2 steps 4 to 6 and 8)."""
        named = self._users.get(message.user_name)
        if not named:
            raise self._refuse(message, "unknown_user", USM_UNKNOWN_USER_NAMES)
        users = [user for user in named if message.level >= user.minimum_level]
        if not users:
            raise self._refuse(message, "level_too_low", USM_UNSUPPORTED_SEC_LEVELS)
        if message.level and self._engines.is_full and not self._knows(message.engine_id):
            raise Refused("engine_table_full")
        outcome, report = "wrong_digest", USM_WRONG_DIGESTS
        for user, minimum_level in users:
            try:
                if message.level and not self._knows(message.engine_id):
                    # Before the digest is right, no key for privacy is made: there are protocols
                    # that take 2 ms for each engine, and engines are easily made up.
                    verify_v3_message(message, localize(_without_privacy(user), message.engine_id))
                keys = self._engines.keys(user, message.engine_id)
                return keys, open_v3_message(message, keys, minimum_level=minimum_level)
            except AuthenticationError:
                continue
            except DecryptionError:
                # Its digest is right, so it is this user's; or another's with the same password.
                outcome, report = "decrypt_error", USM_DECRYPTION_ERRORS
        raise self._refuse(message, outcome, report)

    def _knows(self, engine_id: bytes) -> bool:
        return engine_id == self._own.id or self._engines.has(engine_id)

    def _check_time(self, message: V3Message, keys: UserKeys, peer: str) -> None:
        """RFC 3414 s3.2 step 7.

        Raises:
            Refused: The message is not of now.
        """
        now = self._monotonic()
        if message.engine_id != self._own.id:
            # Clocks are read in whole seconds: a second less than memory reaches is safe.
            window = min(TIME_WINDOW_SECONDS, self._replays.reach_seconds(now) - 1)
            if not self._engines.accept(
                message.engine_id, message.boots, message.time, peer, window
            ):
                raise Refused("time_window")
            return
        own_time = self._own.time(now)
        if (
            message.boots == self._own.boots != MAX_BOOTS
            and abs(message.time - own_time) <= TIME_WINDOW_SECONDS
            and message.time >= self._own.heard_from
        ):
            return
        asks = message.boots == message.time == 0
        outcome = "discovery" if asks else "time_window"
        raise self._refuse(message, outcome, USM_NOT_IN_TIME_WINDOWS, keys)

    def _take_inform(self, message: V3Message, keys: UserKeys, scoped: ScopedPdu) -> Opened:
        pdu = scoped.pdu
        varbinds = encode_varbinds(pdu.varbinds)
        answer = self._answer(
            message, keys, scoped, encode_pdu(RESPONSE, pdu.request_id, 0, 0, varbinds)
        )
        if len(answer) > message.max_size:
            answer = self._answer(message, keys, scoped, refuse_as_too_big(pdu.request_id))
        identity = b"%d %s %s" % (pdu.request_id, message.user_name, varbinds)
        return Opened(read_notification(pdu), answer, identity)

    def _answer(self, message: V3Message, keys: UserKeys, scoped: ScopedPdu, pdu: bytes) -> bytes:
        """Answer in the context and at the level of an inform (RFC 3412 s7.1)."""
        private = message.level == SecurityLevel.authPriv
        return encode_v3_message(
            encode_scoped_pdu(scoped.context_engine_id, scoped.context_name, pdu),
            keys,
            msg_id=message.msg_id,
            boots=self._own.boots,
            time=self._own.time(self._monotonic()),
            reportable=False,
            level=message.level,
            salt=next(self._salts) if private else None,
        )

    def _refuse(
        self, message: V3Message, outcome: str, counter: Oid, keys: UserKeys | None = None
    ) -> Refused:
        """Refuse a message, with a report if its sender waits for an answer (RFC 3412 s7.1 3).

        The report is authenticated where *keys* are given, as what it says of our clock must be.
        """
        self._reports[counter] += 1
        if not message.reportable:
            return Refused(outcome)
        value = encode_integer_content(self._reports[counter] & _MOST_COUNTED)
        varbind: VarBind = (counter, COUNTER32, value)
        pdu = encode_pdu(REPORT, _request_id(message), 0, 0, encode_varbinds((varbind,)))
        level = SecurityLevel.noAuthNoPriv if keys is None else SecurityLevel.authNoPriv
        report = encode_v3_message(
            encode_scoped_pdu(self._own.id, b"", pdu),
            keys or UserKeys(message.user_name, self._own.id),
            msg_id=message.msg_id,
            boots=self._own.boots,
            time=self._own.time(self._monotonic()),
            reportable=False,
            level=level,
        )
        return Refused(outcome, report)


def _without_privacy(user: UsmUser) -> UsmUser:
    return replace(user, priv_protocol=None, priv_password="")


def _request_id(message: V3Message) -> int:
    """Give the request-id of a message, as far as it can be read; 0 else (RFC 3412 s7.1 3c)."""
    if message.level == SecurityLevel.authPriv:
        return 0
    try:
        return decode_scoped_pdu(message.payload).pdu.request_id
    except WireError:
        return 0
