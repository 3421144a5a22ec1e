from __future__ import annotations

from pathlib import Path

import pytest

from exporters.smi.dictionary import Dictionary
from exporters.smi.mib_objects import Convention, Kind, LinkedModule, MibObject, Syntax
from exporters.smi.mib_store import DirectoryFiles, MemoryFiles, MibStore, build_files
from exporters.snmp.commands.named_line import NamedLines
from exporters.wire.ber import encode_oid
from exporters.wire.tags import (
    COUNTER32,
    GAUGE32,
    INTEGER,
    NO_SUCH_INSTANCE,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    OPAQUE,
    TIME_TICKS,
)


@pytest.fixture(scope="module")
def shipped(repository: Path) -> NamedLines:
    return NamedLines(Dictionary((MibStore(DirectoryFiles(repository / "modules" / "mibs")),)))


IF = "1.3.6.1.2.1.2.2.1"


@pytest.mark.parametrize(
    ("oid", "tag", "content", "line"),
    [
        pytest.param(f"{IF}.8.1", INTEGER, b"\x01", "IF-MIB::ifOperStatus.1 = INTEGER: up(1)",
                     id="a label"),
        pytest.param(f"{IF}.8.1", INTEGER, b"\x63", "IF-MIB::ifOperStatus.1 = INTEGER: 99",
                     id="a number without a label"),
        pytest.param(f"{IF}.8.1", OCTET_STRING, b"up", 'IF-MIB::ifOperStatus.1 = STRING: "up"',
                     id="another type than the MIB says"),
        pytest.param(f"{IF}.2.1", OCTET_STRING, b'a "b"',
                     r'IF-MIB::ifDescr.1 = STRING: "a \"b\""', id="text"),
        pytest.param(f"{IF}.2.1", OCTET_STRING, b"\x00\xff",
                     "IF-MIB::ifDescr.1 = Hex-STRING: 00 FF", id="octets that are no text"),
        pytest.param(f"{IF}.6.1", OCTET_STRING, b"\x00\x1a\x2b\x3c\x4d\x5e",
                     "IF-MIB::ifPhysAddress.1 = STRING: 00:1A:2B:3C:4D:5E", id="a hint"),
        pytest.param(f"{IF}.6.1", OCTET_STRING, b"", 'IF-MIB::ifPhysAddress.1 = STRING: ""',
                     id="nothing to hint at"),
        pytest.param("1.3.6.1.2.1.25.2.2.0", INTEGER, b"\x10",
                     "HOST-RESOURCES-MIB::hrMemorySize.0 = INTEGER: 16 KBytes", id="units"),
        pytest.param(f"{IF}.9.1", TIME_TICKS, b"\x64",
                     "IF-MIB::ifLastChange.1 = Timeticks: (100) 0 days, 0:00:01.00", id="time"),
        pytest.param(f"{IF}.10.1", COUNTER32, b"\x07", "IF-MIB::ifInOctets.1 = Counter32: 7",
                     id="a counter"),
        pytest.param(f"{IF}.22.1", OBJECT_IDENTIFIER, b"\x00",
                     "IF-MIB::ifSpecific.1 = OID: SNMPv2-SMI::zeroDotZero (0.0)", id="an OID"),
        pytest.param(f"{IF}.22.1", OBJECT_IDENTIFIER, b"\x86",
                     "IF-MIB::ifSpecific.1 = OID: 86", id="an OID that is none"),
        pytest.param("1.0.8802.1.1.2.1.3.5.0", OCTET_STRING, b"\x28",
                     "LLDP-MIB::lldpLocSysCapSupported.0 = BITS: 28 bridge(2) router(4)",
                     id="bits"),
        pytest.param("1.0.8802.1.1.2.1.3.5.0", OCTET_STRING, b"\x00\x80",
                     "LLDP-MIB::lldpLocSysCapSupported.0 = BITS: 00 80 8", id="a bit without name"),
        pytest.param("1.3.6.1.2.1.25.1.2.0", OCTET_STRING, b"\x07\xea\x01\x02\x03\x04\x05\x06",
                     "HOST-RESOURCES-MIB::hrSystemDate.0 = STRING: 2026-1-2,3:4:5.6", id="a date"),
        pytest.param("1.3.6.1.2.1.1.5.1", NO_SUCH_INSTANCE, b"",
                     "SNMPv2-MIB::sysName.1 = No Such Instance currently exists at this OID",
                     id="no instance"),
        pytest.param("1.3.6.1.4.1.2021.10.1.6.1", OPAQUE, b"\x9f\x78\x04\x42\xf6\x00\x00",
                     "UCD-SNMP-MIB::laLoadFloat.1 = Opaque: 123", id="a float"),
    ],
)  # fmt: skip
def test_a_line_says_what_the_mib_does(
    shipped: NamedLines, oid: str, tag: int, content: bytes, line: str
) -> None:
    name, _, value = line.partition(" = ")
    varbind = (encode_oid(oid), tag, content)

    assert shipped.format_varbind(varbind) == f"{name} ({oid}) = {value}"


def test_an_oid_without_a_name_is_a_line_without_one(shipped: NamedLines) -> None:
    assert shipped.format_varbind((encode_oid("2.999.1"), INTEGER, b"\x01")) == (
        "2.999.1 = INTEGER: 1"
    )


@pytest.mark.parametrize(
    ("hint", "tag", "content", "value"),
    [
        ("d-2", INTEGER, b"\x04\xd2", "INTEGER: 12.34 V"),
        ("d-1", GAUGE32, b"\x05", "Gauge32: 0.5 V"),
        ("x", INTEGER, b"\x7f", "INTEGER: 7F V"),
        ("wrong", INTEGER, b"\x05", "INTEGER: 5 V"),
        ("", OCTET_STRING, b"5", 'STRING: "5"'),
    ],
)
def test_a_number_follows_its_hint_and_has_its_unit(
    hint: str, tag: int, content: bytes, value: str
) -> None:
    convention = Convention("A-MIB", "T", Syntax("Integer32"), hint)
    item = MibObject(
        module="A-MIB", name="a", oid=encode_oid("1.3.6"), kind=Kind.SCALAR,
        syntax=Syntax("T", convention),
        units="V",
    )  # fmt: skip
    files = build_files([LinkedModule("A-MIB", 2, "", (convention,), (item,))], lambda _: "")
    lines = NamedLines(Dictionary((MibStore(MemoryFiles(files)),)))

    varbind = (encode_oid("1.3.6.0"), tag, content)
    assert lines.format_varbind(varbind) == f"A-MIB::a.0 (1.3.6.0) = {value}"
