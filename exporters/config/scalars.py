"""What a plain YAML scalar means, and what it said before it meant something.

The rules are Go's, because the files are: a scalar is text wherever text is asked for, however it
looks (``community: 0123``, ``1: on``), and a number or boolean only where one is asked for. So a
number remembers its text when it was not written the way Python would write it, and of the
booleans only ``true`` and ``false`` are resolved here: ``yes``, ``no``, ``on`` and ``off`` stay
text, which a boolean field accepts.

Time stamps stay text, and so do base-60 integers (``1:30``): Go knows none, and they look like
the addresses that configurations of this field are full of.

Sources: YAML 1.1 types (int, float, null, bool), the resolver of go-yaml v2.
"""

from __future__ import annotations

import re

Scalar = str | int | float | bool | None

_INTEGER = re.compile(r"[-+]?(?:0b[01]+|0o[0-7]+|0[0-7]+|0x[0-9a-fA-F]+|0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z"
    r"|[-+]?\.(?:inf|Inf|INF)\Z"
    r"|\.(?:nan|NaN|NAN)\Z"
)
_NAMED: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    "true": True,
    "false": False,
}
_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "on", "y"), True),
    **dict.fromkeys(("false", "no", "off", "n"), False),
}
_NUMBERS_START_WITH = frozenset("+-.0123456789")
_LONGEST_NUMBER = 100  # characters; what is longer is text, and Python would refuse it anyway


class WrittenInt(int):
    """An integer that was not written in plain decimal: ``0123``, ``0x1f``, ``1_000``."""

    text: str


class WrittenFloat(float):
    """A float that Python would write in another way: ``1.30``, ``1e3``."""

    text: str


def resolve(text: str) -> Scalar:
    """Give the value of a plain (unquoted, untagged) scalar."""
    if text in _NAMED:
        return _NAMED[text]
    if text[0] not in _NUMBERS_START_WITH or len(text) > _LONGEST_NUMBER:
        return text
    digits = text.replace("_", "")
    if _INTEGER.match(digits):
        return _integer(text, digits)
    if _FLOAT.match(digits):
        return _float(text, digits)
    return text


def text_of(value: object) -> str | None:
    """Give the text of a resolved scalar as its file has it; ``None`` when it is no scalar.

    A null is the empty text, as Go reads it.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, WrittenInt | WrittenFloat):
        return value.text
    if isinstance(value, int | float):
        return str(value)
    return None


def boolean_of(value: object) -> bool | None:
    """Give the boolean that YAML 1.1 sees in *value*; ``None`` when it sees none."""
    if isinstance(value, bool):
        return value
    return _BOOLEANS.get(value.lower()) if isinstance(value, str) else None


def _integer(text: str, digits: str) -> int:
    magnitude = digits.lstrip("+-")
    is_old_octal = len(magnitude) > 1 and magnitude[0] == "0" and magnitude[1].isdigit()
    value = int(digits, 8) if is_old_octal else int(digits, 0)
    if str(value) == text:
        return value
    written = WrittenInt(value)
    written.text = text
    return written


def _float(text: str, digits: str) -> float:
    value = float(
        digits.replace(".i", "i").replace(".I", "I").replace(".n", "n").replace(".N", "N")
    )
    if repr(value) == text:
        return value
    written = WrittenFloat(value)
    written.text = text
    return written
