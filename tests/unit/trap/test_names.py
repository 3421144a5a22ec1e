"""Names of traps and varbinds, and the rules that ship."""

from __future__ import annotations

import pytest

from exporters.config.event_rules import load_event_rules
from exporters.events.rule_files import shipped_rule_files
from exporters.trap.catalogue import Catalogue
from exporters.trap.details import TrapDetails
from exporters.trap.objects import INDEX_SUFFIX, Objects, Value
from exporters.wire.ber import encode_oid
from exporters.wire.snmp_message import VarBind, encode_varbinds
from exporters.wire.tags import (
    COUNTER64,
    INTEGER,
    IP_ADDRESS,
    NULL,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    TIME_TICKS,
)

from .conftest import Clock, dictionary, interface, shipped_rules, varbind


@pytest.mark.parametrize(
    ("oid", "name"),
    [
        ("1.3.6.1.6.3.1.1.5.1", "coldStart"),
        ("1.3.6.1.6.3.1.1.5.6", "egpNeighborLoss"),
        ("1.3.6.1.2.1.15.7.1", "bgpEstablished"),
        ("1.3.6.1.2.1.14.16.2.2", "ospfNbrStateChange"),
        ("1.3.6.1.2.1.16.0.1", "risingAlarm"),
        ("1.3.6.1.2.1.17.0.2", "topologyChange"),
        ("1.3.6.1.2.1.33.2.3", "upsTrapAlarmEntryAdded"),
        ("1.3.6.1.2.1.47.2.0.1", "entConfigChange"),
        ("1.3.6.1.2.1.68.0.1", "vrrpTrapNewMaster"),
        ("1.3.6.1.2.1.88.2.0.2", "mteTriggerRising"),
        ("1.3.6.1.2.1.105.0.2", "pethMainPowerUsageOnNotification"),
        ("1.3.6.1.2.1.118.0.3", "alarmClearState"),
        ("1.3.6.1.2.1.131.0.2", "entStateOperDisabled"),
        ("1.3.6.1.2.1.138.0.17", "isisAdjacencyChange"),
        ("1.3.6.1.2.1.10.166.11.0.2", "mplsL3VpnVrfDown"),
        ("1.3.6.1.2.1.222.0.2", "bfdSessDown"),
        ("1.0.8802.1.1.2.0.0.1", "lldpRemTablesChange"),
        ("1.3.6.1.4.1.9.0.0", "reload"),
        ("1.3.6.1.4.1.9.9.13.3.0.4", "ciscoEnvMonFanNotification"),
        ("1.3.6.1.4.1.9.9.41.2.0.1", "clogMessageGenerated"),
        ("1.3.6.1.4.1.9.9.43.2.0.2", "ccmCLIRunningConfigChanged"),
        ("1.3.6.1.4.1.9.9.91.2.0.2", "entSensorThresholdRecoveryNotification"),
        ("1.3.6.1.4.1.9.9.106.2.0.1", "cHsrpStateChange"),
        ("1.3.6.1.4.1.9.9.109.2.0.1", "cpmCPURisingThreshold"),
        ("1.3.6.1.4.1.9.9.117.2.0.6", "cefcFanTrayStatusChange"),
        ("1.3.6.1.4.1.9.9.187.0.3", "cbgpPrefixThresholdExceeded"),
        ("1.3.6.1.4.1.2636.4.1.1", "jnxPowerSupplyFailure"),
        ("1.3.6.1.4.1.2636.4.2.2", "jnxFanOK"),
        ("1.3.6.1.4.1.2011.5.25.129.2.4.1", "hwCPUUtilizationRisingAlarm"),
        ("1.3.6.1.4.1.25506.2.6.2.0.4", "hh3cEntityExtCpuUsageThresholdNotfication"),
        ("1.3.6.1.4.1.12356.101.2.0.302", "fgTrapVpnTunDown"),
        ("1.3.6.1.4.1.25461.2.1.3.2.0.801", "panHAStateChangeTrap"),
        ("1.3.6.1.4.1.2620.1.2000.5.2.1", "chkpntFanSpeedTrap"),
        ("1.3.6.1.4.1.3375.2.4.0.15", "bigipActive"),
        ("1.3.6.1.4.1.1916.0.7", "extremeFanfailed"),
        ("1.3.6.1.4.1.1588.2.1.1.1.0.3", "swFCPortScn"),
        ("1.3.6.1.4.1.6527.3.1.3.2.1.0.7", "tmnxEqCardFailure"),
        ("1.3.6.1.4.1.14823.2.2.1.1.100.1031", "wlsxAccessPointIsDown"),
        ("1.3.6.1.4.1.30065.3.9.3.0.1", "aristaConfigManEvent"),
        ("1.3.6.1.4.1.318.0.5", "upsOnBattery"),
        ("1.3.6.1.4.1.13742.6.0.66", "externalSensorStateChange"),
        ("1.3.6.1.4.1.14988.1.1.9.0.2", "mtxrTemperatureException"),
        ("1.3.6.1.4.1.8072.4.0.3", "nsNotifyRestart"),
    ],
)
def test_trap_has_its_name_and_a_rule(oid: str, name: str) -> None:
    assert Catalogue(dictionary()).trap(encode_oid(oid)).name == name
    assert name in shipped_rules().trap_names or name == "egpNeighborLoss"


