"""pysnmp and pyasn1 as the oracle, in both directions and at every version and protection."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pyasn1.type.univ import ObjectIdentifier, OctetString

# First of pysnmp's modules: an import cycle among them comes apart only from this end.
from pysnmp.proto.secmod.rfc3414.service import SnmpUSMSecurityModel, UsmSecurityParameters  # isort: skip
from pysnmp.proto import api, rfc1902
from pysnmp.proto.mpmod.rfc3412 import ScopedPDU, SNMPv3Message

from exporters.wire import tags
from exporters.wire.ber import encode_integer_content, encode_oid, format_oid
from exporters.wire.snmp_message import (
    ErrorStatus,
    Pdu,
    VarBind,
    Version,
    decode_community_message,
    encode_community_message,
    encode_names,
    encode_pdu,
    encode_varbinds,
)
from exporters.wire.usm import (
    AuthProtocol,
    PrivProtocol,
    ScopedPdu,
    SecurityLevel,
    UsmUser,
    decode_v3_message,
    encode_scoped_pdu,
    encode_v3_message,
    localize,
    open_v3_message,
)

ENGINE = bytes.fromhex("80001f880477697265")
AUTH_SERVICES = {
    AuthProtocol.MD5: (1, 3, 6, 1, 6, 3, 10, 1, 1, 2),
    AuthProtocol.SHA: (1, 3, 6, 1, 6, 3, 10, 1, 1, 3),
    AuthProtocol.SHA224: (1, 3, 6, 1, 6, 3, 10, 1, 1, 4),
    AuthProtocol.SHA256: (1, 3, 6, 1, 6, 3, 10, 1, 1, 5),
    AuthProtocol.SHA384: (1, 3, 6, 1, 6, 3, 10, 1, 1, 6),
    AuthProtocol.SHA512: (1, 3, 6, 1, 6, 3, 10, 1, 1, 7),
}
PRIV_SERVICES = {
    PrivProtocol.DES: (1, 3, 6, 1, 6, 3, 10, 1, 2, 2),
    PrivProtocol.AES: (1, 3, 6, 1, 6, 3, 10, 1, 2, 4),
    PrivProtocol.AES192: (1, 3, 6, 1, 4, 1, 9, 12, 6, 1, 1),
    PrivProtocol.AES256: (1, 3, 6, 1, 4, 1, 9, 12, 6, 1, 2),
    PrivProtocol.AES192C: (1, 3, 6, 1, 4, 1, 9, 12, 6, 1, 101),
    PrivProtocol.AES256C: (1, 3, 6, 1, 4, 1, 9, 12, 6, 1, 102),
}
USERS = [
    UsmUser("plain"),
    *[UsmUser("operator", auth, "auth password") for auth in AuthProtocol],
    *[
        UsmUser("operator", auth, "auth password", priv, "priv password")
        for auth in AuthProtocol
        for priv in PrivProtocol
    ],
]
EVERY_USER = pytest.mark.parametrize(
    "user", USERS, ids=lambda user: f"{user.auth_protocol}-{user.priv_protocol}"
)

MODULES = {
    Version.V1: api.PROTOCOL_MODULES[api.SNMP_VERSION_1],
    Version.V2C: api.PROTOCOL_MODULES[api.SNMP_VERSION_2C],
}
PDU_CLASSES = {
    tags.GET_REQUEST: "GetRequestPDU",
    tags.GET_NEXT_REQUEST: "GetNextRequestPDU",
    tags.RESPONSE: "GetResponsePDU",
    tags.SET_REQUEST: "SetRequestPDU",
    tags.INFORM_REQUEST: "InformRequestPDU",
    tags.TRAP_V2: "SNMPv2TrapPDU",
    tags.REPORT: "ReportPDU",
}
V1_PDU_TYPES = [tags.GET_REQUEST, tags.GET_NEXT_REQUEST, tags.RESPONSE, tags.SET_REQUEST]

OIDS = st.lists(st.integers(0, 2**32 - 1), max_size=20).map(
    lambda arcs: ".".join(map(str, [1, 3, 6, *arcs]))
)
UNSIGNED_32 = st.integers(0, 2**32 - 1)
# pyasn1 encodes -128, -32768 and so on with a byte that X.690 s8.3.2 forbids; net-snmp does not.
SIGNED_32 = st.integers(-(2**31), 2**31 - 1).filter(
    lambda number: number not in (-(2**7), -(2**15), -(2**23), -(2**31))
)


def integer(tag: int, numbers: st.SearchStrategy[int], make: type) -> st.SearchStrategy:
    return numbers.map(lambda number: (tag, encode_integer_content(number), make(number)))


def octets(tag: int, content: st.SearchStrategy[bytes], make: type) -> st.SearchStrategy:
    return content.map(lambda value: (tag, value, make(value)))


V2C = MODULES[Version.V2C]
VALUES = st.one_of(
    integer(tags.INTEGER, SIGNED_32, rfc1902.Integer32),
    integer(tags.COUNTER32, UNSIGNED_32, rfc1902.Counter32),
    integer(tags.GAUGE32, UNSIGNED_32, rfc1902.Gauge32),
    integer(tags.TIME_TICKS, UNSIGNED_32, rfc1902.TimeTicks),
    integer(tags.COUNTER64, st.integers(0, 2**64 - 1), rfc1902.Counter64),
    octets(tags.OCTET_STRING, st.binary(max_size=200), rfc1902.OctetString),
    octets(tags.OPAQUE, st.binary(max_size=200), rfc1902.Opaque),
    octets(tags.IP_ADDRESS, st.binary(min_size=4, max_size=4), rfc1902.IpAddress),
    OIDS.map(lambda oid: (tags.OBJECT_IDENTIFIER, encode_oid(oid), ObjectIdentifier(oid))),
    st.sampled_from(
        [
            (tags.NULL, b"", V2C.Null("")),
            (tags.NO_SUCH_OBJECT, b"", V2C.NoSuchObject("")),
            (tags.NO_SUCH_INSTANCE, b"", V2C.NoSuchInstance("")),
            (tags.END_OF_MIB_VIEW, b"", V2C.EndOfMibView("")),
        ]
    ),
)
VARBINDS = st.lists(st.tuples(OIDS, VALUES), max_size=6)


def ours(varbinds: list[tuple[str, tuple[int, bytes, object]]]) -> list[VarBind]:
    return [(encode_oid(oid), tag, content) for oid, (tag, content, _) in varbinds]


def theirs(varbinds: list[tuple[str, tuple[int, bytes, object]]]) -> list[tuple[str, object]]:
    return [(oid, value) for oid, (_, _, value) in varbinds]


def pysnmp_pdu(version: Version, pdu: Pdu, varbinds: list[tuple[str, object]]) -> object:
    module = MODULES[version]
    made = getattr(module, PDU_CLASSES[pdu.type])()
    module.apiPDU.set_defaults(made)
    module.apiPDU.set_request_id(made, pdu.request_id)
    module.apiPDU.set_error_status(made, pdu.error_status)
    module.apiPDU.set_error_index(made, pdu.error_index)
    module.apiPDU.set_varbinds(made, varbinds)
    return made


def pysnmp_message(version: Version, community: bytes, pdu: object) -> bytes:
    module = MODULES[version]
    message = module.Message()
    module.apiMessage.set_defaults(message)
    module.apiMessage.set_community(message, OctetString(community))
    module.apiMessage.set_pdu(message, pdu)
    return encoder.encode(message)


# Versions 1 and 2c


@given(
    st.sampled_from(sorted(PDU_CLASSES)),
    SIGNED_32,
    st.sampled_from(ErrorStatus),
    st.integers(0, 2**31 - 1),
    VARBINDS,
    st.binary(max_size=200),
)
def test_v2c_messages_are_the_same_bytes(
    pdu_type: int,
    request_id: int,
    status: ErrorStatus,
    index: int,
    varbinds: list[tuple[str, tuple[int, bytes, object]]],
    community: bytes,
) -> None:
    pdu = Pdu(pdu_type, request_id, status, index, ours(varbinds))
    message = pysnmp_message(Version.V2C, community, pysnmp_pdu(Version.V2C, pdu, theirs(varbinds)))
    decoded = decode_community_message(message)
    assert (decoded.version, decoded.community, decoded.pdu) == (Version.V2C, community, pdu)
    encoded = encode_pdu(pdu_type, request_id, status, index, encode_varbinds(pdu.varbinds))
    assert encode_community_message(Version.V2C, community, encoded) == message


@given(
    st.sampled_from(V1_PDU_TYPES),
    SIGNED_32,
    st.sampled_from([status for status in ErrorStatus if status <= ErrorStatus.genErr]),
    st.lists(OIDS, max_size=6),
)
def test_v1_messages_are_the_same_bytes(
    pdu_type: int, request_id: int, status: ErrorStatus, oids: list[str]
) -> None:
    names = encode_names([encode_oid(oid) for oid in oids])
    null = MODULES[Version.V1].Null("")
    pdu = Pdu(pdu_type, request_id, status, 0, [])
    message = pysnmp_message(
        Version.V1, b"public", pysnmp_pdu(Version.V1, pdu, [(oid, null) for oid in oids])
    )
    encoded = encode_pdu(pdu_type, request_id, status, 0, names)
    assert encode_community_message(Version.V1, b"public", encoded) == message
    decoded = decode_community_message(message)
    assert [format_oid(oid) for oid, _, _ in decoded.pdu.varbinds] == oids


@given(st.lists(OIDS, min_size=1, max_size=6), st.integers(0, 10), st.integers(0, 1000))
def test_get_bulk_requests_are_the_same_bytes(
    oids: list[str], non_repeaters: int, repetitions: int
) -> None:
    made = V2C.GetBulkRequestPDU()
    V2C.apiBulkPDU.set_defaults(made)
    V2C.apiBulkPDU.set_request_id(made, 7)
    V2C.apiBulkPDU.set_non_repeaters(made, non_repeaters)
    V2C.apiBulkPDU.set_max_repetitions(made, repetitions)
    V2C.apiBulkPDU.set_varbinds(made, [(oid, V2C.Null("")) for oid in oids])
    names = encode_names([encode_oid(oid) for oid in oids])
    encoded = encode_pdu(tags.GET_BULK_REQUEST, 7, non_repeaters, repetitions, names)
    assert encode_community_message(Version.V2C, b"public", encoded) == pysnmp_message(
        Version.V2C, b"public", made
    )


@given(VARBINDS)
def test_pysnmp_reads_the_values_that_we_write(
    varbinds: list[tuple[str, tuple[int, bytes, object]]],
) -> None:
    encoded = encode_pdu(tags.RESPONSE, 7, 0, 0, encode_varbinds(ours(varbinds)))
    data = encode_community_message(Version.V2C, b"public", encoded)
    message, rest = decoder.decode(data, asn1Spec=V2C.Message())
    assert not rest
    read = V2C.apiPDU.get_varbinds(V2C.apiMessage.get_pdu(message))
    assert [(str(oid), value) for oid, value in read] == theirs(varbinds)


@given(OIDS)
def test_oids_are_the_same_bytes(oid: str) -> None:
    assert encoder.encode(ObjectIdentifier(oid))[2:] == encode_oid(oid)


# Version 3

VARBIND = (encode_oid("1.3.6.1.2.1.1.3.0"), tags.TIME_TICKS, b"\x01\xe2\x40")
SCOPED = ScopedPdu(ENGINE, b"vrf-1", Pdu(tags.RESPONSE, 77, 0, 0, [VARBIND]))


def pysnmp_keys(user: UsmUser) -> tuple[OctetString, OctetString]:
    """The authentication and privacy keys as pysnmp's security model would store them."""
    assert user.auth_protocol is not None
    auth_oid = AUTH_SERVICES[user.auth_protocol]
    auth = SnmpUSMSecurityModel.AUTH_SERVICES[auth_oid]
    engine = OctetString(ENGINE)
    auth_key = auth.localize_key(auth.hash_passphrase(user.auth_password.encode()), engine)
    if user.priv_protocol is None:
        return auth_key, OctetString(b"")
    priv = SnmpUSMSecurityModel.PRIV_SERVICES[PRIV_SERVICES[user.priv_protocol]]
    stretched = priv.hash_passphrase(auth_oid, user.priv_password.encode())
    return auth_key, priv.localize_key(auth_oid, stretched, engine)


