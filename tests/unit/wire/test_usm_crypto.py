"""Keys, digests and ciphers against published vectors and against formulas written out here."""

from __future__ import annotations

import hashlib
import hmac
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from hypothesis import given
from hypothesis import strategies as st

from exporters.wire import usm_crypto
from exporters.wire.usm_crypto import (
    AuthProtocol,
    DecryptionError,
    PrivProtocol,
    SecurityLevel,
    UserKeys,
    UsmUser,
    decrypt,
    digest_length,
    encrypt,
    localize,
    sign,
)

ENGINE = bytes(11) + b"\x02"  # the engine of RFC 3414's examples
HASHES = {
    AuthProtocol.MD5: "md5",
    AuthProtocol.SHA: "sha1",
    AuthProtocol.SHA224: "sha224",
    AuthProtocol.SHA256: "sha256",
    AuthProtocol.SHA384: "sha384",
    AuthProtocol.SHA512: "sha512",
}
KEY_BYTES = {
    PrivProtocol.DES: 16,
    PrivProtocol.AES: 16,
    PrivProtocol.AES192: 24,
    PrivProtocol.AES256: 32,
    PrivProtocol.AES192C: 24,
    PrivProtocol.AES256C: 32,
}


def user(auth: AuthProtocol, priv: PrivProtocol | None = None) -> UsmUser:
    return UsmUser("user", auth, "maplesyrup", priv, "sugar maple" if priv else "")


def keys_for(priv: PrivProtocol) -> UserKeys:
    return localize(user(AuthProtocol.SHA, priv), ENGINE)


