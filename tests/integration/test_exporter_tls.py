"""TLS and passwords of ``--web.config.file``, as Prometheus' exporters have them."""

from __future__ import annotations

import base64
import datetime
import http.client
import ipaddress
import socket
import ssl
from pathlib import Path
from typing import NamedTuple

import bcrypt
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .exporter import Exporter, listening_port
from .processes import NETEXPORTERS, Programs, netexporters, run

PASSWORD = "right password"


def write_certificate(folder: Path, name: str) -> None:
    """A key and a certificate of its own for this machine: cert.pem and key.pem."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


class Secured(NamedTuple):
    """An exporter behind TLS and a password, and the files that it has."""

    exporter: Exporter
    folder: Path

    def get(self, path: str, *, user: str = "ann", password: str = PASSWORD) -> tuple[int, str]:
        """Ask over TLS, with the certificate in the folder as the only one to trust."""
        context = ssl.create_default_context(cafile=str(self.folder / "cert.pem"))
        port = self.exporter.port
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=context)
        credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
        try:
            connection.request("GET", path, headers={"Authorization": f"Basic {credentials}"})
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def reload(self) -> None:
        """Have the files read again, and wait until that is done."""
        body_less = "POST /-/reload HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        credentials = base64.b64encode(f"ann:{PASSWORD}".encode()).decode()
        context = ssl._create_unverified_context()
        with (
            socket.create_connection(("127.0.0.1", self.exporter.port), 30) as plain,
            context.wrap_socket(plain) as client,
        ):
            client.sendall(f"{body_less}Authorization: Basic {credentials}\r\n\r\n".encode())
            assert client.recv(100).startswith(b"HTTP/1.1 200 ")


@pytest.fixture
def secured(programs: Programs, tmp_path: Path) -> Secured:
    write_certificate(tmp_path, "first")
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    configuration = {
        "tls_server_config": {"cert_file": "cert.pem", "key_file": "key.pem"},
        "basic_auth_users": {"ann": hashed},
    }
    (tmp_path / "web.yml").write_text(yaml.safe_dump(configuration))
    program = programs.start(
        NETEXPORTERS,
        *("snmp", "--web.listen-address=127.0.0.1:0", f"--web.config.file={tmp_path}/web.yml"),
    )
    return Secured(Exporter(program, listening_port(program)), tmp_path)


def test_right_password_over_tls_is_let_in(secured: Secured) -> None:
    assert secured.get("/-/healthy") == (200, "Healthy\n")
    status, text = secured.get("/snmp?target=127.0.0.1:1&failure=metrics")
    assert (status, "snmp_up 0\n" in text) == (200, True)


def test_wrong_password_is_refused_everywhere(secured: Secured) -> None:
    for path in ("/", "/metrics", "/-/healthy", "/snmp?target=a", "/nothing"):
        for user, password in (("ann", "wrong"), ("bob", PASSWORD), ("", ""), ("ann", "x" * 5000)):
            assert secured.get(path, user=user, password=password)[0] == 401


def test_healthcheck_needs_neither_password_nor_certificate(secured: Secured) -> None:
    address = f"--address=127.0.0.1:{secured.exporter.port}"
    assert netexporters("healthcheck", address).returncode == 0


def test_plain_http_is_refused(secured: Secured) -> None:
    with pytest.raises((ConnectionError, http.client.BadStatusLine)):
        secured.exporter.request("/-/healthy")
    assert secured.get("/-/healthy")[0] == 200


def test_renewed_certificate_is_served_after_a_reload(secured: Secured) -> None:
    assert secured.get("/-/healthy")[0] == 200
    write_certificate(secured.folder, "second")
    secured.reload()
    assert secured.get("/-/healthy")[0] == 200  # verified against the new one


@pytest.mark.peer("promtool", "prometheus")
def test_peers_take_the_same_file(secured: Secured) -> None:
    result = run("promtool", "check", "web-config", secured.folder / "web.yml")
    assert result.returncode == 0, result.stdout + result.stderr
