"""Time stamps of syslog messages, in all the forms that devices write them.

Forms, by example::

    2003-10-11T22:14:15.003Z        RFC 5424; also lower case, +0200, a space for the T, 9 digits
    2018-7-23 01:00:34.270.1        Huawei: not padded, a fraction of two parts
    2020/10/11 22:14:15
    Oct 11 22:14:15                 RFC 3164; the day padded with a blank, a zero, or not at all
    Oct 11 22:14:15.123 CEST        Cisco; also 2020 Oct 11 22:14:15 and Oct 11 2020 22:14:15
    Oct 11 22:14:15 2020            Comware, ArubaOS
    Oct 11 2020 22:14:15+08:00      Huawei
    Oct 11 2020 10:14:15 PM.123     Cisco Unified Communications Manager
    2018-Nov- 9 15:42:06.972        Opengear
    09/11/2021:21:13:15 GMT         NetScaler, day or month first
    1563249630.774247467            Meraki, Unix time
    1w2d, 00:01:01                  Cisco without a clock, ``search_uptime``

What is not written, the year or the zone, is chosen by ``resolve``: the year that puts the stamp
nearest to its receipt, the zone of the device. Names of zones are ambiguous: those that mean one
thing everywhere are known here (``_OFFSETS``), others mean the device's zone.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final, NamedTuple

_MONTHS: Final = (
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
)  # fmt: skip
_HOUR: Final = 3600
_OFFSETS: Final = {
    "UTC": 0, "GMT": 0, "Z": 0, "UCT": 0, "WET": 0, "WEST": 1, "CET": 1, "MET": 1, "CEST": 2,
    "MEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "PKT": 5, "ICT": 7, "WIB": 7, "HKT": 8, "SGT": 8,
    "AWST": 8, "JST": 9, "KST": 9, "ACST": 9.5, "ACDT": 10.5, "AEST": 10, "AEDT": 11, "NZST": 12,
    "NZDT": 13, "BRT": -3, "ART": -3, "EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6,
    "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10,
}  # fmt: skip
"""Hours east of UTC. Not here, as they are of several places: CST, IST, BST, AST, GST."""

_CLOCK = r"(?P<{0}h>\d{{1,2}}):(?P<{0}m>\d\d):(?P<{0}s>\d\d)(?:[.,](?P<{0}f>\d+)(?:\.\d+)?)?"
_ZONE_NAME = r"(?!AM\b|PM\b)[A-Z]{1,5}(?=[\s:]|\Z)"
_NUMERIC = r"[Zz]|[+-]\d\d:?\d\d"
_STAMP: Final = re.compile(
    r"(?:"
    r"(?P<iso_year>\d{4})(?P<sep>[-/])(?P<iso_month>\d{1,2})(?P=sep)(?P<iso_day>\d{1,2})[Tt ]"
    + _CLOCK.format("i")
    + rf"(?P<iz>{_NUMERIC}|[ ]?(?:[+-]\d\d:?\d\d|{_ZONE_NAME}))?"
    r"|(?:(?P<y1>\d{4})[ -])?(?P<mon>[A-Z][a-z]{2})[ -]{1,2}(?P<day>\d{1,2})"
    r"(?:[ ](?P<y2>\d{4}))?[ ]"
    + _CLOCK.format("b")
    + rf"(?:[ ](?P<half>[AP]M)(?:\.(?P<halff>\d+))?)?(?:[ ](?P<y3>\d{{4}})(?=\s|:|\Z))?"
    rf"(?P<bz>{_NUMERIC}|[ ](?:[+-]\d\d:?\d\d|{_ZONE_NAME}))?"
    r"|(?P<na>\d\d)/(?P<nb>\d\d)/(?P<ny>\d{4}):"
    + _CLOCK.format("n")
    + rf"(?:[ ](?P<nz>{_ZONE_NAME}))?"
    r"|(?P<epoch>\d{9,10}\.\d{1,9})(?=\s|\Z)"
    r")"
)
_UPTIME: Final = re.compile(
    r"(?:(?P<h>\d{1,3}):(?P<m>\d\d):(?P<s>\d\d)|(?=\d)(?:(?P<years>\d{1,2})y)?(?:(?P<weeks>\d{1,2})w)?"
    r"(?:(?P<days>\d{1,2})d)?(?:(?P<hours>\d{1,2})h)?)(?=:)"
)


class Stamp(NamedTuple):
    """What a time stamp says, nothing added.

    Attributes:
        year: None where it does not say.
        month: 1 to 12; where *is_swapped*, perhaps the day.
        second: 0 to 59; a leap second is told as the one before it.
        offset_seconds: East of UTC; None where it does not say, or by a name of many meanings.
        zone: Its name, as written; empty where it has none.
        unix_time: Where the stamp is that, and nothing else counts.
        is_swapped: Whether day and month may be the other way round.
    """

    year: int | None
    month: int
    day: int
    hour: int
    minute: int
    second: int
    microsecond: int = 0
    offset_seconds: int | None = None
    zone: str = ""
    unix_time: float | None = None
    is_swapped: bool = False


def search_stamp(text: str, position: int = 0) -> tuple[Stamp | None, int, int] | None:
    """Find the first time stamp; its place as well.

    The stamp is None where it looks like one and names no possible time, such as 25:61:61.
    """
    match = _STAMP.search(text, position)
    return None if match is None else (_read(match), match.start(), match.end())


def search_uptime(text: str) -> tuple[int, int, int] | None:
    """Find the uptime that Cisco devices write while they have no clock: seconds, and its place.

    Example: ``1d2h: %SYS-5-RESTART: ...`` gives 93600, 0 and 4.
    """
    for match in re.finditer(r"(?:(?<=[\s*.:])|\A)(?=\d)", text):
        if found := _UPTIME.match(text, match.start()):
            parts = {name: int(value or 0) for name, value in found.groupdict().items()}
            seconds = parts["h"] * _HOUR + parts["m"] * 60 + parts["s"] + parts["hours"] * _HOUR
            days = parts["days"] + parts["weeks"] * 7 + parts["years"] * 365
            if found.end() > found.start():
                return seconds + days * 24 * _HOUR, found.start(), found.end()
    return None


def resolve(stamp: Stamp, received_at: float, zone: tzinfo = UTC) -> float | None:
    """Give the Unix time of a stamp that was received at *received_at*, another Unix time.

    Without a year, it is the one that puts the stamp nearest to its receipt: a message of 31
    December may be received on 1 January, and the other way round from a clock that is fast. The
    same tells which hour is meant of the two when clocks are put back. None where the day is in
    none of these years: 29 February.
    """
    if stamp.unix_time is not None:
        return stamp.unix_time
    received = datetime.fromtimestamp(received_at, UTC)
    years = (stamp.year,) if stamp.year else (received.year, received.year - 1, received.year + 1)
    forms = (
        (stamp, stamp._replace(month=stamp.day, day=stamp.month)) if stamp.is_swapped else (stamp,)
    )
    known = [time for form in forms for year in years for time in _unix_times(form, year, zone)]
    if not known:
        return None
    nearest = min(known, key=lambda time: abs(time - received_at))
    is_near = abs(nearest - received_at) < 200 * 24 * _HOUR
    return nearest if stamp.year or is_near else None


def _unix_times(stamp: Stamp, year: int, zone: tzinfo) -> list[float]:
    """Give the times that a stamp can mean; when clocks are put back, an hour comes twice."""
    try:
        when = datetime(
            year, stamp.month, stamp.day, stamp.hour, stamp.minute, stamp.second, stamp.microsecond
        )
        when = when.replace(tzinfo=_zone_of(stamp, when, zone))
        if isinstance(when.tzinfo, timezone):
            return [when.timestamp()]
        return [when.timestamp(), when.replace(fold=1).timestamp()]
    except (ValueError, OverflowError, OSError):
        return []


def _zone_of(stamp: Stamp, when: datetime, zone: tzinfo) -> tzinfo:
    """Give the zone of a stamp. What a name means, the device's zone knows before anybody else."""
    if stamp.zone:
        for season in (when, when.replace(month=1, day=1), when.replace(month=7, day=1)):
            if zone.tzname(season) == stamp.zone:
                return timezone(zone.utcoffset(season) or timedelta())
    if stamp.offset_seconds is None:
        return zone
    return timezone(timedelta(seconds=stamp.offset_seconds))


