from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exporters.demo.syslog_corpus import FORMS, SyslogCorpus
from exporters.wire.syslog_message import decode_message
from exporters.wire.syslog_sequence import Numbers, find_numbers, read_numbers

STAMP = b"*Mar 15 10:05:53.044: %SYS-5-CONFIG_I: x"
LONGEST = b"9" * 18


def read(message: bytes) -> Numbers:
    (found,) = find_numbers((message,))
    return read_numbers(found)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(b"<189>521: " + STAMP, Numbers(521), id="counter"),
        pytest.param(b"<189>521: r1: " + STAMP, Numbers(521), id="counter and host"),
        pytest.param(b"<189>521: 2001:db8::1: " + STAMP, Numbers(521), id="host is IPv6"),
        pytest.param(b"<189>22: r1: 000546: " + STAMP, Numbers(22, 546), id="both and host"),
        pytest.param(b"<189>43: 000040: " + STAMP, Numbers(43, 40), id="both"),
        pytest.param(b"<189>43: 100040: " + STAMP, Numbers(43, 100040), id="both, not padded"),
        pytest.param(b"<189>000040: " + STAMP, Numbers(service=40), id="sequence number"),
        pytest.param(b"<189>: 000040: " + STAMP, Numbers(service=40), id="counter off"),
        pytest.param(b"<189>r1: 521: " + STAMP, Numbers(service=521), id="host first"),
        pytest.param(b"<189>: " + STAMP, Numbers(), id="bare colon"),
        pytest.param(b"<189>" + STAMP, Numbers(), id="none"),
        pytest.param(b" <189>5: " + STAMP, Numbers(5), id="blank before PRI"),
        pytest.param(b"<5><189>5: " + STAMP, Numbers(5), id="double PRI"),
        pytest.param(b"<189>0: " + STAMP, Numbers(0), id="zero"),
        pytest.param(b"<189>00:01:01: %LINK-3-UPDOWN: 7: x", Numbers(), id="uptime"),
        pytest.param(b"<189>7: 1w2d: %LINK-3-UPDOWN: x", Numbers(7), id="counter and uptime"),
        pytest.param(b"<189>Mar 15 10:05:53: %A-3-B: 12: x", Numbers(), id="number in the text"),
        pytest.param(b"<189>Mar 15 10:05:53 r1 5: " + STAMP, Numbers(5), id="relayed"),
        pytest.param(b"<189>2026-03-15T10:05:53Z r1 5: " + STAMP, Numbers(5), id="relayed, ISO"),
        pytest.param(b"<189>9" + LONGEST + b": " + STAMP, Numbers(), id="longer than any number"),
        pytest.param(b'<1>1 - - - - - [meta sequenceId="29"] x', Numbers(meta=29), id="meta"),
        pytest.param(
            b'<1>1 - - - - - [a x="]\\""][meta language="en" sequenceId="3"][b]',
            Numbers(meta=3),
            id="meta among others",
        ),
        pytest.param(b'<1>1 - - - - - [meta sequenceId="x"]', Numbers(), id="meta of no number"),
        pytest.param(b'<1>1 - - - - - [a] [meta sequenceId="5"]', Numbers(), id="meta in the text"),
        pytest.param(b'<1>1 - - - - - [metas sequenceId="5"]', Numbers(), id="not meta"),
    ],
)
def test_numbers_are_read_as_their_forms_say(message: bytes, expected: Numbers) -> None:
    assert read(message) == expected


PIECES = st.sampled_from(
    [b"<189>", b"12: ", b": ", b"r1: ", b"000123: ", b"Mar 15 10:05:53 ", b"*", b"%A-1-B: ", b"1 ",
     b"- ", b"[meta", b' sequenceId="', b'"', b"]", b"[a", b' b="', b"\\", b"\n", b" ", b"\0"]
)  # fmt: skip
CORPUS = st.builds(
    lambda seed, form: SyslogCorpus(seed=seed).fill(form),
    st.integers(0, 1_000_000),
    st.sampled_from(FORMS),
)
ANYTHING = st.one_of(st.lists(PIECES, max_size=14).map(b"".join), st.binary(max_size=60), CORPUS)


@given(st.lists(ANYTHING, min_size=1, max_size=8))
@example([b""])
@example([b"<1>" + b"1: " * 50_000])
@example([b"<1>1 - - - - - " + b"[a]" * 50_000])
@example([b"<1>1 - - - - - [a" + b' b="1"' * 50_000])
@example([b"<1>1 - - - - - [meta" + b' b="1"' * 50_000])
@example([b"<1>1 - - - - - [a" + b" " * 100_000])
@example([b'<1>1 - - - - - [a b="' + b"\\" * 100_000])
@example([b'<1>1 - - - - - [a b="' + b'\\"' * 50_000])
@example([b"<" * 100_000])
@example([b" " * 100_000])
def test_batch_has_the_numbers_of_each_alone(messages: list[bytes]) -> None:
    found = find_numbers(messages)

    assert found == [find_numbers((message,))[0] for message in messages]
    # Behind a newline, a message is read by the other pattern.
    assert found == [find_numbers((message + b"\nx",))[0] for message in messages]


@given(ANYTHING)
def test_structured_data_is_whole_where_reading_finds_any(content: bytes) -> None:
    message = decode_message(b"<13>1 - - - - - [" + content)
    (found,) = find_numbers((b"<13>1 - - - - - [" + content,))

    assert bool(found[1]) == bool(message.structured_data)
