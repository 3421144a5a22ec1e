"""A loaded ``trap.yml`` as text, for ``/config``: defaults written out, secrets masked."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from exporters.config.event_settings import AccessSettings, EventSettings
from exporters.config.go_duration import format_duration
from exporters.config.secrets import MASK
from exporters.config.trap_config import TrapConfig, TrapUser
from exporters.config.yaml_text import present, yaml_text

_DURATIONS = ("scrape_interval", "cleared_for")


def dump_trap_config(config: TrapConfig) -> str:
    """Give the YAML text of a configuration, with ``<secret>`` for every secret."""
    return yaml_text(
        {
            "versions": list(config.versions),
            **present(
                communities=[MASK] * len(config.communities),
                users=[_user(user) for user in config.users],
                engine_id=config.engine_id,
            ),
            "engines_limit": config.engines_limit,
            "access": dump_access(config.access),
            "events": dump_events(config.events),
            **present(rule_files=list(config.rule_files)),
            "shipped_rules": config.shipped_rules,
        }
    )


def dump_access(access: AccessSettings) -> dict[str, Any]:
    """Give who may send, as YAML values."""
    limit = access.rate_limit
    return {
        **present(
            allowed_networks=list(map(str, access.allowed_networks)),
            trusted_relays=list(map(str, access.trusted_relays)),
        ),
        "rate_limit": {field.name: getattr(limit, field.name) for field in fields(limit)},
    }


def dump_events(events: EventSettings) -> dict[str, Any]:
    """Give what is kept of events, as YAML values."""
    values = {field.name: getattr(events, field.name) for field in fields(events)}
    return {
        name: format_duration(value) if name in _DURATIONS else value
        for name, value in values.items()
    }


def _user(user: TrapUser) -> dict[str, Any]:
    shown: dict[str, Any] = {"username": user.username, "security_level": user.security_level}
    if user.password:
        shown["auth_protocol"] = user.auth_protocol
        shown |= _secret("password", user.password_file)
    if user.priv_password:
        shown["priv_protocol"] = user.priv_protocol
        shown |= _secret("priv_password", user.priv_password_file)
    return shown


def _secret(name: str, file: str) -> dict[str, str]:
    return {f"{name}_file": file} if file else {name: MASK}
