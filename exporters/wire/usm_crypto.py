"""Users, keys, digests and ciphers of SNMPv3's User-based Security Model.

Not here: the layout of messages (``exporters.wire.usm``), the clocks of engines and the window of
time (whoever talks to an engine keeps them), and who may read what.

pysnmp localises the keys. It is loaded when the first user with a password is localised, because
it costs memory that a poller of SNMPv2c never needs. What it would do to every message is done
without it:

* The ciphers (``exporters.wire.usm_ciphers``) are those of the package cryptography, which pysnmp
  calls too, and around which its own types take five times as long.
* Digests come from the standard library: pysnmp's services look for the place of the digest by
  searching the message for zeros (outgoing) or for the digest's bytes (incoming), which an engine
  id or a PDU may contain too.

Sources: RFC 3414 (USM; MD5, SHA, DES), RFC 3826 (AES), RFC 7860 (SHA-2),
draft-blumenthal-aes-usm-04 (AES192, AES256), draft-reeder-snmpv3-usm-3desede-00 (the key extension
of AES192C, AES256C, which Cisco uses).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple

from exporters.errors import WireError

MAX_USER_NAME_BYTES: Final = 32
_BLOCK_BYTES: Final = 8
_SALT_BYTES: Final = 8


class AuthenticationError(WireError):
    """A message is not from whom it says, or is less protected than its user must be."""


class DecryptionError(WireError):
    """A message cannot be decrypted with the keys at hand."""


class SecurityLevel(IntEnum):
    """How a message is protected, as its flags say it; the order is the order of strength."""

    noAuthNoPriv = 0  # noqa: N815
    authNoPriv = 1  # noqa: N815
    authPriv = 3  # noqa: N815


class AuthProtocol(StrEnum):
    """Authentication protocols, by the names that configuration files use."""

    MD5 = "MD5"
    SHA = "SHA"
    SHA224 = "SHA224"
    SHA256 = "SHA256"
    SHA384 = "SHA384"
    SHA512 = "SHA512"


class PrivProtocol(StrEnum):
    """Privacy protocols, by the names that configuration files use.

    With a key longer than the hash, AES192 and AES256 extend it as Blumenthal's draft says, AES192C
    and AES256C as Reeder's does.
    """

    DES = "DES"
    AES = "AES"
    AES192 = "AES192"
    AES256 = "AES256"
    AES192C = "AES192C"
    AES256C = "AES256C"


class _Digest(NamedTuple):
    hash_name: str
    length: int
    """Bytes of the truncated digest in a message."""
    service_id: tuple[int, ...]
    """The protocol's OID: what pysnmp calls its service."""


_DIGESTS: Final = {
    AuthProtocol.MD5: _Digest("md5", 12, (1, 3, 6, 1, 6, 3, 10, 1, 1, 2)),
    AuthProtocol.SHA: _Digest("sha1", 12, (1, 3, 6, 1, 6, 3, 10, 1, 1, 3)),
    AuthProtocol.SHA224: _Digest("sha224", 16, (1, 3, 6, 1, 6, 3, 10, 1, 1, 4)),
    AuthProtocol.SHA256: _Digest("sha256", 24, (1, 3, 6, 1, 6, 3, 10, 1, 1, 5)),
    AuthProtocol.SHA384: _Digest("sha384", 32, (1, 3, 6, 1, 6, 3, 10, 1, 1, 6)),
    AuthProtocol.SHA512: _Digest("sha512", 48, (1, 3, 6, 1, 6, 3, 10, 1, 1, 7)),
}

_PRIV_SERVICE_IDS: Final = {
    PrivProtocol.DES: (1, 3, 6, 1, 6, 3, 10, 1, 2, 2),
    PrivProtocol.AES: (1, 3, 6, 1, 6, 3, 10, 1, 2, 4),
    PrivProtocol.AES192: (1, 3, 6, 1, 4, 1, 9, 12, 6, 1, 1),
    PrivProtocol.AES256: (1, 3, 6, 1, 4, 1, 9, 12, 6, 1, 2),
    PrivProtocol.AES192C: (1, 3, 6, 1, 4, 1, 9, 12, 6, 1, 101),
    PrivProtocol.AES256C: (1, 3, 6, 1, 4, 1, 9, 12, 6, 1, 102),
}


def _level(auth: object, priv: object) -> SecurityLevel:
    if priv is not None:
        return SecurityLevel.authPriv
    return SecurityLevel.noAuthNoPriv if auth is None else SecurityLevel.authNoPriv


@dataclass(frozen=True, slots=True)
class UsmUser:
    """A user as it is configured, before it is known which engine it will talk to.

    Raises:
        ValueError: The name is too long, there is privacy without authentication, or a protocol
            without a password.
    """

    name: str
    auth_protocol: AuthProtocol | None = None
    auth_password: str = field(default="", repr=False)
    priv_protocol: PrivProtocol | None = None
    priv_password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if len(self.name.encode()) > MAX_USER_NAME_BYTES:
            raise ValueError(f"user name {self.name!r} is longer than {MAX_USER_NAME_BYTES} bytes")
        if self.priv_protocol is not None and self.auth_protocol is None:
            raise ValueError(f"user {self.name!r} has privacy without authentication")
        if self.auth_protocol is not None and not self.auth_password:
            raise ValueError(f"user {self.name!r} has no authentication password")
        if self.priv_protocol is not None and not self.priv_password:
            raise ValueError(f"user {self.name!r} has no privacy password")

    @property
    def level(self) -> SecurityLevel:
        """The strongest protection that the user is capable of."""
        return _level(self.auth_protocol, self.priv_protocol)


