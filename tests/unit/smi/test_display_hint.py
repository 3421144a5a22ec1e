"""The compiled hints against cases and against a slow reading of RFC 2579 section 3.1."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.smi.display_hint import compile_hint


def test_text_of_case(display_hints_case: dict[str, Any]) -> None:
    formatted = compile_hint(display_hints_case["hint"])

    assert formatted(display_hints_case["raw"]) == display_hints_case["expected"]


def test_hint_that_is_none_is_refused(display_hint_faults_case: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=display_hint_faults_case["reason"]):
        compile_hint(display_hint_faults_case["hint"])


class Spec(NamedTuple):
    """An octet format as it is put into a hint by the strategy below."""

    star: bool
    width: int
    form: str
    separator: str
    terminator: str

    def __str__(self) -> str:
        star = "*" if self.star else ""
        return f"{star}{self.width}{self.form}{self.separator}{self.terminator}"


def format_slowly(specs: list[Spec], value: bytes) -> str | None:
    """RFC 2579 section 3.1 word by word: take octets off the front of the value, one at a time.

    Every separator and terminator is put down with a note of whether octets were left when it was,
    because those that stand at the end of the text are suppressed.
    """
    left = list(value)
    output = bytearray()
    unused = list(specs)
    if not left:
        return None
    while left:
        if not unused:
            if specs[-1].width == 0:
                return None
            unused.append(specs[-1])
        spec = unused.pop(0)
        times = left.pop(0) if spec.star else 1
        for time in range(1, times + 1):
            if not left:
                break
            octets = [left.pop(0) for _ in range(min(spec.width, len(left)))]
            if spec.form in "do":
                if len(octets) > 8:
                    return None
                total = 0
                for octet in octets:
                    total = total * 256 + octet
                output += format(total, spec.form).encode()
            elif spec.form == "x":
                for octet in octets:
                    output += format(octet, "02X").encode()
            else:
                output += bytes(octets)
            is_last = time == times
            if left and not (is_last and spec.terminator):
                output += spec.separator.encode()
        if left:
            output += spec.terminator.encode()
    text = ""
    for character in bytes(output).decode(errors="surrogateescape"):
        stray = "\udc80" <= character <= "\udcff"
        if not stray:
            text += character
        elif not text.endswith("\udc80"):
            text += "\udc80"
    return text.replace("\udc80", "\ufffd")


_LITERALS = st.characters(min_codepoint=0, max_codepoint=0x7F, exclude_characters="0123456789*")


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    star = draw(st.booleans())
    width = draw(st.integers(1 if star else 0, 12) | st.just(10**25))
    separator = draw(_LITERALS | st.just(""))
    terminator = draw(_LITERALS | st.just("")) if star and separator else ""
    return Spec(star, width, draw(st.sampled_from("dxoat")), separator, terminator)


_HINTS = st.lists(specs(), min_size=1, max_size=5).filter(lambda hint: any(s.width for s in hint))


@given(_HINTS, st.binary(max_size=40))
def test_every_hint_formats_as_the_rfc_reads(hint: list[Spec], value: bytes) -> None:
    assert compile_hint("".join(map(str, hint)))(value) == format_slowly(hint, value)


@given(specs().filter(lambda spec: spec.width > 0), st.binary(max_size=40))
def test_hints_of_one_format_are_shortcuts_of_the_same(spec: Spec, value: bytes) -> None:
    assert compile_hint(str(spec))(value) == format_slowly([spec], value)


@given(st.text(alphabet="0123456789*dxoat.:- z[é", max_size=12), st.binary(max_size=300))
def test_any_text_is_a_hint_or_refused(hint: str, value: bytes) -> None:
    try:
        formatted = compile_hint(hint)
    except ValueError:
        return
    text = formatted(value)
    assert text is None or isinstance(text.encode(), bytes)
