"""What the web configuration demands, and how it changes while the server runs."""

from __future__ import annotations

import asyncio
import os
import ssl
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from exporters.errors import ConfigError
from exporters.web.security import WebSecurity
from exporters.web.shell import build_app

USER = "basic_auth_users: {{{}: $2y$04$" + "a" * 53 + "}}\n"


def tls_config(certificate: Path, key: Path, client_ca: Path | None = None) -> str:
    text = f"tls_server_config:\n  cert_file: {certificate.name}\n  key_file: {key.name}\n"
    if client_ca is not None:
        text += f"  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: {client_ca}\n"
    return text


def client_context(authority, identity: tuple[Path, Path] | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority.file)
    if identity is not None:
        context.load_cert_chain(*identity)
    return context


def touch(path: Path, text: str) -> None:
    """Write *path* so that it looks changed however coarse the clock of the file system is."""
    path.write_text(text)
    changed = path.stat().st_mtime_ns + 1_000_000_000
    os.utime(path, ns=(changed, changed))


@pytest.fixture
async def get(service):
    """Answer one request over TLS by a server with this security."""

    async def get(security: WebSecurity, context: ssl.SSLContext) -> int:
        server = TestServer(build_app(service, security=security), scheme="https")
        await server.start_server(ssl=security.ssl_context)
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(server.make_url("/-/healthy"), ssl=context) as response,
            ):
                return response.status
        finally:
            await server.close()

    return get


async def test_tls_with_a_certificate_that_the_client_trusts(security, authority, get):
    guarded = security(tls_config(*authority.issue("server")))
    assert await get(guarded, client_context(authority)) == 200


async def test_client_certificate_is_demanded(security, authority, get):
    guarded = security(tls_config(*authority.issue("server"), client_ca=authority.file))
    identity = authority.issue("prometheus")
    assert await get(guarded, client_context(authority, identity)) == 200


async def test_client_without_certificate_is_turned_away(security, authority, get):
    guarded = security(tls_config(*authority.issue("server"), client_ca=authority.file))
    with pytest.raises(aiohttp.ClientError):
        await get(guarded, client_context(authority))


async def test_client_with_a_certificate_of_another_authority_is_turned_away(
    security, authority, get, tmp_path
):
    other = type(authority)(tmp_path, "other CA")
    guarded = security(tls_config(*authority.issue("server"), client_ca=authority.file))
    with pytest.raises(aiohttp.ClientError):
        await get(guarded, client_context(authority, other.issue("stranger")))


async def test_headers_of_the_web_configuration_are_on_every_answer(connect, security):
    guarded = security(
        "http_server_config:\n  headers:\n"
        "    Strict-Transport-Security: max-age=31536000\n    X-Frame-Options: deny\n"
    )
    client = await connect(security=guarded)
    for path in ("/", "/metrics", "/nowhere"):
        headers = (await client.get(path)).headers
        assert headers["Strict-Transport-Security"] == "max-age=31536000"
        assert headers["X-Frame-Options"] == "deny"


@pytest.mark.parametrize(("name", "status"), [("client.example", 200), ("other.example", 403)])
async def test_client_needs_one_of_the_allowed_names(security, authority, get, name, status):
    text = tls_config(*authority.issue("server"), client_ca=authority.file)
    guarded = security(f"{text}  client_allowed_sans: [{name}]\n")
    identity = authority.issue("prometheus")
    assert await get(guarded, client_context(authority, identity)) == status


async def test_requests_above_the_rate_limit_are_told_so(connect, tmp_path):
    path = tmp_path / "web.yml"
    path.write_text("rate_limit: {interval: 10s, burst: 2}\n")
    client = await connect(security=WebSecurity(path, clock=lambda: 100.0))
    assert [(await client.get("/-/healthy")).status for _ in range(3)] == [200, 200, 429]
    assert (await client.get("/")).headers["Retry-After"] == "1"


def test_wrong_file_is_a_config_error(security):
    with pytest.raises(ConfigError):
        security("basic_auth_users: [")


def test_missing_file_is_a_config_error(tmp_path):
    with pytest.raises(ConfigError):
        WebSecurity(tmp_path / "missing.yml")


async def test_unchanged_files_are_not_read_again(security, monkeypatch):
    guarded = security(USER.format("alice"))
    monkeypatch.setattr(guarded, "prepare", pytest.fail)
    for _ in range(3):
        await guarded.look()


async def test_changed_file_is_adopted_once_it_has_come_to_rest(security, tmp_path):
    guarded = security("")
    adopted = []

    async def note(context: ssl.SSLContext | None) -> None:
        adopted.append(context)

    guarded.on_adopt = note
    touch(tmp_path / "web.yml", USER.format("alice"))
    await guarded.look()
    assert adopted == []
    await guarded.look()
    await guarded.look()
    assert adopted == [None]
    assert guarded.authentication.required


async def test_renewed_certificate_is_adopted(security, authority):
    guarded = security(tls_config(*authority.issue("server")))
    before = guarded.ssl_context
    certificate, _ = authority.issue("server")
    touch(certificate, certificate.read_text())
    await guarded.look()
    await guarded.look()
    assert guarded.ssl_context is not before


async def test_half_renewed_certificate_leaves_the_old_one_and_is_told_once(
    security, authority, caplog
):
    guarded = security(tls_config(*authority.issue("server")))
    before = guarded.ssl_context
    key = authority.directory / "server.key"
    old_key = key.read_text()
    certificate, _ = authority.issue("server")
    touch(certificate, certificate.read_text())
    new_key = key.read_text()
    touch(key, old_key)
    for _ in range(4):
        await guarded.look()
    assert guarded.ssl_context is before
    assert len(caplog.records) == 1
    touch(key, new_key)
    await guarded.look()
    await guarded.look()
    assert guarded.ssl_context is not before


async def test_file_that_vanishes_leaves_the_state_in_use(security, tmp_path, caplog):
    guarded = security(USER.format("alice"))
    (tmp_path / "web.yml").unlink()
    for _ in range(3):
        await guarded.look()
    assert guarded.authentication.required
    assert len(caplog.records) == 1


async def test_without_a_file_there_is_nothing_to_watch():
    async with asyncio.timeout(10):
        await WebSecurity().watch()