def pysnmp_v3_message(user: UsmUser) -> bytes:
    """A message that pysnmp's codec and services made."""
    scoped = ScopedPDU()
    scoped.setComponentByPosition(0, ENGINE)
    scoped.setComponentByPosition(1, b"vrf-1")
    pdu = pysnmp_pdu(Version.V2C, SCOPED.pdu, [("1.3.6.1.2.1.1.3.0", rfc1902.TimeTicks(123456))])
    scoped.setComponentByPosition(2).getComponentByPosition(2).setComponentByType(
        pdu.tagSet, pdu, verifyConstraints=False, matchTags=False, matchConstraints=False
    )
    parameters = UsmSecurityParameters()
    for position, value in enumerate([ENGINE, 3, 1000, user.name.encode(), b"", b""]):
        parameters.setComponentByPosition(position, value)

    message = SNMPv3Message()
    message.setComponentByPosition(0, 3)
    header = message.setComponentByPosition(1).getComponentByPosition(1)
    for position, value in enumerate([5, 65507, bytes((user.level,)), 3]):
        header.setComponentByPosition(position, value)
    data = message.setComponentByPosition(3).getComponentByPosition(3)
    if user.priv_protocol is None:
        data.setComponentByType(
            scoped.tagSet, scoped, verifyConstraints=False, matchTags=False, matchConstraints=False
        )
    else:
        service = SnmpUSMSecurityModel.PRIV_SERVICES[PRIV_SERVICES[user.priv_protocol]]
        ciphertext, salt = service.encrypt_data(
            pysnmp_keys(user)[1], (3, 1000, None), encoder.encode(scoped)
        )
        data.setComponentByPosition(1, ciphertext)
        parameters.setComponentByPosition(5, salt)
    if user.auth_protocol is None:
        message.setComponentByPosition(2, encoder.encode(parameters))
        return encoder.encode(message)
    auth = SnmpUSMSecurityModel.AUTH_SERVICES[AUTH_SERVICES[user.auth_protocol]]
    parameters.setComponentByPosition(4, bytes(auth.digest_length))
    message.setComponentByPosition(2, encoder.encode(parameters))
    return auth.authenticate_outgoing_message(pysnmp_keys(user)[0], encoder.encode(message))