def stretch(password: bytes, algorithm: str) -> bytes:
    """RFC 3414 A.2: the hash of the password repeated to a megabyte."""
    megabyte = (password * (2**20 // len(password) + 1))[: 2**20]
    return hashlib.new(algorithm, megabyte).digest()


def bind_to_engine(key: bytes, algorithm: str) -> bytes:
    return hashlib.new(algorithm, key + ENGINE + key).digest()


# Keys


@pytest.mark.parametrize(
    ("protocol", "key"),
    [
        (AuthProtocol.MD5, "526f5eed9fcce26f8964c2930787d82b"),
        (AuthProtocol.SHA, "6695febc9288e36282235fc7151f128497b38f3f"),
    ],
)
def test_key_is_that_of_the_examples_in_rfc_3414(protocol: AuthProtocol, key: str) -> None:
    assert localize(user(protocol), ENGINE).auth_key.hex() == key


@pytest.mark.parametrize("protocol", AuthProtocol)
def test_authentication_key_is_the_stretched_password_bound_to_the_engine(
    protocol: AuthProtocol,
) -> None:
    algorithm = HASHES[protocol]
    expected = bind_to_engine(stretch(b"maplesyrup", algorithm), algorithm)
    keys = localize(user(protocol), ENGINE)
    assert (keys.auth_key, keys.priv_key) == (expected, b"")


@pytest.mark.parametrize("auth", AuthProtocol)
@pytest.mark.parametrize("priv", PrivProtocol)
def test_privacy_key_is_as_long_as_its_cipher_needs(auth: AuthProtocol, priv: PrivProtocol) -> None:
    algorithm = HASHES[auth]
    key = bind_to_engine(stretch(b"sugar maple", algorithm), algorithm)
    while len(key) < KEY_BYTES[priv]:
        if priv in (PrivProtocol.AES192C, PrivProtocol.AES256C):
            key += bind_to_engine(stretch(key, algorithm), algorithm)
        else:
            key += hashlib.new(algorithm, key).digest()
    assert localize(user(auth, priv), ENGINE).priv_key == key[: KEY_BYTES[priv]]


def test_password_is_taken_as_utf_8() -> None:
    name = UsmUser("zoë", AuthProtocol.SHA, "mot de passé")
    expected = bind_to_engine(stretch("mot de passé".encode(), "sha1"), "sha1")
    assert localize(name, ENGINE).auth_key == expected
    assert localize(name, ENGINE).user_name == "zoë".encode()


@pytest.mark.parametrize("length", [1, 8, 63, 64, 65, 200])
def test_password_may_have_any_length(length: int) -> None:
    password = ("0123456789" * 20)[:length]
    expected = bind_to_engine(stretch(password.encode(), "sha1"), "sha1")
    assert localize(UsmUser("u", AuthProtocol.SHA, password), ENGINE).auth_key == expected


def test_user_without_authentication_has_no_keys() -> None:
    assert localize(UsmUser("plain"), ENGINE) == UserKeys(b"plain", ENGINE)


def test_password_is_hashed_once_for_all_engines() -> None:
    misses = usm_crypto._hash_password.cache_info().misses
    for number in range(5):
        localize(UsmUser("u", AuthProtocol.SHA, "hashed once"), b"engine %d" % number)
    assert usm_crypto._hash_password.cache_info().misses == misses + 1


def test_remembered_keys_are_bounded_in_number() -> None:
    assert localize.cache_info().maxsize is not None
    assert usm_crypto._hash_password.cache_info().maxsize is not None


def test_secrets_stay_out_of_reprs() -> None:
    person = UsmUser("operator", AuthProtocol.SHA, "auth s3cret", PrivProtocol.AES, "priv s3cret")
    keys = localize(person, ENGINE)
    assert "s3cret" not in repr(person)
    assert repr(keys.auth_key) not in repr(keys)
    assert repr(keys.priv_key) not in repr(keys)
    assert "operator" in repr(keys)


# Users


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("u" * 33,), "is longer than 32 bytes"),
        (("\N{SNOWMAN}" * 11,), "is longer than 32 bytes"),
        (("u", None, "", PrivProtocol.AES, "x"), "has privacy without authentication"),
        (("u", AuthProtocol.MD5), "has no authentication password"),
        (("u", AuthProtocol.MD5, "x", PrivProtocol.DES), "has no privacy password"),
    ],
)
def test_impossible_user_is_refused(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        UsmUser(*arguments)  # type: ignore[arg-type]


def test_level_is_what_the_passwords_allow() -> None:
    assert UsmUser("u").level is SecurityLevel.noAuthNoPriv
    assert user(AuthProtocol.SHA).level is SecurityLevel.authNoPriv
    assert user(AuthProtocol.SHA, PrivProtocol.DES).level is SecurityLevel.authPriv
    assert localize(user(AuthProtocol.SHA), ENGINE).level is SecurityLevel.authNoPriv
    assert SecurityLevel.noAuthNoPriv < SecurityLevel.authNoPriv < SecurityLevel.authPriv


# Digests


@pytest.mark.parametrize(
    ("protocol", "length"),
    list(zip(AuthProtocol, [12, 12, 16, 24, 32, 48], strict=True)),
)
def test_digest_is_the_truncated_hmac(protocol: AuthProtocol, length: int) -> None:
    keys = localize(user(protocol), ENGINE)
    expected = hmac.new(keys.auth_key, b"message", HASHES[protocol]).digest()[:length]
    assert sign(keys, b"message") == expected
    assert digest_length(protocol) == length


def test_nothing_is_signed_without_a_key() -> None:
    with pytest.raises(ValueError, match="has no authentication key"):
        sign(UserKeys(b"u"), b"message")


# Ciphers


@pytest.mark.parametrize("priv", PrivProtocol)
@given(plaintext=st.binary(max_size=100), salt=st.integers(0, 2**64 - 1))
def test_plaintext_comes_back(priv: PrivProtocol, plaintext: bytes, salt: int) -> None:
    keys = keys_for(priv)
    ciphertext, parameters = encrypt(keys, 3, 1000, salt, plaintext)
    decrypted = decrypt(keys, 3, 1000, parameters, ciphertext)
    assert decrypted[: len(plaintext)] == plaintext
    assert len(decrypted) == len(plaintext) or priv is PrivProtocol.DES


@pytest.mark.parametrize("priv", [priv for priv in PrivProtocol if priv != "DES"])
def test_aes_is_cfb_with_boots_time_and_salt_as_its_start(priv: PrivProtocol) -> None:
    keys = keys_for(priv)
    salt = 0x0123456789ABCDEF
    ciphertext, parameters = encrypt(keys, 0x01020304, 0x05060708, salt, b"plain text" * 5)
    start = bytes.fromhex("0102030405060708 0123456789abcdef")
    oracle = Cipher(AES(keys.priv_key), CFB(start)).encryptor()
    assert ciphertext == oracle.update(b"plain text" * 5) + oracle.finalize()
    assert parameters.hex() == "0123456789abcdef"


def test_des_is_cbc_with_boots_and_salt_mixed_into_its_start() -> None:
    keys = keys_for(PrivProtocol.DES)
    ciphertext, parameters = encrypt(keys, 0x01020304, 99, 0xAABBCCDD, b"plain text")
    assert parameters.hex() == "01020304aabbccdd"
    start = bytes(a ^ b for a, b in zip(parameters, keys.priv_key[8:], strict=True))
    oracle = Cipher(TripleDES(keys.priv_key[:8] * 3), CBC(start)).decryptor()
    assert oracle.update(ciphertext)[:10] == b"plain text"
    assert len(ciphertext) == 16


@pytest.mark.parametrize(("size", "encrypted"), [(0, 0), (1, 8), (7, 8), (8, 8), (9, 16)])
def test_des_pads_to_whole_blocks_and_no_further(size: int, encrypted: int) -> None:
    ciphertext, _ = encrypt(keys_for(PrivProtocol.DES), 1, 2, 3, bytes(size))
    assert len(ciphertext) == encrypted


@pytest.mark.parametrize("priv", PrivProtocol)
def test_salt_of_more_bits_than_a_message_carries_is_cut(priv: PrivProtocol) -> None:
    keys = keys_for(priv)
    assert encrypt(keys, 1, 2, (1 << 64) + 7, b"text") == encrypt(keys, 1, 2, 7, b"text")


@pytest.mark.parametrize("priv", PrivProtocol)
def test_salt_decides_the_ciphertext(priv: PrivProtocol) -> None:
    keys = keys_for(priv)
    once = encrypt(keys, 1, 2, 7, b"plain text")
    assert encrypt(keys, 1, 2, 7, b"plain text") == once
    other, parameters = encrypt(keys, 1, 2, 8, b"plain text")
    assert other != once[0]
    assert parameters != once[1]


@pytest.mark.parametrize("priv", PrivProtocol)
@pytest.mark.parametrize("size", [0, 7, 9, 16])
def test_privacy_parameters_of_another_length_are_refused(priv: PrivProtocol, size: int) -> None:
    with pytest.raises(DecryptionError, match=f"are {size} bytes, expected 8"):
        decrypt(keys_for(priv), 1, 2, bytes(size), bytes(16))


@pytest.mark.parametrize("size", [1, 7, 9])
def test_part_of_a_des_block_is_refused(size: int) -> None:
    with pytest.raises(DecryptionError, match=f"{size} encrypted bytes are not whole blocks"):
        decrypt(keys_for(PrivProtocol.DES), 1, 2, bytes(8), bytes(size))


def test_nothing_is_encrypted_or_decrypted_without_a_key() -> None:
    keys = localize(user(AuthProtocol.SHA), ENGINE)
    with pytest.raises(ValueError, match="has no privacy key"):
        encrypt(keys, 1, 2, 3, b"")
    with pytest.raises(DecryptionError, match="has no privacy key"):
        decrypt(keys, 1, 2, bytes(8), b"")


# pysnmp


def run_python(repository: Path, code: str) -> str:
    """Run code in an interpreter in which every warning is an error."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_pysnmp_is_loaded_with_the_first_password_and_not_before(repository: Path) -> None:
    code = """
import sys
from exporters.wire import snmp_message, usm
usm.localize(usm.UsmUser("plain"), b"engine")
print("pysnmp" in sys.modules, "cryptography" in sys.modules)
usm.localize(usm.UsmUser("u", usm.AuthProtocol.SHA, "password"), b"engine")
print("pysnmp" in sys.modules)
"""
    assert run_python(repository, code).split() == ["False", "False", "True"]


@pytest.mark.parametrize("priv", PrivProtocol)
def test_no_cipher_warns_of_its_age(repository: Path, priv: PrivProtocol) -> None:
    code = f"""
from exporters.wire.usm_crypto import *
keys = localize(UsmUser("u", AuthProtocol.SHA, "password", PrivProtocol.{priv}, "password"), b"e")
ciphertext, parameters = encrypt(keys, 1, 2, 3, b"plain text")
print(decrypt(keys, 1, 2, parameters, ciphertext)[:10])
"""
    assert run_python(repository, code) == "b'plain text'\n"
