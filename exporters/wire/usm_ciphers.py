"""AES and DES as SNMPv3 uses them: where a cipher starts, and what tells the receiver.

Imports the package cryptography, and is therefore imported with the first message that is
encrypted. Keys are as ``exporters.wire.usm_crypto.localize`` gives them.

Sources: RFC 3414 s8 (DES), RFC 3826 s3 (AES; with longer keys likewise).
"""

from __future__ import annotations

from operator import xor
from struct import pack
from typing import Any, Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

_DES_BYTES: Final = 8
"""Of a block, and of the key proper; the rest of the key is mixed into the start."""
_UNSIGNED_32: Final = (1 << 32) - 1
_UNSIGNED_64: Final = (1 << 64) - 1


def encrypt_aes(
    key: bytes, boots: int, time: int, salt: int, plaintext: bytes
) -> tuple[bytes, bytes]:
    """Encrypt with AES in CFB mode; gives the ciphertext and the privacy parameters."""
    parameters = pack(">Q", salt & _UNSIGNED_64)
    encryptor = _aes(key, boots, time, parameters).encryptor()
    return encryptor.update(plaintext) + encryptor.finalize(), parameters


def decrypt_aes(key: bytes, boots: int, time: int, parameters: bytes, ciphertext: bytes) -> bytes:
    """Undo ``encrypt_aes``."""
    decryptor = _aes(key, boots, time, parameters).decryptor()
    return decryptor.update(ciphertext) + decryptor.finalize()


def encrypt_des(key: bytes, boots: int, salt: int, plaintext: bytes) -> tuple[bytes, bytes]:
    """Encrypt with DES in CBC mode, after padding to whole blocks; gives what AES gives."""
    parameters = pack(">II", boots, salt & _UNSIGNED_32)
    encryptor = _des(key, parameters).encryptor()
    padded = plaintext + bytes(-len(plaintext) % _DES_BYTES)
    return encryptor.update(padded) + encryptor.finalize(), parameters


def decrypt_des(key: bytes, parameters: bytes, ciphertext: bytes) -> bytes:
    """Undo ``encrypt_des``, but for the padding; *ciphertext* is whole blocks."""
    decryptor = _des(key, parameters).decryptor()
    return decryptor.update(ciphertext) + decryptor.finalize()


def _aes(key: bytes, boots: int, time: int, parameters: bytes) -> Cipher[Any]:
    """RFC 3826 s3.1.2.1: it starts with boots, time and salt."""
    return Cipher(AES(key), CFB(pack(">II", boots, time) + parameters))


def _des(key: bytes, parameters: bytes) -> Cipher[Any]:
    """RFC 3414 s8.1.1.1: it starts with the salt, mixed with what the key has behind itself.

    DES thrice with one key, back and forth, is DES once; cryptography has no other.
    """
    start = bytes(map(xor, parameters, key[_DES_BYTES:]))
    return Cipher(TripleDES(key[:_DES_BYTES] * 3), CBC(start))
