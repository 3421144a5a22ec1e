"""What can become of a datagram: one of these, always, so that their sum is what was received."""

from __future__ import annotations

from typing import Final

ACCEPTED: Final = "accepted"
BER_ERROR: Final = "ber_error"
NOT_HANDED_OVER: Final = "not_handed_over"
INTERNAL_ERROR: Final = "internal_error"

OUTCOMES: Final = {
    ACCEPTED: "a notification, which is counted as an event",
    "duplicate": "a notification that was counted already: an inform that was sent again, "
    "a message of version 3 that was replayed",
    "discovery": "the sender of an inform asks for our engine id, boots and time; answered",
    "rate_limited": "the sender has sent more than it may",
    "source_denied": "the sender is not in allowed_networks",
    "oversize_or_truncated": "longer than 65535 bytes, or cut on its way",
    BER_ERROR: "no SNMP message, or not whole",
    "bad_version": "of another version of SNMP, or of one that is not taken",
    "bad_community": "of a community that is not taken",
    "unknown_user": "of a user that is not configured",
    "unknown_engine": "of version 3, with no engine id, or an inform for another engine",
    "engine_table_full": "of a new engine, when as many are remembered as may be",
    "level_too_low": "less protected than the user must be",
    "wrong_digest": "of a user whose password or protocol is another",
    "decrypt_error": "cannot be decrypted: another privacy password or protocol",
    "time_window": "too old for its engine, which may be a replay",
    "no_trap_oid": "a notification that does not say which; counted as an event all the same",
    "bad_v1": "a trap of version 1 with impossible numbers",
    "unsupported_pdu": "SNMP, but no notification",
    NOT_HANDED_OVER: "of a device or an engine that another worker keeps, which has no room for it",
    INTERNAL_ERROR: "a fault of this program, which the log tells",
}
"""All outcomes, and what they mean."""

HANDED_OVER: Final = "handed_over"
"""Of what is another process' to count, and here no outcome."""

TAKEN: Final = frozenset((ACCEPTED, "duplicate", "discovery", "no_trap_oid", HANDED_OVER))
"""Outcomes that say nothing against the sender's configuration, or ours."""
