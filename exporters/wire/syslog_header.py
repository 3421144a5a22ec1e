"""What stands before an event that is named with a percent sign: as many orders as devices.

Forms, where ``|`` is what this module is given the left of::

    521: router1: *Mar 15 10:05:53.044: |%OSPF-5-ADJCHG: ...           IOS
    22191: HOST: 022546: Mar 15 10:05:53.044 CDT: |%PARSER-5-...       IOS with both numbers
    1d2h: |%LINK-3-UPDOWN: ...                                         IOS without a clock
    2647599: vmx01 RP/0/RSP1/CPU0:Mar 28 15:08:30.941 UTC: bgp[1051]: |%ROUTING-BGP-5-MAXPFX : ...
    2018 Apr 20 13:15:15 host |%ETHPORT-5-IF_DUPLEX: ...               NX-OS
    host: *spamApTask1: Mar 15 10:05:53.044: |%CAPWAP-4-...            WLC
    2018-7-23 01:00:34.270.1 host |%%01IFNET/4/IF_STATE(l)...          Huawei
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final, NamedTuple

from exporters.wire.syslog_timestamp import Stamp, search_stamp, search_uptime


class Clock(StrEnum):
    """What a device says of its clock, by a mark of Cisco's or in timeQuality (RFC 5424 s7.1)."""

    UNKNOWN = ""
    """It says nothing, which of a device of Cisco's that would means that the clock is right."""
    SYNCHRONISED = "synchronised"
    """``isSynced="1"``."""
    NEVER_SET = "never_set"
    """``*``: it has counted from a date of its own since the start."""
    UNSYNCHRONISED = "unsynchronised"
    """``.``: it was right once. ``isSynced="0"``, ``tzKnown="0"``: nobody knows."""


class Header(NamedTuple):
    """What a header says, empty or None what it does not.

    Attributes:
        stamp: The last one, which is the device's; a relay puts its own before it.
        has_bad_stamp: Whether there is one that names no possible time.
        process: Of IOS XR (``bgp``), the task of a WLC, the agent of Arista.
        node: Of IOS XR, ``RP/0/RSP1/CPU0``.
        uptime_seconds: In place of a stamp.
    """

    stamp: Stamp | None = None
    has_bad_stamp: bool = False
    hostname: str = ""
    process: str = ""
    process_id: str = ""
    node: str = ""
    clock: Clock = Clock.UNKNOWN
    uptime_seconds: int | None = None


_MARKS: Final = {"*": Clock.NEVER_SET, ".": Clock.UNSYNCHRONISED}
_NODE: Final = re.compile(r"[\w-]+/\S*CPU\d+\Z")
_PROCESS: Final = re.compile(r"(?P<name>[^\s\[\]]+)\[(?P<pid>[^\]]+)\]\Z")


def read_header(text: str) -> Header:
    """Read the header that *text* is; what it does not understand it leaves out."""
    found = search_stamp(text)
    if found is None:
        return _read_without_stamp(text)
    stamp, start, end = found
    before, relayed = text[:start], ""
    while again := search_stamp(text, end):  # a relay's stamp and host stand before the device's
        relayed, _, before = text[end : again[1]].lstrip(" :").partition(" ")
        stamp, start, end = again
    header = Header(stamp, has_bad_stamp=stamp is None)
    header = _read_end(_read_words(header, before), text[end:])
    return header if header.hostname else header._replace(hostname=relayed.strip(":"))


def _read_without_stamp(text: str) -> Header:
    uptime = search_uptime(text)
    if uptime is None:
        return _read_words(Header(), text)
    seconds, start, end = uptime
    return _read_end(_read_words(Header(uptime_seconds=seconds), text[:start]), text[end:])


def _read_words(header: Header, text: str) -> Header:
    """Read what stands before the stamp."""
    if text and text[-1] in _MARKS:
        header = header._replace(clock=_MARKS[text[-1]])
        text = text[:-1]
    for word in text.replace("CPU0:", "CPU0: ").split():
        bare = word.strip(":")
        if not bare:
            continue
        if bare.isascii() and bare.isdigit():
            continue  # exporters.wire.syslog_sequence reads numbers
        if _NODE.match(bare):
            header = header._replace(node=bare)
        elif bare.startswith("*"):
            header = header._replace(process=bare[1:])
        elif not header.hostname:
            header = header._replace(hostname=bare)
    return header


def _read_end(header: Header, text: str) -> Header:
    """Read what stands behind the stamp."""
    words = [word for word in (part.strip(":") for part in text.split()) if word]
    words = [word for word in words if not word.startswith("(")]
    if words and (match := _PROCESS.match(words[-1])):
        header = header._replace(process=match["name"], process_id=match["pid"])
        words.pop()
    elif len(words) > 1 or (words and header.hostname):
        header = header._replace(process=words.pop())
    if words and not header.hostname:
        header = header._replace(hostname=words[0])
    return header
