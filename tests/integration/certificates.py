"""A certificate authority of a test, and certificates that it signs, as PEM files."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID


class Authority:
    """Signs what it is asked to; ``ca.crt`` is its own certificate."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = rsa.generate_private_key(65537, 2048)
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        self._write("ca", self._name, self._key, is_ca=True, signs_itself=True)

    @property
    def path(self) -> Path:
        return self._folder / "ca.crt"

    def issue(self, name: str, *, signs_itself: bool = False) -> str:
        """Write NAME.crt and NAME.key, of the host NAME.example; give its SHA-256 fingerprint."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name}.example")])
        key = rsa.generate_private_key(65537, 2048)
        return self._write(name, subject, key, is_ca=False, signs_itself=signs_itself)

    def _write(
        self,
        name: str,
        subject: x509.Name,
        key: rsa.RSAPrivateKey,
        *,
        is_ca: bool,
        signs_itself: bool,
    ) -> str:
        now = datetime.datetime.now(datetime.UTC)
        names = [
            x509.DNSName(f"{name}.example"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        ]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if signs_itself else self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .sign(key if signs_itself else self._key, hashes.SHA256())
        )
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        (self._folder / f"{name}.crt").write_bytes(pem)
        (self._folder / f"{name}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return f"sha-256:{certificate.fingerprint(hashes.SHA256()).hex(':').upper()}"
