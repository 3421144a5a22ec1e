"""The recording format, line by line and file by file."""

from __future__ import annotations

import bz2
import gzip
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.demo.snmprec import (
    MAX_PROBLEMS,
    format_line,
    load_recording,
    open_recording,
    read_recording,
)
from exporters.errors import ConfigError
from exporters.wire.ber import encode_oid, encode_subids
from exporters.wire.snmp_message import VarBind
from exporters.wire.tags import (
    COUNTER32,
    COUNTER64,
    GAUGE32,
    INTEGER,
    IP_ADDRESS,
    NO_SUCH_INSTANCE,
    NULL,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    OPAQUE,
    TIME_TICKS,
)

OID = "1.3.6.1.2.1.1.1.0"
OID_BYTES = encode_oid(OID)


@pytest.mark.parametrize(
    ("tag_text", "text", "tag", "content"),
    [
        pytest.param(b"2", b"-129", INTEGER, b"\xff\x7f", id="negative integer"),
        pytest.param(b"4", b"a|b c ", OCTET_STRING, b"a|b c ", id="text with bars and blanks"),
        pytest.param(b"4", b"", OCTET_STRING, b"", id="empty text"),
        pytest.param(b"4", b"\xe9\x00", OCTET_STRING, b"\xe9\x00", id="text of any bytes"),
        pytest.param(b"4x", b"00127962F940", OCTET_STRING, b"\x00\x12yb\xf9@", id="hexadecimal"),
        pytest.param(b"4e", rb"a\n\x7c\\\t\"", OCTET_STRING, b'a\n|\\\t"', id="escapes"),
        pytest.param(b"5", b"", NULL, b"", id="null"),
        pytest.param(b"6", b".1.3.6.1", OBJECT_IDENTIFIER, b"\x2b\x06\x01", id="oid"),
        pytest.param(b"6", b"0.0", OBJECT_IDENTIFIER, b"\x00", id="oid zero"),
        pytest.param(b"64", b"10.0.0.255", IP_ADDRESS, b"\x0a\x00\x00\xff", id="dotted address"),
        pytest.param(b"64", b"J}M}", IP_ADDRESS, b"J}M}", id="address as four characters"),
        pytest.param(b"64x", b"0a0000ff", IP_ADDRESS, b"\x0a\x00\x00\xff", id="hex address"),
        pytest.param(b"65", b"4294967295", COUNTER32, b"\x00\xff\xff\xff\xff", id="counter32"),
        pytest.param(b"66", b"128", GAUGE32, b"\x00\x80", id="gauge32"),
        pytest.param(b"67", b"0", TIME_TICKS, b"\x00", id="timeticks"),
        pytest.param(b"68x", b"9f7804", OPAQUE, b"\x9f\x78\x04", id="opaque"),
        pytest.param(
            b"70", b"18446744073709551615", COUNTER64, b"\0" + b"\xff" * 8, id="counter64"
        ),
        pytest.param(b"70x", b"ff", COUNTER64, b"\xff", id="content bytes of an odd counter"),
        pytest.param(b"65", b"-1", COUNTER32, b"\xff", id="a value out of its type's range"),
        pytest.param(b"129", b"", NO_SUCH_INSTANCE, b"", id="exception"),
    ],
)
def test_line_gives_tag_and_content(tag_text: bytes, text: bytes, tag: int, content: bytes) -> None:
    recording = read_recording([b"%s|%s|%s\r\n" % (OID.encode(), tag_text, text)])
    assert recording.problems == ()
    assert list(recording) == [(OID_BYTES, tag, content)]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        pytest.param(b"1.3.6.1", "the line is not OID|TAG|VALUE", id="no bars"),
        pytest.param(b"1.3.6.1|4", "the line is not OID|TAG|VALUE", id="one bar"),
        pytest.param(b"1.3.x.1|4|a", "'x' is not a sub-identifier of an OID", id="no number"),
        pytest.param(b"1.3..1|4|a", "'' is not a sub-identifier of an OID", id="empty arc"),
        pytest.param(b"1.3.4294967296|2|1", "does not fit 32 unsigned bits", id="arc too large"),
        pytest.param(b"3.1.1|2|1", "the first arcs cannot be [3, 1]", id="first arc"),
        pytest.param(b"1.3" + b".1" * 127 + b"|2|1", "more than 128", id="too many arcs"),
        pytest.param(b"1.3.6|y|1", "'y' is not a tag such as", id="tag of letters"),
        pytest.param(b"1.3.6|4xe|1", "'4xe' is not a tag such as", id="two modifiers"),
        pytest.param(b"1.3.6|9|1", "tag 9 is not one of SNMP's types", id="unknown tag"),
        pytest.param(b"1.3.6|2|1.5", "invalid literal for int()", id="no integer"),
        pytest.param(b"1.3.6|4x|abc", "not hexadecimal digits", id="odd hexadecimal"),
        pytest.param(b"1.3.6|4e|a\\q", r"the escape \q is not one", id="unknown escape"),
        pytest.param(b"1.3.6|64|10.0.0", "Expected 4 octets", id="short address"),
        pytest.param(b"1.3.6|6|", "'' is not an OID", id="empty oid"),
        pytest.param(b"1.3.6|5|x", "without content has text", id="null with text"),
        pytest.param(b"1.3.6|2:numeric|rate=x", "rate=x is not a number", id="numeric option"),
        pytest.param(
            b"1.3.6|4:numeric|rate=1", "tag 4 is not that of an integer", id="numeric tag"
        ),
        pytest.param(b"1.3.6|:multiplex|dir=a", "'multiplex' is not simulated", id="module"),
    ],
)
def test_line_that_cannot_be_used_is_a_problem_and_the_others_stay(
    line: bytes, problem: str
) -> None:
    recording = read_recording([b"# one\n", b"\n", line + b"\n", b"1.3.6.1|2|7\n"], "a.snmprec")
    assert [(p.file, p.line) for p in recording.problems] == [("a.snmprec", 3)]
    assert problem in recording.problems[0].problem
    assert list(recording) == [(encode_oid("1.3.6.1"), INTEGER, b"\x07")]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        pytest.param(b"1.3.6|4:writecache|value=Server 1", b"Server 1", id="value"),
        pytest.param(b"1.3.6|4:delay|wait=100,hexvalue=0012", b"\x00\x12", id="hexvalue"),
    ],
)
def test_value_of_an_unknown_module_is_served_and_the_module_is_a_problem(
    line: bytes, value: bytes
) -> None:
    recording = read_recording([line])
    assert [content for _, _, content in recording] == [value]
    assert "is not simulated; its value is served" in recording.problems[0].problem


