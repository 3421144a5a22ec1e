"""What can be wrong with a syslog message, whatever is made of it all the same."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class MessageFault(StrEnum):
    """A closed set, so that it may be a label."""

    NO_PRIORITY = "no_priority"
    MALFORMED_PRIORITY = "malformed_priority"
    PRIORITY_OUT_OF_RANGE = "priority_out_of_range"
    DOUBLE_PRIORITY = "double_priority"
    """A relay has put its own before the sender's, which is the one that counts."""
    BAD_VERSION = "bad_version"
    """Of RFC 5424, none but 1; or what a stream gives whose counts are wrong: ``217 <11>1 - ``."""
    BAD_TIMESTAMP = "bad_timestamp"
    """It names no possible time. That there is none is no fault."""
    BAD_STRUCTURED_DATA = "bad_structured_data"
    INVALID_UTF8 = "invalid_utf8"
    TRUNCATED = "truncated"
    """It was longer than may be; told by whoever cut it."""


PRIORITY_FAULTS: Final = {
    "missing": MessageFault.NO_PRIORITY,
    "malformed": MessageFault.MALFORMED_PRIORITY,
    "out_of_range": MessageFault.PRIORITY_OUT_OF_RANGE,
    "double": MessageFault.DOUBLE_PRIORITY,
}
"""By ``Priority.fault``."""
