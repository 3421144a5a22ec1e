"""TLS of syslog (RFC 5425): which certificate to serve, and which clients may send.

The keys are those of ``tls_server_config`` in a web configuration, with two differences. Names in
``client_allowed_sans`` may begin with a wildcard, and are looked for as RFC 5425 s5.2 says. And
there are fingerprints, which need no CA: a certificate that its client has signed by itself is as
good as any. A certificate is known by its names or by its fingerprint, never by either: who can
sign certificates that a fingerprint makes trusted could give himself any name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from exporters.config.fields import NULL_IS_EMPTY_LIST, Name
from exporters.config.rejection import Fault, Rejected, quote
from exporters.config.tls import TlsServerConfig, san_text

_HASHES: Final = {
    "sha-1": "sha1",
    "sha-256": "sha256",
    "sha-384": "sha384",
    "sha-512": "sha512",
}
"""Names of IANA's registry of hash functions, and those of hashlib."""
_FINGERPRINT: Final = re.compile(r"(sha-?\d+)(?: fingerprint=|:)([0-9a-f]{2}(?::?[0-9a-f]{2})+)\Z")


def _fingerprint(text: str) -> str:
    """Give a fingerprint in its one spelling."""
    match = _FINGERPRINT.match(text.lower())
    hash_name = "" if match is None else match[1].replace("sha", "sha-").replace("--", "-")
    if match is None or hash_name not in _HASHES:
        hint = "write sha-256:E1:2D:..., as openssl x509 -fingerprint -sha256 tells it"
        raise Rejected(f"{quote(text)} is not a fingerprint", hint)
    octets = bytes.fromhex(match[2].replace(":", ""))
    if len(octets) != hashlib.new(_HASHES[hash_name], usedforsecurity=False).digest_size:
        problem = f"{quote(text)} is not as long as a fingerprint of {hash_name} is"
        raise Rejected(problem, "copy all of it")
    return _format_fingerprint(hash_name, octets)


def _format_fingerprint(hash_name: str, octets: bytes) -> str:
    return f"{hash_name}:{octets.hex(':').upper()}"


def fingerprints_of(certificate: bytes) -> Iterator[str]:
    """Give the fingerprints of a certificate (DER), as RFC 5425 s4.2.2 writes them.

    Example: ``sha-256:E1:2D:53:...``, the strongest first.
    """
    for hash_name, function in reversed(_HASHES.items()):
        octets = hashlib.new(function, certificate, usedforsecurity=False).digest()
        yield _format_fingerprint(hash_name, octets)


Fingerprint = Annotated[Name, AfterValidator(_fingerprint)]


@dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid"))
class SyslogTlsConfig(TlsServerConfig):
    """TLS settings; without a certificate there is no TLS."""

    client_fingerprints: Annotated[
        tuple[Fingerprint, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Fingerprints of certificates, one of which a client must have."),
    ] = ()

    @property
    def pins_clients(self) -> bool:
        """Whether clients are known by fingerprints."""
        return bool(self.client_fingerprints)

    @model_validator(mode="after")
    def _check_clients(self) -> SyslogTlsConfig:
        if faults := list(_faults(self)):
            raise Rejected(faults)
        return self


def _faults(config: SyslogTlsConfig) -> Iterator[Fault]:
    for place, name in enumerate(config.client_allowed_sans):
        if "*" in name.removeprefix("*.") or name == "*.":
            hint = "a wildcard stands for the first part alone: *.example.net"
            yield Fault(f"{quote(name)} is no name", hint, at=("client_allowed_sans", place))
    if not config.client_fingerprints:
        return
    if not config.client_auth_type.startswith("Require"):
        hint = "set client_auth_type to RequireAnyClientCert"
        problem = "clients need no certificate, so none can be matched"
        yield Fault(problem, hint, at=("client_fingerprints",))
    for key in ("client_ca", "client_ca_file", "client_allowed_sans"):
        if getattr(config, key):
            hint = f"keep client_fingerprints or {key}"
            yield Fault("clients are known by their fingerprints alone", hint, at=(key,))


def is_name_allowed(certificate: Mapping[str, Any], allowed: tuple[str, ...]) -> bool:
    """Tell whether a verified certificate has one of the allowed names (RFC 5425 s5.2).

    Its own names are its subject alternative names; if none of these is a DNS name, also the most
    specific common name. Wildcards count on either side, for one label.

    Args:
        certificate: As ``ssl.SSLObject.getpeercert`` gives it.
        allowed: Names, of which ``*.example.net`` stands for all right below it.
    """
    alternatives = certificate.get("subjectAltName", ())
    hosts = [value for kind, value in alternatives if kind == "DNS"] or _common_name(certificate)
    others = {san_text(value) for kind, value in alternatives if kind != "DNS"}
    return any(
        san_text(name) in others or any(_matches(name, host) for host in hosts) for name in allowed
    )


def _common_name(certificate: Mapping[str, Any]) -> list[str]:
    """The last one: relative names are told from the most general to the most specific."""
    names = [
        value for part in certificate.get("subject", ()) for key, value in part
        if key == "commonName"
    ]  # fmt: skip
    return names[-1:]


def _matches(one: str, other: str) -> bool:
    first, first_rest = _split(one)
    second, second_rest = _split(other)
    if first_rest != second_rest:
        return False
    may_have_wildcards = bool(first_rest) and not first_rest[-1].isdigit()  # addresses have none
    return first == second or (may_have_wildcards and "*" in (first, second))


def _split(name: str) -> tuple[str, str]:
    label, _, rest = name.lower().removesuffix(".").partition(".")
    return label, rest
