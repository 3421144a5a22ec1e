"""TLS settings, tried in handshakes through memory: no sockets."""

from __future__ import annotations

import datetime
import ipaddress
import logging
import ssl
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from exporters.config import tls
from exporters.config.tls import is_client_allowed
from exporters.config.web_config import build_ssl_context, load_web_config
from exporters.errors import ConfigError

NOT_BEFORE = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
NOT_AFTER = datetime.datetime(2120, 1, 1, tzinfo=datetime.UTC)


@dataclass
class Identity:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def cert_pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def key_pem(self, encryption: serialization.KeySerializationEncryption | None = None) -> str:
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            encryption or serialization.NoEncryption(),
        ).decode()

    def save(self, directory: Path, name: str) -> None:
        (directory / f"{name}.crt").write_text(self.cert_pem)
        (directory / f"{name}.key").write_text(self.key_pem())


def identity(name: str, issuer: Identity | None = None) -> Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    san = [
        x509.DNSName(name),
        x509.IPAddress(ipaddress.ip_address("2001:db8::7")),
        x509.RFC822Name(f"ops@{name}"),
        x509.UniformResourceIdentifier(f"spiffe://{name}/a"),
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(NOT_AFTER)
        .add_extension(x509.SubjectAlternativeName(san), critical=False)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .sign(issuer.key if issuer else key, hashes.SHA256())
    )
    return Identity(certificate, key)


@pytest.fixture(scope="module")
def identities():
    authority = identity("ca.example")
    return {
        "ca": authority,
        "server": identity("server.example", authority),
        "client": identity("client.example", authority),
        "stranger": identity("stranger.example"),
    }


@pytest.fixture
def pki(identities, tmp_path):
    for name, who in identities.items():
        who.save(tmp_path, name)
    return tmp_path


@pytest.fixture
def server(pki, write):
    """Load settings beside the usual certificate, and build their context."""

    def server(settings: str = "") -> ssl.SSLContext:
        text = f"tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n{settings}"
        config = load_web_config(write("web.yml", text), environment={})
        context = build_ssl_context(config)
        assert context is not None
        return context

    return server


@pytest.fixture
def client(pki):
    def client(name: str | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=pki / "ca.crt")
        if name:
            context.load_cert_chain(pki / f"{name}.crt", pki / f"{name}.key")
        return context

    return client


def shake_hands(
    server_context: ssl.SSLContext, client_context: ssl.SSLContext
) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Let both talk until they agree, or one raises."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    client = client_context.wrap_bio(to_client, to_server, server_hostname="server.example")
    waiting = [client, server]
    for _ in range(10):
        for side in list(waiting):
            try:
                side.do_handshake()
                waiting.remove(side)
            except ssl.SSLWantReadError:
                continue
    assert not waiting
    return server, client


def test_certificate_and_key_are_served(server, client):
    _, agreed = shake_hands(server(), client())
    assert agreed.version() == "TLSv1.3"


def test_certificate_and_key_may_be_inline(identities, write, client):
    def indented(pem: str) -> str:
        return "".join(f"    {line}\n" for line in pem.splitlines())

    who = identities["server"]
    text = f"tls_server_config:\n  cert: |\n{indented(who.cert_pem)}  key: |\n"
    config = load_web_config(write("w.yml", text + indented(who.key_pem())), environment={})
    assert "PRIVATE" not in repr(config)
    _, agreed = shake_hands(build_ssl_context(config), client())
    assert agreed.version() == "TLSv1.3"


def test_certificate_and_key_may_be_inline_where_no_memory_file_is(
    identities, write, client, monkeypatch
):
    monkeypatch.delattr(tls.os, "memfd_create", raising=False)
    test_certificate_and_key_may_be_inline(identities, write, client)


@pytest.mark.parametrize(
    ("settings", "version"),
    [
        ("  max_version: TLS12\n", "TLSv1.2"),
        ("  min_version: TLS13\n", "TLSv1.3"),
        ("  min_version: TLS10\n  max_version: TLS12\n", "TLSv1.2"),
        ("  cipher_suites: [TLS_AES_128_GCM_SHA256]\n", "TLSv1.3"),
    ],
)
def test_versions_are_kept_to(settings, version, server, client):
    _, agreed = shake_hands(server(settings), client())
    assert agreed.version() == version


