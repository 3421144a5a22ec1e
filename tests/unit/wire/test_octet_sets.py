from __future__ import annotations

import re

import pytest

from exporters.wire.octet_sets import spell_out


@pytest.mark.parametrize("negated", [rb"[^\s%]", rb"[^,\n]", rb"[^\]\n]", rb'[^\s%:\[,="<]'])
def test_set_that_is_spelt_out_holds_the_same(negated: bytes) -> None:
    spelt = spell_out(rb"\[" + negated + rb"*")

    assert b"^" not in spelt
    for octet in map(bytes, zip(range(256))):
        expected = re.fullmatch(negated, octet) is not None
        assert (re.fullmatch(spelt, b"[" + octet) is not None) is expected
