"""Enumerated values: a number becomes a name, a set of states or a set of bits.

Each compiler turns the enumeration of one column into a function that costs a lookup per row. Names
become label values; two numbers that a MIB gives the same name are one label, which is set when
either of them is.

Sources: RFC 2578 sections 7.1.1 (enumerated INTEGER) and 7.1.4 (BITS), and snmp_exporter's
EnumAsInfo, EnumAsStateSet and Bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from exporters.wire.tags import OCTET_STRING, OPAQUE

States = tuple[tuple[str, int], ...]
"""Label values, each with 1 where it is set and 0 where it is not."""


def compile_enum_text(enum_values: Mapping[int, str]) -> Callable[[int], str]:
    """Prepare names for numbers; a number without a name is its decimal text.

    Example: ``compile_enum_text({1: "up"})(1) == "up"``, and 7 gives ``"7"``.
    """
    names = dict(enum_values)
    return lambda value: names[value] if value in names else str(value)


def compile_state_set(enum_values: Mapping[int, str]) -> Callable[[int], States]:
    """Prepare one state per name, of which the current one is 1.

    A number without a name adds itself as a state, so that no device is without a current one.

    Example: ``compile_state_set({1: "up", 2: "down"})(2) == (("up", 0), ("down", 1))``
    """
    ordered = sorted(enum_values.items())
    all_clear = {name: 0 for _, name in ordered}
    states = {value: tuple((all_clear | {name: 1}).items()) for value, name in ordered}

    def state_set(value: int) -> States:
        known = states.get(value)
        return tuple((all_clear | {str(value): 1}).items()) if known is None else known

    return state_set


def compile_bits(enum_values: Mapping[int, str]) -> Callable[[int, bytes], States]:
    r"""Prepare one state per named bit of a BITS value.

    Bit 0 is the most significant bit of the first octet; bits after the end of a short value are 0.

    Returns:
        A function of tag and content; it raises ``ValueError`` for a value that is no octet string.

    Raises:
        ValueError: A bit has a negative number.

    Example: ``compile_bits({0: "a", 9: "b"})(0x04, b"\x80\x00") == (("a", 1), ("b", 0))``
    """
    masks: list[tuple[str, int, int]] = []
    for bit, name in sorted(enum_values.items()):
        if bit < 0:
            raise ValueError(f"invalid bit number {bit} of {name!r}: expected 0 or more")
        masks.append((name, bit // 8, 0x80 >> bit % 8))

    def bits(tag: int, raw: bytes) -> States:
        if tag not in {OCTET_STRING, OPAQUE}:
            raise ValueError(f"invalid BITS type 0x{tag:02x}")
        size = len(raw)
        states: dict[str, int] = {}
        for name, octet, mask in masks:
            is_set = octet < size and raw[octet] & mask
            states[name] = 1 if is_set or states.get(name) else 0
        return tuple(states.items())

    return bits
