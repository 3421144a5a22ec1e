"""``trap.yml``: whose traps are taken, and what becomes of them.

    versions: [2c, 3]                        which are taken; default: all
    communities: [public]                    of versions 1 and 2c; none: any
    users:                                   of version 3
      - {username: nms, security_level: authPriv, auth_protocol: SHA, password: ..., ...}
    access: {allowed_networks: [192.0.2.0/24]}
    events: {scrape_interval: 1m}
    rule_files: [rules/*.yml]                before those that ship

Every key has a default. Files may be several, and are merged: lists add up, other keys stand in one
of them. The keys of a user are those of an SNMPv3 auth in ``snmp.yml``; several users may have one
name, as long as credentials are being exchanged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)
from pydantic.dataclasses import dataclass

from exporters.config.event_settings import AccessSettings, EventSettings, PositiveCount
from exporters.config.fields import NULL_IS_EMPTY_LIST, Boolean, Name, Text, one_of
from exporters.config.merged_files import load_merged
from exporters.config.rejection import Fault, Rejected, quote
from exporters.config.secrets import Secret, read_secret_files
from exporters.config.snmp_auth import AUTH_PROTOCOLS, PRIV_PROTOCOLS, SECURITY_LEVELS

VERSIONS: Final = ("1", "2c", "3")

_CONFIG = ConfigDict(extra="forbid")
_LISTS: Final = ("communities", "users", "rule_files")
_SECRETS: Final = ("password", "priv_password")
_MOST_USER_NAME_BYTES: Final = 32


def _engine_id(text: str) -> str:
    """Check an engine id, hexadecimal with or without ``0x`` and colons; give its digits."""
    digits = text.lower().removeprefix("0x").replace(":", "")
    try:
        octets = bytes.fromhex(digits)
    except ValueError:
        octets = b""
    if text and not 5 <= len(octets) <= 32:
        hint = "5 to 32 octets in hexadecimal, such as 80001f8804746573"
        raise Rejected(f"{quote(text)} is not an engine id", hint)
    return digits


def _user_name(name: str) -> str:
    if len(name.encode()) > _MOST_USER_NAME_BYTES:
        raise Rejected(f"{quote(name)} is longer than {_MOST_USER_NAME_BYTES} bytes")
    return name


def _some_version(versions: tuple[str, ...]) -> tuple[str, ...]:
    if not versions:
        raise Rejected("is empty, so that nothing is taken", "leave it out to take all versions")
    return versions


def _community(community: Secret) -> Secret:
    if not community:
        raise Rejected("is empty", "leave out communities to take any")
    return community


def _as_list(value: object) -> object:
    return value if isinstance(value, list | tuple) or value is None else [value]


def _null_is_default(value: object) -> object:
    return {} if value is None else value


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class TrapUser:
    """A user of SNMPv3, and the least protection that a message in its name must have."""

    username: Annotated[Name, AfterValidator(_user_name), Field(description="User name.")]
    security_level: Annotated[
        str,
        one_of(SECURITY_LEVELS, "security level"),
        Field(description="Least level that is taken: noAuthNoPriv, authNoPriv or authPriv."),
    ] = "authPriv"
    auth_protocol: Annotated[
        str,
        one_of(AUTH_PROTOCOLS, "protocol"),
        Field(description="MD5, SHA, SHA224, SHA256, SHA384 or SHA512."),
    ] = "SHA"
    password: Annotated[Secret, Field(description="Authentication password.")] = Secret("")
    password_file: Annotated[Text, Field(description="File that holds the password.")] = ""
    priv_protocol: Annotated[
        str,
        one_of(PRIV_PROTOCOLS, "protocol"),
        Field(description="DES, AES, AES192, AES256, AES192C or AES256C."),
    ] = "AES"
    priv_password: Annotated[Secret, Field(description="Privacy password.")] = Secret("")
    priv_password_file: Annotated[
        Text, Field(description="File that holds the privacy password.")
    ] = ""

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, raw: Any, info: ValidationInfo) -> Any:
        return read_secret_files(raw, _SECRETS, info)

    @model_validator(mode="after")
    def _has_passwords(self) -> TrapUser:
        faults = []
        if not self.password and self.security_level != "noAuthNoPriv":
            hint = f"security_level {self.security_level} needs it"
            faults.append(Fault("is missing or empty", hint, at=("password",)))
        elif not self.password and self.priv_password:
            faults.append(Fault("is missing or empty", "priv_password needs it", at=("password",)))
        if self.security_level == "authPriv" and not self.priv_password:
            hint = "security_level authPriv needs it"
            faults.append(Fault("is missing or empty", hint, at=("priv_password",)))
        if faults:
            raise Rejected(faults)
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class TrapConfig:
    """All of it."""

    versions: Annotated[
        tuple[Annotated[str, one_of(VERSIONS, "version")], ...],
        BeforeValidator(_as_list),
        AfterValidator(_some_version),
        Field(description="Versions of SNMP that are taken: 1, 2c, 3."),
    ] = VERSIONS
    communities: Annotated[
        tuple[Annotated[Secret, AfterValidator(_community)], ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Communities that are taken; none: any. ${NAME} is expanded."),
    ] = ()
    users: Annotated[
        tuple[TrapUser, ...], NULL_IS_EMPTY_LIST, Field(description="Users of SNMPv3.")
    ] = ()
    engine_id: Annotated[
        Text,
        AfterValidator(_engine_id),
        Field(description="Of this receiver, for informs; empty: one is made and kept."),
    ] = ""
    engines_limit: Annotated[
        PositiveCount, Field(description="Engines of senders that are remembered.")
    ] = 10_000
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


def load_trap_config(
    patterns: Iterable[str | Path], *, environment: Mapping[str, str]
) -> TrapConfig:
    """Give the merged configuration of all files that *patterns* match.

    Raises:
        ConfigError: Something is wrong in the files.
    """
    return load_merged(TrapConfig, patterns, lists=_LISTS, environment=environment)


TOP_LEVEL_KEYS: Final = tuple(field.name for field in fields(TrapConfig))
