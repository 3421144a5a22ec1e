"""The inventory as targets for Prometheus' HTTP service discovery."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exporters.config.devices import Device, Inventory


def snmp_target(device: Device) -> str:
    """Give where SNMP answers."""
    return device.snmp_target or device.addresses[0]


def first_address(device: Device) -> str:
    """Give the address that stands first."""
    return device.addresses[0]


def discovery_groups(
    inventory: Inventory,
    *,
    exporter_address: str = "",
    metrics_path: str = "",
    auth_label: str = "__param_auth",
    module_label: str = "__param_module",
    target: Callable[[Device], str] = snmp_target,
) -> list[dict[str, Any]]:
    """Give one target group per device, in the form that ``http_sd_configs`` reads.

    The target is what *target* gives: by default the device's ``snmp_target``, else its first
    address.

    Labels are the device's own, ``device``, ``instance`` (its first address, unless its own labels
    have one), ``__param_target``, and where the device has them ``__param_auth`` and
    ``__param_module`` (joined with commas). An empty *auth_label* or *module_label* leaves that
    label out, for exporters without such a parameter; *metrics_path* adds ``__metrics_path__``.

    With *exporter_address* (``host:port``, as Prometheus reaches the exporter) the target is the
    exporter, and Prometheus needs no relabelling at all::

        - job_name: snmp
          http_sd_configs: [{url: "http://exporter.example:9116/sd"}]

    Without it the target is the device's first address, and one rule is needed::

          relabel_configs:
            - {target_label: __address__, replacement: "exporter.example:9116"}

    Source: Prometheus' documentation of HTTP service discovery and ``relabel_config``.
    """
    return [
        {
            "targets": [exporter_address or target(device)],
            "labels": _labels(device, target(device), metrics_path, auth_label, module_label),
        }
        for device in inventory.devices
    ]


def _labels(
    device: Device, target: str, metrics_path: str, auth_label: str, module_label: str
) -> dict[str, str]:
    given_by_exporter = {
        "__metrics_path__": metrics_path,
        "__param_target": target,
        auth_label: device.auth,
        module_label: ",".join(device.modules),
    }
    return {
        "instance": device.addresses[0],
        **device.labels,
        "device": device.name,
        **{label: value for label, value in given_by_exporter.items() if label and value},
    }
