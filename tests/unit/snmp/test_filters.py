from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from exporters.errors import FailureReason, TargetError
from exporters.polling.cursor import Range
from exporters.polling.walk import Instance, WalkResult
from exporters.snmp.filters import apply_filters
from exporters.snmp.plan import compile_module
from exporters.wire.ber import Oid, encode_oid, format_oid

from .scraping import device, load_module, read, read_cases

DEVICE = device("""
1.3.6.1.2.1.2.2.1.2.1|4|lo
1.3.6.1.2.1.2.2.1.2.2|4|Intel 2
1.3.6.1.2.1.2.2.1.2.3|4|Intel 3
1.3.6.1.2.1.2.2.1.2.4|4|dummy
1.3.6.1.2.1.2.2.1.8.1|2|2
1.3.6.1.2.1.2.2.1.8.2|2|1
1.3.6.1.2.1.2.2.1.8.3|2|1
1.3.6.1.2.1.2.2.1.8.4|2|5
1.3.6.1.2.1.99.1.1.3.1.1|4|down
1.3.6.1.2.1.99.1.1.3.1.2|4|up
1.3.6.1.2.1.99.1.1.3.2.1|4|up
1.3.6.1.2.1.99.1.1.3.2.2|4|down
""")
COLUMNS = {
    "ifDescr": "1.3.6.1.2.1.2.2.1.2",
    "ifOperStatus": "1.3.6.1.2.1.2.2.1.8",
    "ifAlias": "1.3.6.1.2.1.31.1.1.1.18",
    "state": "1.3.6.1.2.1.99.1.1.3",
    "count": "1.3.6.1.2.1.99.1.1.4",
}
INDEX = {"labelname": "i", "type": "gauge"}
METRICS = [
    {"name": "ifNumber", "oid": "1.3.6.1.2.1.2.1", "type": "gauge"},
    *({"name": name, "oid": oid, "indexes": [INDEX]} for name, oid in COLUMNS.items()),
]
WALK = ["1.3.6.1.2.1.2.2.1.2", "1.3.6.1.2.1.2.2.1.8", "1.3.6.1.2.1.31.1.1.1.18"]


class FakeWalker:
    """Reads from a device; some columns fail."""

    def __init__(self, unreadable: Sequence[Oid]) -> None:
        self._unreadable = unreadable

    async def read(self, ranges: Sequence[Range], instances: Sequence[Instance]) -> WalkResult:
        result = read(ranges, instances, DEVICE)
        for item in ranges:
            if item.root in self._unreadable:
                result.fail(TargetError(FailureReason.NO_ACCESS, "noAccess"))
        return result


@pytest.mark.parametrize("case", read_cases("filters"), ids=lambda case: case["id"])
async def test_reads_of_case(case: dict[str, Any], tmp_path: Path) -> None:
    walked = {key: case[key] for key in ("walk", "get") if key in case} or {"walk": WALK}
    module = load_module({**walked, "metrics": METRICS, "filters": case["filters"]}, tmp_path)
    plan = compile_module("module", module)
    walker = FakeWalker([encode_oid(oid) for oid in case.get("unreadable", [])])

    ranges, instances = await apply_filters(plan.filters, walker, plan.ranges, plan.instances)

    read_in_the_end = {
        "walked": [format_oid(oid) for oid in sorted(item.root for item in ranges)],
        "got": [format_oid(oid) for oid in sorted(item.oid for item in instances)],
    }
    assert read_in_the_end == case["read"]


async def test_rows_that_are_got_belong_to_their_columns(tmp_path: Path) -> None:
    filters = [{"oid": COLUMNS["ifOperStatus"], "targets": ["1.3.6.1.2.1.2.2"], "values": ["5"]}]
    module = load_module({"walk": WALK, "metrics": METRICS, "filters": filters}, tmp_path)
    plan = compile_module("module", module)

    ranges, instances = await apply_filters(
        plan.filters, FakeWalker([]), plan.ranges, plan.instances
    )
    result = read(ranges, instances, DEVICE)

    assert result.columns == {
        encode_oid(COLUMNS["ifAlias"]): {},
        encode_oid(COLUMNS["ifDescr"]): {b"\x04": (0x04, b"dummy")},
        encode_oid(COLUMNS["ifOperStatus"]): {b"\x04": (0x02, b"\x05")},
    }
