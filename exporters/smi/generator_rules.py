"""Which metric an object becomes: the rules by which snmp_exporter's generator reads MIBs.

The rules decide type, labels and names from facts of the dictionary and from the types that a
module overrides; what else a module file says (lookups, filters) is not known here. Two of them
look beside the object: an InetAddress needs an InetAddressType before it, among the indexes or as
the column before, and the types of an index are those that its object has as a metric.

Types are snmp_exporter's names, which ``exporters.config.snmp_metric`` lists.

Sources: snmp_exporter's generator (tree preparation and config generation), RFC 4001 section 3
(InetAddressType before InetAddress).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from exporters.smi.dictionary import Dictionary
from exporters.smi.mib_objects import IndexPart, Kind, MibObject, Syntax
from exporters.wire.ber import Oid, decode_subids, encode_subids, parent_oid

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
_LABEL_TYPES = _INDEX_TYPES | {"Bits"}
"""Types whose values have a text, so that a label can hold them."""
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


@dataclass(frozen=True, slots=True)
class LabelShape:
    """How the value of a column becomes a label of other metrics."""

    type: str
    enum_values: tuple[tuple[int, str], ...] = ()


class NoMetricError(ValueError):
    """The object does not become a metric, or not a label; the message says why."""


class MetricRules:
    """The rules, over one dictionary, and beside the types that a module gives to objects."""

    def __init__(
        self,
        dictionary: Dictionary,
        overridden_type: Callable[[MibObject], str | None] = lambda _: None,
    ) -> None:
        self._dictionary = dictionary
        self._overridden_type = overridden_type
        self._rows: dict[tuple[str, Oid], tuple[IndexShape, ...] | NoMetricError] = {}

    def metric_of(self, item: MibObject) -> MetricShape:
        """Give the metric that *item*, a scalar or a column, becomes.

        Raises:
            NoMetricError: It becomes none.
        """
        if item.kind not in (Kind.SCALAR, Kind.COLUMN) or item.syntax is None:
            raise NoMetricError(f"{item.kind} objects have no value of their own")
        if item.access in _HIDDEN_ACCESS:
            raise NoMetricError(f"its access is {item.access}, so that no agent shows it")
        kind = self._type_of(item, item.syntax)
        if kind is None:
            type_name = item.syntax.base or item.syntax.type_name
            raise NoMetricError(f"the type {type_name} has no value that a sample could hold")
        if kind.startswith("InetAddress") and kind in _SUBTYPES and self.subtype_of(item) is None:
            kind = "OctetString"
        return MetricShape(
            name=sanitize_name(item.name),
            oid=item.dotted_oid,
            type=kind,
            help=f"{item.help or item.qualified_name} - {item.dotted_oid}",
            indexes=self.indexes_of_column(item) if item.kind is Kind.COLUMN else (),
            enum_values=enum_values(item.syntax),
        )

    def label_of(self, item: MibObject) -> LabelShape:
        """Give how the values of *item* become a label of rows that name it in a lookup.

        Raises:
            NoMetricError: They have no text.
        """
        kind = None if item.syntax is None else self._type_of(item, item.syntax)
        if item.syntax is None or kind is None:
            raise NoMetricError(f"{item.kind} objects have no value that a label could hold")
        names = enum_values(item.syntax)
        if names and kind == "gauge" and self._overridden_type(item) is None:
            kind = "EnumAsInfo"
        if kind not in _LABEL_TYPES:
            raise NoMetricError(f"the type {kind} has no text that a label could hold")
        return LabelShape(kind, names if kind in ("EnumAsInfo", "Bits") else ())

    def subtype_of(self, item: MibObject) -> MibObject | None:
        """Give the object before *item* that tells what its value is, if it is of such a type."""
        kind = None if item.syntax is None else self._type_of(item, item.syntax)
        *above, last = decode_subids(item.oid)
        if kind not in _SUBTYPES or not last:
            return None
        before = self._dictionary.at(encode_subids([*above, last - 1]))
        named = (found for found in before if _convention_of(found) == _SUBTYPES[kind])
        return next(named, None)

    def _type_of(self, item: MibObject, syntax: Syntax) -> str | None:
        return self._overridden_type(item) or metric_type(syntax)

    def indexes_of_column(self, item: MibObject) -> tuple[IndexShape, ...]:
        """Give the indexes of a column's row, which its other columns have too.

        Raises:
            NoMetricError: They are not known, or one of them has no text.
        """
        key = (item.module, parent_oid(item.oid))
        found = self._rows.get(key)
        if found is None:
            try:
                found = self._index_shapes(item)
            except NoMetricError as error:
                found = error
            self._rows[key] = found
        if isinstance(found, NoMetricError):
            raise found
        return found

    def _index_shapes(self, item: MibObject) -> tuple[IndexShape, ...]:
        row = self._dictionary.row_of(item)
        parts = self._dictionary.indexes_of(item)
        if row is None or not parts:
            raise NoMetricError("its row has no INDEX that is known")
        shapes: list[IndexShape] = []
        conventions: list[str] = []
        for part, found in parts:
            if found is None and not part.module:
                # SMIv1 names a type; the generator takes the name of the entry for a label.
                shape, convention = _of_type(part, row.name), ""
            else:
                shape, convention = self._of_object(part, found)
            subtype = _SUBTYPES.get(shape.type)
            if subtype is not None and conventions[-1:] == [subtype]:
                del shapes[-1], conventions[-1]
            elif subtype is not None and subtype in conventions[-2:-1]:
                # A SAFI stands between. Read as octets, address and both numbers are right.
                shape = replace(shape, type="OctetString")
            elif subtype is not None:
                problem = f"the index {shape.labelname} needs an {subtype} right before it"
                raise NoMetricError(problem)
            shapes.append(_of_its_own(shape, shapes))
            conventions.append(convention)
        return tuple(shapes)

    def _of_object(self, part: IndexPart, found: MibObject | None) -> tuple[IndexShape, str]:
        if found is None or found.syntax is None:
            raise NoMetricError(f"the index {part.qualified_name} is not known")
        names = enum_values(found.syntax)
        kind = self._overridden_type(found)
        if kind not in _INDEX_TYPES:  # a state set, for instance, is no matter of a label
            kind = metric_type(found.syntax)
            kind = "EnumAsInfo" if names and kind == "gauge" else kind
        if kind not in _INDEX_TYPES:
            type_name = kind or found.syntax.type_name
            raise NoMetricError(f"the index {found.name} of type {type_name} cannot be a label")
        shape = IndexShape(
            sanitize_name(found.name),
            kind,
            fixed_size(found.syntax),
            part.implied,
            names if kind == "EnumAsInfo" else (),
        )
        return shape, _convention_of(found)


def metric_of(dictionary: Dictionary, item: MibObject) -> MetricShape:
    """Give the metric that *item*, a scalar or a column, becomes where nothing overrides it.

    Raises:
        NoMetricError: It becomes none.
    """
    return MetricRules(dictionary).metric_of(item)


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


def _of_its_own(shape: IndexShape, others: list[IndexShape]) -> IndexShape:
    """An index with a label that no other one has: RMON2 names one object twice in an INDEX."""
    taken = {other.labelname for other in others}
    label, number = shape.labelname, 2
    while label in taken:
        label, number = f"{shape.labelname}_{number}", number + 1
    return replace(shape, labelname=label)


def _of_type(part: IndexPart, label: str) -> IndexShape:
    kind = _BASE_TYPES.get(part.name)
    if kind is None:
        raise NoMetricError(f"the index {part.name} is defined nowhere")
    return IndexShape(sanitize_name(label), kind, 0, part.implied)


def _convention_of(item: MibObject) -> str:
    """The name of the convention that the object itself names."""
    if item.syntax is None or item.syntax.convention is None:
        return ""
    return item.syntax.convention.name
