from __future__ import annotations

import subprocess

import pytest
import yaml

from exporters.config.re2 import compile_regex


@pytest.mark.parametrize(
    ("source", "matching", "other"),
    [
        (r"a$", ["a"], ["a\n", "ab"]),
        (r"a\z", ["a"], ["a\n"]),
        (r"(?m)^a$", ["a\nb", "b\na"], ["ba"]),
        (r"(?m:a$)|b$", ["a\nx", "b"], ["b\n", "bx"]),
        (r"x(?i)a|b", ["xA", "B", "xa"], ["XA"]),
        (r"(x(?i)a|b)c", ["xAc", "Bc"], ["xaC"]),
        (r"(?i)a(?-i)b", ["Ab"], ["AB"]),
        (r"(?s:a.b)", ["a\nb"], ["ab"]),
        (r"a.b", ["axb"], ["a\nb"]),
        (r"^\d+$", ["12"], ["٣"]),
        (r"^\s$", [" ", "\t"], ["\v", "\u00a0"]),
        (r"^\S$", ["a", "\v"], [" "]),
        (r"^[\s\d]$", ["1", " "], ["\v"]),
        (r"^\w$", ["a", "_"], ["é"]),
        (r"^[[:alpha:]]+$", ["aZ"], ["a1"]),
        (r"^[[:^alpha:]]+$", ["1é"], ["a"]),
        (r"^[^[:^digit:]x]$", ["1"], ["a", "x"]),
        (r"^[[:xdigit:][:punct:]]+$", ["fF9.;"], ["g"]),
        (r"^\Qa.b\E$", ["a.b"], ["axb"]),
        (r"^\Qa.b$", ["a.b$"], ["axb$"]),
        (r"^\x41\x{1F600}\101\07$", ["A\U0001f600A\a"], ["A"]),
        (r"^a{,2}$", ["a{,2}"], ["aa"]),
        (r"^{a}{$", ["{a}{"], ["a"]),
        (r"^a{2,3}?$", ["aa", "aaa"], ["a"]),
        (r"^[]a]$", ["]", "a"], ["b"]),
        (r"^[^]a]$", ["b"], ["]", "a"]),
        (r"^[a\-z-]$", ["-", "z"], ["b"]),
        (r"^[[&&~~||]$", ["[", "&", "~", "|"], ["a"]),
        (r"^[a-b-c]$", ["a", "b", "-", "c"], ["d"]),
        (r"^(?P<one>a)(?<two>b)$", ["ab"], ["a"]),
        (r"\bup\b", ["is up"], ["upper"]),
        (r"^\_\-\/\n$", ["_-/\n"], ["_"]),
        ("", ["", "a"], []),
        (r"a||b", ["", "x"], []),
    ],
)
def test_pattern_matches_what_re2_matches(source, matching, other):
    regex = compile_regex(source)
    assert [text for text in matching if not regex.search(text)] == []
    assert [text for text in other if regex.search(text)] == []


def test_whole_pattern_matches_from_end_to_end():
    regex = compile_regex(r"a|b\d", whole=True)
    assert regex.search("b1")
    assert not any(regex.search(text) for text in ("xa", "ab", "b1\n", "a\n"))


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("(", "a ( is not closed"),
        ("a)", "a ) has no ( before it"),
        ("[a", "a [ is not closed"),
        ("[]", "a [ is not closed"),
        ("[z-a]", "the range z-a runs backwards"),
        (r"[a-\d]", r"\d is not an escape that is known"),
        ("[[:foo:]]", "[:foo:] is not a class of characters"),
        ("a**", "* is followed by another repetition"),
        ("a*+", "* is followed by another repetition"),
        ("a{2}{3}", "{2} is followed by another repetition"),
        ("*a", "nothing to repeat"),
        ("a{1001}", "{1001} repeats more than 1000 times"),
        ("a{3,2}", "min repeat greater than max repeat"),
        ("(?=a)", "(?=a begins no group that RE2 has (it has no look-around)"),
        ("(?<!a)", "(?<! begins no group that RE2 has (it has no look-around)"),
        ("(?P=a)", "(?P= begins no group that RE2 has (it has no look-around)"),
        ("(?x)a", "(?x) begins no group that RE2 has (it has no look-around)"),
        ("(?U)a", "the flag U is not supported: write *? for * and * for *?"),
        (r"(a)\1", r"\1 is a backreference, which RE2 does not have"),
        (r"\Z", r"\Z is not RE2; \z is the end of the text"),
        (r"\pL", r"\p (Unicode classes) is not supported; list the characters, as in [A-Za-z]"),
        (r"\q", r"\q is not an escape that is known"),
        (r"[\b]", r"\b is not an escape that is known"),
        (r"\é", r"\é is not an escape that is known"),
        (r"\x{110000}", r"\x{110000} is not a character"),
        ("a\\", "it ends in a single backslash"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(source, reason):
    with pytest.raises(ValueError) as refused:
        compile_regex(source)
    assert str(refused.value) == reason


# What re cannot repeat (anchors), and what the translation leaves out, is not in this list.
ACCEPTED_BY_PEER = [
    r"(\d*?)(\d{2})", "a(?i)b|c", "(?m)^a$", r"[[:alpha:]\d]+", r"\Qa.b\E*", r"\x{1F600}\x41\07",
    "a{,3}", r"[]a-z\]-]", "[^]]", "(?P<x>a)", "(?i-s:a.)b", "(|a)", "()", "(?:)", "x{2,}?", r"\_",
    "[a-b-c]", "[--/]", "{", "}", "a{1", "(?i)", "[[]", "a||b", ".{0}", "(?-i)a", "(?ii)a",
    r"[\x00-\x{10FFFF}]", r"\z", "a{1000}",
]  # fmt: skip
REFUSED_BY_PEER = [
    "(a", "a)", "[a", "[z-a]", r"[a-\d]", "a{3,2}", "a**", "a++", "a{2}{3}", "(?=a)", r"\1", r"\Z",
    "*a", "a{1001}", "[[:foo:]]", r"\8", r"[\b]", "(?#a)", "a|*", "(?i)*", r"\é", r"\cA", r"\e",
    r"\h", r"\u0041", r"\C", "(?-)a", "[]", r"\18", r"\x4",
]  # fmt: skip


@pytest.mark.peer("prometheus-snmp-exporter", "prometheus-snmp-exporter")
@pytest.mark.parametrize(
    ("source", "accepted"),
    [(source, True) for source in ACCEPTED_BY_PEER]
    + [(source, False) for source in REFUSED_BY_PEER],
)
def test_peer_and_we_agree_on_what_a_pattern_is(source, accepted, write):
    extracts = {"Suffix": [{"regex": source, "value": "1"}]}
    metric = {"name": "a", "oid": "1.3", "type": "DisplayString", "regex_extracts": extracts}
    module = {"walk": ["1.3"], "metrics": [metric]}
    file = write("snmp.yml", yaml.safe_dump({"module": module}, allow_unicode=True))
    command = ["prometheus-snmp-exporter", "--dry-run", f"--config.file={file}"]
    peer = subprocess.run(command, capture_output=True, timeout=30)
    try:
        compile_regex(source, whole=True)
        ours = True
    except ValueError:
        ours = False
    assert (peer.returncode == 0, ours) == (accepted, accepted), peer.stderr
