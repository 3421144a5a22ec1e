"""The query of ``/snmp``: snmp_exporter's parameters and its refusals, and two of our own.

``target`` (once), ``module`` (repeated or comma-separated), ``auth``, ``snmp_context`` and
``snmp_engineid`` (at most once) are the peer's. ``failure=metrics`` answers 200 for a target that
is down, ``debug=1`` gives the log of the scrape.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Final

from multidict import MultiMapping

from exporters.config.snmp_config import AUTO
from exporters.errors import BadRequest
from exporters.sockets.target_address import TargetAddress, parse_target

DEFAULT_MODULE: Final = "if_mib"
DEFAULT_AUTH: Final = "public_v2"
_MAX_ENGINE_ID_BYTES: Final = 32
_TRUE: Final = frozenset({"1", "true", "yes"})


@dataclass(frozen=True, slots=True)
class SnmpQuery:
    """A scrape that was asked for, with every name known to exist."""

    target: TargetAddress
    modules: tuple[str, ...]
    auth: str
    context_name: bytes | None
    context_engine_id: bytes
    failure_as_metrics: bool
    debug: bool
    log_packets: bool

    @property
    def what(self) -> tuple[object, ...]:
        """What is asked for, apart from where and how it is answered."""
        return (self.modules, self.auth, self.context_name, self.context_engine_id)


def read_query(
    query: MultiMapping[str], *, modules: Container[str], auths: Container[str]
) -> SnmpQuery:
    """Read the query of a scrape.

    Raises:
        BadRequest: A parameter is missing, comes too often, or names what is not there.
    """
    targets = query.getall("target", [])
    if len(targets) != 1 or not targets[0]:
        raise BadRequest("'target' parameter must be specified once")
    try:
        target = parse_target(targets[0])
    except ValueError as error:
        raise BadRequest(f"'target' parameter: {error}") from error
    auth = _at_most_once(query, "auth") or DEFAULT_AUTH
    if auth not in auths:
        raise BadRequest(f"Unknown auth '{auth}'")
    failure = _at_most_once(query, "failure") or "status"
    if failure not in ("status", "metrics"):
        raise BadRequest("'failure' parameter must be 'status' or 'metrics'")
    context = _at_most_once(query, "snmp_context") or None
    return SnmpQuery(
        target=target,
        modules=_read_modules(query, modules),
        auth=auth,
        context_name=None if context is None else context.encode(),
        context_engine_id=_read_engine_id(_at_most_once(query, "snmp_engineid") or ""),
        failure_as_metrics=failure == "metrics",
        debug=query.get("debug", "") in _TRUE,
        log_packets=query.get("snmp_debug_packets", "") == "true",
    )


def _read_modules(query: MultiMapping[str], known: Container[str]) -> tuple[str, ...]:
    parameters = query.getall("module", [])
    if not parameters:
        parameters = [DEFAULT_MODULE]
    names = dict.fromkeys(name for parameter in parameters for name in parameter.split(",") if name)
    if not names:
        raise BadRequest("'module' parameter must contain at least one module name")
    for name in names:
        if name not in known and name != AUTO:
            raise BadRequest(f"Unknown module '{name}'")
    return tuple(names)


def _read_engine_id(text: str) -> bytes:
    try:
        engine_id = bytes.fromhex(text.removeprefix("0x"))
    except ValueError as error:
        raise BadRequest(
            f"'snmp_engineid' parameter: {text!r} is not hexadecimal; expected digits such as "
            "80001f8880e9bd0c1d12667a51"
        ) from error
    if len(engine_id) > _MAX_ENGINE_ID_BYTES:
        raise BadRequest(
            f"'snmp_engineid' parameter is {len(engine_id)} bytes; at most "
            f"{_MAX_ENGINE_ID_BYTES} are possible"
        )
    return engine_id


def _at_most_once(query: MultiMapping[str], name: str) -> str | None:
    values = query.getall(name, [])
    if len(values) > 1:
        raise BadRequest(f"'{name}' parameter must only be specified once")
    return values[0] if values else None
