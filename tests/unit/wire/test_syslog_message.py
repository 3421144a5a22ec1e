from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from exporters.demo.syslog_corpus import FORMS, Form, SyslogCorpus
from exporters.wire.syslog_classes import Classifier, MessageFormat
from exporters.wire.syslog_message import (
    SyslogMessage,
    decode_hostname,
    decode_message,
    decode_text,
)
from exporters.wire.syslog_priority import SEVERITIES

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "cases/syslog/messages.yml").read_text()
)


def unix_time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def described(message: SyslogMessage, received_at: float) -> dict[str, Any]:
    """All that a case may expect, by its key there."""
    kind, header = message.message_class, message.header
    time = message.device_time(received_at)
    return {
        "format": str(kind.format),
        "facility": kind.facility,
        "severity": kind.severity,
        "priority_severity": kind.priority_severity,
        "vendor": kind.vendor,
        "event": kind.event,
        "class_app": kind.app,
        "is_counted": kind.is_counted,
        "host": message.hostname,
        "app": message.app,
        "process_id": message.process_id,
        "message_id": message.message_id,
        "text": message.text,
        "structured_data": {
            element: {name: list(values) for name, values in parameters.items()}
            for element, parameters in message.structured_data.items()
        },
        "values": message.values,
        "number": message.numbers.message,
        "sequence": message.numbers.service,
        "sequence_id": message.numbers.meta,
        "clock": str(header.clock),
        "uptime": header.uptime_seconds,
        "node": header.node,
        "zone": header.stamp.zone if header.stamp else None,
        "time": None if time is None else datetime.fromtimestamp(time, UTC),
        "repeated": message.repeated,
        "faults": sorted(message.faults_at(received_at)),
    }


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in CASES])
def test_message_is_read_as_the_case_expects(case: dict[str, Any]) -> None:
    data = case["data"].encode() if "data" in case else case["octets"].encode("latin-1")
    expected = {"faults": [], **case["expect"]}
    if expected.get("time"):
        expected["time"] = datetime.fromisoformat(expected["time"])
    received_at = unix_time(case.get("received", "2026-03-20T12:00:00Z"))

    read = described(decode_message(data), received_at)
    if "values" in expected:
        read["values"] = {name: read["values"].get(name) for name in expected["values"]}

    assert {key: read[key] for key in expected} == expected


def test_cases_have_names_of_their_own() -> None:
    names = [case["id"] for case in CASES]

    assert len(set(names)) == len(names) > 70


@pytest.mark.parametrize(
    "form",
    [pytest.param(form, id=f"{form.vendor}-{form.event or i}") for i, form in enumerate(FORMS)],
)
def test_message_of_each_form_of_the_corpus_is_recognised(form: Form) -> None:
    message = decode_message(SyslogCorpus().fill(form))
    kind = message.message_class

    assert (kind.vendor, kind.event) == (form.vendor, form.event)
    assert kind.app in (message.app, "")  # the task of a WLC is read, not counted by
    assert kind.severity == SEVERITIES[form.severity]
    assert message.faults == frozenset()


def test_message_has_the_time_of_the_zone_of_its_device() -> None:
    received_at = unix_time("2026-03-15T01:06:00Z")
    message = decode_message(b"<189>1: Mar 15 10:05:53: %SYS-5-CONFIG_I: x")

    assert message.device_time(received_at, ZoneInfo("Asia/Seoul")) == unix_time(
        "2026-03-15T01:05:53Z"
    )


@pytest.mark.parametrize(
    ("zone", "expected"),
    [("Asia/Shanghai", "2026-03-15T02:05:53Z"), ("America/Chicago", "2026-03-15T16:05:53Z")],
)
def test_name_of_a_zone_means_what_it_means_where_the_device_is(zone: str, expected: str) -> None:
    message = decode_message(b"<189>1: Mar 15 10:05:53 CST: %SYS-5-CONFIG_I: x")

    assert message.device_time(unix_time("2026-03-15T12:00:00Z"), ZoneInfo(zone)) == unix_time(
        expected
    )


corpus = st.builds(
    lambda seed, form: SyslogCorpus(seed=seed).fill(form),
    st.integers(min_value=0, max_value=1_000_000),
    st.sampled_from(FORMS),
)
cases = st.sampled_from(
    [
        case["data"].encode() if "data" in case else case["octets"].encode("latin-1")
        for case in CASES
    ]
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A real message, of which parts are missing, changed, or taken from another."""
    data = bytearray(draw(st.one_of(corpus, cases)))
    for _ in range(draw(st.integers(min_value=0, max_value=4))):
        start = draw(st.integers(min_value=0, max_value=len(data)))
        end = draw(st.integers(min_value=start, max_value=min(len(data), start + 20)))
        data[start:end] = draw(st.one_of(st.binary(max_size=6), st.just(b""), cases))
    return bytes(data)


anything = st.one_of(st.binary(max_size=200), damaged(), st.text(max_size=80).map(str.encode))


@given(anything)
@example(b"<13>Oct 11 22:14:15 " + b"a" * 100_000)
@example(b"<13>" + b"%" * 100_000)
@example(b"<13>1 - - - - - " + b"[a " * 30_000)
@example(b"<13>1 - - - - - [a " + b'x="1" ' * 30_000)
@example(b"<13>" + b"a=1 " * 30_000)
@example(b"<13>" + b"1: " * 30_000)
@example(b"<9" * 30_000)
def test_anything_has_one_class_and_can_be_read(data: bytes) -> None:
    message = decode_message(data)

    assert message.message_class.format in MessageFormat
    message.device_time(1_700_000_000.0)
    message.device_time(1_700_000_000.0, ZoneInfo("Asia/Seoul"))
    message.text.encode()  # no lone surrogates
    assert message.faults >= message.message_class.faults
    assert decode_text(data) == message.text
    assert decode_hostname(data) == message.hostname
    assert decode_message(data, Classifier().classify(data)).text == message.text


@given(st.lists(anything, min_size=1, max_size=8))
def test_batch_gives_the_classes_of_each_alone(messages: list[bytes]) -> None:
    classifier = Classifier()
    expected = [decode_message(message).message_class for message in messages]

    for _ in range(2):  # the second time from memory
        batch = classifier.classify_batch(messages)
        alone = [classifier.classify(message) for message in messages]
        assert [repr(kind) for kind in batch] == [repr(kind) for kind in expected]
        assert [repr(kind) for kind in alone] == [repr(kind) for kind in expected]
