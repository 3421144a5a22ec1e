"""Dates that devices report, as Unix seconds: DateAndTime, NTPTimeStamp and dates in text.

Every reader takes a tag and content octets and raises ``ValueError`` with the reason where there is
no date, so that the caller can count it and leave the sample out. Time of day without a zone is
UTC; fractions of a second are dropped.

Sources: RFC 2579 section 2 (DateAndTime), RFC 5905 section 6 (the NTP timestamp format; MIBs that
use it import NTPTimeStamp from NTPv4-MIB, RFC 5907).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from exporters.smi.strptime import compile_pattern
from exporters.smi.values import BYTE_STRING_TAGS, compile_text

DateReader = Callable[[int, bytes], int]
"""Reads a value's tag and content as Unix seconds; raises ``ValueError`` where it is no date."""

DATE_TYPES = frozenset({"DateAndTime", "NTPTimeStamp", "ParseDateAndTime"})

_UNIX_EPOCH_DAY = date(1970, 1, 1).toordinal()
_NTP_EPOCH_OFFSET_SECONDS = 2_208_988_800  # From 1900-01-01 to 1970-01-01
_UTC_SIGNS = {ord("+"): 1, ord("-"): -1}


def compile_date(type_name: str, datetime_pattern: str = "") -> DateReader:
    """Prepare the reading of a column of dates.

    Args:
        type_name: One of ``DATE_TYPES``.
        datetime_pattern: Of ``ParseDateAndTime``: the strptime pattern of its text.

    Raises:
        ValueError: *type_name* is no date type, or the pattern cannot be used.
    """
    if type_name == "DateAndTime":
        return read_date_and_time
    if type_name == "NTPTimeStamp":
        return read_ntp_timestamp
    if type_name == "ParseDateAndTime":
        parse = compile_pattern(datetime_pattern)
        text = compile_text("DisplayString")
        return lambda tag, raw: parse(text(tag, raw))
    raise ValueError(f"invalid date type {type_name!r}: expected one of {sorted(DATE_TYPES)}")


def read_date_and_time(tag: int, raw: bytes) -> int:
    """Read a DateAndTime as Unix seconds.

    Layout: year (2 octets), month, day, hour, minute, second (0 to 60), deciseconds; then, or not,
    the direction from UTC ("+" or "-"), hours and minutes.

    Raises:
        ValueError: It is no octet string of 8 or 11 octets, or what stands in it is no date: all
            zeros is how devices say that they have none.

    Example: ``07 E2 08 0F 08 01 0F 00 2B 02 00`` is 2018-08-15 08:01:15 +02:00, 1534312875.
    """
    if tag not in BYTE_STRING_TAGS:
        raise ValueError(f"invalid DateAndTime type 0x{tag:02x}")
    if len(raw) not in {8, 11}:
        raise ValueError(f"invalid DateAndTime length {len(raw)}")
    year = raw[0] << 8 | raw[1]
    month, day, hour, minute, second = raw[2:7]
    if hour > 23 or minute > 59 or second > 60:
        raise ValueError(f"invalid DateAndTime time of day {hour}:{minute:02}:{second:02}")
    try:
        days = date(year, month, day).toordinal() - _UNIX_EPOCH_DAY
    except ValueError as cause:
        raise ValueError(f"invalid DateAndTime date {year:04}-{month:02}-{day:02}") from cause
    seconds = days * 86_400 + hour * 3_600 + minute * 60 + second
    return seconds if len(raw) == 8 else seconds - _utc_offset_seconds(raw[8:])


def _utc_offset_seconds(zone: bytes) -> int:
    sign = _UTC_SIGNS.get(zone[0])
    # Offsets of 24 hours and 60 minutes are nonsense that devices send and that existing users get.
    if sign is None or zone[1] > 24 or zone[2] > 60:
        raise ValueError(f"invalid DateAndTime zone {zone.hex(' ')}")
    return sign * (zone[1] * 3_600 + zone[2] * 60)


def read_ntp_timestamp(tag: int, raw: bytes) -> int:
    """Read an NTPTimeStamp as Unix seconds: 32 bits of seconds since 1900, 32 bits of fraction.

    The seconds are those of era 0, which ends in February 2036.

    Raises:
        ValueError: It is no octet string of at least 8 octets, or all zeros, which means that the
            time is unknown (RFC 5905 s6).
    """
    if tag not in BYTE_STRING_TAGS:
        raise ValueError(f"invalid NTPTimeStamp type 0x{tag:02x}")
    if len(raw) < 8:
        raise ValueError(f"invalid NTPTimeStamp length {len(raw)}, expected at least 8")
    if not any(raw[:8]):
        raise ValueError("invalid NTPTimeStamp 0: the time is unknown")
    return int.from_bytes(raw[:4]) - _NTP_EPOCH_OFFSET_SECONDS
