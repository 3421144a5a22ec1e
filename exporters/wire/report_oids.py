"""The counters by which an SNMPv3 engine says in a Report why it did not answer.

A Report carries one varbind: the instance below and the counter's value. What to make of it is
the receiver's business.

Sources: RFC 3414 section 5 (USM), RFC 3412 section 5 (message processing), RFC 3413 section 4.1.2
(contexts).
"""

from __future__ import annotations

from typing import Final

from exporters.wire.ber import Oid, encode_oid, format_oid

USM_UNSUPPORTED_SEC_LEVELS: Final = encode_oid("1.3.6.1.6.3.15.1.1.1.0")
USM_NOT_IN_TIME_WINDOWS: Final = encode_oid("1.3.6.1.6.3.15.1.1.2.0")
USM_UNKNOWN_USER_NAMES: Final = encode_oid("1.3.6.1.6.3.15.1.1.3.0")
USM_UNKNOWN_ENGINE_IDS: Final = encode_oid("1.3.6.1.6.3.15.1.1.4.0")
USM_WRONG_DIGESTS: Final = encode_oid("1.3.6.1.6.3.15.1.1.5.0")
USM_DECRYPTION_ERRORS: Final = encode_oid("1.3.6.1.6.3.15.1.1.6.0")
SNMP_UNKNOWN_SECURITY_MODELS: Final = encode_oid("1.3.6.1.6.3.11.2.1.1.0")
SNMP_INVALID_MSGS: Final = encode_oid("1.3.6.1.6.3.11.2.1.2.0")
SNMP_UNKNOWN_PDU_HANDLERS: Final = encode_oid("1.3.6.1.6.3.11.2.1.3.0")
SNMP_UNAVAILABLE_CONTEXTS: Final = encode_oid("1.3.6.1.6.3.12.1.4.0")
SNMP_UNKNOWN_CONTEXTS: Final = encode_oid("1.3.6.1.6.3.12.1.5.0")

REPORT_NAMES: Final[dict[Oid, str]] = {
    USM_UNSUPPORTED_SEC_LEVELS: "usmStatsUnsupportedSecLevels",
    USM_NOT_IN_TIME_WINDOWS: "usmStatsNotInTimeWindows",
    USM_UNKNOWN_USER_NAMES: "usmStatsUnknownUserNames",
    USM_UNKNOWN_ENGINE_IDS: "usmStatsUnknownEngineIDs",
    USM_WRONG_DIGESTS: "usmStatsWrongDigests",
    USM_DECRYPTION_ERRORS: "usmStatsDecryptionErrors",
    SNMP_UNKNOWN_SECURITY_MODELS: "snmpUnknownSecurityModels",
    SNMP_INVALID_MSGS: "snmpInvalidMsgs",
    SNMP_UNKNOWN_PDU_HANDLERS: "snmpUnknownPDUHandlers",
    SNMP_UNAVAILABLE_CONTEXTS: "snmpUnavailableContexts",
    SNMP_UNKNOWN_CONTEXTS: "snmpUnknownContexts",
}


def report_name(oid: Oid) -> str:
    """Name a report for a message to a human; an unknown one by its number."""
    return REPORT_NAMES.get(oid) or format_oid(oid)
