"""``tls_server_config``: which certificate to serve, and which clients to let in.

The keys are exporter-toolkit's, whose values name what Go's TLS has; here they are put into terms
of Python's ``ssl``, that is OpenSSL. Where the two cannot do the same, the stricter wins:
``RequestClientCert`` asks for nothing, as its certificates count for nothing, and
``RequireAnyClientCert`` verifies what it gets, so it needs a CA. Several ``curve_preferences`` need
a Python that can set a list of groups; without it they are checked, and OpenSSL's own preference
applies.

Sources: exporter-toolkit's web configuration, Go's ``crypto/tls``, OpenSSL's cipher names.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import ssl
import tempfile
import warnings
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import ConfigDict, Field, WithJsonSchema, model_validator
from pydantic.dataclasses import dataclass

from exporters.config.fields import NULL_IS_EMPTY_LIST, Boolean, FilePath, Name, Text, one_of
from exporters.config.rejection import Fault, Rejected
from exporters.config.secrets import Secret
from exporters.logs import fields

logger = logging.getLogger(__name__)

ClientAuthType = Literal[
    "NoClientCert",
    "RequestClientCert",
    "RequireAnyClientCert",
    "RequireClientCert",
    "VerifyClientCertIfGiven",
    "RequireAndVerifyClientCert",
]
_VERIFY_MODES: Final = {
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAnyClientCert": ssl.CERT_REQUIRED,
    "RequireClientCert": ssl.CERT_REQUIRED,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}
TlsVersion = Literal["TLS10", "TLS11", "TLS12", "TLS13"]
_VERSIONS: Final = {
    "TLS10": ssl.TLSVersion.TLSv1,
    "TLS11": ssl.TLSVersion.TLSv1_1,
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}
_CIPHERS: Final = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
}
_TLS13_CIPHERS: Final = (
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
)
"""Always on where TLS 1.3 is, in Go as here: naming them changes nothing."""

_CURVES: Final = {
    "CurveP256": "prime256v1",
    "CurveP384": "secp384r1",
    "CurveP521": "secp521r1",
    "X25519": "X25519",
}

_CIPHER_SUITES: Final = (*_CIPHERS, *_TLS13_CIPHERS)
CipherSuite = Annotated[
    str, one_of(_CIPHER_SUITES, "cipher suite"), WithJsonSchema({"enum": list(_CIPHER_SUITES)})
]
Curve = Annotated[str, one_of(tuple(_CURVES), "curve"), WithJsonSchema({"enum": list(_CURVES)})]


@dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid"))
class TlsServerConfig:
    """TLS settings; without a certificate there is no TLS."""

    cert: Annotated[Text, Field(description="Server certificate, PEM.")] = ""
    key: Annotated[Secret, Field(description="Private key, PEM.")] = Secret("")
    client_ca: Annotated[Text, Field(description="CA certificates of clients, PEM.")] = ""
    cert_file: Annotated[FilePath, Field(description="File of the server certificate.")] = None
    key_file: Annotated[FilePath, Field(description="File of the private key.")] = None
    client_auth_type: Annotated[
        ClientAuthType,
        one_of(get_args(ClientAuthType), "client_auth_type", empty="NoClientCert"),
        Field(description="Whether clients need a certificate."),
    ] = "NoClientCert"
    client_ca_file: Annotated[
        FilePath, Field(description="File of CA certificates of clients.")
    ] = None
    client_allowed_sans: Annotated[
        tuple[Name, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Subject alternative names, one of which a client must have."),
    ] = ()
    min_version: Annotated[
        TlsVersion,
        one_of(get_args(TlsVersion), "TLS version"),
        Field(description="Lowest TLS version."),
    ] = "TLS12"
    max_version: Annotated[
        TlsVersion,
        one_of(get_args(TlsVersion), "TLS version"),
        Field(description="Highest TLS version."),
    ] = "TLS13"
    cipher_suites: Annotated[
        tuple[CipherSuite, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Cipher suites up to TLS 1.2, by the names that Go uses."),
    ] = ()
    prefer_server_cipher_suites: Annotated[
        Boolean, Field(description="Follow the order of cipher_suites, not the client's.")
    ] = True
    curve_preferences: Annotated[
        tuple[Curve, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Curves of the key exchange, best first."),
    ] = ()

    @property
    def is_enabled(self) -> bool:
        """Whether anything asks for TLS, as exporter-toolkit decides it."""
        return bool(
            self.cert
            or self.key
            or self.cert_file
            or self.key_file
            or self.client_ca
            or self.client_ca_file
            or self.client_auth_type != "NoClientCert"
        )

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that are named."""
        named = (self.cert_file, self.key_file, self.client_ca_file)
        return tuple(file for file in named if file is not None)

    @property
    def pins_clients(self) -> bool:
        """Whether clients are known by other means than a CA; not by any of these keys."""
        return False

    @model_validator(mode="after")
    def _check(self) -> TlsServerConfig:
        if faults := list(_faults(self)):
            raise Rejected(faults)
        server_context(self)
        return self


