"""What a vendor's form of message says of itself."""

from __future__ import annotations

from typing import Final, NamedTuple

from exporters.wire.syslog_priority import SEVERITIES


class Signature(NamedTuple):
    """Whose message it is, and what it says of itself.

    Attributes:
        vendor: Whose form it is, in lower case: ``cisco``.
        event: The vendor's name of the event, ``LINK-3-UPDOWN``; empty where it has none.
        severity: By name, where the form says it; else empty.
        app: The process or the part of the device, where the form says it.
    """

    vendor: str
    event: str = ""
    severity: str = ""
    app: str = ""


_WORDS: Final = {
    "emerg": 0, "emergency": 0, "emgr": 0, "panic": 0,
    "alert": 1, "alrt": 1,
    "crit": 2, "critical": 2, "fatal": 2,
    "err": 3, "errs": 3, "error": 3, "major": 3,
    "warn": 4, "warning": 4, "minor": 4,
    "note": 5, "noti": 5, "notice": 5, "notification": 5,
    "info": 6, "information": 6, "informational": 6,
    "debug": 7, "dbug": 7, "verbose": 7,
}  # fmt: skip


def text_of(word: bytes) -> str:
    """Give a word of a shape as text; most are ASCII by the pattern that found them."""
    return word.decode(errors="replace")


def severity_of_word(word: str) -> str:
    """Give the severity that a vendor's word means; empty for a word that is none."""
    number = _WORDS.get(word.lower())
    return "" if number is None else SEVERITIES[number]


def severity_of_digit(digit: str) -> str:
    """Give the severity of a digit; empty for what is none, such as 8 of Comware."""
    return SEVERITIES[int(digit)] if digit in "01234567" and digit else ""
