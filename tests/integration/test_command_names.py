"""Lines of ``walk`` against those of net-snmp's snmpwalk, with the same MIBs, of a real agent."""

from __future__ import annotations

import re
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .processes import Programs, netexporters
from .snmpd import COMMUNITY, Snmpd

pytestmark = [
    pytest.mark.peer("snmpd", "snmpd"),
    pytest.mark.peer("snmpbulkwalk", "snmp"),
]

# What stands still between two walks, of every kind that lines have: labels, units, text and
# addresses as indexes, display hints, BITS, dates, OIDs as values.
ROOTS = (
    "1.3.6.1.2.1.1.9", "1.3.6.1.2.1.2.2.1.1", "1.3.6.1.2.1.2.2.1.2", "1.3.6.1.2.1.2.2.1.3",
    "1.3.6.1.2.1.2.2.1.5", "1.3.6.1.2.1.2.2.1.6", "1.3.6.1.2.1.2.2.1.7", "1.3.6.1.2.1.2.2.1.8",
    "1.3.6.1.2.1.25.2.2", "1.3.6.1.2.1.25.2.3.1.2", "1.3.6.1.2.1.25.3.2.1.2",
    "1.3.6.1.2.1.31.1.1.1.1", "1.3.6.1.2.1.31.1.1.1.17", "1.3.6.1.2.1.88",
    "1.3.6.1.4.1.2021.4.5", "1.3.6.1.4.1.8072.1.3.2.2", "1.3.6.1.4.1.8072.1.3.2.3",
    "1.3.6.1.6.3.10.2.1.4", "1.3.6.1.6.3.12", "1.3.6.1.6.3.16",
)  # fmt: skip
MODULES = (
    "SNMPv2-MIB", "IF-MIB", "IANAifType-MIB", "HOST-RESOURCES-MIB", "HOST-RESOURCES-TYPES",
    "DISMAN-EVENT-MIB", "UCD-SNMP-MIB", "NET-SNMP-EXTEND-MIB", "SNMP-FRAMEWORK-MIB",
    "SNMP-NOTIFICATION-MIB", "SNMP-TARGET-MIB", "SNMP-VIEW-BASED-ACM-MIB",
    "SNMP-USER-BASED-SM-MIB", "SNMP-MPD-MIB",
    "IP-MIB", "TCP-MIB", "UDP-MIB", "NOTIFICATION-LOG-MIB", "IPV6-MIB",
)  # fmt: skip
DIRECTIVES = (
    'extend "two words" /bin/echo hi\nextend plain /bin/true\n'
    "monitor -r 3600 -o hrMemorySize \"high memory\" hrMemorySize > 999999999\n"
)  # fmt: skip


