r"""Where messages begin and end in a stream (RFC 6587), whichever way each of them is framed.

Forms::

    octet counting     LEN SP MSG          LEN = 1*9DIGIT of octets, without leading zeros
    non-transparent    MSG LF              also CR LF and NUL

One connection may mix them, because relays restart and forward what they are given, so each frame
is looked at by itself. ``<`` begins a line. A number and a blank begin a counted frame if ``<``
follows, or if the frame before was a counted one. Everything else begins a line too, one without
PRI, but not after a counted frame: there the count was wrong, and what follows is no message. Such
a fault is counted, and then the connection is of no more use, or what comes up to the next LF is
dropped, as configured. A bad *message* is never a fault here.

A message that is too long is cut, counted, and what is left of it is dropped.

A datagram is one message whatever it holds (RFC 5426 s3.1): nothing of this is for datagrams.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

_HEAD: Final = re.compile(rb"(\d{1,10})( ?)(<?)")
_MOST_DIGITS: Final = 9
_LINE_END: Final = re.compile(rb"[\n\0]")
_NOT_PLAIN: Final = re.compile(rb"\n(?:\d|\r?\n)")
_BEHIND_DIGITS: Final = b":"
"""What is empty or begins with a digit comes before it; most lines do not, as they begin with <."""
_BETWEEN: Final = re.compile(rb"[\r\n\0]*+")
_FRAME_LIMIT: Final = 16
"""How many times longer than a message may be a counted frame is believed and cut; what says that
it is longer still is a wrong count."""


class FramingFault(StrEnum):
    """What can be wrong with a frame: a closed set, so that it may be a label."""

    BAD_COUNT = "bad_count"
    """0, a leading zero, or a number that no message has."""
    DESYNCHRONISED = "desynchronised"
    """What follows a counted frame begins none."""
    UNFINISHED = "unfinished"
    """The connection ended within a counted frame."""


@dataclass(slots=True)
class FramingCounts:
    """What framers have come across; several connections may share one.

    Attributes:
        truncated: Messages that were cut because they were too long.
        partial: Last lines that were ended by the end of their connection.
        faults: By reason.
    """

    truncated: int = 0
    partial: int = 0
    faults: dict[FramingFault, int] = field(default_factory=lambda: dict.fromkeys(FramingFault, 0))


class StreamFramer:
    """The frames of one connection. It holds no more than one message and a count.

    Attributes:
        max_message_bytes: What is longer is cut; may be changed at any time.
        resynchronise: What to do after a fault; may be changed at any time.
        is_broken: Whether there was a fault that ends the connection.
    """

    def __init__(
        self,
        counts: FramingCounts,
        *,
        max_message_bytes: int = 65_536,
        resynchronise: bool = False,
    ) -> None:
        """Begin a connection.

        Args:
            counts: Where to count what happens.
            max_message_bytes: What is longer is cut.
            resynchronise: After a fault, go on behind the next LF. Else the connection is broken.
        """
        self.max_message_bytes = max_message_bytes
        self.resynchronise = resynchronise
        self.is_broken = False
        self._counts = counts
        self._rest = bytearray()
        self._whole_at = 0
        """How long the rest is when a counted frame is whole."""
        self._line_is_open = False
        """Whether the rest is a line, and has no end."""
        self._skip_octets = 0
        self._skip_line = False
        self._was_counted = False

    @property
    def held_bytes(self) -> int:
        """How much of an unfinished frame is kept."""
        return len(self._rest)

    @property
    def is_within_frame(self) -> bool:
        """Whether a frame has begun that has not ended, be it kept or dropped."""
        return bool(self._rest or self._skip_octets or self._skip_line)

    def feed(self, data: bytes) -> list[bytes]:
        """Take what was received, and give the messages that are whole now."""
        if self._rest:
            if self._goes_on(data):
                self._rest += data
                return []
            data = bytes(self._rest) + data
        self._whole_at, self._line_is_open = 0, False
        messages: list[bytes] = []
        position, size = self._skip(data, 0), len(data)
        position = self._plain_lines(data, position, messages)
        while position < size and not self.is_broken:
            begin, position = position, self._skip(data, position)
            position = self._plain_counted(data, position, messages)
            if position > begin:
                continue
            position = self._frame(data, position, messages)
            if position == begin and not self._skip_line:
                break  # not whole yet
        self._rest = bytearray() if self.is_broken else bytearray(data[position:])
        return messages

    def close(self) -> list[bytes]:
        """Give what is left when the connection ends: a line without its end is a message."""
        rest, self._rest = bytes(self._rest), bytearray()
        if self._skip_octets or (rest[:1].isdigit() and self._is_count(rest)):
            self._counts.faults[FramingFault.UNFINISHED] += 1
            return []
        if not rest:
            return []
        self._counts.partial += 1
        return [self._cut(rest.removesuffix(b"\r"))]

    def _goes_on(self, data: bytes) -> bool:
        """Whether the frame that has begun does not end in *data*, which so need not be read.

        A sender of single octets would otherwise have all that is kept looked at for each of them.
        """
        size = len(self._rest) + len(data)
        if self._line_is_open:
            return size < self.max_message_bytes + 2 and _LINE_END.search(data) is None
        return size < self._whole_at

    def _plain_lines(self, data: bytes, position: int, messages: list[bytes]) -> int:
        """Take all whole lines if there is nothing else, as nearly always; the position behind.

        This is the fast way, tried once. ``_frame`` finds the same messages one by one.
        """
        end = data.rfind(b"\n", position)
        if end < 0 or self._skip_octets or self._skip_line or self.is_broken:
            return position
        first = data[position : position + 1]
        if first != b"<" and (self._was_counted or first in b"\r\n" or first.isdigit()):
            return position
        block = data[position:end]
        lines = block.split(b"\n")
        if b"\r" in block:
            lines = [line.removesuffix(b"\r") for line in lines]
            if b"\r" in b"".join(lines):
                return position
        if b"\0" in block or (min(lines) < _BEHIND_DIGITS and _NOT_PLAIN.search(block + b"\n")):
            return position
        if max(map(len, lines)) > self.max_message_bytes:
            return position
        messages += lines
        self._was_counted = False
        return end + 1

    def _plain_counted(self, data: bytes, position: int, messages: list[bytes]) -> int:
        """Take counted frames as long as they are whole and plain; the position behind them."""
        if self._skip_octets or self._skip_line:
            return position
        size, longest = len(data), self.max_message_bytes
        find, take = data.find, messages.append
        while True:
            blank = find(b" <", position, position + _MOST_DIGITS + 2)
            digits = data[position:blank]
            if blank < 0 or not digits.isdigit() or digits < b"1":  # or it has leading zeros
                return position
            start = blank + 1
            end = start + int(digits)
            if end > size or end - start > longest:
                return position
            take(data[start:end])
            self._was_counted = True
            position = end

    def _skip(self, data: bytes, position: int) -> int:
        """Pass over what is to be dropped, and what stands between frames."""
        if self._skip_octets:
            skipped = min(self._skip_octets, len(data) - position)
            self._skip_octets -= skipped
            return position + skipped
        if self._skip_line:
            match = _LINE_END.search(data, position)
            self._skip_line = match is None
            return len(data) if match is None else match.end()
        between = _BETWEEN.match(data, position)
        return position if between is None else between.end()

    def _frame(self, data: bytes, position: int, messages: list[bytes]) -> int:
        """Take one frame; the position behind it, or the same where it is not whole yet."""
        head = _HEAD.match(data, position)
        if head is None:
            if self._was_counted and data[position : position + 1] != b"<":
                return self._fail(FramingFault.DESYNCHRONISED, position)
            return self._line(data, position, messages)
        digits, blank, bracket = head.groups()
        is_count = bool(blank and (bracket or self._was_counted)) and len(digits) <= _MOST_DIGITS
        if not is_count and head.end() == len(data) and len(digits) <= _MOST_DIGITS:
            return position  # the next octet decides
        if not is_count:
            if self._was_counted:
                return self._fail(FramingFault.DESYNCHRONISED, position)
            return self._line(data, position, messages)
        size = int(digits)
        if digits.startswith(b"0") or size > self.max_message_bytes * _FRAME_LIMIT:
            return self._fail(FramingFault.BAD_COUNT, position)
        return self._counted(data, head.end(2), size, position, messages)

    def _is_count(self, rest: bytes) -> bool:
        """Whether what begins with a digit, and was not whole, is a counted frame."""
        head = _HEAD.match(rest)
        return self._was_counted or (head is not None and bool(head[2] and head[3]))

    def _counted(
        self, data: bytes, start: int, size: int, position: int, messages: list[bytes]
    ) -> int:
        taken = min(size, self.max_message_bytes)
        if len(data) - start < taken:
            self._whole_at = start - position + taken
            return position
        messages.append(data[start : start + taken])
        if taken < size:
            self._counts.truncated += 1
            self._skip_octets = size - taken
        self._was_counted = True
        return start + taken

    def _line(self, data: bytes, position: int, messages: list[bytes]) -> int:
        window = position + self.max_message_bytes + 2  # the end may be CR LF
        match = _LINE_END.search(data, position, window)
        if match is None and len(data) < window:
            self._line_is_open = True
            return position
        self._was_counted = False
        if match is None:
            messages.append(self._cut(data[position:window]))
            self._skip_line = True
            return window
        messages.append(self._cut(data[position : match.start()].removesuffix(b"\r")))
        return match.end()

    def _cut(self, message: bytes) -> bytes:
        if len(message) <= self.max_message_bytes:
            return message
        self._counts.truncated += 1
        return message[: self.max_message_bytes]

    def _fail(self, fault: FramingFault, position: int) -> int:
        """Count a fault. What follows is skipped, so the position is the same or behind."""
        self._counts.faults[fault] += 1
        self._was_counted = False
        if self.resynchronise:
            self._skip_line = True
        else:
            self.is_broken = True
        return position
