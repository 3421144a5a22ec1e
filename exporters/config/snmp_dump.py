"""A loaded ``snmp.yml`` as text, for ``/config``: the peer's key order and style, secrets masked.

What has its default and is left out by the peer is left out here. The text loads again, but for
the masked secrets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from exporters.config.go_duration import format_duration
from exporters.config.secrets import MASK, Secret
from exporters.config.snmp_config import (
    Auth,
    DynamicFilter,
    Index,
    Lookup,
    Metric,
    Module,
    RegexExtract,
    SnmpConfig,
)
from exporters.config.snmp_relabel import Relabel
from exporters.config.snmp_rows import Constant, RowFilter
from exporters.config.yaml_text import present, yaml_text
from exporters.wire.ber import format_oid

_DEFAULT_RULE = Relabel(source_labels=("a",), target_label="a")
_DIGITS = re.compile(r"\d+")


def dump_snmp_config(config: SnmpConfig) -> str:
    """Give the YAML text of a configuration, with ``<secret>`` for every secret."""
    document = present(
        auths={name: _auth(config.auths[name]) for name in _sorted(config.auths)},
        modules={name: _module(config.modules[name]) for name in _sorted(config.modules)},
        version=config.version,
    )
    return yaml_text(document)


def _auth(auth: Auth) -> dict[str, Any]:
    return present(
        community="" if auth.community_file else _masked(auth.community),
        community_file=auth.community_file,
        security_level=auth.security_level,
        username=auth.username,
        password="" if auth.password_file else _masked(auth.password),
        password_file=auth.password_file,
        auth_protocol=auth.auth_protocol,
        priv_protocol=auth.priv_protocol,
        priv_password="" if auth.priv_password_file else _masked(auth.priv_password),
        priv_password_file=auth.priv_password_file,
        context_name=auth.context_name,
        version=auth.version,
        targets=[str(network) for network in auth.targets],
    )


def _masked(secret: Secret) -> str:
    return MASK if secret else ""


def _module(module: Module) -> dict[str, Any]:
    cached = module.lookup_cache
    return {
        **present(walk=_oids(module.walk), get=_oids(module.get)),
        "metrics": [_metric(metric) for metric in module.metrics],
        **present(max_repetitions=module.max_repetitions),
        "retries": module.retries,
        "timeout": format_duration(module.timeout),
        **present(
            use_unconnected_udp_socket=module.use_unconnected_udp_socket,
            allow_nonincreasing_oids=module.allow_nonincreasing_oids,
            filters=[_filter(entry) for entry in module.filters],
            lookup_cache="" if cached is None else format_duration(cached),
            concurrency=module.concurrency,
            packets_per_second=_number(module.packets_per_second),
            labels=dict(module.labels),
            relabel=[_relabel(rule) for rule in module.relabel],
            where=[_row_filter(item) for item in module.where],
            constants=[_constant(item) for item in module.constants],
        ),
    }


def _relabel(rule: Relabel) -> dict[str, Any]:
    default = _DEFAULT_RULE
    values = {
        "source_labels": list(rule.source_labels),
        "separator": rule.separator,
        "regex": rule.regex.source,
        "target_label": rule.target_label,
        "replacement": rule.replacement.source,
        "action": rule.action,
    }
    defaults: dict[str, Any] = {
        "source_labels": [],
        "separator": default.separator,
        "regex": default.regex.source,
        "target_label": None,
        "replacement": default.replacement.source,
        "action": default.action,
    }
    return {key: value for key, value in values.items() if value != defaults[key]}


def _row_filter(item: RowFilter) -> dict[str, Any]:
    return {
        "condition": item.condition.source,
        "labels": list(item.labels),
        "columns": [
            {
                "name": column.name,
                "oid": format_oid(column.oid),
                "type": column.type,
                **present(
                    display_hint=column.display_hint, enum_values=_enum_values(column.enum_values)
                ),
            }
            for column in item.columns
        ],
    }


def _constant(item: Constant) -> dict[str, Any]:
    return {
        "name": item.name,
        **present(help=item.help),
        "value": _number(item.value),
        **present(
            labels=dict(item.labels),
            rows_of=_oids(item.rows_of),
            indexes=[_index(index) for index in item.indexes],
            lookups=[_lookup(lookup) for lookup in item.lookups],
        ),
    }


def _filter(entry: DynamicFilter) -> dict[str, Any]:
    values = [regex.source for regex in entry.values]
    return {"oid": format_oid(entry.oid), **present(targets=_oids(entry.targets), values=values)}


def _metric(metric: Metric) -> dict[str, Any]:
    extracts = metric.regex_extracts
    return {
        "name": metric.name,
        "oid": format_oid(metric.oid),
        "type": metric.type,
        "help": metric.help,
        **present(
            indexes=[_index(index) for index in metric.indexes],
            lookups=[_lookup(lookup) for lookup in metric.lookups],
            regex_extracts={key: _extracts(extracts[key]) for key in _sorted(extracts)},
            datetime_pattern=metric.datetime_pattern,
            enum_values=_enum_values(metric.enum_values),
            offset=_number(metric.offset),
            scale=_number(metric.scale),
            display_hint=metric.display_hint,
            value_label=metric.value_label,
        ),
    }


def _index(index: Index) -> dict[str, Any]:
    return {
        "labelname": index.labelname,
        "type": index.type,
        **present(
            fixed_size=index.fixed_size,
            implied=index.implied,
            enum_values=_enum_values(index.enum_values),
        ),
    }


def _lookup(lookup: Lookup) -> dict[str, Any]:
    return {
        "labels": list(lookup.labels),
        "labelname": lookup.labelname,
        **present(
            oid=format_oid(lookup.oid) if lookup.oid else "",
            type=lookup.type if lookup.oid else "",
            display_hint=lookup.display_hint,
            enum_values=_enum_values(lookup.enum_values),
            if_empty=lookup.if_empty,
        ),
    }


def _extracts(extracts: Iterable[RegexExtract]) -> list[dict[str, Any]]:
    return [
        {"value": extract.value.source, "regex": extract.regex and extract.regex.source}
        for extract in extracts
    ]


def _oids(oids: Iterable[bytes]) -> list[str]:
    return [format_oid(oid) for oid in oids]


def _enum_values(enum_values: Mapping[int, str]) -> dict[int, str]:
    return {number: enum_values[number] for number in sorted(enum_values)}


def _number(value: float) -> float:
    return int(value) if value.is_integer() else value


def _sorted(names: Iterable[str]) -> list[str]:
    """Sort as Go's YAML does: numbers inside names by their value."""
    return sorted(names, key=lambda name: _DIGITS.sub(lambda digits: digits[0].zfill(20), name))
