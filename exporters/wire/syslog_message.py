"""One syslog message, read whole. Any octets are a message: the worst is a text of no format.

Reading takes some thirty microseconds and counting one (``exporters.wire.syslog_classes``); so a
receiver counts every message and reads those that somebody looks at. What both say is the same.

Sources: RFC 5424 and RFC 3164; for what is found beside them, ``syslog_shape`` (the words that tell
whose form it is), ``syslog_header`` (Cisco and its kin), ``syslog_timestamp``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from exporters.wire.syslog_classes import EMPTY, MessageClass, describe
from exporters.wire.syslog_faults import MessageFault
from exporters.wire.syslog_header import Clock, Header, read_header
from exporters.wire.syslog_priority import decode_priority
from exporters.wire.syslog_sequence import Numbers, find_numbers, read_numbers
from exporters.wire.syslog_shape import Shape, match_tail, parts_of
from exporters.wire.syslog_structured_data import StructuredData, parse_structured_data
from exporters.wire.syslog_text import BOM, decode_octets, strip_trailer
from exporters.wire.syslog_timestamp import Stamp, resolve, search_stamp
from exporters.wire.syslog_vendors.values import own_hostname, own_stamp, read_values

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})

_NIL: Final = "-"
_REPEATED: Final = re.compile(r"message repeated (\d{1,9}) times?\b")
_STAMPS: Final = ("stamp_5424", "stamp", "stamp_unix", "stamp_slashed", "stamp_port")
_HOSTS: Final = ("host_5424", "host", "host_unix", "host_slashed", "host_port")
_EPOCHS: Final = ((3, 1), (1, 1))
"""Dates that Cisco devices count from until somebody sets their clock, by month and day."""


class SyslogMessage(NamedTuple):
    """What a message says. Empty or None is what it does not.

    Attributes:
        message_class: What it is counted by: format, facility, severity, vendor, event, app.
        hostname: As it says. Nobody vouches for it.
        app: APP-NAME, TAG, or the process of the vendor's form.
        process_id: PROCID, or what stands in brackets behind TAG.
        message_id: MSGID.
        text: MSG, from the event's name on where it begins with one.
        structured_data: Of RFC 5424.
        values: What a vendor's form lists: pairs, columns, parts of the mnemonic.
        header: Time stamp and clock.
        numbers: By which its sender counts.
        repeated: How often, it says, the message before it came again.
        faults: What is wrong with it.
    """

    message_class: MessageClass
    hostname: str = ""
    app: str = ""
    process_id: str = ""
    message_id: str = ""
    text: str = ""
    structured_data: StructuredData = NOTHING
    values: Mapping[str, str] = NOTHING
    header: Header = Header()
    numbers: Numbers = Numbers()
    repeated: int | None = None
    faults: frozenset[MessageFault] = frozenset()

    def device_time(self, received_at: float, zone: tzinfo = UTC) -> float | None:
        """Give the Unix time at which the device says that it wrote this; None if it does not.

        Args:
            received_at: Unix time of receipt, by which the year is told.
            zone: The device's, for stamps that name none.
        """
        stamp = self.header.stamp
        if stamp is None or (self.header.clock is Clock.NEVER_SET and _is_epoch(stamp)):
            return None
        return resolve(stamp, received_at, zone)

    def faults_at(self, received_at: float, zone: tzinfo = UTC) -> frozenset[MessageFault]:
        """Give what is wrong with it when it comes then: not all years have a 29 February."""
        stamp = self.header.stamp
        if stamp is not None and resolve(stamp, received_at, zone) is None:
            return self.faults | {MessageFault.BAD_TIMESTAMP}
        return self.faults


def decode_message(data: bytes, message_class: MessageClass | None = None) -> SyslogMessage:
    """Read one message as it came in a datagram or frame. Never fails.

    Args:
        data: The message.
        message_class: What a ``Classifier`` has said of it, if it was asked.
    """
    data = strip_trailer(data)
    priority, position = decode_priority(data)
    content = data[position:]
    if not content.strip() and priority.fault == "missing":
        return SyslogMessage(EMPTY)
    line = content.partition(b"\n")[0] + b"\n"
    shape, match = parts_of(line)
    message_class = message_class or describe(priority, shape)
    faults = set(message_class.faults)
    if not decode_octets(data)[1]:
        faults.add(MessageFault.INVALID_UTF8)
    if shape.version:
        message = _read_5424(message_class, content, match, faults)
    else:
        message = _read_other(message_class, content, shape, match, faults)
    if message_class.is_counted:
        (found,) = find_numbers((data,))
        message = message._replace(numbers=read_numbers(found))
    return _complete(message, faults)


def decode_hostname(data: bytes) -> str:
    """Read the host that a message names, as ``decode_message`` does, in a third of the time.

    For relays, of whose messages each is asked for it.
    """
    bare = strip_trailer(data)
    _, position = decode_priority(bare)
    content = bare[position:]
    shape, match = parts_of(content.partition(b"\n")[0] + b"\n")
    if shape.version:
        hostname = _nil(_part(match, "host_5424"))
    else:
        hostname = _hostname_of(_header_before_token(content, shape, match), match)
    return hostname or decode_message(data).hostname  # one of a vendor's values may be it


def decode_text(data: bytes) -> str:
    """Read the text of a message alone, as ``decode_message`` does, in a tenth of the time.

    For rules with patterns, which look at nothing else.
    """
    found = _find_tail(data)
    if found is not None:
        tail, is_5424 = found
        text = decode_octets(tail)[0]
        return _split_structured_data(text)[1] if is_5424 else text
    data = strip_trailer(data)
    priority, position = decode_priority(data)
    content = data[position:]
    if not content.strip() and priority.fault == "missing":
        return ""
    shape, match = parts_of(content.partition(b"\n")[0] + b"\n")
    if shape.version:
        rest = decode_octets(content[_structured_data_start(match) :])[0]
        return _split_structured_data(rest)[1]
    return decode_octets(content[_text_start(match, 0) :])[0]


def tail_of(data: bytes) -> bytes | None:
    """Give what stands behind the header: MSG, with the structured data of RFC 5424 before it.

    None where that takes a closer look: PRI is not plain, or there are several lines. Messages of
    one class and one tail say the same, but for host, process, message id and time.
    """
    found = _find_tail(data)
    return None if found is None else found[0]


def _find_tail(data: bytes) -> tuple[bytes, bool] | None:
    """Give the same, and whether it is of RFC 5424."""
    data = strip_trailer(data)
    if b"\n" in data:
        return None
    match = match_tail(data + b"\n")
    if match is None:
        return None
    if match["VERSION"]:
        return data[_structured_data_start(match) :], True
    return data[_text_start(match, match.end("behind_priority")) :], False


def _read_5424(
    message_class: MessageClass, content: bytes, match: re.Match[bytes], faults: set[MessageFault]
) -> SyslogMessage:
    names = ("stamp_5424", "host_5424", "process_5424", "MESSAGE_ID")
    stamp_text, host, process_id, message_id = (_nil(_part(match, name)) for name in names)
    rest, _ = decode_octets(content[_structured_data_start(match) :])
    data, text = _split_structured_data(rest)
    if data is None and message_class.is_structured:
        faults.add(MessageFault.BAD_STRUCTURED_DATA)
    data = data or {}
    header = _header_of(stamp_text, faults)
    return SyslogMessage(
        message_class,
        host,
        message_class.app,
        process_id,
        message_id,
        text,
        data,
        header=header._replace(clock=_clock_of(data.get("timeQuality", NOTHING))),
    )


def _clock_of(time_quality: Mapping[str, Sequence[str]]) -> Clock:
    """Give what timeQuality says (RFC 5424 s7.1)."""
    said = (time_quality.get("isSynced"), time_quality.get("tzKnown"))
    if ("0",) in said:
        return Clock.UNSYNCHRONISED
    return Clock.SYNCHRONISED if said[0] == ("1",) else Clock.UNKNOWN


def _structured_data_start(match: re.Match[bytes]) -> int:
    if match["SD_ID"]:
        return match.start("SD_ID")
    return match.end("MESSAGE_ID") + 1 if match["MESSAGE_ID"] else match.start("start_5424")


def _split_structured_data(rest: str) -> tuple[StructuredData | None, str]:
    """Split what stands behind MSGID; without structured data, all of it is text."""
    found = parse_structured_data(rest, 0)
    if found is None:
        return None, rest.lstrip(" ")
    data, end = found
    return data, rest[end:].removeprefix(" ").removeprefix(BOM.decode())


def _read_other(
    message_class: MessageClass,
    content: bytes,
    shape: Shape,
    match: re.Match[bytes],
    faults: set[MessageFault],
) -> SyslogMessage:
    start = _text_start(match, 0)
    text, _ = decode_octets(content[start:])
    header = _header_before_token(content, shape, match)
    if header is None:
        header = _header_of(_first(match, _STAMPS), faults)
    elif header.has_bad_stamp:
        faults.add(MessageFault.BAD_TIMESTAMP)
    return SyslogMessage(
        message_class,
        _hostname_of(header, match),
        header.process or message_class.app,
        header.process_id or _part(match, "pid") or _part(match, "pid_xr"),
        text=text,
        header=header,
    )


def _header_before_token(content: bytes, shape: Shape, match: re.Match[bytes]) -> Header | None:
    """Read what stands before a token such as ``%LINK-3-UPDOWN``; None: there is none."""
    if shape.token.startswith(b"%") and not shape.app:
        return read_header(decode_octets(content[: match.start("TOKEN")])[0])
    return None


def _hostname_of(header: Header | None, match: re.Match[bytes]) -> str:
    named = "" if header is None else header.hostname
    return _nil(named or _first(match, _HOSTS).removesuffix(":"))


def _complete(message: SyslogMessage, faults: set[MessageFault]) -> SyslogMessage:
    """Add what is read from the text: a vendor's values, repeats."""
    message_class = message.message_class
    values = read_values(message_class.vendor, message_class.event, message.text)
    header = message.header
    if header.stamp is None and (stamp_text := own_stamp(message_class.vendor, values)):
        header = _header_of(stamp_text, faults)
    repeated = _REPEATED.search(message.text) if message_class.is_repeat else None
    return message._replace(
        values=values,
        hostname=message.hostname or own_hostname(message_class.vendor, values),
        header=header,
        repeated=int(repeated[1]) if repeated else None,
        faults=frozenset(faults),
    )


def _text_start(match: re.Match[bytes], behind_priority: int) -> int:
    """Give where MSG begins in a message that has not the form of RFC 5424."""
    for name in ("text_app", "text_slashed"):
        if match.start(name) >= 0:
            return match.start(name)
    token = match["TOKEN"]
    if (token and token.startswith(b"%")) or match["host_unix"] or match["host_port"]:
        return match.start("TOKEN") if token else match.end()
    return max(match.start("text"), behind_priority)


def _header_of(stamp_text: str, faults: set[MessageFault]) -> Header:
    if not stamp_text:
        return Header()
    found = search_stamp(stamp_text)
    if found is None or found[0] is None:
        faults.add(MessageFault.BAD_TIMESTAMP)
        return Header(has_bad_stamp=True)
    return Header(found[0])


def _is_epoch(stamp: Stamp) -> bool:
    return (stamp.month, stamp.day) in _EPOCHS


def _first(match: re.Match[bytes], names: tuple[str, ...]) -> str:
    return next(filter(None, (_part(match, name) for name in names)), "")


def _part(match: re.Match[bytes], name: str) -> str:
    return decode_octets(match[name] or b"")[0]


def _nil(text: str) -> str:
    return "" if text == _NIL else text