def _read(match: re.Match[str]) -> Stamp | None:
    found = match.groupdict()
    if found["epoch"]:
        return Stamp(None, 1, 1, 0, 0, 0, unix_time=float(found["epoch"]))
    kind = "i" if found["iso_year"] else "b" if found["mon"] else "n"
    offset, zone = _offset_of((found[f"{kind}z"] or "").strip())
    year, month, day, is_swapped = _date_of(found, kind)
    fraction = found[f"{kind}f"] or found["halff"] or ""
    second = int(found[f"{kind}s"])
    stamp = Stamp(
        year, month, day, _hour_of(int(found[f"{kind}h"]), found["half"]), int(found[f"{kind}m"]),
        59 if second == 60 else second, int(f"{fraction[:6]:0<6}"), offset, zone, None, is_swapped,
    )  # fmt: skip
    return stamp if _is_possible(stamp) else None


def _date_of(found: dict[str, str | None], kind: str) -> tuple[int | None, int, int, bool]:
    if kind == "i":
        return (
            int(found["iso_year"] or 0),
            int(found["iso_month"] or 0),
            int(found["iso_day"] or 0),
            False,
        )
    if kind == "n":
        first, second = int(found["na"] or 0), int(found["nb"] or 0)
        if second > 12:
            first, second = second, first
        return int(found["ny"] or 0), second, first, first <= 12
    name = (found["mon"] or "").lower()
    month = _MONTHS.index(name) + 1 if name in _MONTHS else 0
    year = found["y1"] or found["y2"] or found["y3"]
    return int(year) if year else None, month, int(found["day"] or 0), False


def _hour_of(hour: int, half: str | None) -> int:
    return hour if half is None else hour % 12 + (12 if half == "PM" else 0)


def _offset_of(text: str) -> tuple[int | None, str]:
    if not text:
        return None, ""
    if text[0] in "+-":
        sign = -1 if text[0] == "-" else 1
        digits = text[1:].replace(":", "")
        return sign * (int(digits[:2]) * _HOUR + int(digits[2:]) * 60), ""
    hours = _OFFSETS.get(text.upper())
    return None if hours is None else int(hours * _HOUR), text.upper()


def _is_possible(stamp: Stamp) -> bool:
    try:
        datetime(
            2000 if stamp.year is None else stamp.year,
            stamp.month,
            stamp.day,
            stamp.hour,
            stamp.minute,
            stamp.second,
        )
    except ValueError:
        return False
    return abs(stamp.offset_seconds or 0) < 24 * _HOUR
