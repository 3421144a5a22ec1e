"""A loaded ``syslog.yml`` as text, for ``/config``: defaults written out."""

from __future__ import annotations

from exporters.config.go_duration import format_duration
from exporters.config.syslog_config import SyslogConfig
from exporters.config.trap_dump import dump_access, dump_events
from exporters.config.yaml_text import present, yaml_text


def dump_syslog_config(config: SyslogConfig) -> str:
    """Give the YAML text of a configuration."""
    connections = config.connections
    return yaml_text(
        {
            "max_message_bytes": config.max_message_bytes,
            "connections": {
                "limit": connections.limit,
                "sender_limit": connections.sender_limit,
                "idle_timeout": format_duration(connections.idle_timeout),
                "framing_fault": connections.framing_fault,
            },
            "access": dump_access(config.access),
            "events": dump_events(config.events),
            **present(rule_files=list(config.rule_files)),
            "shipped_rules": config.shipped_rules,
        }
    )
