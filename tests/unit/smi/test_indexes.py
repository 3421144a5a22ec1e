from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from exporters.smi.indexes import INDEX_TYPES, compile_index

_SUBIDS = st.lists(st.integers(0, (1 << 32) - 1) | st.integers(0, 20), max_size=128).map(tuple)
_ENUM = {1: "one", 2: "two"}


def test_index_of_case(indexes_case: dict[str, Any]) -> None:
    decode = compile_index(
        indexes_case["type"],
        indexes_case.get("fixed_size", 0),
        indexes_case.get("implied", False),
        indexes_case.get("enum_values"),
    )
    taken = tuple(indexes_case["taken"])

    assert decode(tuple(indexes_case["subids"]), 0) == (indexes_case["label"], taken, len(taken))


def test_row_of_case(index_rows_case: dict[str, Any]) -> None:
    labels = []
    start = 0
    for index in index_rows_case["indexes"]:
        decode = compile_index(index["type"], implied=index.get("implied", False))
        label, _, start = decode(tuple(index_rows_case["subids"]), start)
        labels.append(label)

    assert labels == index_rows_case["labels"]


def test_index_that_cannot_be_is_refused(index_faults_case: dict[str, Any]) -> None:
    with pytest.raises(ValueError) as caught:
        compile_index(index_faults_case["type"], index_faults_case.get("fixed_size", 0))
    assert index_faults_case["reason"] in str(caught.value)


@pytest.mark.parametrize("type_name", sorted(INDEX_TYPES))
def test_every_type_takes_any_instance(type_name: str) -> None:
    @given(_SUBIDS, st.integers(0, 140), st.sampled_from([0, 0, 1, 6, 128]), st.booleans())
    def check(subids: tuple[int, ...], start: int, fixed_size: int, implied: bool) -> None:
        decode = compile_index(type_name, fixed_size, implied, _ENUM)

        label, taken, following = decode(subids, start)

        assert following == start + len(taken)
        assert len(taken) <= 130
        assert taken[: len(subids[start:])] == subids[start:following]
        assert not any(taken[len(subids[start:]) :])  # only zeros are made up
        assert label.encode().decode() == label

    check()


@pytest.mark.parametrize("type_name", ["OctetString", "DisplayString", "InetAddress", "LldpPortId"])
def test_length_that_no_oid_has_does_not_allocate(type_name: str) -> None:
    label, taken, _ = compile_index(type_name)((3, 4_294_967_295, 4_294_967_295, 1), 1)

    assert len(label) < 50
    assert len(taken) == 3


class Encoded:
    """Values of a row, each with its index type, its sub-identifiers (RFC 2578 s7.7) and label."""

    @staticmethod
    def integer(value: int) -> tuple[str, tuple[int, ...], str]:
        return "gauge", (value,), str(value)

    @staticmethod
    def text(value: str) -> tuple[str, tuple[int, ...], str]:
        octets = value.encode()
        return "DisplayString", (len(octets), *octets), value

    @staticmethod
    def octets(value: bytes) -> tuple[str, tuple[int, ...], str]:
        label = "0x" + "".join(format(octet, "02X") for octet in value) if value else ""
        return "OctetString", (len(value), *value), label

    @staticmethod
    def oid(arcs: list[int]) -> tuple[str, tuple[int, ...], str]:
        return "ObjectIdentifier", (len(arcs), *arcs), ".".join(str(arc) for arc in arcs)

    @staticmethod
    def ipv4(address: IPv4Address) -> tuple[str, tuple[int, ...], str]:
        return "InetAddress", (1, 4, *address.packed), str(address)

    @staticmethod
    def ipv6(address: IPv6Address) -> tuple[str, tuple[int, ...], str]:
        return "InetAddress", (2, 16, *address.packed), address.exploded.upper()

    @staticmethod
    def lldp_mac(octets: bytes) -> tuple[str, tuple[int, ...], str]:
        label = ":".join(format(octet, "02X") for octet in octets)
        return "LldpPortId", (3, 6, *octets), label

    @staticmethod
    def lldp_name(name: str) -> tuple[str, tuple[int, ...], str]:
        octets = name.encode()
        return "LldpPortId", (5, len(octets), *octets), name


_ROWS = st.lists(
    st.integers(0, (1 << 32) - 1).map(Encoded.integer)
    | st.text(max_size=8).map(Encoded.text)
    | st.binary(max_size=12).map(Encoded.octets)
    | st.lists(st.integers(0, (1 << 32) - 1), max_size=10).map(Encoded.oid)
    | st.ip_addresses(v=4).map(Encoded.ipv4)
    | st.ip_addresses(v=6).map(Encoded.ipv6)
    | st.binary(min_size=6, max_size=6).map(Encoded.lldp_mac)
    | st.text(max_size=8).map(Encoded.lldp_name),
    max_size=5,
)


@given(_ROWS)
def test_rows_encoded_as_the_rfc_says_are_decoded(
    row: list[tuple[str, tuple[int, ...], str]],
) -> None:
    subids = tuple(subid for _, encoded, _ in row for subid in encoded)
    position = 0
    for type_name, encoded, label in row:
        found = compile_index(type_name)(subids, position)
        position += len(encoded)

        assert found == (label, encoded, position)


def test_index_types_of_snmp_exporter_compile(shared_dir: Path) -> None:
    shipped = (shared_dir / "peers" / "snmp_exporter-snmp.yml").read_text()
    indexes = re.findall(r"- labelname: \S+\n\s+type: (\S+)\n(?:\s+fixed_size: (\d+))?", shipped)

    assert len(indexes) > 5_000
    for type_name, fixed_size in set(indexes):
        compile_index(yaml.safe_load(type_name), int(fixed_size or 0))
