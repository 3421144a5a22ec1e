"""Numbers in sentences."""

from __future__ import annotations

import pytest

from exporters.wording import counted


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 devices"), (1, "1 device"), (2, "2 devices"), (1000, "1000 devices")],
)
def test_noun_is_singular_for_one_alone(number: int, text: str) -> None:
    assert counted(number, "device") == text
