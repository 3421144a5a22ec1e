"""TLS of connections (RFC 5425): the handshake, who is let in, and what went wrong, in one word.

It works on octets in memory, not on sockets: what a balancer says comes before the handshake on
the same connection, and what both cost is bounded by whoever has the connection.

A certificate that a fingerprint makes known may be signed by nobody who is trusted, which OpenSSL
refuses before anybody can look at it. So it is looked at as it arrives: Python shows the messages
of a handshake to a callback, and a certificate with a right fingerprint is added to those trusted
before OpenSSL comes to verify it. That OpenSSL does verify it proves that the client has its key.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from cryptography import x509

from exporters.config.file_fingerprint import FileFingerprint, fingerprint_files
from exporters.config.rejection import Rejected, format_key_path
from exporters.config.syslog_tls import SyslogTlsConfig, fingerprints_of, is_name_allowed
from exporters.config.tls import certificate_pem, server_context
from exporters.errors import ConfigError, Problem
from exporters.wire.tls_certificate import leaf_certificate

TLS_FAILURES: Final = {
    "not_tls": "what came is not TLS: a sender of plain text, most likely",
    "no_certificate": "the client has none, and needs one",
    "untrusted": "no CA of client_ca_file has signed its certificate",
    "expired": "its certificate is not valid yet, or no longer",
    "fingerprint": "its certificate has none of client_fingerprints",
    "subject": "its certificate has none of client_allowed_sans",
    "version": "it has no version of TLS that may be used here",
    "cipher": "it has no cipher, curve or kind of signature that may be used here",
    "refused_by_client": "the client gave up: it does not trust our certificate, most likely",
    "timeout": "the handshake took longer than handshake_timeout",
    "abandoned": "the connection ended before the handshake did",
    "protocol": "something else that TLS does not allow",
}
"""Why connections over TLS fail, and what it means."""

_HANDSHAKE: Final = b"\x16\x03"
"""How the first record of a client begins: its type, and the major version."""
_CHUNK_BYTES: Final = 32_768
"""What OpenSSL is given at a time: its buffers never get smaller again."""
_REASONS: Final = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "no_certificate",
    "HTTP_REQUEST": "not_tls",
    "HTTPS_PROXY_REQUEST": "not_tls",
    "UNSUPPORTED_PROTOCOL": "version",
    "VERSION_TOO_LOW": "version",
    "UNKNOWN_PROTOCOL": "version",
    "INAPPROPRIATE_FALLBACK": "version",
    "NO_SHARED_CIPHER": "cipher",
    "NO_SUITABLE_KEY_SHARE": "cipher",
    "NO_SUITABLE_SIGNATURE_ALGORITHM": "cipher",
    "NO_SHARED_SIGNATURE_ALGORITHMS": "cipher",
    "NO_SHARED_GROUPS": "cipher",
}
"""OpenSSL's words."""
_OUT_OF_DATE: Final = (9, 10)
"""X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED."""


