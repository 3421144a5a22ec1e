"""SNMPv3 users towards one agent: engine discovery, time synchronisation, and what reports mean.

The engine's id, boots and time are kept between scrapes in an ``EngineMemory``, so that only the
first request ever made to an agent costs the extra packet of discovery. A report that says the
memory is stale renews it, and the request is sent again; after silence the engine is asked for
again, as the device may have been replaced by one that ignores what names another engine.

What is believed: boots and time are a hint until an authenticated message proves them, whoever
sent them; a forged hint costs one more packet, because the true engine corrects it. An answer to a
user with a password is never believed without its digest.

Sources: RFC 3414 s2.3 (time), s3.2 (incoming messages), s4 (discovery), RFC 3412 s7.1, s7.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from exporters.errors import FailureReason, TargetError, WireError
from exporters.sockets.snmp_security import RejectedAnswerError
from exporters.wire.ber import Oid
from exporters.wire.report_oids import (
    SNMP_UNAVAILABLE_CONTEXTS,
    SNMP_UNKNOWN_CONTEXTS,
    SNMP_UNKNOWN_PDU_HANDLERS,
    USM_DECRYPTION_ERRORS,
    USM_NOT_IN_TIME_WINDOWS,
    USM_UNKNOWN_ENGINE_IDS,
    USM_UNKNOWN_USER_NAMES,
    USM_UNSUPPORTED_SEC_LEVELS,
    USM_WRONG_DIGESTS,
    report_name,
)
from exporters.wire.snmp_message import Pdu, Version, encode_names, encode_pdu
from exporters.wire.tags import GET_REQUEST, REPORT, RESPONSE
from exporters.wire.usm import (
    MAX_BOOTS,
    TIME_WINDOW_SECONDS,
    AuthenticationError,
    DecryptionError,
    SecurityLevel,
    UserKeys,
    UsmUser,
    V3Message,
    decode_v3_message,
    encode_scoped_pdu,
    encode_v3_message,
    localize,
    open_v3_message,
)

_NOBODY: Final = UserKeys()
_MAX_TIME: Final = 2**31 - 1
_MAX_USERS: Final = 64
"""Users of one engine that are remembered; more come only of passwords that changed."""

_RENEWABLE: Final[dict[Oid, FailureReason]] = {
    USM_UNKNOWN_ENGINE_IDS: FailureReason.AUTH_UNKNOWN_ENGINE,
    USM_NOT_IN_TIME_WINDOWS: FailureReason.AUTH_TIME_WINDOW,
}
"""Reports that say that what is remembered of the engine is wrong."""

_REASONS: Final[dict[Oid, tuple[FailureReason, str]]] = {
    USM_UNSUPPORTED_SEC_LEVELS: (
        FailureReason.AUTH_UNSUPPORTED_LEVEL,
        "the agent does not accept user {user!r} at security level {level}",
    ),
    USM_UNKNOWN_USER_NAMES: (
        FailureReason.AUTH_UNKNOWN_USER,
        "the agent does not know user {user!r}",
    ),
    USM_WRONG_DIGESTS: (
        FailureReason.AUTH_WRONG_DIGEST,
        "the agent refuses the digest of user {user!r}: wrong password or auth_protocol",
    ),
    USM_DECRYPTION_ERRORS: (
        FailureReason.DECRYPT,
        "the agent cannot decrypt for user {user!r}: wrong priv_password or priv_protocol",
    ),
    SNMP_UNKNOWN_CONTEXTS: (
        FailureReason.UNKNOWN_CONTEXT,
        "the agent has no context {context!r}",
    ),
    SNMP_UNAVAILABLE_CONTEXTS: (
        FailureReason.UNKNOWN_CONTEXT,
        "the agent's context {context!r} is not available now",
    ),
    SNMP_UNKNOWN_PDU_HANDLERS: (
        FailureReason.UNKNOWN_CONTEXT,
        "the agent serves no context of engine {context_engine}",
    ),
}


@dataclass(slots=True)
class EngineMemory:
    """What is known of an agent's SNMPv3 engine; *learned_at* is on the monotonic clock."""

    engine_id: bytes = b""
    boots: int = 0
    time: int = 0
    """The latest time that the engine told, which was at *learned_at*."""
    learned_at: float = 0.0
    doubtful: bool = False
    """Whether a request has gone unanswered since: it may be another engine by now."""
    keys: dict[UsmUser, UserKeys] = field(default_factory=dict, repr=False)
    proven: set[tuple[UsmUser, bytes]] = field(default_factory=set, repr=False)
    """Users and contexts that the engine has answered to, so that all about them is right."""

    def time_at(self, now: float) -> int:
        """The engine's own time, in seconds since its latest boot (RFC 3414 s2.2.2)."""
        return min(_MAX_TIME, self.time + int(now - self.learned_at))

    def learn(self, engine_id: bytes, boots: int, time: int, now: float) -> None:
        """Take what the engine tells of itself at *now*."""
        if self.engine_id != engine_id:
            self.engine_id = engine_id
            self.keys.clear()
            self.proven.clear()
        self.boots, self.time, self.learned_at = boots, time, now
        self.doubtful = False

    def prove(self, asker: tuple[UsmUser, bytes]) -> None:
        """Note that the engine has answered this user in this context."""
        if len(self.proven) >= _MAX_USERS:
            self.proven.clear()
        self.proven.add(asker)


