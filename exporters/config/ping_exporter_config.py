"""The file of ping_exporter: its targets, as a group of the ICMP exporter.

A target is text; or, with labels, ``{host: ..., NAME: VALUE}``, or ``{HOST: {NAME: VALUE}}`` as the
peer had it before 1.2.0. All addresses of a name are pinged. ``dns.nameserver`` and ``dns.timeout``
have no effect: names are resolved as the system does.

Source: ping_exporter's configuration.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from exporters.config.fields import (
    NULL_IS_EMPTY_MAPPING,
    Boolean,
    Duration,
    Integer,
    Text,
)
from exporters.config.go_duration import format_duration
from exporters.config.icmp_fields import (
    Hosts,
    Interval,
    PayloadSize,
    ResolveInterval,
    Timeout,
    Window,
)
from exporters.config.icmp_group import family_faults
from exporters.config.rejection import Fault, Rejected, describe

_CONFIG = ConfigDict(extra="forbid")


def _targets(value: object) -> object:
    """Turn the peer's forms of a target into ``host`` and ``labels``."""
    if not isinstance(value, list):
        return [] if value is None else value
    hosts: list[object] = []
    faults: list[Fault] = []
    for place, entry in enumerate(value):
        host = _target(entry) if isinstance(entry, dict) else entry
        if isinstance(host, Fault):
            faults.append(replace(host, at=(place, *host.at)))
        hosts.append(host)
    if faults:
        raise Rejected(faults)
    return hosts


def _target(entry: dict[Any, Any]) -> dict[str, object] | Fault:
    labels: object
    if "host" in entry:
        host, labels = entry["host"], {key: entry[key] for key in entry if key != "host"}
    elif len(entry) == 1:
        ((host, labels),) = entry.items()
    else:
        return Fault("has no host", "write {host: 192.0.2.1}")
    if labels is not None and not isinstance(labels, dict):
        problem = f"expected labels, found {describe(labels)}"
        return Fault(problem, "write {host: 192.0.2.1, NAME: VALUE}", at=(str(host),))
    if labels and labels.get("resolver") == "k8s":
        return Fault("Kubernetes endpoints are not looked up", "name the hosts", at=("resolver",))
    return {"host": host, "labels": labels}


def _no_mark(mark: int) -> int:
    if mark:
        raise Rejected("packets are not marked", "write 0, or drop it")
    return mark


def _default_for_zero(default: object) -> BeforeValidator:
    """Read what is zero, or nothing, as the peer does: as its default."""
    return BeforeValidator(lambda value: default if value in (0, None, "", "0s") else value)


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class PingOptions:
    """When to ping, with how much, and how long to wait."""

    interval: Annotated[
        Interval, _default_for_zero("5s"), Field(description="Time between two pings.")
    ] = 5.0
    timeout: Annotated[
        Timeout,
        _default_for_zero("4s"),
        Field(description="Time after which an unanswered ping is lost."),
    ] = 4.0
    history_size: Annotated[
        Window,
        _default_for_zero(10),
        Field(alias="history-size", description="Last pings that the metrics are of."),
    ] = 10
    payload_size: Annotated[
        PayloadSize,
        _default_for_zero(56),
        Field(alias="payload-size", description="Bytes of payload."),
    ] = 56
    fw_mark: Annotated[
        Integer,
        AfterValidator(_no_mark),
        Field(alias="fw-mark", description="Only 0: packets are not marked."),
    ] = 0


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class DnsOptions:
    """Where host names get their addresses from."""

    refresh: Annotated[
        ResolveInterval, _default_for_zero("1m"), Field(description="How often, again.")
    ] = 60.0
    nameserver: Annotated[Text, Field(description="Accepted, and without effect.")] = ""
    timeout: Annotated[Duration, Field(description="Accepted, and without effect.")] = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class FamilyOptions:
    """Which addresses of a name are not pinged."""

    disable_ipv6: Annotated[
        Boolean, Field(alias="disableIPv6", description="Leave IPv6 addresses out.")
    ] = False
    disable_ipv4: Annotated[
        Boolean, Field(alias="disableIPv4", description="Leave IPv4 addresses out.")
    ] = False

    @property
    def family(self) -> Literal["any", "ip4", "ip6"]:
        """What is left."""
        if self.disable_ipv6:
            return "ip4"
        return "ip6" if self.disable_ipv4 else "any"

    @model_validator(mode="after")
    def _check(self) -> FamilyOptions:
        if self.disable_ipv4 and self.disable_ipv6:
            raise Rejected("leaves no address to ping", "drop disableIPv4 or disableIPv6")
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class PingExporterConfig:
    """The whole of a file."""

    targets: Annotated[
        Hosts,
        BeforeValidator(_targets),
        Field(description="Hosts to ping: text, or mappings of host and labels."),
    ] = ()
    ping: Annotated[PingOptions, NULL_IS_EMPTY_MAPPING, Field(description="How to ping.")] = (
        PingOptions()
    )
    dns: Annotated[
        DnsOptions, NULL_IS_EMPTY_MAPPING, Field(description="How names are resolved.")
    ] = DnsOptions()
    options: Annotated[
        FamilyOptions, NULL_IS_EMPTY_MAPPING, Field(description="Which addresses are left out.")
    ] = FamilyOptions()

    def groups(self, name: str) -> dict[str, Any]:
        """Give what ``groups`` of icmp.yml would hold: one group, or none where all is left out.

        Addresses of a family that is left out are not in it, as the peer does.
        """
        family = self.options.family
        wrong = {fault.at[-1] for fault in family_faults(family, (), self.targets)}
        hosts = tuple(host for place, host in enumerate(self.targets) if place not in wrong)
        if not hosts:
            return {}
        group = {
            "hosts": hosts,
            "family": family,
            "addresses": "all",
            "resolve_interval": format_duration(self.dns.refresh),
            "interval": format_duration(self.ping.interval),
            "timeout": format_duration(self.ping.timeout),
            "size": self.ping.payload_size,
            "window": self.ping.history_size,
        }
        return {name: group}
