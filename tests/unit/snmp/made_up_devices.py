"""Devices made up for modules of a configuration: they have all that a module asks for.

Two rows for every column and one for every scalar, with values of the type that the module says.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from exporters.config.snmp_config import Index, Lookup, Metric, Module
from exporters.wire.ber import Oid, encode_integer_content, encode_subids
from exporters.wire.snmp_message import VarBind
from exporters.wire.tags import COUNTER64, INTEGER, OCTET_STRING, OPAQUE

DATE = datetime(2025, 4, 1, 12, 30, 15, tzinfo=UTC)
EXTRACTED = (b"70", b"12.5 C", b"True")


def index_subids(index: Index, row: int) -> tuple[int, ...]:
    """What row number *row* has as this index; larger numbers in the second row."""
    if index.type == "PhysAddress48":
        return (0, 26, 43, 60, 77, 100 * row)
    if index.type == "InetAddressIPv4":
        return (192, 0, 2, row)
    if index.type in {"DisplayString", "OctetString"}:
        return (2, 65, 64 + row)
    return (300 * row - 299,)


def extracted_text(metric: Metric) -> bytes:
    """A text in which every suffix finds a number."""
    for text in EXTRACTED:
        if all(
            any(extract.extract(text.decode()) for extract in extracts)
            for extracts in metric.regex_extracts.values()
        ):
            return text
    raise AssertionError(f"no text for {metric.name}")


def value(metric: Metric, row: int) -> tuple[int, bytes]:
    """A plausible value of a metric."""
    enumerated = sorted(metric.enum_values)
    number = enumerated[-1] if enumerated else row
    match metric.type:
        case "gauge" | "EnumAsInfo" | "EnumAsStateSet":
            return INTEGER, encode_integer_content(number)
        case "counter":
            return COUNTER64, encode_integer_content(2**60 + row)
        case "Float" | "Double":
            return OPAQUE, bytes.fromhex("9f780440400000")
        case "DateAndTime":
            return OCTET_STRING, bytes([DATE.year >> 8, DATE.year & 255, 4, 1, 12, 30, 15, 0])
        case "ParseDateAndTime":
            return OCTET_STRING, DATE.strftime(metric.datetime_pattern).encode()
        case "Bits":
            return OCTET_STRING, b"\xa0"
        case "InetAddressIPv4":
            return OCTET_STRING, bytes([192, 0, 2, row])
        case "PhysAddress48":
            return OCTET_STRING, bytes([0, 26, 43, 60, 77, row])
    if metric.regex_extracts:
        return OCTET_STRING, extracted_text(metric)
    return OCTET_STRING, b"row %d" % row


def metric_rows(metric: Metric, module: Module) -> Iterator[VarBind]:
    """The rows of a metric, and of the lookups that its indexes alone are keys of."""
    got = [oid for oid in module.get if oid.startswith(metric.oid)]
    if got or not metric.indexes:
        for oid in got or [metric.oid + b"\0"]:
            yield oid, *value(metric, 1)
        return
    # The generator lists what a chain of lookups goes through as an index, which no device has.
    found = {lookup.labelname for lookup in metric.lookups if lookup.labels}
    indexes = [index for index in metric.indexes if index.labelname not in found]
    for row in (1, 2):
        keys = {index.labelname: index_subids(index, row) for index in indexes}
        instance = encode_subids(subid for key in keys.values() for subid in key)
        yield metric.oid + instance, *value(metric, row)
        for lookup in metric.lookups:
            if lookup.labels:
                key = encode_subids(subid for label in lookup.labels for subid in keys[label])
                yield lookup.oid + key, *lookup_value(lookup, metric, row)
                keys[lookup.labelname] = (row,)


def lookup_value(lookup: Lookup, metric: Metric, row: int) -> tuple[int, bytes]:
    """A plausible value of a lookup; a number if a later lookup has it as its key."""
    if lookup.type == "EnumAsInfo":
        return INTEGER, encode_integer_content(sorted(lookup.enum_values)[-1])
    if any(lookup.labelname in later.labels for later in metric.lookups):
        return INTEGER, encode_integer_content(row)
    return OCTET_STRING, b"name %d" % row


def made_up_device(module: Module) -> list[VarBind]:
    """A device that has all of a module; a metric's value goes before a lookup's."""
    rows: dict[Oid, VarBind] = {}
    for metric in module.metrics:
        for varbind in metric_rows(metric, module):
            if varbind[0] not in rows or varbind[0].startswith(metric.oid):
                rows[varbind[0]] = varbind
    return sorted(rows.values())
