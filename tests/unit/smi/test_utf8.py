from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from exporters.smi.utf8 import decode_text


def test_text_of_case(utf8_case: dict[str, Any]) -> None:
    assert decode_text(utf8_case["raw"]) == utf8_case["expected"]


@given(st.text())
def test_valid_utf8_is_unchanged(text: str) -> None:
    assert decode_text(text.encode()) == text


@given(
    st.lists(st.text(alphabet="aé€🐍", min_size=1), max_size=4), st.lists(st.binary(), max_size=4)
)
def test_a_run_of_stray_continuations_becomes_one_replacement(
    texts: list[str], runs: list[bytes]
) -> None:
    # Continuation octets after a complete character belong to nothing.
    strays = [bytes(0x80 | octet & 0x3F for octet in run) for run in runs]
    pairs = list(zip(texts, strays, strict=False))

    decoded = decode_text(b"".join(text.encode() + stray for text, stray in pairs))

    assert decoded == "".join(text + ("\ufffd" if stray else "") for text, stray in pairs)
