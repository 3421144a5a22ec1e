"""TLS of connections, in handshakes through memory: who is let in, and why others are not."""

from __future__ import annotations

import contextlib
import datetime
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from exporters.config.syslog_tls import SyslogTlsConfig, fingerprints_of, is_name_allowed
from exporters.errors import ConfigError
from exporters.syslog.renewal import Renewal
from exporters.syslog.tls import TLS_FAILURES, ServerTls, build_server_tls
from exporters.wire.tls_certificate import leaf_certificate

from .conftest import DEVICE, STRANGER, Station
from .network import Line, Network

MESSAGE = b"<34>Oct 11 22:14:15 mymachine su: hello"
REQUIRED = "RequireAndVerifyClientCert"
ANY = "RequireAnyClientCert"
OLD = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
LATE = datetime.datetime(2120, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True)
class Identity:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    path: Path

    @property
    def fingerprints(self) -> list[str]:
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        return list(fingerprints_of(der))


Maker = Callable[..., Identity]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    """Makes certificates, with their keys in the same file."""
    folder = tmp_path_factory.mktemp("certificates")

    def make(
        name: str, issuer: Identity | None = None, *, is_ca: bool = False, ends: Any = LATE
    ) -> Identity:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.certificate.subject if issuer else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(OLD)
            .not_valid_after(ends)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .sign(issuer.key if issuer else key, hashes.SHA256())
        )
        path = folder / f"{name}-{certificate.serial_number}.pem"
        path.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return Identity(certificate, key, path)

    return make


@dataclass(frozen=True)
class World:
    ca: Identity
    server: Identity
    member: Identity
    """Whom the CA knows."""
    loner: Identity
    """Who has signed himself."""


@pytest.fixture(scope="module")
def world(make: Maker) -> World:
    ca = make("ca.example", is_ca=True)
    return World(ca, make("log.example", ca), make("a.members.example", ca), make("loner.example"))


def server_tls(world: World, **settings: Any) -> ServerTls:
    path = world.server.path
    found = build_server_tls(SyslogTlsConfig(cert_file=path, key_file=path, **settings))
    assert found is not None
    return found


class Client:
    """A sender over TLS."""

    def __init__(
        self, line: Line, world: World, identity: Identity | None = None, **versions: Any
    ) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(world.ca.path)
        for name, value in versions.items():
            setattr(context, name, value)
        if identity is not None:
            context.load_cert_chain(identity.path)
        self.line = line
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing)

    def shake_hands(self, chunk: int = 0) -> None:
        for _ in range(6):
            with contextlib.suppress(ssl.SSLWantReadError):
                self._object.do_handshake()
            self._exchange(chunk)

    def send(self, data: bytes, chunk: int = 0) -> None:
        self._object.write(data)
        self._exchange(chunk)

    def say_goodbye(self) -> None:
        with pytest.raises((ssl.SSLWantReadError, ssl.SSLError)):
            self._object.unwrap()
        self._exchange(0)

    def read(self) -> bytes:
        return self._object.read()

    def _exchange(self, chunk: int) -> None:
        self.line.send(self._outgoing.read(), chunk=chunk)
        self._incoming.write(self.line.answer())


def connect(
    network: Network, world: World, identity: Identity | None = None, **versions: Any
) -> Client:
    client = Client(network.connect(transport="tls"), world, identity, **versions)
    try:
        client.shake_hands()
    except ssl.SSLError:
        assert client.line.is_closed  # it was told so
    return client


VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture(params=VERSIONS, ids=["TLS 1.2", "TLS 1.3"])
def version(request: pytest.FixtureRequest) -> dict[str, ssl.TLSVersion]:
    return {"maximum_version": request.param}


# --- messages -------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [0, 1, 7])
def test_messages_over_tls_are_taken(
    station: Station, world: World, version: dict[str, Any], chunk: int
) -> None:
    network = Network(station, server_tls(world))
    client = Client(network.connect(transport="tls"), world, **version)
    client.shake_hands(chunk)
    assert network.connections.opening == 0
    client.send(b"%d %s" % (len(MESSAGE), MESSAGE) + MESSAGE + b"\n", chunk)
    assert station.receiver.received["tls"] == station.receiver.outcomes["rfc3164"] == 2
    client.say_goodbye()
    assert network.ends() == {"sender": 1}


def test_many_records_in_one_read_are_all_taken(station: Station, world: World) -> None:
    network = Network(station, server_tls(world))
    client = connect(network, world)
    for _ in range(1000):
        client._object.write(MESSAGE + b"\n")
    client.send((MESSAGE + b"\n") * 1000)
    assert station.receiver.received["tls"] == 2000