def test_numeric_row_is_served_with_its_first_value_and_keeps_its_options() -> None:
    recording = read_recording([b"1.3.6.2|2|1\n", b"1.3.6.1|65:numeric|initial=300,rate=2\n"])
    assert [content for _, _, content in recording] == [b"\x01\x2c", b"\x01"]
    assert [(position, row.rate) for position, row in recording.numeric.items()] == [(0, 2.0)]


def test_lines_are_sorted_and_of_repeated_oids_the_last_is_served() -> None:
    lines = [b"1.3.6.200|2|1", b"1.3.6.2|2|2", b"1.3.6.200|2|3", b"1.3.6.2.0|65:numeric|rate=1"]
    recording = read_recording([*lines, b"1.3.6.2.0|65|9"])
    assert [(oid, content) for oid, _, content in recording] == [
        (encode_oid("1.3.6.2"), b"\x02"),
        (encode_oid("1.3.6.2.0"), b"\x09"),
        (encode_oid("1.3.6.200"), b"\x03"),
    ]
    assert recording.numeric == {}
    assert [str(problem) for problem in recording.problems] == [
        "1.3.6.200 stands there twice, the last is served (2 such lines)"
    ]


def test_problems_are_kept_in_bounded_number_and_all_counted() -> None:
    recording = read_recording([b"garbage\n"] * (MAX_PROBLEMS + 5))
    assert len(recording.problems) == MAX_PROBLEMS
    assert recording.problem_count == MAX_PROBLEMS + 5


