"""The query of ``/probe``: blackbox_exporter's parameters, refusals and time, and two of our own.

``module``, ``target`` and ``debug`` are the peer's; its ``hostname`` means nothing to a ping. Of a
parameter that comes more than once, the first counts. ``count`` and ``interval`` ask for several
pings.

Source: blackbox_exporter's handler.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus

from multidict import MultiMapping

from exporters.config.go_duration import format_duration, parse_duration
from exporters.config.icmp_config import DEFAULT_MODULE
from exporters.config.icmp_module import ProbeModule
from exporters.errors import BadRequest, NetexportersError

LONGEST_SECONDS: Final = 120.0
MOST_PINGS: Final = 100
SHORTEST_INTERVAL_SECONDS: Final = 0.01
DEFAULT_INTERVAL_SECONDS: Final = 0.2


class UnknownModule(BadRequest):
    """The configuration has no module of that name."""


class WrongTimeout(NetexportersError):  # noqa: N818 - as BadRequest
    """What Prometheus says of its patience is no number; the peer answers 500."""


@dataclass(frozen=True, slots=True)
class ProbeQuery:
    """A probe that was asked for."""

    target: str
    module_name: str
    module: ProbeModule
    timeout_seconds: float
    count: int
    interval_seconds: float
    statistics: bool
    debug: bool


def read_query(
    query: MultiMapping[str],
    header: str,
    *,
    modules: Mapping[str, ProbeModule],
    offset_seconds: float,
) -> ProbeQuery:
    """Read the query of a probe; *header* is X-Prometheus-Scrape-Timeout-Seconds.

    Checks come in the peer's order.

    Raises:
        BadRequest: A parameter is missing, wrong, or names what is not there.
        WrongTimeout: The header is no number.
    """
    name = query.get("module", "") or DEFAULT_MODULE
    module = modules.get(name)
    if module is None:
        raise UnknownModule(f'Unknown module "{name}"')
    timeout_seconds = probe_timeout(header, module.timeout, offset_seconds)
    target = query.get("target", "")
    if not target:
        raise BadRequest("Target parameter is missing")
    if not module.is_ours:
        hint = f'the module "{name}" is for blackbox_exporter'
        raise BadRequest(f'Unknown prober "{module.prober}": {hint}')
    count = _read_count(query.get("count", ""))
    interval_seconds = _read_interval(query.get("interval", ""))
    if (count - 1) * interval_seconds >= timeout_seconds > 0:
        raise BadRequest(
            f"{count} pings every {format_duration(interval_seconds)} do not fit into "
            f"{format_duration(timeout_seconds)}"
        )
    return ProbeQuery(
        target=_decode_again(target),
        module_name=name,
        module=module,
        timeout_seconds=timeout_seconds,
        count=count,
        interval_seconds=interval_seconds,
        statistics="count" in query or "interval" in query,
        debug=query.get("debug") == "true",
    )


def probe_timeout(header: str, module_seconds: float, offset_seconds: float) -> float:
    """Give how long a probe may take: the module's timeout, or what Prometheus leaves of its own.

    Where Prometheus waits for less than the offset, half of it is left; the peer takes the module's
    timeout there, and answers nobody.

    Raises:
        WrongTimeout: *header* is neither empty nor a number.

    Example: ``probe_timeout("10", 0, 0.5) == 9.5``, ``probe_timeout("10", 5, 0.5) == 5``
    """
    announced = _read_seconds(header) if header else 0.0
    if announced <= 0:
        announced = LONGEST_SECONDS
    most = announced - offset_seconds
    if most <= 0:
        most = announced / 2
    return module_seconds if 0 < module_seconds < most else most


def _read_seconds(header: str) -> float:
    try:
        seconds = float(header)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise WrongTimeout(
            f'Failed to parse timeout from Prometheus header: "{header}" is not a number of seconds'
        )
    return seconds


def _read_count(text: str) -> int:
    if not text:
        return 1
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= MOST_PINGS):
        raise BadRequest(f"'count' parameter: {text!r} is not a number from 1 to {MOST_PINGS}")
    return int(text)


def _read_interval(text: str) -> float:
    if not text:
        return DEFAULT_INTERVAL_SECONDS
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        hint = "write it as 200ms or 1s"
        raise BadRequest(f"'interval' parameter: {error}; {hint}") from error
    if seconds < SHORTEST_INTERVAL_SECONDS:
        least = format_duration(SHORTEST_INTERVAL_SECONDS)
        raise BadRequest(f"'interval' parameter: {text} is less than {least}")
    return seconds


def _decode_again(target: str) -> str:
    """Undo a second percent-encoding, as the peer does, where there is one.

    A zone (``fe80::1%eth0``) is none: what follows its percent sign is not hexadecimal.
    """
    pieces = target.split("%")[1:]
    if not all(len(piece) >= 2 and _is_hexadecimal(piece[:2]) for piece in pieces):
        return target
    return unquote_plus(target)


def _is_hexadecimal(text: str) -> bool:
    return all(character in "0123456789abcdefABCDEF" for character in text)