@pytest.mark.parametrize(
    "settings", ["  min_version: TLS13\n", "  cipher_suites: [TLS_AES_128_GCM_SHA256]\n"]
)
def test_client_of_another_version_is_refused(settings, server, client):
    old = client()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        shake_hands(server(settings), old)


def test_cipher_suites_have_their_openssl_names(server, client):
    suites = "[TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]"
    settings = f"  max_version: TLS12\n  cipher_suites: {suites}\n"
    _, agreed = shake_hands(server(settings), client())
    assert agreed.cipher()[0] == "ECDHE-ECDSA-AES256-GCM-SHA384"


@pytest.mark.parametrize("name", sorted(tls._CIPHERS.values()))
def test_every_cipher_suite_is_known_to_openssl(name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(name)
    assert name in {cipher["name"] for cipher in context.get_ciphers()}


@pytest.mark.parametrize(
    ("preference", "chosen"), [("true", "AES128-GCM-SHA256"), ("false", "AES256-GCM-SHA384")]
)
def test_order_of_cipher_suites_is_the_servers_or_the_clients(preference, chosen, server, client):
    asking = client()
    asking.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256")
    both = [f"TLS_ECDHE_ECDSA_WITH_AES_{suite}" for suite in ("128_GCM_SHA256", "256_GCM_SHA384")]
    settings = (
        f"  max_version: TLS12\n  cipher_suites: [{', '.join(both)}]\n"
        f"  prefer_server_cipher_suites: {preference}\n"
    )
    _, agreed = shake_hands(server(settings), asking)
    assert agreed.cipher()[0] == f"ECDHE-ECDSA-{chosen}"


def test_one_curve_is_kept_to(server, client):
    asking = client()
    asking.set_ecdh_curve("prime256v1")
    shake_hands(server("  curve_preferences: [CurveP256]\n"), asking)
    with pytest.raises(ssl.SSLError):
        shake_hands(server("  curve_preferences: [CurveP521]\n"), asking)


def test_all_curves_are_no_restriction(server, client, caplog):
    with caplog.at_level(logging.WARNING):
        context = server("  curve_preferences: [CurveP256, CurveP384, CurveP521, X25519]\n")
    assert caplog.records == []
    shake_hands(context, client())


@pytest.mark.skipif(hasattr(ssl.SSLContext, "set_groups"), reason="this Python can set a list")
def test_several_curves_are_said_to_be_more_than_can_be_done(server, client, caplog):
    with caplog.at_level(logging.WARNING):
        context = server("  curve_preferences: [X25519, CurveP256]\n")
    assert {record.fields["curves"] for record in caplog.records} == {"X25519,CurveP256"}
    shake_hands(context, client())


MUST = "  client_ca_file: ca.crt\n  client_auth_type: "


@pytest.mark.parametrize(
    ("kind", "who", "accepted"),
    [
        ("RequestClientCert", None, True),
        ("RequestClientCert", "stranger", True),
        ("VerifyClientCertIfGiven", None, True),
        ("VerifyClientCertIfGiven", "client", True),
        ("VerifyClientCertIfGiven", "stranger", False),
        ("RequireAnyClientCert", "client", True),
        ("RequireAnyClientCert", "stranger", False),
        ("RequireAnyClientCert", None, False),
        ("RequireClientCert", None, False),
        ("RequireAndVerifyClientCert", "client", True),
        ("RequireAndVerifyClientCert", "stranger", False),
        ("RequireAndVerifyClientCert", None, False),
    ],
)
def test_clients_are_let_in_by_their_certificate(kind, who, accepted, server, client):
    context = server(MUST + kind + "\n")
    if accepted:
        shake_hands(context, client(who))
        return
    with pytest.raises(ssl.SSLError):
        shake_hands(context, client(who))


def test_without_a_ca_clients_are_verified_by_the_systems(server, client):
    context = server("  client_auth_type: RequireAndVerifyClientCert\n")
    assert context.verify_mode == ssl.CERT_REQUIRED
    with pytest.raises(ssl.SSLError):
        shake_hands(context, client("client"))


@pytest.mark.parametrize(
    ("allowed", "accepted"),
    [
        ([], True),
        (["client.example"], True),
        (["other.example", "2001:DB8::7"], True),
        (["ops@client.example"], True),
        (["spiffe://client.example/a"], True),
        (["other.example"], False),
        (["*.example"], False),
        (["example"], False),
    ],
)
def test_client_must_have_an_allowed_name(allowed, accepted, server, client):
    connection, _ = shake_hands(server(MUST + "RequireAndVerifyClientCert\n"), client("client"))
    assert is_client_allowed(connection.getpeercert(), allowed) is accepted


def test_client_without_a_certificate_has_no_allowed_name():
    assert is_client_allowed(None, [])
    assert not is_client_allowed(None, ["client.example"])
    assert not is_client_allowed({}, ["client.example"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("{cert_file: server.crt, key_file: none.key}",
         "key_file: {pki}/none.key cannot be read: no such file or directory"),
        ("{cert_file: server.key, key_file: server.key}",
         "cert_file: holds no PEM certificate"),
        ("{cert_file: server.crt, key_file: client.key}",
         "key_file: is not the key of the certificate"),
        ("{cert_file: server.crt, key_file: server.crt}",
         "key_file: holds no usable private key; it must be PEM and not encrypted"),
        ("{cert_file: server.crt, key_file: encrypted.key}",
         "key_file: holds no usable private key; it must be PEM and not encrypted"),
        ("{cert_file: binary, key_file: server.key}", "cert_file: {pki}/binary is not PEM text"),
        ("{cert_file: empty, key_file: server.key}", "cert_file: holds no PEM certificate"),
        ("{cert: x, cert_file: server.crt, key_file: server.key}",
         "cert_file: cert is given as well; keep one of the two"),
        ("{cert_file: server.crt, key_file: server.key, client_ca_file: ca.crt}",
         "client_auth_type: NoClientCert ignores the client CA; "
         "set it to RequireAndVerifyClientCert, or drop the client CA"),
        ("{cert_file: server.crt, key_file: server.key, client_auth_type: RequireAnyClientCert}",
         "client_auth_type: RequireAnyClientCert has no CA to verify certificates with; "
         "certificates are always verified here: add client_ca_file"),
        ("{cert_file: server.crt, key_file: server.key, client_allowed_sans: [a], "
         "client_auth_type: VerifyClientCertIfGiven}",
         "client_allowed_sans: clients need no certificate, so none can be matched; "
         "set client_auth_type to RequireAndVerifyClientCert"),
        ("{cert_file: server.crt, key_file: server.key, client_ca_file: empty, "
         "client_auth_type: RequireAndVerifyClientCert}",
         "client_ca_file: holds no PEM certificate"),
        ("{cert_file: server.crt, key_file: server.key, min_version: TLS13, max_version: TLS12}",
         "min_version: TLS13 is above max_version; max_version is TLS12"),
        ("{client_auth_type: RequireAndVerifyClientCert}",
         "cert_file: is missing; TLS needs cert_file or cert\n"
         "key_file: is missing; TLS needs key_file or key"),
    ],
)  # fmt: skip
def test_wrong_files_and_settings_are_refused_at_load(settings, message, pki, write, identities):
    encryption = serialization.BestAvailableEncryption(b"password")
    write("encrypted.key", identities["server"].key_pem(encryption))
    write("binary", b"\xff\xfe")
    write("empty", b"")
    path = write("web.yml", f"tls_server_config:\n  {settings}\n")
    with pytest.raises(ConfigError) as refused:
        load_web_config(path, environment={})
    found = str(refused.value).replace(f"{path}:2: tls_server_config.", "")
    assert found.replace(f"{path}:1: tls_server_config.", "") == message.format(pki=pki)


def test_certificate_that_went_bad_is_refused_when_it_is_read_again(pki, write):
    path = write("web.yml", "tls_server_config: {cert_file: server.crt, key_file: server.key}")
    config = load_web_config(path, environment={})
    (pki / "server.crt").write_text("half a certif")
    with pytest.raises(ConfigError) as refused:
        build_ssl_context(config)
    assert str(refused.value) == "tls_server_config.cert_file: holds no PEM certificate"