@pytest.mark.parametrize("suffix", [".snmprec", ".snmprec.bz2", ".snmprec.gz"])
def test_file_is_loaded_by_its_suffix(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"device{suffix}"
    text = b"1.3.6.1|2|7\n"
    pack = {".snmprec": bytes, ".snmprec.bz2": bz2.compress, ".snmprec.gz": gzip.compress}
    path.write_bytes(pack[suffix](text))
    assert list(load_recording(path)) == [(encode_oid("1.3.6.1"), INTEGER, b"\x07")]


@pytest.mark.parametrize("suffix", [".snmprec", ".snmprec.bz2", ".snmprec.gz"])
def test_file_that_was_written_loads_again(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"device{suffix}"
    with open_recording(path, "wb") as file:
        file.write(format_line(OID_BYTES, OCTET_STRING, b"x").encode() + b"\n")
    assert list(load_recording(path)) == [(OID_BYTES, OCTET_STRING, b"x")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param("a.snmprec", None, "cannot be read: No such file or directory", id="missing"),
        pytest.param("a.snmprec.bz2", b"1.3.6|2|1", "cannot be read: Invalid data", id="not bz2"),
        pytest.param("a.snmprec.gz", gzip.compress(b"1|2|3")[:-9], "cannot be read", id="cut gzip"),
        pytest.param("a.snmprec", b"hello\n", "no line is OID|TAG|VALUE", id="other format"),
        pytest.param("a.snmprec", b"", "no line is OID|TAG|VALUE", id="empty"),
    ],
)
def test_file_that_is_no_recording_is_refused(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_recording(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_strict_refuses_a_file_with_one_bad_line_and_names_it(tmp_path: Path) -> None:
    path = tmp_path / "a.snmprec"
    path.write_bytes(b"1.3.6.1|2|7\n1.3.6.2|2|x\n")
    with pytest.raises(ConfigError, match=r"a\.snmprec:2: invalid literal"):
        load_recording(path, strict=True)
    assert len(load_recording(path)) == 1


@pytest.mark.parametrize(
    ("tag", "content", "line"),
    [
        pytest.param(TIME_TICKS, b"\x09\xdf\xcc\xba", f"{OID}|67|165661882", id="number"),
        pytest.param(OCTET_STRING, b"Cisco IOS", f"{OID}|4|Cisco IOS", id="text"),
        pytest.param(OCTET_STRING, b"", f"{OID}|4|", id="empty text"),
        pytest.param(OCTET_STRING, b"a ", f"{OID}|4x|6120", id="a blank at the end"),
        pytest.param(OCTET_STRING, b"\x00\x12", f"{OID}|4x|0012", id="binary"),
        pytest.param(OBJECT_IDENTIFIER, b"\x2b\x06", f"{OID}|6|1.3.6", id="oid"),
        pytest.param(IP_ADDRESS, b"\x0a\x00\x00\x01", f"{OID}|64x|0a000001", id="address"),
        pytest.param(COUNTER64, b"\xff", f"{OID}|70x|ff", id="a counter of -1"),
        pytest.param(INTEGER, b"", f"{OID}|2x|", id="an integer without content"),
        pytest.param(INTEGER, b"\x00\x01", f"{OID}|2x|0001", id="an integer of too many bytes"),
        pytest.param(NO_SUCH_INSTANCE, b"", f"{OID}|129|", id="exception"),
    ],
)
def test_line_is_written_plainly_where_that_loses_nothing(
    tag: int, content: bytes, line: str
) -> None:
    assert format_line(OID_BYTES, tag, content) == line


@given(
    st.lists(st.integers(0, 2**32 - 1), max_size=8),
    st.sampled_from([INTEGER, OCTET_STRING, OBJECT_IDENTIFIER, 0x30, *range(0x40, 0x48)]),
    st.just(b"") | st.binary(max_size=40),
)
def test_written_lines_read_back_to_the_same_bytes(
    subids: list[int], tag: int, content: bytes
) -> None:
    oid = OID_BYTES + encode_subids(subids)
    recording = read_recording([format_line(oid, tag, content).encode() + b"\n"])
    assert recording.problems == ()
    assert list(recording) == [(oid, tag, content)]


def test_real_recording_survives_writing(recordings_dir: Path) -> None:
    recording = load_recording(recordings_dir / "network/switch/cisco-c3560.snmprec.bz2")
    varbinds: list[VarBind] = list(recording)
    again = read_recording(format_line(*varbind).encode() for varbind in varbinds)
    assert len(varbinds) > 5000
    assert list(again) == varbinds


lines_alike = st.builds(
    b"|".join,
    st.tuples(
        st.sampled_from([b"1.3.6.1", b".1.3", b"1", b"", b"9.9", b"1.3.-1", b"2.999.5"]),
        st.sampled_from(
            [b"2", b"4e", b"6", b"64", b"70x", b":", b"2:numeric", b"65:x", b"x", b"1000x"]
        ),
        st.binary(max_size=20) | st.sampled_from([b"1.2", b"rate=1", b"max=1e999", b"value=2"]),
    ),
)


@given(st.lists(lines_alike | st.binary(max_size=30), max_size=8))
def test_lines_of_any_bytes_become_rows_or_problems(lines: list[bytes]) -> None:
    recording = read_recording(lines)
    recorded = [line for line in lines if line.strip() and not line.startswith(b"#")]
    assert len(recording) <= len(recorded)
    if not recording.problem_count:
        assert len(recording) == len(recorded)
    assert all(left < right for left, right in pairwise(recording.keys))
    assert all(oid and 0 < tag < 256 for oid, tag, _ in recording)


def test_row_that_is_commented_out_is_not_served() -> None:
    recording = read_recording([b"1.3.6.1|2|7\n", b"#1.3.6.2|2|8\n"])
    assert (len(recording), recording.problem_count) == (1, 0)