class UsmSecurity:
    """One user's messages to one agent."""

    version = Version.V3

    def __init__(
        self,
        user: UsmUser,
        engine: EngineMemory,
        *,
        context_name: bytes,
        context_engine_id: bytes,
        clock: Callable[[], float],
        salts: Iterator[int],
    ) -> None:
        self._user = user
        self._level = user.level
        self._engine = engine
        self._context_name = context_name
        self._context_engine_id = context_engine_id
        self._clock = clock
        self._salts = salts
        self._asker = (user, context_name)
        self._proven = False

    @property
    def must_discover(self) -> bool:
        """Whether the engine is unknown, or may have become another one."""
        return not self._engine.engine_id or self._engine.doubtful

    def discovery(self, message_id: int) -> bytes:
        """An empty request in nobody's name, which makes the agent tell its engine (s4)."""
        pdu = encode_pdu(GET_REQUEST, message_id, 0, 0, encode_names(()))
        return encode_v3_message(
            encode_scoped_pdu(b"", b"", pdu),
            _NOBODY,
            msg_id=message_id,
            boots=0,
            time=0,
            reportable=True,
        )

    def seal(self, request_id: int, pdu: bytes) -> bytes:
        """Sign and encrypt as the user's level says; the message id is the request-id."""
        engine = self._engine
        private = self._level == SecurityLevel.authPriv
        return encode_v3_message(
            encode_scoped_pdu(self._context_engine_id or engine.engine_id, self._context_name, pdu),
            self._keys(),
            msg_id=request_id,
            boots=engine.boots,
            time=engine.time_at(self._clock()),
            reportable=True,
            salt=next(self._salts) if private else None,
        )

    def open(self, message: bytes) -> tuple[int, Pdu]:
        """Verify and decrypt an answer.

        Raises:
            RejectedAnswerError: It is not from this user and engine, less protected than the user
                demands, or too old (RFC 3414 s3.2 step 7b).
            WireError: It does not decode.
        """
        answer = decode_v3_message(message)
        pdu = self._decode(answer)
        if pdu.type not in (RESPONSE, REPORT):
            raise WireError(f"the answer is a PDU of type 0x{pdu.type:02x}, not a response")
        # A report may be less protected: an agent that does not know the user has no other way.
        if pdu.type == RESPONSE and answer.level < self._level:
            raise RejectedAnswerError(
                FailureReason.AUTH_UNSUPPORTED_LEVEL,
                f"the answer is {answer.level.name}, and user {self._user.name!r} demands "
                f"{self._level.name}",
            )
        if answer.level >= SecurityLevel.authNoPriv:
            self._follow_time(answer, pdu)
        if pdu.type == RESPONSE and not self._proven:
            self._proven = True
            self._engine.prove(self._asker)
        return answer.msg_id, pdu

    def accept_discovery(self, message: bytes) -> None:
        """Learn the engine from the header; agents disagree on which report belongs inside.

        Raises:
            TargetError: It names no engine.
        """
        header = decode_v3_message(message)
        if not header.engine_id:
            raise TargetError(FailureReason.AUTH_UNKNOWN_ENGINE, "the agent tells no engine id")
        self._engine.learn(header.engine_id, header.boots, header.time, self._clock())

    def accept_report(self, report: Pdu, message: bytes) -> FailureReason:
        """Renew what is known of the engine, where the report says that this is what is wrong.

        Returns:
            What is wrong if the agent says so again.

        Raises:
            TargetError: The report says something that asking again would not change.
        """
        oid = report.varbinds[0][0] if report.varbinds else b""
        renewed = _RENEWABLE.get(oid)
        if renewed is not None:
            self.accept_discovery(message)
            return renewed
        reason, text = _REASONS.get(
            oid, (FailureReason.AGENT_ERROR, "the agent answers with report {report}")
        )
        raise TargetError(
            reason,
            text.format(
                user=self._user.name,
                level=self._level.name,
                context=self._context,
                context_engine=(self._context_engine_id or self._engine.engine_id).hex(),
                report=_report_name(oid),
            ),
        )

    def after_silence(self) -> str:
        """Doubt the engine, and say what else makes agents silent.

        net-snmp's drops without a word what it cannot decrypt, and what is for a context that it
        does not have.
        """
        engine = self._engine
        engine.doubtful = bool(engine.engine_id)
        if not engine.engine_id or self._asker in engine.proven:
            return ""
        causes = ""
        if self._level == SecurityLevel.authPriv:
            causes = (
                f", or cannot decrypt: wrong priv_password or priv_protocol of {self._user.name!r}"
            )
        if self._context_name:
            causes += f", or has no context {self._context!r}"
        return causes

    @property
    def _context(self) -> str:
        return self._context_name.decode("utf-8", "backslashreplace")

    def _decode(self, answer: V3Message) -> Pdu:
        keys = _NOBODY
        if answer.level:
            if answer.engine_id != self._engine.engine_id:
                raise RejectedAnswerError(
                    FailureReason.AUTH_UNKNOWN_ENGINE,
                    f"the answer is from engine {answer.engine_id.hex()}, expected "
                    f"{self._engine.engine_id.hex() or 'none'}",
                )
            keys = self._keys()
        try:
            return open_v3_message(answer, keys, minimum_level=SecurityLevel.noAuthNoPriv).pdu
        except AuthenticationError as error:
            raise RejectedAnswerError(FailureReason.AUTH_WRONG_DIGEST, str(error)) from error
        except DecryptionError as error:
            raise RejectedAnswerError(FailureReason.DECRYPT, str(error)) from error

    def _follow_time(self, answer: V3Message, pdu: Pdu) -> None:
        """RFC 3414 s3.2 step 7b: follow the engine's clock, refuse what is older than the window.

        A report is not refused. That its digest is right and it names the request's own message id
        shows that it is fresh; and an agent that does not keep its boots over a restart has no
        other way to say that its time began anew.
        """
        engine = self._engine
        now = self._clock()
        if answer.boots > engine.boots or (
            answer.boots == engine.boots and answer.time > engine.time
        ):
            engine.boots, engine.time, engine.learned_at = answer.boots, answer.time, now
        elif pdu.type == RESPONSE and (
            answer.boots < engine.boots or answer.time < engine.time_at(now) - TIME_WINDOW_SECONDS
        ):
            raise RejectedAnswerError(
                FailureReason.AUTH_TIME_WINDOW,
                f"the answer is of boots {answer.boots} time {answer.time}, the engine is at boots "
                f"{engine.boots} time {engine.time_at(now)}",
            )
        if engine.boots == MAX_BOOTS and pdu.type == RESPONSE:
            raise RejectedAnswerError(
                FailureReason.AUTH_TIME_WINDOW,
                f"the engine's boots stand at their maximum, {MAX_BOOTS}: it needs a new engine id",
            )

    def _keys(self) -> UserKeys:
        engine = self._engine
        keys = engine.keys.get(self._user)
        if keys is None:
            if len(engine.keys) >= _MAX_USERS:
                engine.keys.clear()
            keys = engine.keys[self._user] = localize(self._user, engine.engine_id)
        return keys


def _report_name(oid: Oid) -> str:
    if not oid:
        return "of nothing"
    try:
        return report_name(oid)
    except WireError:
        return oid.hex()