def test_messages_before_a_broken_record_are_taken(station: Station, world: World) -> None:
    network = Network(station, server_tls(world))
    client = connect(network, world)
    client._object.write(MESSAGE + b"\n")
    client._outgoing.write(b"\x17\x03\x03\x00\x20" + b"x" * 32)
    client._exchange(0)
    assert station.receiver.received["tls"] == 1
    assert network.tls_failures() == {"protocol": 1}
    assert network.ends() == {"tls": 1}


def test_header_of_a_balancer_comes_before_the_handshake(station: Station, world: World) -> None:
    network = Network(station, server_tls(world), trusted_balancers=["203.0.113.5/32"])
    line = network.connect("203.0.113.5", "tls")
    line.send(b"PROXY TCP4 %s 203.0.113.5 1 2\r\n" % DEVICE.encode())
    client = Client(line, world)
    client.shake_hands()
    client.send(MESSAGE + b"\n")
    assert station.last["device"] == "core-1"
    assert network.connections.opening == 0


# --- who is let in --------------------------------------------------------------------------------


def test_member_is_let_in_and_others_are_not(
    station: Station, world: World, version: dict[str, Any]
) -> None:
    tls = server_tls(world, client_auth_type=REQUIRED, client_ca_file=world.ca.path)
    network = Network(station, tls)
    connect(network, world, world.member, **version).send(MESSAGE + b"\n")
    assert station.receiver.received["tls"] == 1
    connect(network, world, world.loner, **version)
    connect(network, world, **version)
    assert network.tls_failures() == {"untrusted": 1, "no_certificate": 1}
    assert network.ends() == {"tls": 2}


def test_certificate_that_may_be_left_out_must_be_right_if_it_is_there(
    station: Station, world: World
) -> None:
    kind = "VerifyClientCertIfGiven"
    tls = server_tls(world, client_auth_type=kind, client_ca_file=world.ca.path)
    network = Network(station, tls)
    connect(network, world).send(MESSAGE + b"\n")
    connect(network, world, world.loner)
    assert station.receiver.received["tls"] == 1
    assert network.tls_failures() == {"untrusted": 1}


def test_certificate_that_is_served_expires(station: Station, world: World) -> None:
    connections = Network(station, server_tls(world)).connections
    assert not connections.has_expired(LATE.timestamp() - 1)
    assert connections.has_expired(LATE.timestamp())
    assert not Network(station).connections.has_expired(LATE.timestamp())


def test_expired_certificate_is_refused(station: Station, world: World, make: Maker) -> None:
    old = make("old.example", world.ca, ends=OLD + datetime.timedelta(days=1))
    tls = server_tls(world, client_auth_type=REQUIRED, client_ca_file=world.ca.path)
    network = Network(station, tls)
    connect(network, world, old)
    assert network.tls_failures() == {"expired": 1}


@pytest.mark.parametrize("place", range(4), ids=["sha-512", "sha-384", "sha-256", "sha-1"])
def test_fingerprint_lets_in_who_signed_himself(
    station: Station, world: World, version: dict[str, Any], place: int
) -> None:
    known = (world.loner.fingerprints[place],)
    network = Network(station, server_tls(world, client_auth_type=ANY, client_fingerprints=known))
    for _ in range(2):
        connect(network, world, world.loner, **version).send(MESSAGE + b"\n")
    assert station.receiver.received["tls"] == 2
    assert network.tls_failures() == {}


