"""HTTP basic authentication against the bcrypt hashes of ``--web.config.file``.

bcrypt is slow on purpose, 50 ms and more, so three things keep it out of the way of scrapes. It
runs in one thread of its own, and the event loop goes on. A password that was right is remembered,
under a keyed hash that is of no use outside this process. Requests with the same credentials that
arrive together share one check. What still queues up is bounded, and the rest is told to come back.

An unknown user costs as much time as a wrong password: both are checked against a hash.

Sources: RFC 7617; the behaviour of Prometheus' exporter-toolkit, which caches and serialises alike.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import bcrypt

_REMEMBERED = 128
_MAX_WAITING = 32
_BCRYPT_BYTES = 72  # bcrypt knows no more of a password, and the library refuses a longer one
_DUMMY_COST = "10"
_DUMMY_SALT_AND_DIGEST = "yl49v35N5oRinV8hZpZlweSg2CyIEizoFtL5tkneIn5HdQuqN8AwO"


class TooBusyError(Exception):
    """More passwords wait to be checked than this exporter is willing to queue."""


def parse_basic_credentials(authorization: str) -> tuple[str, str] | None:
    """Return user and password of an ``Authorization`` header, or None if it holds none."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    user, colon, password = decoded.partition(":")
    return (user, password) if colon else None


class BasicAuthentication:
    """Checks credentials against ``user -> bcrypt hash``; the users may be replaced at any time."""

    def __init__(self, users: Mapping[str, str]) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bcrypt")
        self._key = secrets.token_bytes(32)
        self._remembered: dict[bytes, None] = {}
        self._checks: dict[bytes, asyncio.Future[bool]] = {}
        self.replace_users(users)

    def replace_users(self, users: Mapping[str, str]) -> None:
        """Know *users* from now on; what was remembered of unchanged ones stays."""
        self._users = dict(users)
        self._dummy_hash = _dummy_hash(self._users)

    def close(self) -> None:
        """End the thread once its present check is done."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    @property
    def required(self) -> bool:
        """Whether a request needs credentials at all."""
        return bool(self._users)

    async def accepts(self, authorization: str) -> bool:
        """Whether an ``Authorization`` header names a user with the right password.

        Raises:
            TooBusyError: too many other passwords wait to be checked.
        """
        credentials = parse_basic_credentials(authorization)
        if credentials is None:
            return False
        user, password = credentials
        known = user in self._users
        hashed = self._users.get(user, self._dummy_hash)
        identity = self._identity(user, hashed, password)
        if identity in self._remembered:
            return True
        accepted = await self._check(identity, hashed, password) and known
        if accepted:
            self._remember(identity)
        return accepted

    def _identity(self, user: str, hashed: str, password: str) -> bytes:
        # The hash is part of it: a user removed or given another password is not remembered.
        text = repr((user, hashed, password)).encode(errors="surrogatepass")
        return hashlib.blake2b(text, key=self._key, digest_size=32).digest()

    async def _check(self, identity: bytes, hashed: str, password: str) -> bool:
        check = self._checks.get(identity)
        if check is None:
            if len(self._checks) >= _MAX_WAITING:
                raise TooBusyError
            loop = asyncio.get_running_loop()
            check = loop.run_in_executor(self._executor, _password_matches, password, hashed)
            self._checks[identity] = check
            check.add_done_callback(lambda _: self._checks.pop(identity, None))
        # A client that goes away takes only itself away, not the check that others share.
        return await asyncio.shield(check)

    def _remember(self, identity: bytes) -> None:
        while len(self._remembered) >= _REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[identity] = None


def _password_matches(password: str, hashed: str) -> bool:
    try:
        return bcrypt.checkpw(password.encode()[:_BCRYPT_BYTES], hashed.encode())
    except ValueError:
        return False


def _dummy_hash(users: Mapping[str, str]) -> str:
    """A hash that nobody's password has, as costly to check as the costliest of *users*."""
    costs = [parts[2] for parts in (hashed.split("$") for hashed in users.values()) if parts[2:]]
    return f"$2b${max(costs, default=_DUMMY_COST)}${_DUMMY_SALT_AND_DIGEST}"
