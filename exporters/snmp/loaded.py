"""A configuration made ready for scrapes: plans of the modules, credentials, the inventory.

Built whole at start and at each reload, and never changed afterwards, so that a scrape that began
under one configuration ends under it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass

from exporters.config.devices import Inventory
from exporters.config.snmp_config import Auth, SnmpConfig
from exporters.errors import ConfigError, Problem
from exporters.snmp.plan import ModulePlan, compile_module
from exporters.snmp.survey import Candidates
from exporters.sockets.snmp_security import CommunitySecurity, Security
from exporters.sockets.snmp_usm import EngineMemory, UsmSecurity
from exporters.wire.snmp_message import Version
from exporters.wire.usm import AuthProtocol, PrivProtocol, UsmUser


@dataclass(frozen=True, slots=True)
class Loaded:
    """One configuration, compiled."""

    config: SnmpConfig
    plans: Mapping[str, ModulePlan]
    users: Mapping[str, UsmUser]
    inventory: Inventory | None
    candidates: Candidates
    """The modules that ``auto`` may stand for."""

    @classmethod
    def compile(
        cls,
        config: SnmpConfig,
        inventory: Inventory | None,
        *,
        auto_excluded: Container[str] = (),
    ) -> Loaded:
        """Compile *config*; ``auto`` never stands for the modules that are *auto_excluded*.

        Raises:
            ConfigError: Something in it cannot be used although each part of it is well-formed.
        """
        users: dict[str, UsmUser] = {}
        problems: list[Problem] = []
        for name, auth in config.auths.items():
            if auth.version == 3:
                try:
                    users[name] = _usm_user(auth)
                except ValueError as error:
                    problems.append(Problem(str(error), key_path=f"auths.{name}"))
        if problems:
            raise ConfigError(problems)
        plans = {name: compile_module(name, module) for name, module in config.modules.items()}
        candidates = Candidates({n: plan for n, plan in plans.items() if n not in auto_excluded})
        return cls(config, plans, users, inventory, candidates)

    def connects(self, modules: Iterable[str]) -> bool:
        """Whether answers are taken from the address alone that was asked, for all *modules*."""
        return not any(self.plans[name].module.use_unconnected_udp_socket for name in modules)

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
        auth = self.config.auths[auth_name]
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
