from __future__ import annotations

from pathlib import Path

from exporters.metrics.exposition import Exposition
from exporters.metrics.negotiation import TextFormat
from exporters.polling.cursor import Rows
from exporters.polling.walk import WalkResult
from exporters.snmp.plan import ModulePlan, compile_module
from exporters.snmp.sheet import Sheet
from exporters.wire.ber import encode_oid, encode_subids
from exporters.wire.tags import GAUGE32

from .scraping import load_module

FIRST, SECOND = encode_oid("1.1.1"), encode_oid("1.1.2")
NO_SUBIDENTIFIER = b"\xff\xff\xff\xff\x7f"


def two_columns(folder: Path) -> ModulePlan:
    index = {"labelname": "i", "type": "gauge"}
    metrics = [
        {"name": name, "oid": oid, "type": "gauge", "indexes": [index]}
        for name, oid in (("a", "1.1.1"), ("b", "1.1.2"))
    ]
    return compile_module("m", load_module({"walk": ["1.1"], "metrics": metrics}, folder))


def rows(*indexes: int) -> Rows:
    return {encode_subids([index]): (GAUGE32, b"\x05") for index in indexes}


def write(plan: ModulePlan, first: Rows, second: Rows) -> tuple[list[str], Sheet]:
    exposition = Exposition()
    sheet = Sheet(
        WalkResult(columns={FIRST: first, SECOND: second}), exposition, wrap_counters=True
    )
    for _ in plan.write(sheet):
        pass
    text = exposition.text(TextFormat.PROMETHEUS)
    return [line for line in text.splitlines() if line[0] != "#"], sheet


def test_columns_may_have_different_rows(tmp_path: Path) -> None:
    samples, _ = write(two_columns(tmp_path), rows(1, 2), rows(2, 3))

    assert samples == ['a{i="1"} 5', 'a{i="2"} 5', 'b{i="2"} 5', 'b{i="3"} 5']


def test_rows_keep_the_order_in_which_they_were_read(tmp_path: Path) -> None:
    samples, _ = write(two_columns(tmp_path), rows(10, 2), rows(2, 10))

    assert samples == ['a{i="10"} 5', 'a{i="2"} 5', 'b{i="2"} 5', 'b{i="10"} 5']


def test_row_whose_instance_is_no_oid_is_counted_once_and_left_out(tmp_path: Path) -> None:
    broken = {NO_SUBIDENTIFIER: (GAUGE32, b"\x01")}

    samples, sheet = write(
        two_columns(tmp_path), {**rows(1), **broken, **rows(2)}, {**broken, **rows(2)}
    )

    assert samples == ['a{i="1"} 5', 'a{i="2"} 5', 'b{i="2"} 5']
    assert sheet.values_unreadable == 1


def test_nothing_but_broken_rows_gives_nothing(tmp_path: Path) -> None:
    samples, sheet = write(two_columns(tmp_path), {NO_SUBIDENTIFIER: (GAUGE32, b"\x01")}, {})

    assert samples == []
    assert sheet.values_unreadable == 1


def test_large_table_has_the_same_samples_as_a_small_one(tmp_path: Path) -> None:
    indexes = range(1, 1300)

    samples, _ = write(two_columns(tmp_path), rows(*indexes), rows(*indexes))

    assert samples == [f'{name}{{i="{index}"}} 5' for name in "ab" for index in indexes]
