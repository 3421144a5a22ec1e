"""What flags of several exporters hold: the types of their arguments, for argparse.

Sources: the flags of Prometheus' exporters.
"""

from __future__ import annotations

import argparse
import ipaddress
from typing import Final

from exporters.config.fields import IPNetwork
from exporters.config.go_duration import parse_duration

_MOST_SECONDS: Final = 1e6


def positive(text: str) -> int:
    """Read a count; as snmp_exporter does, what is less than 1 counts as 1."""
    return max(1, count(text))


def count(text: str) -> int:
    """Read a count; what is less than 0 counts as 0."""
    try:
        return max(0, int(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from error


def size_bytes(text: str) -> int:
    """Read a size, of at least one byte and no more than the system's calls can say."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 0 < number < 2**31:
        hint = "expected a number of bytes from 1 to 2147483647"
        raise argparse.ArgumentTypeError(f"{text!r} is no size; {hint}")
    return number


def seconds(text: str) -> float:
    """Read seconds, ``0.5``, or a duration, ``500ms``."""
    try:
        number = float(text)
    except ValueError:
        try:
            number = parse_duration(text)
        except ValueError as error:
            hint = "expected seconds, such as 0.5, or 500ms"
            raise argparse.ArgumentTypeError(f"{error}; {hint}") from error
    if not 0 <= number < _MOST_SECONDS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return number


def some_seconds(text: str) -> float:
    """Read seconds as ``seconds`` does, but not zero: what has no time at all cannot succeed."""
    number = seconds(text)
    if not number:
        raise argparse.ArgumentTypeError("0 is no time at all; expected some seconds")
    return number


def network(text: str) -> IPNetwork:
    """Read a network, ``192.0.2.0/24``, or an address as a network of its own."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a network; expected one such as 192.0.2.0/24"
        ) from error
