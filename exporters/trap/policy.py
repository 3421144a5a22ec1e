"""A loaded configuration as what a receiver goes by."""

from __future__ import annotations

import time
from collections.abc import Iterator

from exporters.config.trap_config import TrapUser as UserConfig
from exporters.events.shares import WHOLE, Share
from exporters.events.sources import SourceLimiter, Sources
from exporters.trap.arguments import Loaded
from exporters.trap.catalogue import Catalogue
from exporters.trap.engines import Engines
from exporters.trap.objects import Objects
from exporters.trap.own_engine import OwnEngine
from exporters.trap.receiver import Policy
from exporters.trap.security import Security, TrapUser
from exporters.trap.seen import Seen
from exporters.wire.usm import AuthProtocol, PrivProtocol, SecurityLevel, UsmUser


def make_policy(
    loaded: Loaded,
    engines: Engines,
    own: OwnEngine,
    replays: Seen,
    salts: Iterator[int],
    share: Share = WHOLE,
) -> Policy:
    """Make a policy of a configuration; engines, replays and salts outlive it.

    For a process that has its *share* of the devices.
    """
    config = loaded.config
    security = Security(
        [_user(user) for user in config.users],
        engines,
        own,
        replays,
        salts=salts,
        monotonic=time.monotonic,
    )
    return Policy(
        sources=Sources(loaded.inventory, config.access, share),
        limiter=SourceLimiter(share.of_rate_limit(config.access.rate_limit)),
        versions=frozenset(config.versions),
        communities=frozenset(one.reveal().encode() for one in config.communities),
        security=security,
        catalogue=Catalogue(loaded.dictionary),
        objects=Objects(loaded.dictionary),
    )


def device_names(loaded: Loaded) -> list[str]:
    """Give the names of the inventory's devices."""
    return [] if loaded.inventory is None else [device.name for device in loaded.inventory.devices]


def own_names(loaded: Loaded, share: Share) -> list[str]:
    """Give the names of those devices that belong to a process."""
    return [] if loaded.inventory is None else share.own_names(loaded.inventory.devices)


def _user(user: UserConfig) -> TrapUser:
    """Give a user with all that its passwords allow; the level is the least that is taken."""
    has_password, has_priv_password = bool(user.password), bool(user.priv_password)
    return TrapUser(
        UsmUser(
            name=user.username,
            auth_protocol=AuthProtocol(user.auth_protocol) if has_password else None,
            auth_password=user.password.reveal(),
            priv_protocol=PrivProtocol(user.priv_protocol) if has_priv_password else None,
            priv_password=user.priv_password.reveal(),
        ),
        SecurityLevel[user.security_level],
    )
