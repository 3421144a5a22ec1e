r"""Numbers that senders give their messages, by which missing ones can be told.

Forms, by example::

    <189>521: router1: *Mar 15 10:05:53.044: %OSPF-5-...          521 of all that were sent here
    <189>22191: HOST: 022546: Mar 15 10:05:53 CDT: %PARSER-5-...  the same, and 22546 of all written
    <189>000123: *Mar 15 10:05:53.044: %SYS-5-...                 of all written, for its zeros
    <189>Mar 15 10:05:55 relay 521: *Mar 15 10:05:53: %SYS-5-...  behind what a relay has put before
    <13>1 DATE HOST APP - - [meta sequenceId="29"] ...            RFC 5424 s7.3.1

Cisco's ``logging message-counter syslog`` numbers what is sent to receivers, and
``service sequence-numbers`` all that the device writes, whether it is sent or not.

Reading the numbers of many messages takes one call and a third of a microsecond for each. As it
means to look at structured data, it says on the way whether that is whole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from exporters.wire.octet_sets import spell_out

Found = tuple[bytes, bytes, bytes, bytes]
"""Digits of sequenceId, ``]`` where structured data is whole, digits of the number and of the
sequence number; empty what a message does not have."""


class Numbers(NamedTuple):
    """What a message says of its place; None what it does not.

    Attributes:
        message: Its number among those that were sent to this receiver.
        service: Its number among all that the device has written.
        meta: sequenceId of RFC 5424.
    """

    message: int | None = None
    service: int | None = None
    meta: int | None = None


_PADDED_DIGITS: Final = 6
"""Of ``service sequence-numbers``, which has leading zeros."""
_FIELDS: Final = rb"""
    [1-9]\d{0,8}[ ](?:-|\d{4}-\S++(?:[ ]\d\d:\d\d:\S++)?+)[ ]\S++[ ]\S++[ ]\S++[ ]\S++[ ]
"""
_NAME: Final = rb'[^\s="\]\[]++'
_PARAMETER: Final = rb"[ ]++" + _NAME + rb'="[^"\\{end}]*+(?:\\.[^"\\{end}]*+)*+"'
_STRUCTURED_DATA: Final = (
    rb"(?:\[(?!meta[ \]])" + _NAME + rb"(?:" + _PARAMETER + rb")*+[ ]*+\])*+"
    rb"(?:\[meta(?:(?![ ]++sequenceId=)" + _PARAMETER + rb")*+"
    rb'(?:[ ]++sequenceId="(?P<meta>\d{1,10})"|' + _PARAMETER + rb")?+"
    rb"(?:" + _PARAMETER + rb")*+[ ]*+\])?+(?<=(?P<whole>\]))"
)  # fmt: skip
_RELAYED: Final = rb"""
    (?: [A-Z][a-z][a-z][ ]{1,2}+\d{1,2}+[ ](?:\d{4}[ ])?+\d
      | \d{4}-\d{1,2}-\d{1,2}[Tt ]\d )
    \d?+:\d\d:\S++(?<!:)[ ]++[^\s%]\S*+[ ]++
"""
_CISCO: Final = (
    rb"(?:"
    + _RELAYED
    + rb""" | )
    (?: (?P<message>\d{1,18}+):[ ] | :[ ] | )
    (?: (?!\d++:[ ])[^\s%]\S*+(?<=:)[ ] | )
    (?: (?P<service>\d{1,18}+):[ ] | )
"""
)


def _pattern(*, of_lines: bool) -> re.Pattern[bytes]:
    """Make the pattern for one message, or for each of many lines."""
    blank, end = (rb"[ \t\r\0]", rb"\n") if of_lines else (rb"[ \t\r\n\0]", b"")
    text = rb"(?:" + _FIELDS + _STRUCTURED_DATA.replace(b"{end}", end) + rb"|" + _CISCO + rb")"
    priority = rb"(?: <\d{1,3}+>(?!<) | " + blank + rb"*+(?:<[ \d]{0,4}>)*+ )"
    text = spell_out(priority + text)
    if of_lines:
        return re.compile(rb"^" + text + rb".*+\n", re.VERBOSE | re.MULTILINE)
    return re.compile(text, re.VERBOSE | re.DOTALL)


_OF_LINES: Final = _pattern(of_lines=True).findall
_OF_ONE: Final = _pattern(of_lines=False).match


def find_numbers(messages: Sequence[bytes]) -> list[Found]:
    """Find the numbers of messages whose class ``is_counted``."""
    if b"\n" in b"".join(messages):
        return [_of_one(message) for message in messages]
    return _OF_LINES(b"\n".join(messages) + b"\n")


def read_numbers(found: Found) -> Numbers:
    """Give what was found of one message as numbers."""
    meta, _, message, service = found
    if not service and len(message) >= _PADDED_DIGITS and message.startswith(b"0"):
        message, service = b"", message
    return Numbers(
        int(message) if message else None,
        int(service) if service else None,
        int(meta) if meta else None,
    )


def _of_one(message: bytes) -> Found:
    match = _OF_ONE(message)
    if match is None:  # everything in it is optional
        raise AssertionError("the pattern of numbers matches everything")
    meta, whole, number, sequence = match.groups(b"")
    return meta, whole, number, sequence
