"""One entry of ``auths`` in ``snmp.yml``: how to speak to a device, and as whom.

The keys, defaults and rules are snmp_exporter's. Ours, all optional, are the three ``*_file`` keys
and ``targets``, the networks that a credential may be sent to.

Sources: snmp_exporter's configuration; RFC 3411 (security levels), RFC 3414 and 7860
(authentication), RFC 3826 and the Blumenthal and Reeder drafts (privacy).
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic.dataclasses import dataclass

from exporters.config.fields import NULL_IS_EMPTY_LIST, Network, Text
from exporters.config.rejection import Fault, Rejected, quote, suggest
from exporters.config.secrets import PeerSecret, PeerUsername, Secret, read_secret_files

SECURITY_LEVELS: Final = ("noAuthNoPriv", "authNoPriv", "authPriv")
AUTH_PROTOCOLS: Final = ("MD5", "SHA", "SHA224", "SHA256", "SHA384", "SHA512")
PRIV_PROTOCOLS: Final = ("DES", "AES", "AES192", "AES256", "AES192C", "AES256C")
"""AES192 and AES256 extend keys as Blumenthal says, those with a C as Reeder and Cisco do."""

_SECRETS: Final = ("community", "password", "priv_password")


def _version(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value in (1, 2, 3):
        return int(value)
    hint = "write 1, 2 or 3"
    if value in ("1", "2", "3"):
        hint = "drop the quotes"
    elif value in ("2c", "v2c"):
        hint = "write 2 for SNMPv2c"
    raise Rejected(f"expected an SNMP version, found {quote(value)}", hint)


@dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid"))
class Auth:
    """Credentials of SNMPv1, SNMPv2c or SNMPv3."""

    community: Annotated[
        Secret, Field(description="Community of SNMPv1 and SNMPv2c; ${NAME} is expanded.")
    ] = Secret("public")
    community_file: Annotated[
        Text, Field(description="File that holds the community, instead of community.")
    ] = ""
    security_level: Annotated[
        Text, Field(description="SNMPv3: noAuthNoPriv, authNoPriv or authPriv.")
    ] = "noAuthNoPriv"
    username: Annotated[
        PeerUsername, Field(description="SNMPv3 user name; ${NAME} is expanded.")
    ] = ""
    password: Annotated[
        PeerSecret, Field(description="SNMPv3 authentication password; ${NAME} is expanded.")
    ] = Secret("")
    password_file: Annotated[
        Text, Field(description="File that holds the password, instead of password.")
    ] = ""
    auth_protocol: Annotated[
        Text, Field(description="SNMPv3: MD5, SHA, SHA224, SHA256, SHA384 or SHA512.")
    ] = "MD5"
    priv_protocol: Annotated[
        Text, Field(description="SNMPv3: DES, AES, AES192, AES256, AES192C or AES256C.")
    ] = "DES"
    priv_password: Annotated[
        PeerSecret, Field(description="SNMPv3 privacy password; ${NAME} is expanded.")
    ] = Secret("")
    priv_password_file: Annotated[
        Text, Field(description="File that holds the privacy password, instead of priv_password.")
    ] = ""
    context_name: Annotated[Text, Field(description="SNMPv3 context.")] = ""
    version: Annotated[
        int,
        BeforeValidator(_version),
        Field(description="SNMP version: 1, 2 (SNMPv2c) or 3."),
        WithJsonSchema({"enum": [1, 2, 3]}),
    ] = 2
    targets: Annotated[
        tuple[Network, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Networks that these credentials may be sent to; empty: anywhere."),
    ] = ()

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, raw: Any, info: ValidationInfo) -> Any:
        return read_secret_files(raw, _SECRETS, info)

    @model_validator(mode="after")
    def _check_v3(self) -> Auth:
        if self.version == 3 and (faults := _v3_faults(self)):
            raise Rejected(faults)
        return self


def _v3_faults(auth: Auth) -> list[Fault]:
    """Say what SNMPv3 lacks. Versions 1 and 2 do not look at these keys, nor do we."""
    if auth.security_level not in SECURITY_LEVELS:
        return [_unknown("security_level", auth.security_level, SECURITY_LEVELS)]
    faults = []
    if not auth.username:
        faults.append(Fault("is missing or empty", "SNMPv3 needs it", at=("username",)))
    if auth.security_level != "noAuthNoPriv":
        if not auth.password:
            faults.append(_lacking("password", auth.security_level))
        if auth.auth_protocol not in AUTH_PROTOCOLS:
            faults.append(_unknown("auth_protocol", auth.auth_protocol, AUTH_PROTOCOLS))
    if auth.security_level == "authPriv":
        if not auth.priv_password:
            faults.append(_lacking("priv_password", auth.security_level))
        if auth.priv_protocol not in PRIV_PROTOCOLS:
            faults.append(_unknown("priv_protocol", auth.priv_protocol, PRIV_PROTOCOLS))
    return faults


def _lacking(key: str, level: str) -> Fault:
    return Fault("is missing or empty", f"security_level {level} needs it", at=(key,))


def _unknown(key: str, value: str, known: tuple[str, ...]) -> Fault:
    hint = suggest(value, known, "known values")
    return Fault(f"unknown value {quote(value)}", hint, at=(key,))
