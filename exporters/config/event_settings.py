"""What the trap and the syslog exporter let one set alike: who may send, and how much is kept.

Both embed these under the same keys of their configuration, ``access`` and ``events``. Every key
has a default.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

from exporters.config.fields import NULL_IS_EMPTY_LIST, Count, Duration, Network, Number
from exporters.config.go_duration import format_duration
from exporters.config.rejection import Rejected

_CONFIG = ConfigDict(extra="forbid")
_MEBIBYTE: Final = 1024 * 1024


def _positive(seconds: float) -> float:
    if seconds <= 0:
        raise Rejected(f"must be more than 0, found {format_duration(seconds)}")
    return seconds


def _not_negative(number: float) -> float:
    if number < 0:
        raise Rejected(f"must be at least 0, found {number:g}")
    return number


def _at_least_one(number: int) -> int:
    if number < 1:
        raise Rejected(f"must be at least 1, found {number}")
    return number


PositiveCount = Annotated[Count, AfterValidator(_at_least_one)]


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class RateLimit:
    """How much one sender may send; what is more is counted and not looked at."""

    per_second: Annotated[
        Number, AfterValidator(_not_negative), Field(description="On average; 0: any number.")
    ] = 0.0
    burst: Annotated[PositiveCount, Field(description="At once, after a silence.")] = 1000
    senders: Annotated[
        PositiveCount, Field(description="Senders with an account of their own; others share one.")
    ] = 10_000


def _rate_limit(value: object) -> object:
    return {} if value is None else value


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class AccessSettings:
    """Who may send, and whose word is taken for where a message comes from."""

    allowed_networks: Annotated[
        tuple[Network, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Networks of senders; none: everybody may send."),
    ] = ()
    trusted_relays: Annotated[
        tuple[Network, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Senders that pass on what others said, and are believed whose it is."),
    ] = ()
    rate_limit: Annotated[
        RateLimit, BeforeValidator(_rate_limit), Field(description="For each sender.")
    ] = RateLimit()


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class EventSettings:
    """How events become metrics, and how much of them is kept."""

    scrape_interval: Annotated[
        Duration,
        AfterValidator(_positive),
        Field(description="Of the slowest Prometheus; a new series is shown at 0 for 1.5 of it."),
    ] = 60.0
    series_limit: Annotated[
        PositiveCount, Field(description="Series of one metric; further values become other.")
    ] = 50_000
    label_values_limit: Annotated[
        PositiveCount, Field(description="Values of a label that rules give; others become other.")
    ] = 200
    states_limit: Annotated[PositiveCount, Field(description="States of all devices.")] = 10_000
    device_states_limit: Annotated[PositiveCount, Field(description="States of one device.")] = 500
    cleared_for: Annotated[
        Duration,
        AfterValidator(_positive),
        Field(description="How long a state that has ended is shown at 0."),
    ] = 900.0
    recent_events: Annotated[PositiveCount, Field(description="Events that /events holds.")] = 5000
    recent_bytes: Annotated[
        PositiveCount, Field(description="Bytes of the messages that /events holds.")
    ] = 16 * _MEBIBYTE
