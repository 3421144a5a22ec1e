"""OIDs that modules build on without a module that says them, and types that they take for granted.

``WELL_KNOWN`` are the roots of the tree. ``REGISTERED`` are names that vendors added to their
registration modules in a later edition: the older edition is the one that is passed around, and
whole modules hang in the air without them. They are facts of those later editions.

Sources: RFC 2578 section 2 (definitions of SNMPv2-SMI), the vendors' registration modules.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

Arcs = tuple[int, ...]

_ENTERPRISES: Arcs = (1, 3, 6, 1, 4, 1)

WELL_KNOWN: Mapping[str, Arcs] = MappingProxyType(
    {
        "ccitt": (0,),
        "iso": (1,),
        "joint-iso-ccitt": (2,),
        "org": (1, 3),
        "dod": (1, 3, 6),
        "internet": (1, 3, 6, 1),
        "directory": (1, 3, 6, 1, 1),
        "mgmt": (1, 3, 6, 1, 2),
        "mib-2": (1, 3, 6, 1, 2, 1),
        "transmission": (1, 3, 6, 1, 2, 1, 10),
        "experimental": (1, 3, 6, 1, 3),
        "private": (1, 3, 6, 1, 4),
        "enterprises": _ENTERPRISES,
        "security": (1, 3, 6, 1, 5),
        "snmpV2": (1, 3, 6, 1, 6),
        "snmpModules": (1, 3, 6, 1, 6, 3),
    }
)
"""Roots that modules use without importing them."""

STANDARD_TREES: tuple[Arcs, ...] = (
    (1, 0, 8802),  # IEEE 802.1AB, under the ISO standard
    (1, 2, 840, 10006),  # IEEE 802.3
    (1, 3, 6, 1, 2),
    (1, 3, 6, 1, 6),
    (1, 3, 111, 2, 802),  # IEEE 802.1 and 802.3
)
"""Below these a name is one of a standard, whoever uses it."""

_VENDORS: Mapping[str, Mapping[str, Arcs]] = {
    "ARUBA-MIB": {"aiEnterpriseMibModules": (14823, 2, 3, 3)},
    "BROADCOM-REF-MIB": {"ng7000managedswitch": (4526, 10)},
    "Brocade-REG-MIB": {"brocadeAgentCapability": (1588, 3, 2)},
    "DLINK-ID-REC-MIB": {"dlinkIndustrialCommon": (171, 14)},
    "JUNIPER-SMI": {"jnxDomLaneNotifications": (2636, 4, 25)},
    "NETGEAR-REF-MIB": {
        "ng7000managedswitch": (4526, 10),
        "ng700smartswitch": (4526, 11),
    },
    "RUCKUS-ROOT-MIB": {
        "ruckusCommonDHCPModule": (25053, 1, 1, 7),
        "ruckusSZSystemModule": (25053, 1, 4, 1),
        "ruckusSZWLANModule": (25053, 1, 4, 2),
    },
    "SONICWALL-SMI": {"sonicwallCommon": (8741, 2), "sonicwallGMS": (8741, 3)},
    "ZYXEL-MIB": {
        "accessSwitchCommonATM": (890, 1, 5, 14),
        "aesSeriesCommon": (890, 1, 5, 11, 1),
        "iesSeries": (890, 1, 5, 13),
        "iesSeriesCommon": (890, 1, 5, 13, 1),
        "sesSeriesCommon": (890, 1, 5, 5, 1),
        "vesSeriesCommon": (890, 1, 5, 12, 1),
        "zywallCommon": (890, 1, 6, 1),
        "zywallZLDCommon": (890, 1, 6, 22),
        "zywallidp10": (890, 1, 6, 11),
    },
}
REGISTERED: Mapping[tuple[str, str], Arcs] = MappingProxyType(
    {
        (module, name): (*_ENTERPRISES, *arcs)
        for module, names in _VENDORS.items()
        for name, arcs in names.items()
    }
)
"""Names by the module that they are imported from."""

FAMILIAR: Mapping[str, str] = MappingProxyType(
    {
        "DateAndTime": "SNMPv2-TC",
        "DisplayString": "SNMPv2-TC",
        "InetAddress": "INET-ADDRESS-MIB",
        "InetAddressType": "INET-ADDRESS-MIB",
        "InterfaceIndex": "IF-MIB",
        "MacAddress": "SNMPv2-TC",
        "PhysAddress": "SNMPv2-TC",
        "RowStatus": "SNMPv2-TC",
        "SnmpAdminString": "SNMP-FRAMEWORK-MIB",
        "TruthValue": "SNMPv2-TC",
        "ifIndex": "IF-MIB",
    }
)
"""Names of standards that modules forget to import, and whose they are."""


def is_standard(arcs: Arcs) -> bool:
    """Whether an OID lies in a tree of the IETF, IANA or IEEE."""
    return any(arcs[: len(tree)] == tree for tree in STANDARD_TREES)


def is_vendor_root(arcs: Arcs) -> bool:
    """Whether an OID is the number that a vendor has registered, and nothing below it."""
    return len(arcs) == len(_ENTERPRISES) + 1 and arcs[:-1] == _ENTERPRISES
