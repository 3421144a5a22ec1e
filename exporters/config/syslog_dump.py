"""A loaded ``syslog.yml`` as text, for ``/config``: defaults written out, the key masked."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from exporters.config.go_duration import format_duration
from exporters.config.secrets import MASK, Secret
from exporters.config.syslog_config import ConnectionSettings, SyslogConfig
from exporters.config.syslog_tls import SyslogTlsConfig
from exporters.config.trap_dump import dump_access, dump_events
from exporters.config.yaml_text import present, yaml_text


def dump_syslog_config(config: SyslogConfig) -> str:
    """Give the YAML text of a configuration."""
    return yaml_text(
        {
            "max_message_bytes": config.max_message_bytes,
            "connections": _connections(config.connections),
            **present(tls=_tls(config.tls)),
            "access": dump_access(config.access),
            "events": dump_events(config.events),
            **present(rule_files=list(config.rule_files)),
            "shipped_rules": config.shipped_rules,
        }
    )


def _connections(settings: ConnectionSettings) -> dict[str, Any]:
    shown = {field.name: getattr(settings, field.name) for field in fields(settings)}
    for name, value in shown.items():
        if name.endswith("_timeout"):
            shown[name] = format_duration(value)
    balancers = list(map(str, shown.pop("trusted_balancers")))
    return {**shown, **present(trusted_balancers=balancers)}


def _tls(config: SyslogTlsConfig) -> dict[str, Any]:
    if not config.is_enabled:
        return {}
    return {
        field.name: _plain(value)
        for field in fields(config)
        if (value := getattr(config, field.name))
    }


def _plain(value: object) -> object:
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value