class TlsFailure(Exception):  # noqa: N818 - an outcome
    """A connection over TLS is of no use; *reason* is one of ``TLS_FAILURES``."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or TLS_FAILURES[reason])
        self.reason = reason


class _Pins:
    """Has certificates with a right fingerprint trusted when they arrive.

    The callback is Python's ``_msg_callback``, set on the class below ``ssl.SSLContext``, which
    would make enumerations of its arguments: 3.4 us for every record of a connection, not 0.4.

    Attributes:
        refused: The fingerprint of the last certificate that had none of those known.
    """

    def __init__(self, context: ssl.SSLContext, known: tuple[str, ...]) -> None:
        self.refused = ""
        self._known = frozenset(known)
        callback: Any = super(ssl.SSLContext, ssl.SSLContext)._msg_callback  # type: ignore[misc]
        callback.__set__(context, self._look)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN

    def _look(
        self, tls: ssl.SSLObject, direction: str, version: int, kind: int, _type: int, data: bytes
    ) -> None:
        if direction != "read" or kind != _HANDSHAKE[0]:
            return
        certificate = leaf_certificate(data, has_context=version == ssl.TLSVersion.TLSv1_3)
        if certificate is None:
            return
        fingerprints = list(fingerprints_of(certificate))
        if self._known.isdisjoint(fingerprints):
            self.refused = fingerprints[-2]
            return
        with contextlib.suppress(ssl.SSLError):  # it is no certificate, which OpenSSL finds as well
            tls.context.load_verify_locations(cadata=certificate)


@dataclass(frozen=True, slots=True)
class ServerTls:
    """What connections are accepted with; a reload exchanges it for those to come."""

    config: SyslogTlsConfig
    context: ssl.SSLContext
    expires_at: float
    """When the certificate that is served does (Unix time)."""
    files: FileFingerprint
    """Those of certificates and keys, looked at before they were read."""
    pins: _Pins | None = None

    def check(self, tls: ssl.SSLObject) -> None:
        """Look whether the other side of a finished handshake may send.

        Raises:
            TlsFailure: It may not.
        """
        certificate = tls.getpeercert(binary_form=True)
        if certificate is None:
            return  # whether it needs one was for OpenSSL to say
        known = self.config.client_fingerprints
        if known and not any(one in known for one in fingerprints_of(certificate)):
            raise TlsFailure("fingerprint")  # one that a known certificate has signed
        names = self.config.client_allowed_sans
        if names and not is_name_allowed(tls.getpeercert() or {}, names):
            raise TlsFailure("subject")


def build_server_tls(config: SyslogTlsConfig) -> ServerTls | None:
    """Read the files of certificates as they are now; ``None``: there is no TLS.

    Raises:
        ConfigError: A file cannot be read, or is not what its key says.
    """
    files = fingerprint_files(config.files)
    try:
        context = server_context(config)
        if context is None:
            return None
        served = x509.load_pem_x509_certificate(certificate_pem(config).encode())
    except Rejected as error:
        raise ConfigError(
            [
                Problem(fault.problem, fault.hint, key_path=format_key_path(("tls", *fault.at)))
                for fault in error.faults
            ]
        ) from error
    # A client cannot have keys made again and again. Of TLS 1.3 there are no tickets; those of 1.2
    # stay, as without them OpenSSL would remember thousands of sessions for clients to resume.
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    known = config.client_fingerprints
    pins = _Pins(context, known) if known else None
    return ServerTls(config, context, served.not_valid_after_utc.timestamp(), files, pins)


class TlsStream:
    """The TLS of one connection: what arrives goes in, what it says comes out.

    Args:
        tls: What to do it with.
        send: Takes what is to be sent to the other side.

    Attributes:
        is_established: Whether the handshake is done, and the other side may send.
        has_ended: Whether the other side has said that nothing more comes.
        failure: Why the connection is of no use, once it is.
    """

    def __init__(self, tls: ServerTls, send: Callable[[bytes], None]) -> None:
        self.is_established = False
        self.has_ended = False
        self.failure: TlsFailure | None = None
        self._tls = tls
        self._send = send
        self._has_begun = False
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = tls.context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def feed(self, data: bytes) -> bytes:
        """Take what was received; give what of it was said, which may come before a failure."""
        if not self._has_begun and data[:2] != _HANDSHAKE[: len(data)]:
            self.failure = TlsFailure("not_tls")
            return b""
        self._has_begun = True
        said: list[bytes] = []
        for begin in range(0, len(data), _CHUNK_BYTES):
            self._incoming.write(data[begin : begin + _CHUNK_BYTES])
            self._go_on(said)
            if self.has_ended or self.failure is not None:
                break
        if self._outgoing.pending:
            self._send(self._outgoing.read())
        return b"".join(said)

    def _go_on(self, said: list[bytes]) -> None:
        try:
            if not self.is_established:
                self._object.do_handshake()
                self._tls.check(self._object)
                self.is_established = True
            while chunk := self._object.read(_CHUNK_BYTES):
                said.append(chunk)
            self.has_ended = True
        except ssl.SSLWantReadError:
            return  # that was all of it
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            self.has_ended = True
        except ssl.SSLError as error:
            self.failure = self._failure_of(error)
        except TlsFailure as failure:
            self.failure = failure

    def close(self) -> None:
        """Tell the other side that this is the end."""
        if self.is_established:
            with contextlib.suppress(ssl.SSLError):  # it has not said so itself: no need to wait
                self._object.unwrap()
            self._send(self._outgoing.read())

    def _failure_of(self, error: ssl.SSLError) -> TlsFailure:
        word = error.reason or ""
        if isinstance(error, ssl.SSLCertVerificationError):
            if error.verify_code in _OUT_OF_DATE:
                return TlsFailure("expired", error.verify_message)
            if self._tls.pins is not None:
                return TlsFailure("fingerprint", f"its certificate is {self._tls.pins.refused}")
            return TlsFailure("untrusted", error.verify_message)
        detail = word.lower().replace("_", " ")
        if "_ALERT_" in word and not self.is_established:
            return TlsFailure("refused_by_client", detail)
        return TlsFailure(_REASONS.get(word, "protocol"), detail)
