"""Modules proposed from what a device has."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from exporters.authoring.proposal import LARGE_TABLE_ROWS, NothingToProposeError, propose
from exporters.authoring.walk_text import Value, load_values
from exporters.config.snmp_config import load_snmp_config
from exporters.errors import ConfigError
from exporters.smi.dictionary import Dictionary
from exporters.wire.ber import encode_oid

IF = "1.3.6.1.2.1.2.2.1"
IF_X = "1.3.6.1.2.1.31.1.1.1"


def value(oid: str, text: str = "") -> Value:
    return Value(encode_oid(oid), text)


def interfaces(count: int) -> list[Value]:
    rows = range(1, count + 1)
    return [
        *(value(f"{IF}.1.{row}") for row in rows),
        *(value(f"{IF}.2.{row}", f"GigabitEthernet0/{row}") for row in rows),
        *(value(f"{IF}.10.{row}") for row in rows),
        *(value(f"{IF_X}.1.{row}", f"Gi0/{row}") for row in rows),
        *(value(f"{IF_X}.6.{row}") for row in rows),
        *(value(f"{IF_X}.18.{row}", "") for row in rows),
    ]


@pytest.fixture
def proposed(shipped: Dictionary):
    def proposed(values: list[Value]) -> dict:
        return yaml.safe_load(propose("device", "x.snmprec", values, shipped))["modules"]["device"]

    return proposed


def test_tables_with_numbers_are_walked_and_their_rows_named(proposed):
    assert proposed(interfaces(3)) == {
        "walk": ["IF-MIB::ifTable", "IF-MIB::ifXTable"],
        "lookups": [{"source_indexes": ["ifIndex"], "lookup": "IF-MIB::ifName"}],
        "overrides": {
            "IF-MIB::ifIndex": {"ignore": True},
            "IF-MIB::ifName": {"ignore": True},
        },
    }


def test_numbers_that_are_scalars_are_got(proposed):
    system = "1.3.6.1.2.1.1"
    assert proposed(
        [
            value(f"{system}.1.0", "Linux"),
            value(f"{system}.3.0"),
            value("1.3.6.1.2.1.4.1.0"),  # ipForwarding can be written: it is configuration
        ]
    ) == {"get": ["SNMPv2-MIB::sysUpTime"]}


@pytest.mark.parametrize(
    ("texts", "overrides"),
    [
        (["Router", "Caf\u00e9"], {"ignore": True, "type": "DisplayString"}),
        (["Router", "\ufffd\ufffd"], None),
        (["Router", "\x01"], None),
        (["", ""], None),
    ],
    ids=["text", "not UTF-8", "control characters", "nothing"],
)
def test_strings_that_are_text_on_the_device_alone_become_text(proposed, texts, overrides):
    pings = "1.3.6.1.4.1.9.9.16.1.1.1"  # ciscoPingEntry
    module = proposed(
        [
            *(value(f"{pings}.17.{row}", text) for row, text in enumerate(texts, 1)),
            *(value(f"{pings}.9.{row}") for row in (1, 2)),
        ]
    )
    assert module.get("overrides", {}).get("CISCO-PING-MIB::ciscoPingVrfName") == overrides


def test_rows_and_what_is_not_known_are_told(shipped):
    text = propose(
        "device", "x.snmprec", [*interfaces(2), value("1.3.6.1.4.1.9.99999.1.1")], shipped
    )

    assert text.splitlines()[:2] == [
        "# Proposed from x.snmprec: 12 of 13 values are known.",
        "# No MIB knows 1 value below 1.3.6.1.4.1.9.",
    ]
    assert "      - IF-MIB::ifXTable  # 2 rows" in text


def test_a_large_table_is_left_to_people(shipped, proposed):
    fdb = "1.3.6.1.2.1.17.4.3.1"
    rows = [
        value(f"{fdb}.{column}.0.0.0.0.{row >> 7}.{row & 127}")
        for column in (2, 3)
        for row in range(LARGE_TABLE_ROWS + 1)
    ]

    assert proposed([*interfaces(1), *rows])["walk"] == ["IF-MIB::ifTable", "IF-MIB::ifXTable"]
    text = propose("device", "x", [*interfaces(1), *rows], shipped)
    assert "      # - BRIDGE-MIB::dot1dTpFdbTable  # 1,001 rows, and a series" in text


def test_texts_that_are_all_the_same_name_no_rows(proposed):
    values = [
        *(value(f"{IF}.10.{row}") for row in (1, 2, 3)),
        *(value(f"{IF}.2.{row}", "port") for row in (1, 2, 3)),
    ]

    assert "lookups" not in proposed(values)


def test_a_device_without_numbers_has_no_proposal(shipped):
    with pytest.raises(NothingToProposeError, match="no number of it is known to a MIB module"):
        propose("device", "x", [value("1.3.6.1.4.1.99999.1")], shipped)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.snmprec", "# a device\n1.3.6.1.2.1.1.1.0|4|Linux\n1.3.6.1.2.1.1.3.0|67|5\n"),
        (
            "a.txt",
            ".1.3.6.1.2.1.1.1.0 = STRING: Linux\n.1.3.6.1.2.1.1.3.0 = Timeticks: (5) 0:00:00.05\n",
        ),
        ("a.txt", '.1.3.6.1.2.1.1.1.0 = "Linux"\n.1.3.6.1.2.1.1.3.0 = 0:0:00:00.05\n'),
        (
            "a.txt",
            "1.3.6.1.2.1.1.1.0 = STRING: Linux\n and more\n1.3.6.1.2.1.1.3.0 = INTEGER: 5\n"
            ".1.3.6.1.2.1.1.9.0 = No Such Object available on this agent at this OID\n",
        ),
    ],
    ids=["recording", "snmpwalk -On", "snmpwalk -OQn", "strings of several lines"],
)
def test_recordings_and_the_text_of_snmpwalk_are_read(tmp_path: Path, name: str, text: str):
    (tmp_path / name).write_text(text)

    assert load_values(tmp_path / name) == [
        value("1.3.6.1.2.1.1.1.0", "Linux"),
        value("1.3.6.1.2.1.1.3.0"),
    ]


@pytest.mark.parametrize("text", ["", "iso.3.6.1 = STRING: a\n", "hello\n", "\0\xff\n"])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, text: str):
    path = tmp_path / "a.txt"
    path.write_text(text)

    with pytest.raises(ConfigError, match="a recording, or what snmpwalk -On printed"):
        load_values(path)


def test_what_is_proposed_loads(tmp_path: Path, shipped: Dictionary):
    path = tmp_path / "device.yml"
    path.write_text(propose("device", "x", interfaces(2), shipped) + "auths: {a: {}}\n")

    module = load_snmp_config([path], environment={}, open_dictionary=lambda: shipped).modules[
        "device"
    ]

    octets = next(metric for metric in module.metrics if metric.name == "ifHCInOctets")
    assert [lookup.labelname for lookup in octets.lookups] == ["ifName"]