@pytest.fixture(scope="module")
def mibs(shared_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("mibs")
    with tarfile.open(shared_dir / "data" / "mibs.tar.xz") as archive:
        archive.extractall(target, filter="data")
    return target / "mibs"


@pytest.fixture
def snmpd(programs: Programs, tmp_path: Path) -> Iterator[Snmpd]:
    yield Snmpd(programs, tmp_path, directives=DIRECTIVES)


def rows(lines: list[str]) -> dict[str, str]:
    """Values by name; a line without a name goes on with the value before it."""
    found: dict[str, str] = {}
    name = ""
    for line in lines:
        if re.match(r"[A-Za-z0-9-]+::\S", line):
            name, _, value = line.partition(" = ")
            if not value.startswith("No more variables"):
                found[name] = value
        elif name:
            found[name] += f"\n{line}"
    return found


def as_ours(name: str, value: str) -> tuple[str, str]:
    """A line of net-snmp as we write it: text in quotation marks, two digits to an octet."""
    # An index that is IMPLIED has another quotation mark there, and the same here.
    name = re.sub(r"'([^']*)'", r'"\1"', name)
    value = value.rstrip()
    if value in ('""', "STRING:"):
        return name, 'STRING: ""'
    if value.startswith("Timeticks:"):
        return name, re.sub(r"\) (?=\d+:)", ") 0 days, ", value)
    if value.startswith("STRING: ") and re.fullmatch(r"(\w{1,2}:){5}\w{1,2}", value[8:]):
        return name, "STRING: " + ":".join(part.zfill(2).upper() for part in value[8:].split(":"))
    if value.startswith("STRING: "):
        text = value[8:].replace("\\", "\\\\").replace('"', '\\"')
        value = f'STRING: "{text}"'
    return name, value


def without_numbers(name: str, value: str) -> tuple[str, str]:
    """A line of ours without the numbers beside names."""
    name = re.sub(r" \([0-9.]+\)$", "", name)
    return name, re.sub(r"^(OID: .*) \([0-9.]+\)$", r"\1", value)


def test_walk_names_and_labels_everything_as_net_snmp_does(snmpd: Snmpd, mibs: Path) -> None:
    theirs: list[str] = []
    for root in ROOTS:
        run = subprocess.run(
            ["snmpbulkwalk", "-v2c", "-c", COMMUNITY, "-M", mibs, "-m", ":".join(MODULES),
             snmpd.target, root],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        theirs += run.stdout.splitlines()
    ours = netexporters("walk", "-c", COMMUNITY, snmpd.target, *ROOTS)
    assert ours.returncode == 0, ours.stderr

    wanted = dict(as_ours(*row) for row in rows(theirs).items())
    found = dict(without_numbers(*row) for row in rows(ours.stdout.splitlines()).items())
    assert len(wanted) > 150
    assert sorted(found.items() - wanted.items()) == []
    assert found.keys() == wanted.keys()


def test_get_takes_the_names_that_net_snmp_writes(snmpd: Snmpd) -> None:
    names = (
        "SNMPv2-MIB::sysName.0", "sysContact.0", ".1.3.6.1.2.1.1.6.0", "ifDescr.1",
        'NET-SNMP-EXTEND-MIB::nsExtendOutput1Line."two words"',
    )  # fmt: skip
    result = netexporters("get", "-c", COMMUNITY, snmpd.target, *names)

    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [
        'SNMPv2-MIB::sysName.0 (1.3.6.1.2.1.1.5.0) = STRING: "tested"',
        'SNMPv2-MIB::sysContact.0 (1.3.6.1.2.1.1.4.0) = STRING: "Zoë <zoe@example.com>"',
        'SNMPv2-MIB::sysLocation.0 (1.3.6.1.2.1.1.6.0) = STRING: "cellar"',
        'IF-MIB::ifDescr.1 (1.3.6.1.2.1.2.2.1.2.1) = STRING: "lo"',
        'NET-SNMP-EXTEND-MIB::nsExtendOutput1Line."two words"'
        ' (1.3.6.1.4.1.8072.1.3.2.3.1.1.9.116.119.111.32.119.111.114.100.115) = STRING: "hi"',
    ]


def test_walk_takes_names_of_subtrees(snmpd: Snmpd) -> None:
    flags = ("-c", COMMUNITY, snmpd.target)
    for name, numbers in (("ifTable", "1.3.6.1.2.1.2.2"), ("system", "1.3.6.1.2.1.1")):
        by_name = netexporters("walk", *flags, f"{name}").stdout.splitlines()
        by_number = netexporters("walk", *flags, numbers).stdout.splitlines()
        assert by_name
        assert [line.partition(" = ")[0] for line in by_name] == [
            line.partition(" = ")[0] for line in by_number
        ]


def test_record_takes_names_too(snmpd: Snmpd) -> None:
    result = netexporters(
        "record", "-c", COMMUNITY, snmpd.target, "system", "--leave-out=SNMPv2-MIB::sysORTable"
    )

    oids = [line.partition("|")[0] for line in result.stdout.splitlines()]
    assert oids[:2] == ["1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.2.0"]
    assert not any(oid.startswith("1.3.6.1.2.1.1.9.") for oid in oids)


def test_what_an_agent_says_is_wrong_is_told_by_name(snmpd: Snmpd) -> None:
    words = ("get", "-v1", "-c", COMMUNITY, snmpd.target, "sysName.0", "ifDescr.9999")
    named, numbers = netexporters(*words), netexporters(*words, "--numbers")

    assert named.returncode == numbers.returncode == 1
    assert named.stderr == (
        "netexporters: the agent says noSuchName at IF-MIB::ifDescr.9999"
        " (1.3.6.1.2.1.2.2.1.2.9999) (agent_error)\n"
    )
    assert numbers.stderr == (
        "netexporters: the agent says noSuchName at 1.3.6.1.2.1.2.2.1.2.9999 (agent_error)\n"
    )


def test_names_of_own_mib_files_are_known(snmpd: Snmpd, tmp_path: Path) -> None:
    mibs = tmp_path / "mibs"
    mibs.mkdir()
    (mibs / "OWN-MIB.txt").write_text(
        "OWN-MIB DEFINITIONS ::= BEGIN IMPORTS OBJECT-TYPE FROM RFC-1212 mib-2 FROM RFC1213-MIB;"
        " own OBJECT IDENTIFIER ::= { mib-2 1 }\n"
        " ownName OBJECT-TYPE SYNTAX OCTET STRING ACCESS read-only STATUS mandatory"
        " ::= { own 5 } END"
    )
    flags = (f"--mib.dir={mibs}", f"--mib.cache-dir={tmp_path}/cache", "-c", COMMUNITY)
    result = netexporters("get", *flags, snmpd.target, "OWN-MIB::ownName.0")

    # What a standard defines keeps its name, whatever else is called by it.
    assert result.stdout == 'SNMPv2-MIB::sysName.0 (1.3.6.1.2.1.1.5.0) = STRING: "tested"\n'