@EVERY_USER
def test_keys_are_the_same(user: UsmUser) -> None:
    keys = localize(user, ENGINE)
    if user.auth_protocol is None:
        assert (keys.auth_key, keys.priv_key) == (b"", b"")
    else:
        assert (keys.auth_key, keys.priv_key) == tuple(map(bytes, pysnmp_keys(user)))


@EVERY_USER
def test_v3_message_of_pysnmp_opens(user: UsmUser) -> None:
    message = decode_v3_message(pysnmp_v3_message(user))
    assert (message.msg_id, message.level) == (5, user.level)
    assert (message.boots, message.time) == (3, 1000)
    assert open_v3_message(message, localize(user, ENGINE)) == SCOPED


@EVERY_USER
def test_v3_message_of_ours_opens_in_pysnmp(user: UsmUser) -> None:
    keys = localize(user, ENGINE)
    pdu = encode_pdu(tags.RESPONSE, 77, 0, 0, encode_varbinds([VARBIND]))
    data = encode_v3_message(
        encode_scoped_pdu(ENGINE, b"vrf-1", pdu),
        keys,
        msg_id=5,
        boots=3,
        time=1000,
        reportable=False,
        salt=0x0123456789ABCDEF,
    )
    message, rest = decoder.decode(data, asn1Spec=SNMPv3Message())
    assert not rest
    assert [int(field) for field in (message[0], message[1][0], message[1][1], message[1][3])] == [
        *[3, 5, 65507, 3]
    ]
    assert bytes(message[1][2]) == bytes((user.level,))
    parameters, rest = decoder.decode(bytes(message[2]), asn1Spec=UsmSecurityParameters())
    assert not rest
    assert bytes(parameters[0]) == ENGINE
    assert bytes(parameters[3]) == user.name.encode()
    if user.auth_protocol is not None:
        auth = SnmpUSMSecurityModel.AUTH_SERVICES[AUTH_SERVICES[user.auth_protocol]]
        auth.authenticate_incoming_message(pysnmp_keys(user)[0], parameters[4], data)
    scoped = message[3].getComponent()
    if user.level == SecurityLevel.authPriv:
        priv = SnmpUSMSecurityModel.PRIV_SERVICES[PRIV_SERVICES[user.priv_protocol]]
        plaintext = priv.decrypt_data(pysnmp_keys(user)[1], (3, 1000, parameters[5]), scoped)
        scoped, _ = decoder.decode(plaintext, asn1Spec=ScopedPDU())
    assert (bytes(scoped[0]), bytes(scoped[1])) == (ENGINE, b"vrf-1")
    [(oid, value)] = V2C.apiPDU.get_varbinds(scoped[2].getComponent())
    assert (str(oid), int(value)) == ("1.3.6.1.2.1.1.3.0", 123456)