def test_oid_that_is_none_has_no_name() -> None:
    catalogue = Catalogue(dictionary())
    assert catalogue.trap(b"\x2b\x86").name == ""
    assert catalogue.trap(encode_oid("1.3.6.1.2.1.1.1")).name == ""  # an object, no notification


def test_strangers_have_so_many_oids_looked_up_and_devices_all() -> None:
    clock = Clock()
    catalogue = Catalogue(dictionary(), lambda: clock.monotonic)
    made_up = [encode_oid(f"1.3.6.1.4.1.99999.{number}") for number in range(2000)]
    for oid in made_up:
        catalogue.trap(oid, of_stranger=True)
    link_down = encode_oid("1.3.6.1.6.3.1.1.5.3")
    assert catalogue.trap(link_down, of_stranger=True).name == ""
    clock.pass_seconds(1)
    assert catalogue.trap(link_down, of_stranger=True).name == "linkDown"
    for oid in made_up[:600]:
        catalogue.trap(oid + b"\x01", of_stranger=True)
    assert catalogue.trap(encode_oid("1.3.6.1.6.3.1.1.5.4")).name == "linkUp"


# --- the rules that ship ----------------------------------------------------------------------


def test_shipped_rules_name_traps_and_varbinds_that_mibs_have() -> None:
    catalogue, objects = Catalogue(dictionary()), Objects(dictionary())
    rules = shipped_rules()
    assert [name for name in rules.trap_names if not catalogue.has_name(name)] == []
    fields = {name.removesuffix(INDEX_SUFFIX) for name in rules.field_names}
    assert [name for name in fields if not objects.oids_of(name)] == []


def test_prefixes_of_shipped_rules_are_those_of_traps() -> None:
    rules = load_event_rules([], shipped_rule_files("trap"), environment={})
    prefixes = {name[:-1] for rule in rules for name in rule.match.trap if name.endswith("*")}
    names = {
        item.name
        for prefix in prefixes
        for item in dictionary().search(prefix, limit=1000)
        if item.kind == "notification"
    }
    assert sorted(p for p in prefixes if not any(name.startswith(p) for name in names)) == []


def test_what_shipped_rules_raise_another_of_them_clears() -> None:
    rules = load_event_rules([], shipped_rule_files("trap"), environment={})
    cleared = {
        (rule.event, rule.cleared.key, rule.cleared.instance) for rule in rules if rule.cleared
    }
    unpaired = [
        rule.name
        for rule in rules
        if rule.raised and (rule.event, rule.raised.key, rule.raised.instance) not in cleared
    ]
    assert unpaired == []


def test_every_shipped_rule_says_how_bad_it_is() -> None:
    rules = load_event_rules([], shipped_rule_files("trap"), environment={})
    assert [rule.name for rule in rules if rule.severity is None] == []
    assert len(rules) > 250


# --- varbinds ---------------------------------------------------------------------------------


