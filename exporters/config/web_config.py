"""``--web.config.file``: TLS, basic authentication, headers and rate limit of the HTTP server.

The file is exporter-toolkit's and means the same, but for what ``exporters.config.tls`` says of
TLS; HTTP/2 is not served, so ``http2: true`` is only logged. Everything is checked at load:
certificates are read and matched with their keys, and hashes are bcrypt's.

Source: exporter-toolkit's web configuration.
"""

from __future__ import annotations

import logging
import re
import ssl
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic.dataclasses import dataclass

from exporters.config.fields import (
    EMPTY_MAPPING,
    FROZEN,
    NULL_IS_EMPTY_MAPPING,
    Boolean,
    Count,
    Duration,
    Name,
    Text,
)
from exporters.config.go_duration import format_duration
from exporters.config.rejection import Fault, Rejected, format_key_path, quote, suggest
from exporters.config.secrets import Secret
from exporters.config.tls import TlsServerConfig, is_client_allowed, server_context
from exporters.config.validation import load_model
from exporters.errors import ConfigError, Problem
from exporters.logs import fields

__all__ = [
    "HttpServerConfig",
    "RateLimit",
    "TlsServerConfig",
    "WebConfig",
    "build_ssl_context",
    "is_client_allowed",
    "load_web_config",
]

logger = logging.getLogger(__name__)

_CONFIG = ConfigDict(extra="forbid")
_BCRYPT = re.compile(r"\$2[abxy]\$(0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{53}\Z")
_HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "Content-Security-Policy": (),
    "Strict-Transport-Security": (),
    "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-XSS-Protection": (),
}
"""The headers that may be set, and their values where not any will do."""


def _headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    faults = []
    for name, value in headers.items():
        if name not in _HEADERS:
            hint = suggest(name, list(_HEADERS), "known headers")
            faults.append(Fault("this header cannot be set", hint, at=(name,)))
        elif not value.isprintable():
            faults.append(Fault("a header is one line of text", at=(name,)))
        elif value and _HEADERS[name] and value not in _HEADERS[name]:
            hint = suggest(value, _HEADERS[name], "known values")
            faults.append(Fault(f"unknown value {quote(value)}", hint, at=(name,)))
    if faults:
        raise Rejected(faults)
    return {name: value for name, value in headers.items() if value}


def _users(users: Mapping[str, Secret]) -> Mapping[str, Secret]:
    faults = []
    for name, hashed in users.items():
        if ":" in name:
            problem = "a user name cannot hold a colon"
            faults.append(Fault(problem, "basic authentication ends it there", at=(name,)))
        if not _BCRYPT.match(hashed.reveal()):
            hint = "make one with: htpasswd -nBC 10 NAME"
            faults.append(Fault("is not a bcrypt hash", hint, at=(name,)))
    if faults:
        raise Rejected(faults)
    return users


def _interval(seconds: float) -> float:
    if seconds < 0:
        raise Rejected(f"must be at least 0, found {format_duration(seconds)}")
    return seconds


def _empty_mapping() -> Mapping[Any, Any]:
    return EMPTY_MAPPING


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class HttpServerConfig:
    """What every response has, and the protocol."""

    http2: Annotated[Boolean, Field(description="Accepted; HTTP/1.1 is served.")] = False
    headers: Annotated[
        Mapping[Text, Text],
        AfterValidator(_headers),
        FROZEN,
        NULL_IS_EMPTY_MAPPING,
        Field(description="Headers of every response; blank ones are left out."),
        WithJsonSchema(
            {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    name: {"type": "string", **({"enum": ["", *values]} if values else {})}
                    for name, values in _HEADERS.items()
                },
            }
        ),
    ] = field(default_factory=_empty_mapping, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class RateLimit:
    """A token bucket for all requests; an interval of 0 is no limit."""

    interval: Annotated[
        Duration,
        AfterValidator(_interval),
        Field(description="Time between two requests; 0: no limit."),
    ] = 0.0
    burst: Annotated[Count, Field(description="Requests that may come at once.")] = 0

    @model_validator(mode="after")
    def _check(self) -> RateLimit:
        if self.interval and not self.burst:
            fault = Fault("a burst of 0 refuses every request", "write 1 or more", at=("burst",))
            raise Rejected([fault])
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class WebConfig:
    """The whole of a web configuration; an empty one is plain HTTP for everyone."""

    tls_server_config: Annotated[
        TlsServerConfig, NULL_IS_EMPTY_MAPPING, Field(description="TLS; absent: plain HTTP.")
    ] = TlsServerConfig()
    http_server_config: Annotated[
        HttpServerConfig, NULL_IS_EMPTY_MAPPING, Field(description="Headers and protocol.")
    ] = HttpServerConfig()
    basic_auth_users: Annotated[
        Mapping[Name, Secret],
        AfterValidator(_users),
        FROZEN,
        NULL_IS_EMPTY_MAPPING,
        Field(description="Bcrypt hashes of passwords by user name; none: everyone may read."),
    ] = field(default_factory=_empty_mapping, hash=False)
    rate_limit: Annotated[
        RateLimit, NULL_IS_EMPTY_MAPPING, Field(description="Limit for all requests together.")
    ] = RateLimit()


def load_web_config(path: Path, *, environment: Mapping[str, str]) -> WebConfig:
    """Load a web configuration file; its paths are relative to it.

    Raises:
        ConfigError: Something is wrong in it, or in the files it names.
    """
    config = load_model(WebConfig, path, environment=environment)
    if config.http_server_config.http2:
        logger.warning("http2 has no effect, HTTP/1.1 is served", extra=fields(file=path))
    return config


def build_ssl_context(config: WebConfig) -> ssl.SSLContext | None:
    """Give the context to serve with, from the certificate files as they are now; ``None``: no TLS.

    Raises:
        ConfigError: A certificate or key has gone bad since the configuration was loaded.
    """
    try:
        return server_context(config.tls_server_config)
    except Rejected as error:
        problems = [
            Problem(f.problem, f.hint, key_path=format_key_path(("tls_server_config", *f.at)))
            for f in error.faults
        ]
        raise ConfigError(problems) from error
