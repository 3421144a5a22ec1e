"""PRI of syslog messages: facility and severity.

Layout (RFC 5424 s6.2.1, RFC 3164 s4.1.1)::

    PRI = "<" 1*3DIGIT ">"       facility * 8 + severity, 0 to 191, without leading zeros

What else devices and relays send in its place is told in ``Priority.fault``, and never an error.
Names of facilities 9 to 15 differ among the tools; these are the ones of RFC 5427 s3 (its
FACILITY textual convention).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

FACILITIES: Final = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "ntp", "audit", "console", "cron2", "local0", "local1", "local2", "local3", "local4",
    "local5", "local6", "local7",
)  # fmt: skip
SEVERITIES: Final = (
    "emergency", "alert", "critical", "error", "warning", "notice", "info", "debug",
)  # fmt: skip
"""By their number, the worst first."""

_PRI: Final = re.compile(rb"[ \t\r\n\0]*+((?:<[ \d]{0,4}>)*+)")
_NUMBER: Final = re.compile(rb"(?:0|[1-9]\d{0,2})\Z")


class Priority(NamedTuple):
    """Who says how bad it is.

    Attributes:
        facility: By name; empty where PRI does not say.
        severity: By name; empty where PRI does not say.
        fault: Empty, or ``missing``, ``malformed``, ``out_of_range``, ``double``.
    """

    facility: str = ""
    severity: str = ""
    fault: str = ""


_MISSING: Final = Priority(fault="missing")


def decode_priority(data: bytes) -> tuple[Priority, int]:
    """Read PRI and what stands in its place; the position after it.

    Of two, the inner one is the sender's: a relay has put its own before it.

    Example: ``<34>Oct`` gives auth, critical and 4; ``<007>Oct`` gives nothing and 5.
    """
    match = _PRI.match(data)
    if match is None or not match[1]:
        return _MISSING, 0 if match is None else match.start(1)
    inner, *outer = reversed(match[1][1:-1].split(b"><"))
    priority = priority_of(inner)
    if outer and not priority.fault:
        priority = priority._replace(fault="double")
    return priority, match.end()


@lru_cache(maxsize=1024)
def priority_of(number: bytes) -> Priority:
    """Give what the text between the angle brackets says."""
    if not _NUMBER.match(number):
        return Priority(fault="malformed")
    facility, severity = divmod(int(number), 8)
    if facility >= len(FACILITIES):
        return Priority(fault="out_of_range")
    return Priority(FACILITIES[facility], SEVERITIES[severity])
