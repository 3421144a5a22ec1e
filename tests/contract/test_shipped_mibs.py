"""The MIB modules that ship: that they are whole, in order, and hold facts alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporters.smi.display_hint import parse_hint
from exporters.smi.mib_objects import LinkedModule
from exporters.smi.mib_store import DirectoryFiles, MibStore, build_files
from exporters.smi.mib_text import format_module, parse_module
from exporters.wire.ber import decode_oid

_LONGEST_WORDS = 40


@pytest.fixture(scope="module")
def directory(repository: Path) -> Path:
    return repository / "modules" / "mibs"


@pytest.fixture(scope="module")
def modules(directory: Path) -> dict[Path, LinkedModule]:
    files = sorted(path for path in directory.glob("*/*.txt") if path.parent.name != "index")
    return {path: parse_module(path.read_text(encoding="utf-8")) for path in files}


def test_a_file_is_called_as_its_module(modules: dict[Path, LinkedModule]) -> None:
    assert [path for path, module in modules.items() if path.stem != module.name] == []


def test_no_two_files_differ_in_case_alone(modules: dict[Path, LinkedModule]) -> None:
    names = [path.name.lower() for path in modules]

    assert sorted(names) == sorted(set(names))


def test_every_file_is_as_it_would_be_written(modules: dict[Path, LinkedModule]) -> None:
    different = [
        path.name
        for path, module in modules.items()
        if format_module(module) != path.read_text(encoding="utf-8")
    ]

    assert different == []


def test_objects_are_in_the_order_of_their_oids(modules: dict[Path, LinkedModule]) -> None:
    for module in modules.values():
        places = [(decode_oid(item.oid), item.name) for item in module.objects]
        assert places == sorted(places), module.name


def test_the_index_is_that_of_the_files(directory: Path, modules: dict[Path, LinkedModule]) -> None:
    folders = {module.name: path.parent.name for path, module in modules.items()}

    files = build_files(modules.values(), lambda name: folders[name])

    for name in ("index/modules.txt", "index/names.txt", "index/trees.txt"):
        assert (directory / name).read_bytes() == files[name], name


def test_nothing_that_somebody_wrote_is_in_them(modules: dict[Path, LinkedModule]) -> None:
    for module in modules.values():
        for item in module.objects:
            assert item.help == "", item.qualified_name
            assert len(item.units) <= _LONGEST_WORDS, item.qualified_name
        for convention in module.conventions:
            hint = convention.display_hint
            if hint and not (hint in "dxob" or hint.startswith("d-")):
                parse_hint(hint)


def test_what_objects_refer_to_ships_too(modules: dict[Path, LinkedModule]) -> None:
    names = {item.qualified_name for module in modules.values() for item in module.objects}
    missing = set()
    for module in modules.values():
        for item in module.objects:
            others = {part.qualified_name for part in item.indexes if part.module}
            others |= {item.augments} if "::" in item.augments else set()
            missing |= {name.partition("::")[0] for name in others - names}

    assert missing <= {"SFLOW-MIB"}


@pytest.mark.parametrize(
    "name",
    [
        "ietf/IF-MIB", "ietf/SNMPv2-SMI", "ietf/BGP4-MIB", "ieee/LLDP-MIB", "iana/IANAifType-MIB",
        "cisco/CISCO-PROCESS-MIB", "juniper/JUNIPER-MIB", "arista/ARISTA-ENTITY-SENSOR-MIB",
        "fortinet/FORTINET-FORTIGATE-MIB", "paloalto/PAN-COMMON-MIB", "f5/F5-BIGIP-SYSTEM-MIB",
        "mikrotik/MIKROTIK-MIB", "ubiquiti/UBNT-UniFi-MIB", "apc/POWERNET-MIB",
        "netsnmp/UCD-SNMP-MIB", "synology/SYNOLOGY-SYSTEM-MIB", "huawei/HUAWEI-ENTITY-EXTENT-MIB",
    ],
)  # fmt: skip
def test_modules_that_everybody_has_devices_for_ship(directory: Path, name: str) -> None:
    assert (directory / f"{name}.txt").is_file()


def test_the_store_opens_and_finds(directory: Path) -> None:
    store = MibStore(DirectoryFiles(directory))

    assert {item.module for item in store.by_name("sysUpTime")} == {"SNMPv2-MIB", "RFC1213-MIB"}
