from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.wire.syslog_framing import FramingCounts, FramingFault, StreamFramer

LONGEST = 40


class Stream:
    """A connection that ends, and what became of it."""

    def __init__(self, *chunks: bytes, resynchronise: bool = False) -> None:
        self.counts = FramingCounts()
        framer = StreamFramer(self.counts, max_message_bytes=LONGEST, resynchronise=resynchronise)
        self.messages = [message for chunk in chunks for message in framer.feed(chunk)]
        self.before_close = list(self.messages)
        self.messages += framer.close()
        self.is_broken = framer.is_broken

    @property
    def faults(self) -> dict[str, int]:
        return {str(fault): number for fault, number in self.counts.faults.items() if number}


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        pytest.param(b"<1>a\n<2>b\n", [b"<1>a", b"<2>b"], id="lines"),
        pytest.param(b"<1>a\r\n<2>b\r\n", [b"<1>a", b"<2>b"], id="crlf"),
        pytest.param(b"<1>a\0<2>b\0", [b"<1>a", b"<2>b"], id="nul"),
        pytest.param(b"4 <1>a4 <2>b", [b"<1>a", b"<2>b"], id="counted-and-glued"),
        pytest.param(b"4 <1>a\n4 <2>b\n", [b"<1>a", b"<2>b"], id="counted-with-newlines-between"),
        pytest.param(b"6 <1>a\nb4 <2>c", [b"<1>a\nb", b"<2>c"], id="newline-in-a-counted-one"),
        pytest.param("9 <1>hellø".encode(), ["<1>hellø".encode()], id="octets-not-characters"),
        pytest.param(b"<1>a\n4 <2>b<3>c\n4 <4>d", [b"<1>a", b"<2>b", b"<3>c", b"<4>d"], id="mixed"),
        pytest.param(b"4 <1>a5 hello", [b"<1>a", b"hello"], id="counted-without-pri"),
        pytest.param(b"no pri\n<1>a\n", [b"no pri", b"<1>a"], id="a-line-without-pri"),
        pytest.param(b"1 2018-01-01 x\n", [b"1 2018-01-01 x"], id="a-line-with-a-number-first"),
        pytest.param(b"2018 Apr 20 x\n", [b"2018 Apr 20 x"], id="a-line-with-a-year-first"),
        pytest.param(b"1,2020/10/11\n", [b"1,2020/10/11"], id="a-line-of-columns"),
        pytest.param(b"00:01:01: %X\n", [b"00:01:01: %X"], id="a-line-with-an-uptime-first"),
        pytest.param(b"0123456789 <1>a\n", [b"0123456789 <1>a"], id="more-digits-than-a-count"),
        pytest.param(b"\n\r\n\0<1>a\n\n", [b"<1>a"], id="empty-lines"),
    ],
)
def test_framer_gives_the_messages_of(stream: bytes, expected: list[bytes]) -> None:
    taken = Stream(stream)

    assert taken.before_close == expected
    assert taken.messages == expected
    assert taken.faults == {}


def test_framer_gives_the_last_line_without_its_end_and_counts_it() -> None:
    taken = Stream(b"<1>a\n<2>b")

    assert taken.before_close == [b"<1>a"]
    assert taken.messages == [b"<1>a", b"<2>b"]
    assert taken.counts.partial == 1


@pytest.mark.parametrize("stream", [b"16 <1>1", b"4 <1>a16", b"4 <1>a16 ", b"4 <1>a16 <2>"])
def test_framer_drops_a_counted_frame_that_is_cut_off_by_the_end(stream: bytes) -> None:
    taken = Stream(stream)

    assert taken.messages == [b"<1>a"][: stream.count(b"a")]
    assert taken.faults == {"unfinished": 1}
    assert taken.counts.partial == 0


@pytest.mark.parametrize(
    ("stream", "before", "fault"),
    [
        pytest.param(b"0 <1>a\n<2>b\n", [], FramingFault.BAD_COUNT, id="zero"),
        pytest.param(b"016 <1>a\n<2>b\n", [], FramingFault.BAD_COUNT, id="leading-zero"),
        pytest.param(b"99999 <1>a\n<2>b\n", [], FramingFault.BAD_COUNT, id="more-than-any"),
        pytest.param(b"3 <1>a\n<2>b\n", [b"<1>"], FramingFault.DESYNCHRONISED, id="too-few"),
        pytest.param(
            b"4 <1>a12345\n<2>b\n", [b"<1>a"], FramingFault.DESYNCHRONISED, id="digits-alone"
        ),
        pytest.param(
            b"4 <1>a1234567890 \n<2>b\n", [b"<1>a"], FramingFault.DESYNCHRONISED, id="ten-digits"
        ),
    ],
)
def test_framer_ends_the_connection_or_goes_on_behind_a_newline_after(
    stream: bytes, before: list[bytes], fault: FramingFault
) -> None:
    closed = Stream(stream)
    resynchronised = Stream(stream, resynchronise=True)

    assert (closed.is_broken, closed.messages) == (True, before)
    assert (resynchronised.is_broken, resynchronised.messages) == (False, [*before, b"<2>b"])
    assert closed.faults == resynchronised.faults == {fault: 1}


