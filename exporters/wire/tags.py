"""BER tags of SNMP: universal types, the SMI's application types, exceptions and PDUs.

Sources: X.690, RFC 2578 section 7.1 (SMIv2 types), RFC 3416 section 3 (exceptions and PDUs),
RFC 1157 section 4.1 (the SNMPv1 trap), net-snmp's Opaque floats (draft-perkins-opaque-01).
"""

from typing import Final

INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OBJECT_IDENTIFIER: Final = 0x06
SEQUENCE: Final = 0x30

IP_ADDRESS: Final = 0x40
COUNTER32: Final = 0x41
GAUGE32: Final = 0x42
TIME_TICKS: Final = 0x43
OPAQUE: Final = 0x44
NSAP: Final = 0x45
COUNTER64: Final = 0x46
UINTEGER32: Final = 0x47

NO_SUCH_OBJECT: Final = 0x80
NO_SUCH_INSTANCE: Final = 0x81
END_OF_MIB_VIEW: Final = 0x82
EXCEPTIONS: Final = frozenset({NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB_VIEW})

GET_REQUEST: Final = 0xA0
GET_NEXT_REQUEST: Final = 0xA1
RESPONSE: Final = 0xA2
SET_REQUEST: Final = 0xA3
TRAP_V1: Final = 0xA4
GET_BULK_REQUEST: Final = 0xA5
INFORM_REQUEST: Final = 0xA6
TRAP_V2: Final = 0xA7
REPORT: Final = 0xA8
PDU_TYPES: Final = frozenset(range(GET_REQUEST, REPORT + 1))

INTEGER_TAGS: Final = frozenset({INTEGER, COUNTER32, GAUGE32, TIME_TICKS, COUNTER64, UINTEGER32})

# An Opaque value may wrap a float: 9F 78 04 <4 bytes> and 9F 79 08 <8 bytes>.
OPAQUE_FLOAT_PREFIX: Final = b"\x9f\x78\x04"
OPAQUE_DOUBLE_PREFIX: Final = b"\x9f\x79\x08"
