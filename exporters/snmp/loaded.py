"""A configuration made ready for scrapes: plans of the modules, credentials, the inventory.

Built whole at start and at each reload, and never changed afterwards, so that a scrape that began
under one configuration ends under it.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from exporters.config.devices import Inventory
from exporters.config.snmp_config import SnmpConfig
from exporters.polling.credentials import Credentials
from exporters.snmp.plan import ModulePlan, compile_module
from exporters.snmp.survey import Candidates


@dataclass(frozen=True, slots=True)
class Loaded:
    """One configuration, compiled."""

    config: SnmpConfig
    plans: Mapping[str, ModulePlan]
    credentials: Credentials
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
        credentials = Credentials.compile(config.auths)
        plans = {name: compile_module(name, module) for name, module in config.modules.items()}
        candidates = Candidates({n: plan for n, plan in plans.items() if n not in auto_excluded})
        return cls(config, plans, credentials, inventory, candidates)

    def connects(self, modules: Iterable[str]) -> bool:
        """Whether answers are taken from the address alone that was asked, for all *modules*."""
        return not any(self.plans[name].module.use_unconnected_udp_socket for name in modules)