def test_certificate_without_a_known_fingerprint_is_refused_whoever_signed_it(
    station: Station,
    world: World,
    make: Maker,
    version: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    known_ca = make("known.example", is_ca=True)
    known = (known_ca.fingerprints[2],)
    network = Network(station, server_tls(world, client_auth_type=ANY, client_fingerprints=known))
    connect(network, world, known_ca, **version)
    connect(network, world, world.member, **version)
    connect(network, world, world.loner, **version)
    connect(network, world, make("signed.example", known_ca), **version)
    assert network.tls_failures() == {"fingerprint": 3}
    assert network.ends() == {"tls": 3}
    assert world.member.fingerprints[2] in str(caplog.records[0].__dict__)


def test_fingerprint_of_a_certificate_whose_key_another_has_lets_nobody_in(
    station: Station, world: World, make: Maker
) -> None:
    known = (world.loner.fingerprints[2],)
    tls = server_tls(world, client_auth_type=ANY, client_fingerprints=known)
    # A thief of the certificate cannot even load it without its key: he shows it beside his own.
    thief = make("loner.example")
    thief.path.write_bytes(thief.path.read_bytes() + world.loner.path.read_bytes())
    network = Network(station, tls)
    connect(network, world, thief)
    assert network.tls_failures() == {"fingerprint": 1}


def test_name_decides_between_members(station: Station, world: World, make: Maker) -> None:
    tls = server_tls(
        world,
        client_auth_type=REQUIRED,
        client_ca_file=world.ca.path,
        client_allowed_sans=("*.members.example",),
    )
    network = Network(station, tls)
    connect(network, world, world.member).send(MESSAGE + b"\n")
    connect(network, world, make("b.others.example", world.ca))
    assert station.receiver.received["tls"] == 1
    assert network.tls_failures() == {"subject": 1}


def test_reload_exchanges_certificates_and_leaves_open_connections(
    station: Station, world: World
) -> None:
    def only(fingerprint: str) -> ServerTls:
        return server_tls(world, client_auth_type=ANY, client_fingerprints=(fingerprint,))

    network = Network(station, only(world.loner.fingerprints[2]))
    before = connect(network, world, world.loner)
    network.connections.replace(network.connections.settings, only(world.member.fingerprints[2]))
    before.send(MESSAGE + b"\n")
    connect(network, world, world.member).send(MESSAGE + b"\n")
    connect(network, world, world.loner)
    assert station.receiver.received["tls"] == 2
    assert network.tls_failures() == {"fingerprint": 1}


async def test_renewed_certificate_is_served_when_its_files_have_come_to_rest(
    station: Station, world: World, make: Maker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "served.pem"
    path.write_bytes(world.server.path.read_bytes())
    tls = build_server_tls(SyslogTlsConfig(cert_file=path, key_file=path))
    connections = Network(station, tls).connections
    renewal = Renewal(connections)
    for _ in range(3):
        await renewal.look()
    assert connections.tls is tls
    path.write_text("half of a certificate")
    for _ in range(4):
        await renewal.look()
    assert connections.tls is tls
    assert [record.getMessage() for record in caplog.records] == ["changed certificates refused"]
    path.write_bytes(make("new.example", world.ca, ends=LATE.replace(year=2119)).path.read_bytes())
    await renewal.look()
    assert connections.tls is tls
    await renewal.look()
    assert connections.tls is not None
    assert connections.tls.expires_at == LATE.replace(year=2119).timestamp()


async def test_exporter_without_certificates_has_none_to_renew(station: Station) -> None:
    connections = Network(station).connections
    await Renewal(connections).look()
    assert connections.tls is None


# --- what is no TLS, or too little of it ----------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (MESSAGE + b"\n", "not_tls"),
        (b"GET / HTTP/1.1\r\n\r\n", "not_tls"),
        (b"\x16\x03\x01" + bytes(range(256)) * 10, "protocol"),
        (b"\x16\x03\x01\x00\x05\x01\xff\xff\xff\xff", "protocol"),
    ],
    ids=["syslog", "HTTP", "garbage", "endless hello"],
)
def test_what_is_no_tls_is_refused(
    station: Station, world: World, data: bytes, reason: str
) -> None:
    network = Network(station, server_tls(world))
    line = network.connect(transport="tls")
    line.send(data)
    line.end()
    found = network.tls_failures()
    assert sum(found.values()) == 1
    assert found in ({reason: 1}, {"abandoned": 1})
    assert network.ends() == {"tls": 1}
    assert sum(station.receiver.received.values()) == 0


def test_old_version_is_refused(station: Station, world: World) -> None:
    network = Network(station, server_tls(world, min_version="TLS13"))
    connect(network, world, maximum_version=ssl.TLSVersion.TLSv1_2)
    assert network.tls_failures() == {"version": 1}


def test_client_that_does_not_trust_us_is_told_of(station: Station, world: World) -> None:
    distrustful = World(world.loner, world.server, world.member, world.loner)
    network = Network(station, server_tls(world))
    line = network.connect(transport="tls")
    client = Client(line, distrustful)
    with pytest.raises(ssl.SSLCertVerificationError):
        client.shake_hands()
    client._exchange(0)
    assert network.tls_failures() == {"refused_by_client": 1}


def test_handshake_has_a_deadline(station: Station, world: World) -> None:
    network = Network(station, server_tls(world), handshake_timeout="10s")
    line = network.connect(transport="tls")
    line.send(b"\x16\x03\x01")
    network.pass_seconds(9)
    assert not line.is_closed
    network.pass_seconds(1)
    assert network.tls_failures() == {"timeout": 1}
    assert network.ends() == {"tls": 1}
    assert network.connections.opening == 0


def test_handshakes_are_bounded_for_all_and_for_each_address(
    station: Station, world: World
) -> None:
    network = Network(station, server_tls(world), handshake_limit=8)
    mine = [network.try_to_connect(transport="tls") for _ in range(3)]
    assert [line is None for line in mine] == [False, False, True]
    others = [network.try_to_connect(f"198.51.100.{n // 2}", "tls") for n in range(8)]
    assert sum(line is not None for line in others) == 6
    assert network.ends() == {"handshake_limit": 3}
    assert network.connect(STRANGER, "tcp")  # plain connections need none
    first = mine[0]
    assert first is not None
    Client(first, world).shake_hands()
    assert network.try_to_connect(transport="tls") is not None


