"""Which metric an object becomes: the rules by which snmp_exporter's generator reads MIBs.

The rules decide type, labels and names from facts of the dictionary alone; what a module file adds
to them (overrides, lookups, filters) is not known here. Two of them look beside the object: an
InetAddress needs an InetAddressType before it, among the indexes or as the column before, and the
types of an index are those that its object has as a metric.

Types are snmp_exporter's names, which ``exporters.config.snmp_metric`` lists.

Sources: snmp_exporter's generator (tree preparation and config generation), RFC 4001 section 3
(InetAddressType before InetAddress).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from exporters.smi.dictionary import Dictionary
from exporters.smi.mib_objects import IndexPart, Kind, MibObject, Syntax

_BASE_TYPES = {
    "BITS": "Bits",
    "Counter32": "counter",
    "Counter64": "counter",
    "Gauge32": "gauge",
    "INTEGER": "gauge",
    "Integer32": "gauge",
    "IpAddress": "InetAddressIPv4",
    "NetworkAddress": "InetAddressIPv4",
    "OBJECT IDENTIFIER": "OctetString",
    "OCTET STRING": "OctetString",
    "TimeTicks": "gauge",
    "UInteger32": "gauge",
    "Unsigned32": "gauge",
}
_CONVENTIONS = {
    "DateAndTime": "DateAndTime",
    "DisplayString": "DisplayString",
    "Double": "Double",
    "Float": "Float",
    "InetAddress": "InetAddress",
    "InetAddressIPv4": "InetAddressIPv4",
    "InetAddressIPv6": "InetAddressIPv6",
    "LldpPortId": "LldpPortId",
    "NTPTimeStamp": "NTPTimeStamp",
    "ParseDateAndTime": "ParseDateAndTime",
    "PhysAddress": "PhysAddress48",
}
_SUBTYPES = {
    "InetAddress": "InetAddressType",
    "InetAddressMissingSize": "InetAddressType",
    "LldpPortId": "LldpPortIdSubtype",
}
"""Types whose meaning stands in the object before them, which has this convention."""
_INDEX_TYPES = frozenset(
    (
        "DisplayString", "EnumAsInfo", "InetAddress", "InetAddressIPv4", "InetAddressIPv6",
        "InetAddressMissingSize", "LldpPortId", "OctetString", "PhysAddress48", "counter", "gauge",
    )
)  # fmt: skip
_HIDDEN_ACCESS = frozenset(("accessible-for-notify", "write-only"))
_TEXT_HINT = re.compile(r"[0-9]+[at]")
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_]")
_PHYSICAL_ADDRESS_SIZES = (0, 6)


@dataclass(frozen=True, slots=True)
class IndexShape:
    """An index of a metric: a label, and how it is read from the OID."""

    labelname: str
    type: str
    fixed_size: int = 0
    implied: bool = False
    enum_values: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class MetricShape:
    """What an object becomes where nothing overrides it.

    The help is the first sentence of the description, as the generator has it, or the object's
    qualified name where there is no description; the OID follows either.
    """

    name: str
    oid: str
    type: str
    help: str
    indexes: tuple[IndexShape, ...] = ()
    enum_values: tuple[tuple[int, str], ...] = ()


class NoMetricError(ValueError):
    """The object does not become a metric; the message says why."""


def metric_of(dictionary: Dictionary, item: MibObject) -> MetricShape:
    """Give the metric that *item*, a scalar or a column, becomes.

    Raises:
        NoMetricError: It becomes none.
    """
    if item.kind not in (Kind.SCALAR, Kind.COLUMN) or item.syntax is None:
        raise NoMetricError(f"{item.kind} objects have no value of their own")
    if item.access in _HIDDEN_ACCESS:
        raise NoMetricError(f"its access is {item.access}, so that no agent shows it")
    kind = metric_type(item.syntax)
    if kind is None:
        type_name = item.syntax.base or item.syntax.type_name
        raise NoMetricError(f"the type {type_name} has no value that a sample could hold")
    if kind in _SUBTYPES and not _follows(dictionary, item, _SUBTYPES[kind]):
        kind = "OctetString" if kind == "InetAddress" else kind
    indexes = index_shapes(dictionary, item) if item.kind is Kind.COLUMN else ()
    return MetricShape(
        name=sanitize_name(item.name),
        oid=item.dotted_oid,
        type=kind,
        help=f"{item.help or item.qualified_name} - {item.dotted_oid}",
        indexes=indexes,
        enum_values=enum_values(item.syntax),
    )


def enum_values(syntax: Syntax) -> tuple[tuple[int, str], ...]:
    """Give the names of numbers or bits that the object or its convention itself says."""
    if syntax.labels or syntax.convention is None:
        return syntax.labels
    return syntax.convention.syntax.labels


def sanitize_name(name: str) -> str:
    """Make a name one that metrics and labels may have: what they may not hold becomes ``_``."""
    return _NOT_IN_NAMES.sub("_", name)


def metric_type(syntax: Syntax) -> str | None:
    """Give the type of a metric with that syntax, None where it would be dropped.

    Only the convention that the object names counts, not what that is built on: the generator does
    not see further. Examples: ``Counter64`` is a ``counter``, ``DisplayString`` a
    ``DisplayString``, ``MacAddress`` (of six octets, shown as ``1x:``) a ``PhysAddress48``.
    """
    found = _BASE_TYPES.get(syntax.base)
    hint = syntax.convention.display_hint if syntax.convention is not None else ""
    if hint == "1x:" and fixed_size(syntax) in _PHYSICAL_ADDRESS_SIZES:
        found = "PhysAddress48"
    if _TEXT_HINT.fullmatch(hint):
        found = "DisplayString"
    if syntax.convention is not None:
        found = _CONVENTIONS.get(syntax.convention.name, found)
    return found


def fixed_size(syntax: Syntax) -> int:
    """The one size that the convention itself allows, else 0.

    A size that is written at the object, or at what the convention is built on, does not count:
    the generator does not see it.
    """
    ranges = syntax.convention.syntax.ranges if syntax.convention is not None else ()
    if len(ranges) != 1 or ranges[0][0] != ranges[0][1]:
        return 0
    return ranges[0][0]


def index_shapes(dictionary: Dictionary, item: MibObject) -> tuple[IndexShape, ...]:
    """Give the indexes of a column.

    Raises:
        NoMetricError: One of them is not known, or cannot be a label.
    """
    row = dictionary.row_of(item)
    parts = dictionary.indexes_of(item)
    if row is None or not parts:
        raise NoMetricError("its row has no INDEX that is known")
    shapes: list[IndexShape] = []
    conventions: list[str] = []
    for part, found in parts:
        if found is None and not part.module:
            # SMIv1 names a type; the generator takes the name of the entry for a label.
            shape, convention = _of_type(part, row.name), ""
        else:
            shape, convention = _of_object(part, found)
        subtype = _SUBTYPES.get(shape.type)
        if subtype is not None:
            place = _place_of_subtype(conventions, subtype)
            if place is None:
                problem = f"the index {shape.labelname} needs an {subtype} right before it"
                raise NoMetricError(problem)
            del shapes[place], conventions[place]
        shapes.append(shape)
        conventions.append(convention)
    return tuple(shapes)


def _place_of_subtype(conventions: list[str], subtype: str) -> int | None:
    """Right before, or with one index (a SAFI) between."""
    for place in (len(conventions) - 1, len(conventions) - 2):
        if place >= 0 and conventions[place] == subtype:
            return place
    return None


def _of_type(part: IndexPart, label: str) -> IndexShape:
    kind = _BASE_TYPES.get(part.name)
    if kind is None:
        raise NoMetricError(f"the index {part.name} is defined nowhere")
    return IndexShape(sanitize_name(label), kind, 0, part.implied)


def _of_object(part: IndexPart, found: MibObject | None) -> tuple[IndexShape, str]:
    if found is None or found.syntax is None:
        raise NoMetricError(f"the index {part.qualified_name} is not known")
    kind = metric_type(found.syntax)
    names = enum_values(found.syntax) if kind == "gauge" else ()
    kind = "EnumAsInfo" if names else kind
    if kind not in _INDEX_TYPES:
        type_name = kind or found.syntax.type_name
        raise NoMetricError(f"the index {found.name} of type {type_name} cannot be a label")
    convention = found.syntax.convention
    shape = IndexShape(
        sanitize_name(found.name), kind, fixed_size(found.syntax), part.implied, names
    )
    return shape, "" if convention is None else convention.name


def _follows(dictionary: Dictionary, item: MibObject, convention: str) -> bool:
    """Whether the object whose last number is one less has that convention."""
    last = int(item.dotted_oid.rpartition(".")[2])
    before = dictionary.at(dictionary.parse_oid(f"{item.dotted_oid.rpartition('.')[0]}.{last - 1}"))
    return any(
        found.syntax is not None
        and found.syntax.convention is not None
        and found.syntax.convention.name == convention
        for found in before
    )