def server_context(config: TlsServerConfig) -> ssl.SSLContext | None:
    """Give the context to serve with, reading the files it names; ``None``: serve without TLS.

    Raises:
        Rejected: A file cannot be read or is not what its key says.
    """
    if not config.is_enabled:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _load_certificate(context, config)
    _set_versions(context, config)
    _set_ciphers(context, config)
    _set_curves(context, config.curve_preferences)
    _set_client_verification(context, config)
    return context


def certificate_pem(config: TlsServerConfig) -> str:
    """Give the certificate to serve, and those that lead to its CA; empty: serve without TLS.

    Raises:
        Rejected: Its file cannot be read.
    """
    return _pem("cert", config.cert, config.cert_file)[1]


def is_client_allowed(certificate: Mapping[str, Any] | None, allowed_sans: Collection[str]) -> bool:
    """Tell whether a client's certificate has one of the allowed names; all may when none are set.

    *certificate* is what ``ssl.SSLSocket.getpeercert`` gives: DNS names, e-mail addresses, IP
    addresses and URIs count, and must be equal.
    """
    if not allowed_sans:
        return True
    allowed = {san_text(name) for name in allowed_sans}
    names = (certificate or {}).get("subjectAltName", ())
    return any(san_text(value) in allowed for _, value in names)


def san_text(name: str) -> str:
    """Give a name in its one spelling: addresses of IP have several."""
    try:
        return str(ipaddress.ip_address(name))  # OpenSSL writes IPv6 in full and upper case
    except ValueError:
        return name


def _faults(config: TlsServerConfig) -> Iterator[Fault]:
    if not config.is_enabled:
        return
    for inline, file in (
        ("cert", "cert_file"),
        ("key", "key_file"),
        ("client_ca", "client_ca_file"),
    ):
        given = (bool(getattr(config, inline)), bool(getattr(config, file)))
        if all(given):
            yield Fault(f"{inline} is given as well", "keep one of the two", at=(file,))
        elif not any(given) and inline != "client_ca":
            yield Fault("is missing", f"TLS needs {file} or {inline}", at=(file,))
    if _VERSIONS[config.min_version] > _VERSIONS[config.max_version]:
        hint = f"max_version is {config.max_version}"
        yield Fault(f"{config.min_version} is above max_version", hint, at=("min_version",))
    has_ca = bool(config.client_ca or config.client_ca_file)
    requires = config.client_auth_type.startswith("Require")
    if has_ca and config.client_auth_type == "NoClientCert":
        hint = "set it to RequireAndVerifyClientCert, or drop the client CA"
        yield Fault("NoClientCert ignores the client CA", hint, at=("client_auth_type",))
    any_client = config.client_auth_type in ("RequireAnyClientCert", "RequireClientCert")
    if not has_ca and any_client and not config.pins_clients:
        hint = "certificates are always verified here: add client_ca_file"
        problem = f"{config.client_auth_type} has no CA to verify certificates with"
        yield Fault(problem, hint, at=("client_auth_type",))
    if config.client_allowed_sans and not requires:
        hint = "set client_auth_type to RequireAndVerifyClientCert"
        problem = "clients need no certificate, so none can be matched"
        yield Fault(problem, hint, at=("client_allowed_sans",))