def test_client_that_does_not_read_is_not_written_to_without_end(
    station: Station, world: World
) -> None:
    network = Network(station, server_tls(world))
    client = connect(network, world)
    line = client.line
    line.transport.is_read = False
    line.transport.written += bytes(65_536)
    line.connection._send(b"x")
    line.settle()
    assert network.ends() == {"tls": 1}
    assert network.tls_failures() == {"protocol": 1}


# --- names and fingerprints -----------------------------------------------------------------------


def certificate(*dns: str, common_name: str = "", ip: str = "") -> dict[str, Any]:
    names = [("DNS", name) for name in dns] + ([("IP Address", ip)] if ip else [])
    subject = ((("organizationName", "x"),), (("commonName", common_name),))
    return {"subject": subject if common_name else (), "subjectAltName": tuple(names)}


@pytest.mark.parametrize(
    ("names", "allowed", "is_allowed"),
    [
        (certificate("a.example.com"), "a.example.com", True),
        (certificate("A.Example.COM"), "a.example.com.", True),
        (certificate("b.example.com"), "a.example.com", False),
        (certificate("a.example.com"), "*.example.com", True),
        (certificate("*.example.com"), "a.example.com", True),
        (certificate("*.example.com"), "*.example.com", True),
        (certificate("example.com"), "*.example.com", False),
        (certificate("a.b.example.com"), "*.example.com", False),
        (certificate("*.example.com"), "example.com", False),
        (certificate("fo*.example.com"), "foo.example.com", False),
        (certificate("a.*.com"), "a.example.com", False),
        (certificate("*"), "host", False),
        (certificate(common_name="host"), "host", True),
        (certificate(common_name="*.example.com"), "a.example.com", True),
        (certificate("other", common_name="host"), "host", False),
        (certificate(ip="192.0.2.1", common_name="host"), "host", True),
        (certificate(ip="2001:DB8:0:0:0:0:0:1"), "2001:db8::1", True),
        (certificate(ip="192.0.2.2"), "192.0.2.1", False),
        (certificate("*.0.2.1"), "192.0.2.1", False),
        ({}, "host", False),
    ],
    ids=str,
)
def test_name_is_matched_as_rfc_5425_says(
    names: dict[str, Any], allowed: str, is_allowed: bool
) -> None:
    assert is_name_allowed(names, (allowed,)) is is_allowed
    assert is_name_allowed(names, ("nobody.example", allowed)) is is_allowed


def test_fingerprints_are_those_that_openssl_tells(world: World) -> None:
    shown = world.loner.certificate.fingerprint(hashes.SHA256()).hex(":").upper()
    for spelling in (f"sha-256:{shown}", f"SHA256:{shown.lower()}", f"sha256 Fingerprint={shown}"):
        config = SyslogTlsConfig(
            cert_file=world.server.path,
            key_file=world.server.path,
            client_auth_type=ANY,
            client_fingerprints=(spelling,),
        )
        assert config.client_fingerprints == (world.loner.fingerprints[2],)


@given(st.booleans(), st.binary(max_size=80))
def test_any_handshake_message_has_a_certificate_or_none(has_context: bool, data: bytes) -> None:
    found = leaf_certificate(b"\x0b" + data, has_context=has_context)
    assert found is None or found in data


def test_file_that_has_gone_bad_is_told_with_its_key(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "served.pem"
    path.write_bytes(world.server.path.read_bytes())
    config = SyslogTlsConfig(cert_file=path, key_file=path)
    path.write_text("nothing")
    with pytest.raises(ConfigError, match=r"tls\.cert_file: holds no PEM certificate"):
        build_server_tls(config)


def test_reasons_are_told_apart() -> None:
    assert len(set(TLS_FAILURES.values())) == len(TLS_FAILURES)


FINGERPRINT = "sha-1:" + ":".join(["AB"] * 20)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"client_fingerprints": (FINGERPRINT,)}, "clients need no certificate"),
        (
            {
                "client_auth_type": REQUIRED,
                "client_ca_file": "ca",
                "client_allowed_sans": ("a*.b",),
            },
            '"a*.b" is no name',
        ),
        (
            {
                "client_auth_type": ANY,
                "client_ca_file": "ca",
                "client_fingerprints": (FINGERPRINT,),
            },
            "clients are known by their fingerprints alone",
        ),
        ({"client_auth_type": ANY}, "RequireAnyClientCert has no CA"),
    ],
    ids=["fingerprints of nobody", "wildcard within", "fingerprints and a CA", "neither"],
)
def test_settings_that_contradict_each_other_are_refused(
    world: World, settings: dict[str, Any], words: str
) -> None:
    if "client_ca_file" in settings:
        settings = {**settings, "client_ca_file": world.ca.path}
    with pytest.raises(ValueError, match=re.escape(words)):
        server_tls(world, **settings)
