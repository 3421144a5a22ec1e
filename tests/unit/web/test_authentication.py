"""Basic authentication: who is let in, and what that costs."""

from __future__ import annotations

import asyncio
import base64
import threading

import bcrypt
import pytest

from exporters.web import authentication
from exporters.web.authentication import (
    BasicAuthentication,
    TooBusyError,
    parse_basic_credentials,
)

# "secret" at the least cost that bcrypt knows, as htpasswd (2y) and as Python (2b) write it.
HASH = "$2y$04$" + bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()[7:]


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Checks:
    """Stands for bcrypt.checkpw: counts, and can be made to wait."""

    def __init__(self, monkeypatch) -> None:
        self.hashes: list[bytes] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self._check = bcrypt.checkpw
        monkeypatch.setattr(authentication.bcrypt, "checkpw", self)

    def __call__(self, password: bytes, hashed: bytes) -> bool:
        self.hashes.append(hashed)
        assert self.go_on.wait(10)
        return self._check(password, hashed)


@pytest.fixture
def checks(monkeypatch) -> Checks:
    return Checks(monkeypatch)


@pytest.fixture
def alice():
    authenticator = BasicAuthentication({"alice": HASH})
    yield authenticator
    authenticator.close()


@pytest.mark.parametrize(
    ("header", "credentials"),
    [
        (basic("alice", "secret"), ("alice", "secret")),
        (basic("alice", "a:b"), ("alice", "a:b")),
        (basic("", ""), ("", "")),
        (basic("ålice", "pä ss"), ("ålice", "pä ss")),
        ("bAsIc " + base64.b64encode(b"a:b").decode(), ("a", "b")),
        ("Basic " + base64.b64encode(b"no colon").decode(), None),
        ("Basic " + base64.b64encode(b"\xff:\xff").decode(), None),
        ("Basic !!!!", None),
        ("Basic", None),
        ("Bearer abc", None),
        ("", None),
    ],
)
def test_credentials_are_read_from_the_header(header, credentials):
    assert parse_basic_credentials(header) == credentials


@pytest.mark.parametrize(
    ("user", "password", "accepted"),
    [
        ("alice", "secret", True),
        ("alice", "Secret", False),
        ("alice", "", False),
        ("alice", "secret\0", False),
        ("bob", "secret", False),
        ("", "", False),
    ],
)
async def test_only_the_right_password_of_a_known_user_is_accepted(alice, user, password, accepted):
    for _ in range(2):  # the second time from memory, if it was right
        assert await alice.accepts(basic(user, password)) is accepted


async def test_password_longer_than_bcrypt_reads_is_compared_as_far_as_it_reads():
    hashed = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()
    authenticator = BasicAuthentication({"alice": hashed})
    assert await authenticator.accepts(basic("alice", "x" * 100))
    assert not await authenticator.accepts(basic("alice", "x" * 71))
    authenticator.close()


async def test_right_password_is_checked_once_and_wrong_ones_each_time(alice, checks):
    for _ in range(3):
        assert await alice.accepts(basic("alice", "secret"))
    assert len(checks.hashes) == 1
    for _ in range(3):
        assert not await alice.accepts(basic("alice", "wrong"))
    assert len(checks.hashes) == 4


async def test_unknown_user_costs_a_check_of_the_same_cost(checks):
    cost_5 = bcrypt.hashpw(b"x", bcrypt.gensalt(5)).decode()
    authenticator = BasicAuthentication({"alice": HASH, "carol": cost_5})
    assert not await authenticator.accepts(basic("mallory", "secret"))
    (hashed,) = checks.hashes
    assert hashed.startswith(b"$2b$05$")
    assert len(hashed) == 60
    authenticator.close()


async def test_requests_with_the_same_credentials_share_one_check(alice, checks):
    checks.go_on.clear()
    answers = [asyncio.ensure_future(alice.accepts(basic("alice", "secret"))) for _ in range(100)]
    await asyncio.sleep(0)
    checks.go_on.set()
    assert all(await asyncio.gather(*answers))
    assert len(checks.hashes) == 1


async def test_client_that_goes_away_leaves_the_check_to_the_others(alice, checks):
    checks.go_on.clear()
    gone, stays = (asyncio.ensure_future(alice.accepts(basic("alice", "secret"))) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    checks.go_on.set()
    assert await stays


async def test_waiting_checks_are_bounded_and_right_users_pass_by(alice, checks):
    assert await alice.accepts(basic("alice", "secret"))
    checks.go_on.clear()
    wrong = [
        asyncio.ensure_future(alice.accepts(basic("alice", f"guess {number}")))
        for number in range(32)
    ]
    await asyncio.sleep(0)
    with pytest.raises(TooBusyError):
        await alice.accepts(basic("alice", "one more"))
    assert await alice.accepts(basic("alice", "secret"))
    checks.go_on.set()
    assert not any(await asyncio.gather(*wrong))


async def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(authentication, "_REMEMBERED", 2)
    authenticator = BasicAuthentication(dict.fromkeys("abcd", HASH))
    for name in "abcd":
        assert await authenticator.accepts(basic(name, "secret"))
    assert len(authenticator._remembered) == 2
    authenticator.close()


async def test_user_removed_or_given_another_password_is_not_remembered(alice):
    assert await alice.accepts(basic("alice", "secret"))
    other = bcrypt.hashpw(b"other", bcrypt.gensalt(4)).decode()
    alice.replace_users({"alice": other})
    assert not await alice.accepts(basic("alice", "secret"))
    assert await alice.accepts(basic("alice", "other"))
    alice.replace_users({})
    assert not alice.required
    assert not await alice.accepts(basic("alice", "other"))


@pytest.fixture
async def guarded(connect, security):
    return await connect(security=security(f"basic_auth_users:\n  alice: {HASH}\n"))


@pytest.mark.parametrize(
    "path", ["/", "/metrics", "/-/healthy", "/config", "/echo", "/static/style.css", "/nowhere"]
)
async def test_every_address_asks_for_the_password(guarded, path):
    response = await guarded.get(path)
    assert response.status == 401
    assert response.headers["WWW-Authenticate"].startswith("Basic realm=")
    assert response.content_type == "text/plain"
    response = await guarded.get(path, headers={"Authorization": basic("alice", "secret")})
    assert response.status == (404 if path == "/nowhere" else 200)


async def test_reload_asks_for_the_password(guarded, tiny):
    assert (await guarded.post("/-/reload")).status == 401
    assert tiny.reloads == 0


async def test_too_many_guesses_at_once_are_told_to_come_back(guarded, monkeypatch):
    monkeypatch.setattr(authentication, "_MAX_WAITING", 0)
    response = await guarded.get("/", headers={"Authorization": basic("alice", "secret")})
    assert response.status == 503
    assert response.headers["Retry-After"] == "1"