def _load_certificate(context: ssl.SSLContext, config: TlsServerConfig) -> None:
    cert_key, cert = _pem("cert", config.cert, config.cert_file)
    key_key, key = _pem("key", config.key.reveal(), config.key_file)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(cadata=cert)
    except (ssl.SSLError, ValueError) as error:
        raise Rejected([Fault("holds no PEM certificate", at=(cert_key,))]) from error
    try:
        with _as_file(cert) as cert_path, _as_file(key) as key_path:
            context.load_cert_chain(cert_path, key_path, password=lambda: "")
    except (ssl.SSLError, ValueError) as error:
        if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
            raise Rejected([Fault("is not the key of the certificate", at=(key_key,))]) from error
        hint = "it must be PEM and not encrypted"
        raise Rejected([Fault("holds no usable private key", hint, at=(key_key,))]) from error


def _pem(name: str, text: str, path: Path | None) -> tuple[str, str]:
    """Give the key that names the PEM text, and the text."""
    if path is None:
        return name, text
    try:
        return f"{name}_file", path.read_text(encoding="ascii")
    except UnicodeDecodeError as error:
        raise Rejected([Fault(f"{path} is not PEM text", at=(f"{name}_file",))]) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        fault = Fault(f"{path} cannot be read: {reason}", at=(f"{name}_file",))
        raise Rejected([fault]) from error


@contextlib.contextmanager
def _as_file(text: str) -> Iterator[str]:
    """Give *text* a path, which OpenSSL wants: in memory if the system can, else a private file."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("pem", os.MFD_CLOEXEC)
        try:
            os.write(descriptor, text.encode())
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
    else:
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(text)
            file.flush()
            yield file.name


def _set_versions(context: ssl.SSLContext, config: TlsServerConfig) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # whoever asks for TLS 1.0 knows
        context.maximum_version = _VERSIONS[config.max_version]
        context.minimum_version = _VERSIONS[config.min_version]


def _set_ciphers(context: ssl.SSLContext, config: TlsServerConfig) -> None:
    if not config.prefer_server_cipher_suites:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    if not config.cipher_suites:
        return
    names = [_CIPHERS[suite] for suite in config.cipher_suites if suite in _CIPHERS]
    if names:
        context.set_ciphers(":".join(names))
    else:
        context.minimum_version = ssl.TLSVersion.TLSv1_3  # no suite is left for those below


def _set_curves(context: ssl.SSLContext, curves: tuple[str, ...]) -> None:
    names = [_CURVES[curve] for curve in curves]
    if set(names) == set(_CURVES.values()) or not names:
        return
    if hasattr(context, "set_groups"):  # Python 3.15
        context.set_groups(":".join(names))
    elif len(names) == 1:
        context.set_ecdh_curve(names[0])
    else:
        message = "this Python cannot restrict TLS to several curves"
        logger.warning(message, extra=fields(curves=",".join(curves)))


def _set_client_verification(context: ssl.SSLContext, config: TlsServerConfig) -> None:
    context.verify_mode = _VERIFY_MODES.get(config.client_auth_type, ssl.CERT_NONE)
    if context.verify_mode == ssl.CERT_NONE:
        return
    if config.pins_clients:
        return
    if not (config.client_ca or config.client_ca_file):
        context.load_default_certs(ssl.Purpose.CLIENT_AUTH)
        return
    key, authorities = _pem("client_ca", config.client_ca, config.client_ca_file)
    try:
        context.load_verify_locations(cadata=authorities)
    except (ssl.SSLError, ValueError) as error:
        raise Rejected([Fault("holds no PEM certificate", at=(key,))]) from error
