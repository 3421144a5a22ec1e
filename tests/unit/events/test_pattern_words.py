"""What a text must hold for a pattern to match."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from exporters.config.re2 import compile_regex
from exporters.events.pattern_words import mandatory_literal, mandatory_word, words_of


@pytest.mark.parametrize(
    ("source", "word", "literal"),
    [
        ("changed state to (up|down)", "state", "changed state to "),
        ("Interface (?P<i>[^,]+), changed state to down", "changed", ", changed state to down"),
        ("(?i)Link Status Down", "status", ""),
        ("down|up", "", ""),
        ("(a down b|up)", "", ""),
        (r"fan \d+ failed now", "failed", " failed now"),
        (r"a\.b is gone", "is", "a.b is gone"),
        (r"tem per ature?", "per", "tem per atur"),
        (r"x (yes )?z", "", "x "),
        (r"[ab] cd e", "cd", " cd e"),
        (r"[]x] cd e", "cd", " cd e"),
        (r"[[:alpha:]] cd e", "cd", " cd e"),
        (r"\Qa.b c d\E", "", ""),
        (r"a\x20 bc d", "bc", " bc d"),
        ("a{2} bc d", "bc", " bc d"),
        ("  bc* d", "", "  b"),
        ("naïve test é", "test", "ve test "),
        ("", "", ""),
    ],
)
def test_word_and_literal_are_what_every_match_has(source, word, literal):
    compile_regex(source)

    assert mandatory_word(source) == word
    assert mandatory_literal(source) == literal


PIECES = st.sampled_from(
    ["ab", " ", "Ab cd ", ".", "(x| cd )", "[a-c]", "[^ ]+", "d*", "e?", "f+", "{", "|", "(?i)",
     r"\.", r"\d", "^", "$", "(?:gh ij )?", r"\x41", " kl ", "ü", "-", "_", "m{1,2}"]
)  # fmt: skip
TEXT = st.text(st.sampled_from("abcdefghijklmAB .-_ü0123"), max_size=40)


@given(st.lists(PIECES, max_size=6).map("".join), st.data())
def test_text_that_matches_has_the_word_and_the_literal(source, data):
    try:
        pattern = compile_regex(source)
    except ValueError:
        assume(False)
    text = data.draw(st.one_of(TEXT, st.from_regex(pattern.pattern)))
    assume(pattern.search(text))

    word = mandatory_word(source)
    assert not word or word in words_of(text)
    assert mandatory_literal(source) in text
