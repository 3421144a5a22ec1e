"""What is answered to one PDU, per version."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from exporters.demo.mib_view import MibView
from exporters.demo.recording import Recording
from exporters.demo.responder import PDU_OVERHEAD_BYTES, Responder
from exporters.demo.snmprec import read_recording
from exporters.wire.ber import encode_oid
from exporters.wire.snmp_message import ErrorStatus, Pdu, Version
from exporters.wire.tags import (
    END_OF_MIB_VIEW,
    GET_BULK_REQUEST,
    GET_NEXT_REQUEST,
    GET_REQUEST,
    INFORM_REQUEST,
    NO_SUCH_INSTANCE,
    NO_SUCH_OBJECT,
    RESPONSE,
    SET_REQUEST,
    TRAP_V2,
)

from .asking import REQUEST_ID, ask, names, read_pdu

V1, V2C = Version.V1, Version.V2C
ROOMY = 65000

LINES = """\
1.3.6.1.2.1.1.1.0|4|a switch
1.3.6.1.2.1.1.3.0|67|4711
1.3.6.1.2.1.2.2.1.1.1|2|1
1.3.6.1.2.1.2.2.1.1.2|2|2
1.3.6.1.2.1.2.2.1.1.3|2|3
1.3.6.1.2.1.31.1.1.1.6.1|70|10
1.3.6.1.2.1.31.1.1.1.6.2|70|20
1.3.6.1.2.1.31.1.1.1.18.1|4|uplink
"""
COLUMN = "1.3.6.1.2.1.2.2.1.1"
HIGH_COLUMN = "1.3.6.1.2.1.31.1.1.1.6"
LAST = "1.3.6.1.2.1.31.1.1.1.18.1"


@pytest.fixture(scope="module")
def responder() -> Responder:
    return Responder(MibView(read_recording(LINES.encode().splitlines())))


def answer(responder: Responder, version: int, pdu: Pdu, most_bytes: int = ROOMY) -> Pdu:
    return read_pdu(responder.answer(version, pdu, most_bytes))


def test_get_gives_rows_in_the_order_asked_under_the_same_request_id(
    responder: Responder,
) -> None:
    pdu = answer(responder, V2C, ask(GET_REQUEST, "1.3.6.1.2.1.1.3.0", "1.3.6.1.2.1.1.1.0"))
    assert (pdu.type, pdu.request_id, pdu.error_status) == (RESPONSE, REQUEST_ID, 0)
    assert [content for _, _, content in pdu.varbinds] == [b"\x12\x67", b"a switch"]


@pytest.mark.parametrize(
    ("oid", "tag"),
    [
        pytest.param(f"{COLUMN}.9", NO_SUCH_INSTANCE, id="a column without that row"),
        pytest.param("1.3.6.1.2.1.1.3.1", NO_SUCH_INSTANCE, id="a scalar with another instance"),
        pytest.param("1.3.6.1.2.1.1.9.0", NO_SUCH_OBJECT, id="an unknown scalar"),
        pytest.param("1.3.6.1.2.1.2.2.1.200.1", NO_SUCH_OBJECT, id="an unknown column"),
        pytest.param("1.4", NO_SUCH_OBJECT, id="behind everything"),
        pytest.param("1.3.9", NO_SUCH_OBJECT, id="beside a subtree"),
    ],
)
def test_get_of_a_missing_row_gives_an_exception(responder: Responder, oid: str, tag: int) -> None:
    pdu = answer(responder, V2C, ask(GET_REQUEST, oid))
    assert pdu.error_status == ErrorStatus.noError
    assert list(pdu.varbinds) == [(encode_oid(oid), tag, b"")]


@pytest.mark.parametrize(
    "oid",
    [
        pytest.param("1.3.6.1.2.1.1.9.0", id="missing"),
        pytest.param(f"{HIGH_COLUMN}.1", id="Counter64"),
    ],
)
def test_version_1_get_fails_as_a_whole_and_repeats_the_request(
    responder: Responder, oid: str
) -> None:
    request = ask(GET_REQUEST, "1.3.6.1.2.1.1.1.0", oid)
    pdu = answer(responder, V1, request)
    assert (pdu.error_status, pdu.error_index) == (ErrorStatus.noSuchName, 2)
    assert pdu.varbinds == request.varbinds


@pytest.mark.parametrize(
    ("version", "oid", "successor"),
    [
        pytest.param(V2C, "1.3", "1.3.6.1.2.1.1.1.0", id="from above"),
        pytest.param(V2C, COLUMN, f"{COLUMN}.1", id="from the column"),
        pytest.param(V2C, f"{COLUMN}.1", f"{COLUMN}.2", id="from a row"),
        pytest.param(V2C, f"{COLUMN}.3", f"{HIGH_COLUMN}.1", id="into Counter64"),
        pytest.param(V1, f"{COLUMN}.3", LAST, id="version 1 over Counter64"),
        pytest.param(V1, HIGH_COLUMN, LAST, id="version 1 from the Counter64 column"),
    ],
)
def test_get_next_gives_the_successor(
    responder: Responder, version: int, oid: str, successor: str
) -> None:
    assert names(answer(responder, version, ask(GET_NEXT_REQUEST, oid))) == [successor]


def test_get_next_behind_the_last_row_is_end_of_mib_view(responder: Responder) -> None:
    pdu = answer(responder, V2C, ask(GET_NEXT_REQUEST, LAST))
    assert list(pdu.varbinds) == [(encode_oid(LAST), END_OF_MIB_VIEW, b"")]


def test_version_1_get_next_behind_the_last_row_is_no_such_name(responder: Responder) -> None:
    pdu = answer(responder, V1, ask(GET_NEXT_REQUEST, "1.3", LAST))
    assert (pdu.error_status, pdu.error_index) == (ErrorStatus.noSuchName, 2)


def test_version_1_get_next_passes_over_many_counter64_rows() -> None:
    rows = [f"1.3.6.1.1.{n}|70|{n}".encode() for n in range(1000)] + [b"1.3.6.2|2|1"]
    responder = Responder(MibView(read_recording(rows)))
    assert names(answer(responder, V1, ask(GET_NEXT_REQUEST, "1.3"))) == ["1.3.6.2"]
    only_wide = Responder(MibView(read_recording(rows[:-1])))
    pdu = answer(only_wide, V1, ask(GET_NEXT_REQUEST, "1.3"))
    assert pdu.error_status == ErrorStatus.noSuchName


@pytest.mark.parametrize(
    ("non_repeaters", "repetitions", "oids", "expected"),
    [
        pytest.param(0, 2, [COLUMN], [f"{COLUMN}.1", f"{COLUMN}.2"], id="one repeater"),
        pytest.param(
            1,
            2,
            ["1.3.6.1.2.1.1.3", COLUMN, HIGH_COLUMN],
            [
                "1.3.6.1.2.1.1.3.0",
                *(f"{COLUMN}.1", f"{HIGH_COLUMN}.1"),
                *(f"{COLUMN}.2", f"{HIGH_COLUMN}.2"),
            ],
            id="a non-repeater and two repeaters by turns",
        ),
        pytest.param(5, 9, [COLUMN], [f"{COLUMN}.1"], id="more non-repeaters than names"),
        pytest.param(-1, 1, [COLUMN], [f"{COLUMN}.1"], id="negative non-repeaters count as none"),
        pytest.param(0, 0, [COLUMN], [], id="no repetitions"),
        pytest.param(0, -4, [COLUMN], [], id="negative repetitions count as none"),
        pytest.param(0, 3, [], [], id="no names"),
    ],
)
def test_get_bulk_gives_successors_by_turns(
    responder: Responder,
    non_repeaters: int,
    repetitions: int,
    oids: list[str],
    expected: list[str],
) -> None:
    request = ask(GET_BULK_REQUEST, *oids, non_repeaters=non_repeaters, repetitions=repetitions)
    assert names(answer(responder, V2C, request)) == expected


def test_get_bulk_fills_up_ended_columns_and_stops_when_all_have_ended(
    responder: Responder,
) -> None:
    request = ask(GET_BULK_REQUEST, f"{HIGH_COLUMN}.2", "1.4", repetitions=10)
    pdu = answer(responder, V2C, request)
    assert names(pdu) == [LAST, "1.4", LAST, "1.4"]
    ends = [tag == END_OF_MIB_VIEW for _, tag, _ in pdu.varbinds]
    assert ends == [False, True, True, True]


@pytest.mark.parametrize("most_bytes", range(60, 400, 7))
def test_get_bulk_answer_is_as_long_as_fits_and_no_longer(
    responder: Responder, most_bytes: int
) -> None:
    request = ask(GET_BULK_REQUEST, "1.3", COLUMN, repetitions=50)
    whole = answer(responder, V2C, request)
    data = responder.answer(V2C, request, most_bytes)
    assert data is not None
    assert len(data) <= most_bytes
    pdu = read_pdu(data)
    assert list(pdu.varbinds) == list(whole.varbinds[: len(pdu.varbinds)])
    if len(pdu.varbinds) < len(whole.varbinds):
        longest_row = 40
        assert len(data) > most_bytes - longest_row - PDU_OVERHEAD_BYTES


@pytest.mark.parametrize(
    ("version", "pdu_type", "repeated"),
    [
        pytest.param(V1, GET_REQUEST, True, id="version 1 repeats the request"),
        pytest.param(V2C, GET_REQUEST, False, id="get"),
        pytest.param(V2C, GET_NEXT_REQUEST, False, id="getnext"),
        pytest.param(V2C, GET_BULK_REQUEST, False, id="getbulk of which nothing fits"),
    ],
)
def test_answer_that_does_not_fit_is_too_big(
    responder: Responder, version: int, pdu_type: int, *, repeated: bool
) -> None:
    request = ask(pdu_type, "1.3.6.1.2.1.1.1.0", repetitions=4)
    pdu = answer(responder, version, request, most_bytes=30)
    assert (pdu.error_status, pdu.error_index) == (ErrorStatus.tooBig, 0)
    assert list(pdu.varbinds) == (list(request.varbinds) if repeated else [])


@pytest.mark.parametrize(
    ("version", "oid", "status"),
    [
        pytest.param(V1, "1.3.6.1.2.1.1.1.0", ErrorStatus.noSuchName, id="version 1"),
        pytest.param(V2C, "1.3.6.1.2.1.1.1.0", ErrorStatus.notWritable, id="a row"),
        pytest.param(V2C, "1.3.6.1.2.1.1.9.0", ErrorStatus.noAccess, id="no row"),
    ],
)
def test_set_is_refused(responder: Responder, version: int, oid: str, status: ErrorStatus) -> None:
    pdu = answer(responder, version, ask(SET_REQUEST, oid))
    assert (pdu.error_status, pdu.error_index) == (status, 1)


@pytest.mark.parametrize(
    ("version", "pdu_type"),
    [
        pytest.param(V1, GET_BULK_REQUEST, id="getbulk in version 1"),
        pytest.param(V2C, RESPONSE, id="response"),
        pytest.param(V2C, TRAP_V2, id="trap"),
        pytest.param(V2C, INFORM_REQUEST, id="inform"),
    ],
)
def test_what_an_agent_does_not_serve_is_not_answered(
    responder: Responder, version: int, pdu_type: int
) -> None:
    assert responder.answer(version, ask(pdu_type, COLUMN), ROOMY) is None


def test_walk_by_get_bulk_visits_every_row_of_a_real_device(
    pdu_recording: Recording, clock: Callable[[], float]
) -> None:
    responder = Responder(MibView(pdu_recording, clock=clock))
    seen = []
    oid = "1.3"
    while True:
        pdu = answer(responder, V2C, ask(GET_BULK_REQUEST, oid, repetitions=40), 1400)
        rows = [varbind for varbind in pdu.varbinds if varbind[1] != END_OF_MIB_VIEW]
        seen += rows
        if len(rows) < len(pdu.varbinds):
            break
        oid = names(pdu)[-1]
    assert seen == list(pdu_recording)
