"""Agents that misbehave, each in one way."""

from __future__ import annotations

import pytest

from exporters.demo.faults import Delivery, Faults, FaultyResponder
from exporters.demo.mib_view import MibView
from exporters.demo.recording import Recording
from exporters.demo.snmprec import read_recording
from exporters.wire.snmp_message import ErrorStatus, Pdu, Version
from exporters.wire.tags import GET_BULK_REQUEST, GET_NEXT_REQUEST, GET_REQUEST, NO_SUCH_INSTANCE

from .asking import REQUEST_ID, ask, names, read_pdu

COLUMN = "1.3.6.1.2.1.2.2.1.1"
OCTETS = "1.3.6.1.2.1.31.1.1.1.6"
V2C = Version.V2C


@pytest.fixture(scope="module")
def recording() -> Recording:
    rows = [f"{COLUMN}.{n}|2|{n}".encode() for n in range(1, 6)]
    return read_recording([*rows, f"{OCTETS}.1|70|{2**63 + 5}".encode(), b"1.3.7|2|1"])


def responder(recording: Recording, **faults: object) -> FaultyResponder:
    return FaultyResponder(MibView(recording), Faults(**faults))  # type: ignore[arg-type]


def answer(agent: FaultyResponder, pdu: Pdu) -> Pdu:
    return read_pdu(agent.answer(V2C, pdu, 65000))


def bulk(oid: str, repetitions: int) -> Pdu:
    return ask(GET_BULK_REQUEST, oid, repetitions=repetitions)


def test_without_faults_answers_are_those_of_a_sound_agent(recording: Recording) -> None:
    agent = responder(recording)
    expected = [f"{COLUMN}.{n}" for n in (1, 2, 3)]
    assert names(answer(agent, bulk(COLUMN, 3))) == expected
    assert names(answer(agent, ask(GET_NEXT_REQUEST, f"{COLUMN}.5"))) == [f"{OCTETS}.1"]


def test_successor_can_lead_backwards(recording: Recording) -> None:
    agent = responder(recording, successors={f"{COLUMN}.3": f"{COLUMN}.1"})
    pdu = answer(agent, bulk(COLUMN, 7))
    assert [name.rpartition(".")[2] for name in names(pdu)] == ["1", "2", "3", "1", "2", "3", "1"]


def test_successor_can_be_the_row_itself(recording: Recording) -> None:
    agent = responder(recording, successors={f"{COLUMN}.2": f"{COLUMN}.2"})
    assert names(answer(agent, ask(GET_NEXT_REQUEST, f"{COLUMN}.2"))) == [f"{COLUMN}.2"]


def test_rows_vanish_after_so_many_requests(recording: Recording) -> None:
    agent = responder(recording, gone_after={f"{COLUMN}.2": 1})
    seen = [names(answer(agent, bulk(COLUMN, 3))) for _ in range(2)]
    assert seen[0] == [f"{COLUMN}.{n}" for n in (1, 2, 3)]
    assert seen[1] == [f"{COLUMN}.{n}" for n in (1, 3, 4)]
    pdu = answer(agent, ask(GET_REQUEST, f"{COLUMN}.2"))
    assert [tag for _, tag, _ in pdu.varbinds] == [NO_SUCH_INSTANCE]


def test_loop_of_vanished_rows_ends(recording: Recording) -> None:
    faults = {
        "gone_after": {COLUMN: 0},
        "successors": {f"{COLUMN}.5": f"{COLUMN}.1"},
    }
    agent = responder(recording, **faults)
    assert names(answer(agent, ask(GET_NEXT_REQUEST, COLUMN))) == [COLUMN]


def test_values_are_empty(recording: Recording) -> None:
    agent = responder(recording, empty_below=(COLUMN,))
    pdu = answer(agent, ask(GET_REQUEST, f"{COLUMN}.1", "1.3.7"))
    assert [content for _, _, content in pdu.varbinds] == [b"", b"\x01"]


def test_counter64_is_encoded_as_signed(recording: Recording) -> None:
    agent = responder(recording, signed_counter64=True)
    pdu = answer(agent, ask(GET_REQUEST, f"{OCTETS}.1"))
    assert pdu.varbinds[0][2] == b"\x80\0\0\0\0\0\0\x05"


