"""What a syslog message says, read when somebody asks.

Most messages are only counted. A rule with a pattern reads the text alone, which costs a fifth of
reading all of a message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, tzinfo
from itertools import islice
from typing import Final

from exporters.events.event import Remarks
from exporters.wire.syslog_classes import MessageClass
from exporters.wire.syslog_message import SyslogMessage, decode_message, decode_text

_MOST_SHOWN: Final = 64
_LONGEST_VALUE_CHARACTERS: Final = 1024


class SyslogDetails:
    """One message, in the words of ``exporters.events``."""

    __slots__ = ("_content", "_message", "_message_class", "_text", "_zone")

    def __init__(self, content: bytes, message_class: MessageClass, zone: tzinfo = UTC) -> None:
        """Keep a message; *zone* is that of its device."""
        self._content = content
        self._message_class = message_class
        self._zone = zone
        self._message: SyslogMessage | None = None
        self._text: str | None = None

    def field(self, name: str) -> str | None:
        """Give ``host``, ``process``, ``message_id``, or the first value of that name."""
        return next((value for known, value in self._all() if known == name), None)

    def fields(self) -> Mapping[str, str]:
        """Give all fields, of bounded number and length; the first of each name."""
        shown: dict[str, str] = {}
        for name, value in islice(self._all(), _MOST_SHOWN):
            shown.setdefault(name, value[:_LONGEST_VALUE_CHARACTERS])
        return shown

    def text(self) -> str:
        """Give MSG."""
        if self._text is None:
            self._text = decode_text(self._content)
        return self._text

    def remarks(self, received_at: float) -> Remarks:
        """Give its time stamp, and what is unusual about it."""
        message = self._decoded()
        time = message.device_time(received_at, self._zone)
        return Remarks(
            None if time is None else round(time, 6),
            message.header.clock.value,
            message.repeated or 0,
            tuple(sorted(fault.value for fault in message.faults_at(received_at, self._zone))),
        )

    def _all(self) -> Iterator[tuple[str, str]]:
        message = self._decoded()
        own = (
            ("host", message.hostname),
            ("process", message.process_id),
            ("message_id", message.message_id),
        )
        yield from (pair for pair in own if pair[1])
        yield from message.values.items()
        for parameters in message.structured_data.values():
            for name, values in parameters.items():
                yield name, values[0]

    def _decoded(self) -> SyslogMessage:
        if self._message is None:
            self._message = decode_message(self._content, self._message_class)
        return self._message
