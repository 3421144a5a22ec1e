"""The credentials of a configuration, made ready: what a session towards an agent is opened with.

Built whole at start and at each reload, and never changed afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from exporters.config.snmp_auth import Auth
from exporters.errors import ConfigError, Problem
from exporters.sockets.snmp_security import CommunitySecurity, Security
from exporters.sockets.snmp_usm import EngineMemory, UsmSecurity
from exporters.wire.snmp_message import Version
from exporters.wire.usm import AuthProtocol, PrivProtocol, UsmUser


@dataclass(frozen=True, slots=True)
class Credentials:
    """All auths, those of version 3 with their users."""

    auths: Mapping[str, Auth]
    users: Mapping[str, UsmUser]

    @classmethod
    def compile(cls, auths: Mapping[str, Auth]) -> Credentials:
        """Prepare *auths*.

        Raises:
            ConfigError: Something in one cannot be used although each part of it is well-formed.
        """
        users: dict[str, UsmUser] = {}
        problems: list[Problem] = []
        for name, auth in auths.items():
            if auth.version == 3:
                try:
                    users[name] = _usm_user(auth)
                except ValueError as error:
                    problems.append(Problem(str(error), key_path=f"auths.{name}"))
        if problems:
            raise ConfigError(problems)
        return cls(auths, users)

    def security(
        self,
        auth_name: str,
        engine: EngineMemory,
        *,
        context_name: bytes | None,
        context_engine_id: bytes,
        clock: Callable[[], float],
        salts: Iterator[int],
    ) -> Security:
        """The credentials of an auth towards one agent."""
        auth = self.auths[auth_name]
        if auth.version != 3:
            version = Version.V1 if auth.version == 1 else Version.V2C
            return CommunitySecurity(version, auth.community.reveal().encode())
        return UsmSecurity(
            self.users[auth_name],
            engine,
            context_name=auth.context_name.encode() if context_name is None else context_name,
            context_engine_id=context_engine_id,
            clock=clock,
            salts=salts,
        )


def _usm_user(auth: Auth) -> UsmUser:
    authenticated = auth.security_level in ("authNoPriv", "authPriv")
    private = auth.security_level == "authPriv"
    return UsmUser(
        name=auth.username,
        auth_protocol=AuthProtocol(auth.auth_protocol) if authenticated else None,
        auth_password=auth.password.reveal() if authenticated else "",
        priv_protocol=PrivProtocol(auth.priv_protocol) if private else None,
        priv_password=auth.priv_password.reveal() if private else "",
    )