def test_answer_that_reaches_a_row_is_an_error(recording: Recording) -> None:
    agent = responder(recording, errors_below={f"{COLUMN}.3": ErrorStatus.genErr})
    assert answer(agent, bulk(COLUMN, 2)).error_status == ErrorStatus.noError
    pdu = answer(agent, bulk(COLUMN, 4))
    assert (pdu.error_status, pdu.error_index) == (ErrorStatus.genErr, 3)


def test_answer_of_many_varbinds_is_too_big(recording: Recording) -> None:
    agent = responder(recording, too_big_above=3)
    assert len(answer(agent, bulk(COLUMN, 3)).varbinds) == 3
    pdu = answer(agent, bulk(COLUMN, 4))
    assert (pdu.error_status, list(pdu.varbinds)) == (ErrorStatus.tooBig, [])


def test_answer_has_fewer_varbinds_than_asked(recording: Recording) -> None:
    agent = responder(recording, most_varbinds=1)
    pdu = answer(agent, ask(GET_REQUEST, f"{COLUMN}.1", f"{COLUMN}.2"))
    assert names(pdu) == [f"{COLUMN}.1"]


def test_answer_has_more_varbinds_than_asked(recording: Recording) -> None:
    agent = responder(recording, surplus_varbinds=2)
    pdu = answer(agent, ask(GET_REQUEST, f"{COLUMN}.1"))
    assert names(pdu) == [f"{COLUMN}.{n}" for n in (1, 2, 3)]


def test_requests_below_an_oid_are_not_answered(recording: Recording) -> None:
    agent = responder(recording, silent_below=(f"{COLUMN}.2",))
    assert agent.answer(V2C, ask(GET_NEXT_REQUEST, f"{COLUMN}.2"), 65000) is None
    assert names(answer(agent, ask(GET_NEXT_REQUEST, f"{COLUMN}.20"))) == [f"{OCTETS}.1"]


def test_request_id_is_another_one_at_the_rate(recording: Recording) -> None:
    agent = responder(recording, wrong_request_id_rate=0.5)
    ids = [answer(agent, ask(GET_REQUEST, "1.3.7")).request_id for _ in range(200)]
    assert 70 < sum(request_id != REQUEST_ID for request_id in ids) < 130


def test_fault_in_an_oid_shows_when_the_agent_is_made(recording: Recording) -> None:
    with pytest.raises(ValueError, match="'ifTable' is not an OID"):
        responder(recording, empty_below=("ifTable",))


def test_delivery_without_faults_is_immediate() -> None:
    assert Delivery(Faults(signed_counter64=True)).immediate
    assert not Delivery(Faults(drop_rate=0.1)).immediate


def test_delivery_delays_each_answer_by_the_delay_and_some_jitter() -> None:
    delivery = Delivery(Faults(delay_seconds=0.5, jitter_seconds=0.25))
    delays = [delay for _ in range(200) for delay in delivery.delays()]
    assert len(delays) == 200
    assert 0.5 <= min(delays) < 0.52
    assert 0.73 < max(delays) <= 0.75


def test_delivery_drops_doubles_and_holds_back_at_the_rates() -> None:
    faults = Faults(drop_rate=0.2, duplicate_rate=0.3, late_rate=0.1, late_seconds=9.0)
    delivery = Delivery(faults)
    answers = [delivery.delays() for _ in range(5000)]
    assert 900 < answers.count(()) < 1100
    kept = [delays for delays in answers if delays]
    assert 0.27 < sum(len(delays) == 2 for delays in kept) / len(kept) < 0.33
    assert 0.08 < sum(delays[0] == 9.0 for delays in kept) / len(kept) < 0.12


def test_delivery_follows_the_seed_and_each_fault_draws_for_itself() -> None:
    def lost(**faults: float) -> list[bool]:
        delivery = Delivery(Faults(drop_rate=0.3, **faults))  # type: ignore[arg-type]
        return [not delivery.delays() for _ in range(100)]

    assert lost() == lost()
    assert lost() == lost(duplicate_rate=0.5, late_rate=0.5, jitter_seconds=1.0)
    assert lost() != lost(seed=1)
