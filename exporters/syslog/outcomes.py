"""What can become of a message: one of these, always, so that their sum is what was received."""

from __future__ import annotations

from typing import Final

from exporters.wire.syslog_classes import MessageFormat

SOURCE_DENIED: Final = "source_denied"
RATE_LIMITED: Final = "rate_limited"
FRAMING_FAULT: Final = "framing_fault"
NOT_HANDED_OVER: Final = "not_handed_over"
INTERNAL_ERROR: Final = "internal_error"

OUTCOMES: Final = {
    MessageFormat.RFC5424.value: "read in the form of RFC 5424",
    MessageFormat.RFC3164.value: "read in one of the forms of RFC 3164",
    MessageFormat.VENDOR.value: "read in a vendor's own form",
    MessageFormat.UNPARSED.value: "a text of no known form, which is counted all the same",
    MessageFormat.EMPTY.value: "nothing, or blanks; no event",
    SOURCE_DENIED: "the sender is not in allowed_networks",
    RATE_LIMITED: "the sender has sent more than it may",
    FRAMING_FAULT: "no message: where one should begin in a stream, none does",
    NOT_HANDED_OVER: "of a device that another worker keeps, which has no room for it",
    INTERNAL_ERROR: "a fault of this program, which the log tells",
}
"""All outcomes, and what they mean."""

REFUSED: Final = (SOURCE_DENIED, RATE_LIMITED, FRAMING_FAULT, NOT_HANDED_OVER, INTERNAL_ERROR)
"""Outcomes of what is neither read nor counted as an event."""