def test_framer_that_is_broken_gives_nothing_more() -> None:
    taken = Stream(b"0 <1>a\n", b"<2>b\n", b"<3>c")

    assert taken.messages == []
    assert taken.counts.partial == 0


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\0", b""], ids=["lf", "crlf", "nul", "close"])
@pytest.mark.parametrize("excess", [0, 1, 2, 3, 1000])
def test_framer_cuts_a_line_that_is_too_long_and_drops_the_rest(end: bytes, excess: int) -> None:
    line = b"<1>" + b"x" * (LONGEST - 3 + excess)
    following = b"<2>b\n" if end else b""
    taken = Stream(line + end + following)

    assert taken.messages == [line[:LONGEST], b"<2>b"][: 2 if end else 1]
    assert taken.counts.truncated == (1 if excess else 0)


@pytest.mark.parametrize("excess", [0, 1, LONGEST * 15])
def test_framer_cuts_a_counted_message_that_is_too_long_and_drops_the_rest(excess: int) -> None:
    message = b"<1>" + b"\n<9>z" * ((LONGEST + excess) // 5 + 1)
    message = message[: LONGEST + excess]
    taken = Stream(b"%d %b4 <2>b" % (len(message), message))

    assert taken.messages == [message[:LONGEST], b"<2>b"]
    assert taken.counts.truncated == (1 if excess else 0)
    assert taken.faults == {}


def test_framer_gives_no_empty_message_behind_a_line_that_was_cut() -> None:
    taken = Stream(b"x" * (LONGEST + 2), b"\0\n")

    assert taken.messages == [b"x" * LONGEST]


def test_framer_holds_no_more_than_a_message_of_what_never_ends() -> None:
    framer = StreamFramer(FramingCounts(), max_message_bytes=LONGEST)
    for _ in range(1000):
        framer.feed(b"<1>" + b"x" * 97)
        assert len(framer._rest) <= LONGEST + 2


LINE_HEADS = [b"<1>", b"<191>", b"text ", b"1 2018-", b"2018 Apr ", b"00:01: "]
line_bodies = st.binary(max_size=20).map(lambda body: body.translate(None, b"\r\n\0"))
lines = st.tuples(st.sampled_from(LINE_HEADS), line_bodies).map(b"".join)
counted = st.binary(min_size=1, max_size=30).map(lambda body: b"<1>" + body)


@st.composite
def streams(draw: st.DrawFn) -> list[tuple[bytes, bytes]]:
    """Frames, each with its message; behind a counted one a line begins with ``<``."""
    frames = []
    was_counted = False
    for is_counted in draw(st.lists(st.booleans(), max_size=12)):
        message = draw(counted if is_counted else lines)
        if was_counted and not is_counted:
            message = b"<5>" + message
        was_counted = is_counted
        frames.append(
            (b"%d %b" % (len(message), message) if is_counted else message + b"\n", message)
        )
    return frames


def split(stream: bytes, places: list[int]) -> list[bytes]:
    bounds = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[start:end] for start, end in pairwise(bounds)]


@given(streams(), st.lists(st.integers(min_value=0, max_value=10_000), max_size=30))
def test_framer_gives_the_same_messages_of_frames_however_they_are_split(
    frames: list[tuple[bytes, bytes]], places: list[int]
) -> None:
    stream = b"".join(wire for wire, _ in frames)
    taken = Stream(*split(stream, places))

    assert taken.messages == [message for _, message in frames]
    assert taken.faults == {}


hostile = st.lists(
    st.one_of(
        st.binary(max_size=12),
        st.sampled_from([b"<1>a\n", b"4 <1>a", b"0 ", b"9", b"99999 <", b"\n", b"\0", b"\r", b"<"]),
    ),
    max_size=40,
).map(b"".join)


@given(
    hostile,
    st.lists(st.integers(min_value=0, max_value=10_000), max_size=30),
    st.booleans(),
)
def test_framer_makes_the_same_of_anything_however_it_is_split(
    stream: bytes, places: list[int], resynchronise: bool
) -> None:
    whole = Stream(stream, resynchronise=resynchronise)
    parts = Stream(*split(stream, places), resynchronise=resynchronise)
    octets = Stream(
        *(stream[at : at + 1] for at in range(len(stream))), resynchronise=resynchronise
    )

    assert whole.messages == parts.messages == octets.messages
    assert whole.counts == parts.counts == octets.counts
    assert all(len(message) <= LONGEST for message in whole.messages)
