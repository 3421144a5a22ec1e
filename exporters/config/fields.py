"""The kinds of values that configuration files hold, with their checks and wording.

Each is an ``Annotated`` type for pydantic. They differ from pydantic's own in that they know how
YAML values were written (``exporters.config.scalars``): text stays text whatever it looks like,
and nothing is guessed from text to number or back.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)

from exporters.config.context import context_of
from exporters.config.go_duration import parse_duration
from exporters.config.go_template import Template, parse_template
from exporters.config.re2 import Regex, compile_regex
from exporters.config.rejection import Rejected, describe, quote, suggest
from exporters.config.scalars import boolean_of, text_of
from exporters.wire.ber import encode_oid

_METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
DURATION_FORMAT = "go-duration"
_DURATION_PATTERN = r"^[-+]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))+)$"

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def _text(value: object) -> str:
    if type(value) is str:
        return value
    text = text_of(value)
    if text is None:
        raise Rejected(f"expected text, found {describe(value)}")
    return text


def _filled(text: str) -> str:
    if not text.strip():
        raise Rejected("is empty")
    return text


def _integer(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and value.lstrip("-").isdecimal():
        raise Rejected(f"expected a whole number, found the text {quote(value)}", "drop the quotes")
    raise Rejected(f"expected a whole number, found {quote(value)}")


def _number(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise Rejected(f"expected a number, found {quote(value)}")


def _boolean(value: object) -> bool:
    answer = boolean_of(value)
    if answer is None:
        raise Rejected(f"expected true or false, found {quote(value)}")
    return answer


def _duration(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if value == 0:
            return 0.0
        raise Rejected(f"the duration {text_of(value)} has no unit", f"write {text_of(value)}s")
    try:
        return parse_duration(_text(value))
    except ValueError as error:
        hint = "write it as 5s, 1m30s or 500ms"
        raise Rejected(f"expected a duration, found {quote(value)}", hint) from error


def _oid(value: object, info: ValidationInfo) -> bytes:
    if isinstance(value, bytes):
        return value
    text = _text(value)
    known = context_of(info).shared
    key = ("oid", text)
    if key in known:
        found: bytes = known[key]
        return found
    try:
        oid = encode_oid(text)
    except ValueError as error:
        problem = str(error).replace(repr(text), quote(text), 1)
        raise Rejected(*problem.split(": ", 1)) from error
    known[key] = oid
    return oid


def is_metric_name(text: str) -> bool:
    """Tell whether Prometheus takes *text* as the name of a metric."""
    return _METRIC_NAME.match(text) is not None


def _metric_name(name: str) -> str:
    if not is_metric_name(name):
        hint = "it may hold letters, digits, _ and :, and not begin with a digit"
        raise Rejected(f"{quote(name)} is not a metric name", hint)
    return name


def _label_name(name: str) -> str:
    if not _LABEL_NAME.match(name):
        hint = "it may hold letters, digits and _, and not begin with a digit"
        raise Rejected(f"{quote(name)} is not a label name", hint)
    if name.startswith("__"):
        raise Rejected(f"{quote(name)} is not a label name", "Prometheus keeps __ for itself")
    return name


def _regex(*, whole: bool) -> Callable[[object], Regex]:
    def check(value: object) -> Regex:
        if isinstance(value, Regex):
            return value
        text = _text(value)
        try:
            return compile_regex(text, whole=whole)
        except ValueError as error:
            raise Rejected(f"{quote(text)} is not a regular expression: {error}") from error

    return check


def _template(value: object) -> Template:
    return value if isinstance(value, Template) else parse_template(_text(value))


def _network(value: object) -> IPNetwork:
    if isinstance(value, ipaddress.IPv4Network | ipaddress.IPv6Network):
        return value
    text = _text(value)
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        try:
            hint = f"write {ipaddress.ip_network(text, strict=False)}"
        except ValueError:
            hint = "write it as 192.0.2.0/24 or 2001:db8::/32"
        raise Rejected(f"{quote(text)} is not a network", hint) from error


def ip_address(value: object) -> IPAddress:
    """Give the IP address that a value is.

    Raises:
        Rejected: It is none.
    """
    if isinstance(value, ipaddress.IPv4Address | ipaddress.IPv6Address):
        return value
    text = _text(value)
    try:
        return ipaddress.ip_address(text)
    except ValueError as error:
        hint = "write it as 192.0.2.1 or 2001:db8::1"
        raise Rejected(f"{quote(text)} is not an IP address", hint) from error


def _enum_values(
    value: object, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
) -> Mapping[int, str]:
    """Hold equal mappings once: thousands are alike. Those that need no check skip it."""
    names: dict[int, str]
    if isinstance(value, dict) and all(
        type(number) is int and type(name) is str for number, name in value.items()
    ):
        names = value
    else:
        names = handler({} if value is None else value)
    key = ("enum_values", tuple(names.items()))
    held: Mapping[int, str] = context_of(info).shared.setdefault(key, MappingProxyType(dict(names)))
    return held


def one_of(known: Sequence[str], what: str, *, empty: str = "") -> BeforeValidator:
    """Make a validator for a closed set of words; *empty* is what no text at all means."""

    def check(value: object) -> str:
        text = _text(value) or empty
        if text not in known:
            hint = suggest(text, known, f"known {what}s")
            raise Rejected(f"unknown {what} {quote(text)}", hint)
        return text

    return BeforeValidator(check)


def _file_path(value: object, info: ValidationInfo) -> Path | None:
    if isinstance(value, Path):
        return value
    text = _text(value)
    return context_of(info).directory / text if text else None


def _frozen(mapping: Mapping[Any, Any]) -> Mapping[Any, Any]:
    return MappingProxyType(dict(mapping))


def _empty_for_null(make: Callable[[], Any]) -> BeforeValidator:
    return BeforeValidator(lambda value: make() if value is None else value)


Text = Annotated[str, BeforeValidator(_text)]
"""Any scalar, as it was written; a null is empty."""

Name = Annotated[str, AfterValidator(_filled), BeforeValidator(_text)]
"""Text that is not blank."""

Integer = Annotated[int, BeforeValidator(_integer)]
Count = Annotated[int, Field(ge=0), BeforeValidator(_integer)]
Number = Annotated[float, BeforeValidator(_number)]
Boolean = Annotated[bool, BeforeValidator(_boolean)]

Rate = Annotated[float, Field(ge=0), BeforeValidator(_number)]
"""So many a second; less than one is possible."""

Duration = Annotated[
    float,
    BeforeValidator(_duration),
    WithJsonSchema(
        {
            "format": DURATION_FORMAT,
            "anyOf": [{"type": "string", "pattern": _DURATION_PATTERN}, {"const": 0}],
        }
    ),
]
"""Seconds, written as Go does: ``5s``, ``1m30s``, ``500ms``, ``0``."""

ObjectIdentifier = Annotated[
    bytes,
    PlainValidator(_oid),
    WithJsonSchema({"type": "string", "pattern": r"^\.?[0-2](\.\d+)*$"}),
]
"""An OID as content bytes (``exporters.wire.ber.Oid``), written dotted, one leading dot allowed."""

MetricName = Annotated[str, AfterValidator(_metric_name), BeforeValidator(_text)]
LabelName = Annotated[str, AfterValidator(_label_name), BeforeValidator(_text)]

SearchedRegex = Annotated[
    Regex,
    PlainValidator(_regex(whole=False)),
    WithJsonSchema({"type": "string", "format": "regex"}),
]
"""A pattern that may match anywhere in a text."""

WholeRegex = Annotated[
    Regex,
    PlainValidator(_regex(whole=True)),
    WithJsonSchema({"type": "string", "format": "regex"}),
]
"""A pattern that must match a text from end to end."""

ReplacementText = Annotated[Template, PlainValidator(_template), WithJsonSchema({"type": "string"})]
"""What a match is turned into: ``$1``, ``${1}``, ``$name``."""

Network = Annotated[
    IPNetwork, PlainValidator(_network), WithJsonSchema({"type": "string", "format": "cidr"})
]

IpAddress = Annotated[IPAddress, PlainValidator(ip_address), WithJsonSchema({"type": "string"})]

FilePath = Annotated[Path | None, PlainValidator(_file_path), WithJsonSchema({"type": "string"})]
"""A file, relative to the one that names it; empty text is none."""

EnumValues = Annotated[Mapping[Integer, Text], WrapValidator(_enum_values)]
"""Numbers and their names; read-only, and one object for all that are equal."""

EMPTY_MAPPING: Mapping[Any, Any] = MappingProxyType({})
FROZEN = AfterValidator(_frozen)
"""Makes a validated mapping read-only."""
NULL_IS_EMPTY_LIST = _empty_for_null(list)
NULL_IS_EMPTY_MAPPING = _empty_for_null(dict)
