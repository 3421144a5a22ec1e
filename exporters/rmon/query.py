"""The query of ``/rmon``: target, auth and context as ``/snmp`` has them, and groups to read."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Final

from multidict import MultiMapping

from exporters.errors import BadRequest
from exporters.polling.poller import Access
from exporters.rmon.groups import DEFAULT_GROUPS, GROUPS
from exporters.sockets.target_address import TargetAddress, parse_target

DEFAULT_AUTH: Final = "public_v2"
_TRUE: Final = frozenset({"1", "true", "yes"})
_SETS: Final = {"default": DEFAULT_GROUPS, "all": tuple(GROUPS)}


@dataclass(frozen=True, slots=True)
class RmonQuery:
    """A scrape that was asked for, with every name known to exist."""

    target: TargetAddress
    access: Access
    groups: tuple[str, ...]
    failure_as_metrics: bool
    debug: bool


def read_query(query: MultiMapping[str], *, auths: Container[str]) -> RmonQuery:
    """Read the query of a scrape.

    Raises:
        BadRequest: A parameter is missing, comes too often, or names what is not there.
    """
    text = _at_most_once(query, "target")
    if not text:
        raise BadRequest("'target' parameter must be specified once")
    try:
        target = parse_target(text)
    except ValueError as error:
        raise BadRequest(f"'target' parameter: {error}") from error
    auth = _at_most_once(query, "auth") or DEFAULT_AUTH
    if auth not in auths:
        raise BadRequest(f"Unknown auth '{auth}'")
    failure = _at_most_once(query, "failure") or "status"
    if failure not in ("status", "metrics"):
        raise BadRequest("'failure' parameter must be 'status' or 'metrics'")
    context = _at_most_once(query, "snmp_context")
    return RmonQuery(
        target=target,
        access=Access(auth, context.encode() if context else None),
        groups=_read_groups(query.getall("groups", [])),
        failure_as_metrics=failure == "metrics",
        debug=(_at_most_once(query, "debug") or "") in _TRUE,
    )


def _read_groups(parameters: list[str]) -> tuple[str, ...]:
    """Read the names, in the order of the table; without any, all groups but the large ones."""
    names = [name for parameter in parameters for name in parameter.split(",") if name]
    wanted: set[str] = set()
    for name in names or ["default"]:
        if name not in GROUPS and name not in _SETS:
            known = ", ".join((*_SETS, *GROUPS))
            raise BadRequest(f"Unknown group '{name}'; there are {known}")
        wanted.update(_SETS.get(name, (name,)))
    return tuple(name for name in GROUPS if name in wanted)


def _at_most_once(query: MultiMapping[str], name: str) -> str | None:
    values = query.getall(name, [])
    if len(values) > 1:
        raise BadRequest(f"'{name}' parameter must only be specified once")
    return values[0] if values else None