def details(*varbinds: VarBind) -> TrapDetails:
    return TrapDetails(Objects(dictionary()), "someTrap", list(varbinds))


@pytest.mark.parametrize(
    ("item", "name", "value"),
    [
        (varbind("1.3.6.1.2.1.2.2.1.8.7", INTEGER, b"\x02"), "ifOperStatus", 2),
        (varbind("1.3.6.1.2.1.2.2.1.2.7", OCTET_STRING, b"eth0"), "ifDescr", "eth0"),
        (
            varbind("1.3.6.1.2.1.2.2.1.6.7", OCTET_STRING, bytes(range(6))),
            "ifPhysAddress",
            "00:01:02:03:04:05",
        ),
        (varbind("1.3.6.1.2.1.15.3.1.7.1.2.3.4", IP_ADDRESS, bytes((1, 2, 3, 4))),
         "bgpPeerRemoteAddr", "1.2.3.4"),
        (varbind("1.3.6.1.2.1.1.2.0", OBJECT_IDENTIFIER, b"\x2b\x06"), "sysObjectID", "1.3.6"),
        (varbind("1.3.6.1.2.1.1.3.0", TIME_TICKS, b"\x00\x80"), "sysUpTime", 128),
        (varbind("1.3.6.1.2.1.31.1.1.1.6.7", COUNTER64, b"\xff" * 8), "ifHCInOctets", 2**64 - 1),
        (varbind("1.3.6.1.4.1.99999.1", OCTET_STRING, b"text\x00"), "1.3.6.1.4.1.99999.1", "text"),
        (varbind("1.3.6.1.4.1.99999.1", OCTET_STRING, b"\xff"), "1.3.6.1.4.1.99999.1", "0xFF"),
    ],
)  # fmt: skip
def test_value_is_what_its_object_says(item: VarBind, name: str, value: Value) -> None:
    found = details(item).field(name)
    assert found == pytest.approx(value) if isinstance(value, int) else found == value


def test_varbind_without_a_value_is_no_field() -> None:
    assert details(varbind("1.3.6.1.2.1.2.2.1.2.7", NULL, b"")).field("ifDescr") is None


def test_row_of_several_indexes_is_written_with_dots() -> None:
    item = varbind("1.3.6.1.2.1.14.10.1.6.192.0.2.9.0", INTEGER, b"\x01")
    assert details(item).field("ospfNbrState.index") == "192.0.2.9.0"


def test_fields_of_one_name_are_told_apart_by_their_index() -> None:
    both = (*interface(7, "a"), *interface(8, "b"))
    assert details(*both).fields() == {
        "ifIndex": 7,
        "ifDescr": "a",
        "ifIndex.8": 8,
        "ifDescr.8": "b",
    }


def test_text_has_the_trap_and_its_varbinds() -> None:
    assert details(*interface()).text() == "someTrap: ifIndex.7=7, ifDescr.7=Gi0/7"


def test_encoded_varbinds_are_decoded_when_they_are_asked_for() -> None:
    encoded = encode_varbinds(interface())
    lazily = TrapDetails(Objects(dictionary()), encode_oid("1.3.6.1"), encoded, 2)
    assert lazily.text() == "1.3.6.1: ifIndex.7=7, ifDescr.7=Gi0/7"


def test_made_up_varbinds_are_looked_up_so_often_and_known_objects_always() -> None:
    clock = Clock()
    objects = Objects(dictionary(), lambda: clock.monotonic)
    row = encode_oid("1.3.6.1.2.1.2.2.1.2")
    assert objects.instance(row + b"\x07").object.name == "ifDescr"
    for number in range(2000):
        objects.instance(encode_oid(f"1.3.6.1.4.1.99999.{number}"))
    alias = encode_oid("1.3.6.1.2.1.31.1.1.1.18.7")
    assert objects.instance(alias).object.name == "1.3.6.1.2.1.31.1.1.1.18.7"
    found = objects.instance(row + b"\x81\x00")
    assert (found.object.name, found.index) == ("ifDescr", "128")
    clock.pass_seconds(1)
    assert objects.instance(alias).object.name == "ifAlias"
