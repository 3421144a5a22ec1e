"""A loaded ``icmp.yml`` as text, for ``/config``, and a module of it as ``debug=true`` shows it.

Defaults are written too; what is empty or off is left out, as blackbox_exporter does, but for what
is on by default. The text loads again.
"""

from __future__ import annotations

from typing import Any

from exporters.config.go_duration import format_duration
from exporters.config.icmp_config import IcmpConfig
from exporters.config.icmp_fields import DeviceChoice, Host
from exporters.config.icmp_group import Group
from exporters.config.icmp_module import IcmpOptions, ProbeModule
from exporters.config.yaml_text import present, yaml_text


def dump_icmp_config(config: IcmpConfig) -> str:
    """Give the YAML text of a configuration."""
    return yaml_text(
        {
            **present(groups={name: _group(group) for name, group in config.groups.items()}),
            "modules": {name: _module(module) for name, module in config.modules.items()},
            **present(legacy_names=list(config.legacy_names)),
        }
    )


def dump_module(module: ProbeModule) -> str:
    """Give the YAML text of one module."""
    return yaml_text(_module(module))


def _group(group: Group) -> dict[str, Any]:
    return {
        **present(
            hosts=[_host(host) for host in group.hosts],
            devices=None if group.devices is None else _devices(group.devices),
        ),
        "family": group.family,
        "addresses": group.addresses,
        "resolve_interval": format_duration(group.resolve_interval),
        "interval": format_duration(group.interval),
        "timeout": format_duration(group.timeout),
        "size": group.size,
        **present(dscp=list(group.dscp), tos=list(group.tos)),
        "ttl": group.ttl,
        **present(
            source=[str(address) for address in group.source],
            interface=group.interface,
            labels=dict(group.labels),
        ),
        "buckets": list(group.buckets),
        "window": group.window,
        **present(path=group.path, pmtu=group.pmtu),
    }


def _host(host: Host) -> str | dict[str, Any]:
    return {"host": host.host, "labels": dict(host.labels)} if host.labels else host.host


def _devices(choice: DeviceChoice) -> str | dict[str, list[str]]:
    return {label: list(values) for label, values in choice.labels} or "all"


def _module(module: ProbeModule) -> dict[str, Any]:
    timeout = format_duration(module.timeout) if module.timeout else ""
    return {
        "prober": module.prober,
        **present(timeout=timeout),
        **({"icmp": _icmp_options(module.icmp)} if module.is_ours else {}),
    }


def _icmp_options(options: IcmpOptions) -> dict[str, Any]:
    source = options.source_ip_address
    return {
        "preferred_ip_protocol": options.preferred_ip_protocol,
        "ip_protocol_fallback": options.ip_protocol_fallback,
        **present(
            source_ip_address="" if source is None else str(source),
            payload_size=options.payload_size,
            dont_fragment=options.dont_fragment,
        ),
        "ttl": options.ttl,
    }
