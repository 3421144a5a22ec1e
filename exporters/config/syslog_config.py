"""``syslog.yml``: who may send, how much at a time, and what becomes of messages.

    max_message_bytes: 65536                 longer messages are cut
    connections: {limit: 1000, idle_timeout: 1h}
    tls: {cert_file: server.crt, key_file: server.key}
    access: {allowed_networks: [192.0.2.0/24]}
    events: {scrape_interval: 1m}
    rule_files: [rules/*.yml]                before those that ship

Every key has a default. Files may be several, and are merged: lists add up, other keys stand in one
of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

from exporters.config.event_settings import AccessSettings, EventSettings, PositiveCount
from exporters.config.fields import (
    NULL_IS_EMPTY_LIST,
    Boolean,
    Count,
    Duration,
    Name,
    Network,
    one_of,
)
from exporters.config.go_duration import format_duration
from exporters.config.merged_files import load_merged
from exporters.config.rejection import Rejected
from exporters.config.syslog_tls import SyslogTlsConfig

FRAMING_FAULTS: Final = ("close", "resynchronise")

_CONFIG = ConfigDict(extra="forbid")
_LISTS: Final = ("rule_files",)
_LEAST_MESSAGE_BYTES: Final = 480
_MEBIBYTE: Final = 1024 * 1024
_LONGEST_MESSAGE_BYTES: Final = _MEBIBYTE
_LEAST_BUFFER_BYTES: Final = 2 * _LONGEST_MESSAGE_BYTES


def _null_is_default(value: object) -> object:
    return {} if value is None else value


def _message_bytes(size: int) -> int:
    """Check a longest message; RFC 5426 s3.2 asks for 480 octets at least."""
    if not _LEAST_MESSAGE_BYTES <= size <= _LONGEST_MESSAGE_BYTES:
        raise Rejected(
            f"must be from {_LEAST_MESSAGE_BYTES} to {_LONGEST_MESSAGE_BYTES}, found {size}"
        )
    return size


def _buffer_bytes(size: int) -> int:
    if size < _LEAST_BUFFER_BYTES:
        raise Rejected(f"must be at least {_LEAST_BUFFER_BYTES}, found {size}")
    return size


def _positive(seconds: float) -> float:
    if seconds <= 0:
        raise Rejected(f"must be more than 0, found {format_duration(seconds)}")
    return seconds


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class ConnectionSettings:
    """How many connections there may be, and what ends them."""

    limit: Annotated[PositiveCount, Field(description="Connections of all senders.")] = 1000
    sender_limit: Annotated[PositiveCount, Field(description="Connections of one address.")] = 100
    idle_timeout: Annotated[
        Duration,
        AfterValidator(_positive),
        Field(description="How long a connection may be silent."),
    ] = 3600.0
    frame_timeout: Annotated[
        Duration,
        AfterValidator(_positive),
        Field(description="How long a message may take from its first octet to its last."),
    ] = 60.0
    handshake_timeout: Annotated[
        Duration,
        AfterValidator(_positive),
        Field(description="How long TLS, and the header of a balancer, may take."),
    ] = 10.0
    handshake_limit: Annotated[
        PositiveCount,
        Field(description="Connections that may be about that; of one address, a quarter."),
    ] = 200
    buffer_bytes: Annotated[
        Count,
        AfterValidator(_buffer_bytes),
        Field(description="What unfinished messages of all connections may hold."),
    ] = 32 * _MEBIBYTE
    trusted_balancers: Annotated[
        tuple[Network, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Load balancers, which must begin connections with a PROXY header."),
    ] = ()
    framing_fault: Annotated[
        str,
        one_of(FRAMING_FAULTS, "framing_fault"),
        Field(description="What follows one: close, or resynchronise at the next end of a line."),
    ] = "close"


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class SyslogConfig:
    """All of it."""

    max_message_bytes: Annotated[
        Count, AfterValidator(_message_bytes), Field(description="Longer messages are cut.")
    ] = 65_536
    connections: Annotated[
        ConnectionSettings,
        BeforeValidator(_null_is_default),
        Field(description="Over TCP, TLS and Unix sockets."),
    ] = ConnectionSettings()
    tls: Annotated[
        SyslogTlsConfig,
        BeforeValidator(_null_is_default),
        Field(description="What tls:// addresses serve, and whom they let in."),
    ] = SyslogTlsConfig()
    access: Annotated[
        AccessSettings, BeforeValidator(_null_is_default), Field(description="Who may send.")
    ] = AccessSettings()
    events: Annotated[
        EventSettings, BeforeValidator(_null_is_default), Field(description="What is kept of it.")
    ] = EventSettings()
    rule_files: Annotated[
        tuple[Name, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Files of rules, or patterns; they come before those that ship."),
    ] = ()
    shipped_rules: Annotated[
        Boolean, Field(description="Whether the rules that ship are used.")
    ] = True


def load_syslog_config(
    patterns: Iterable[str | Path], *, environment: Mapping[str, str]
) -> SyslogConfig:
    """Give the merged configuration of all files that *patterns* match.

    Raises:
        ConfigError: Something is wrong in the files.
    """
    return load_merged(SyslogConfig, patterns, lists=_LISTS, environment=environment)


TOP_LEVEL_KEYS: Final = tuple(field.name for field in fields(SyslogConfig))