@dataclass(frozen=True, slots=True)
class UserKeys:
    """A user at one authoritative engine: the keys that both sides derive from the passwords."""

    user_name: bytes = b""
    engine_id: bytes = b""
    auth_protocol: AuthProtocol | None = None
    auth_key: bytes = field(default=b"", repr=False)
    priv_protocol: PrivProtocol | None = None
    priv_key: bytes = field(default=b"", repr=False)

    @property
    def level(self) -> SecurityLevel:
        """The strongest protection that the keys give."""
        return _level(self.auth_protocol, self.priv_protocol)


@lru_cache(maxsize=1024)
def localize(user: UsmUser, engine_id: bytes) -> UserKeys:
    """Derive a user's keys for the authoritative engine (RFC 3414 s2.6).

    The first call with a password hashes a megabyte (4 ms); the results are remembered, in bounded
    number. The Reeder extension hashes another megabyte for each engine.
    """
    name = user.name.encode()
    if user.auth_protocol is None:
        return UserKeys(name, engine_id)
    services = _load_services()
    hash_id = _DIGESTS[user.auth_protocol].service_id
    engine = services.octets(engine_id)
    master = services.octets(_hash_password(user.auth_protocol, user.auth_password))
    auth_key = bytes(services.auth[hash_id].localize_key(master, engine))
    if user.priv_protocol is None:
        return UserKeys(name, engine_id, user.auth_protocol, auth_key)
    master = services.octets(_hash_password(user.auth_protocol, user.priv_password))
    service = services.priv[_PRIV_SERVICE_IDS[user.priv_protocol]]
    priv_key = bytes(service.localize_key(hash_id, master, engine))
    return UserKeys(name, engine_id, user.auth_protocol, auth_key, user.priv_protocol, priv_key)


@lru_cache(maxsize=256)
def _hash_password(protocol: AuthProtocol, password: str) -> bytes:
    service = _load_services().auth[_DIGESTS[protocol].service_id]
    return bytes(service.hash_passphrase(password.encode()))


def digest_length(protocol: AuthProtocol) -> int:
    """Give the number of bytes that the digest takes in a message."""
    return _DIGESTS[protocol].length


def sign(keys: UserKeys, message: bytes) -> bytes:
    """Compute the digest of a message whose digest field is zeros (RFC 3414 s6.3.1, s7.3.1)."""
    if keys.auth_protocol is None:
        raise ValueError(f"user {keys.user_name!r} has no authentication key")
    digest = _DIGESTS[keys.auth_protocol]
    return hmac.digest(keys.auth_key, message, digest.hash_name)[: digest.length]


def encrypt(
    keys: UserKeys, boots: int, time: int, salt: int, plaintext: bytes
) -> tuple[bytes, bytes]:
    """Encrypt a scoped PDU (RFC 3414 s8.3.1, RFC 3826 s3.3.1).

    Args:
        keys: The user at the authoritative engine.
        boots: That engine's boots, as the message carries them.
        time: That engine's time, likewise.
        salt: A number that no other message under the same key, boots and time has; its low 64
            bits count, with DES its low 32.
        plaintext: The scoped PDU.

    Returns:
        The ciphertext and the privacy parameters that let the receiver decrypt it.
    """
    if keys.priv_protocol is None:
        raise ValueError(f"user {keys.user_name!r} has no privacy key")
    from exporters.wire.usm_ciphers import encrypt_aes, encrypt_des

    if keys.priv_protocol is PrivProtocol.DES:
        return encrypt_des(keys.priv_key, boots, salt, plaintext)
    return encrypt_aes(keys.priv_key, boots, time, salt, plaintext)


def decrypt(keys: UserKeys, boots: int, time: int, parameters: bytes, ciphertext: bytes) -> bytes:
    """Decrypt a scoped PDU; with DES, bytes of padding follow it (RFC 3414 s8.3.2).

    A wrong key shows only in what comes out: neither cipher knows whether it succeeded.

    Raises:
        DecryptionError: There is no key, or the lengths are not what the protocol makes.
    """
    if keys.priv_protocol is None:
        raise DecryptionError(f"user {keys.user_name!r} has no privacy key")
    if len(parameters) != _SALT_BYTES:
        raise DecryptionError(
            f"the privacy parameters are {len(parameters)} bytes, expected {_SALT_BYTES}"
        )
    from exporters.wire.usm_ciphers import decrypt_aes, decrypt_des

    if keys.priv_protocol is not PrivProtocol.DES:
        return decrypt_aes(keys.priv_key, boots, time, parameters, ciphertext)
    if len(ciphertext) % _BLOCK_BYTES:
        raise DecryptionError(f"{len(ciphertext)} encrypted bytes are not whole blocks of DES")
    return decrypt_des(keys.priv_key, parameters, ciphertext)


class _Services(NamedTuple):
    """What this module takes from pysnmp."""

    octets: Callable[[bytes], Any]
    """pyasn1's OCTET STRING, the type of pysnmp's arguments."""
    auth: Mapping[tuple[int, ...], Any]
    priv: Mapping[tuple[int, ...], Any]


@lru_cache(maxsize=1)
def _load_services() -> _Services:
    from pyasn1.type.univ import OctetString  # type: ignore[import-untyped]
    from pysnmp.proto.secmod.rfc3414.service import SnmpUSMSecurityModel

    return _Services(
        OctetString, SnmpUSMSecurityModel.AUTH_SERVICES, SnmpUSMSecurityModel.PRIV_SERVICES
    )
