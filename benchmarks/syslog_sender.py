"""Sends syslog messages at a rate, as fast as one core can; run by ``benchmarks.syslog``.

    python -m benchmarks.syslog_sender KIND PORT RATE SECONDS

KIND is ``udp``, or ``tcpN`` for N connections, each with an address of its own. Over UDP the
messages come from a thousand addresses of 127.0.0.0/8, through one socket with ``sendmmsg``, each
with the source address it is to have (IP_PKTINFO): a datagram costs little more than the kernel's
part.
RATE 0 is as fast as possible, which over TCP is as fast as the receiver reads.

Each device is of one vendor, and sends what its vendor's devices do, by the weights of
``exporters.demo.syslog_corpus``. Those of Cisco number what they send, without a gap. Prints how
many were sent and in how many seconds.
"""

from __future__ import annotations

import ctypes
import random
import re
import socket
import struct
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import accumulate, cycle, islice, pairwise
from typing import Any, Final

from exporters.demo.syslog_corpus import SyslogCorpus

DEVICES: Final = 1000
MESSAGES: Final = 40_000
_FIRST_NUMBER: Final = 1_000_000
_DIGITS: Final = 7
_NUMBERS: Final = re.compile(rb"<\d+>(\d{7}): (?:\S+: (\d{7}): )?").match
"""Of messages that are sent, and of messages that are written."""
_PAUSE_SECONDS: Final = 0.001
_MOST_AT_ONCE: Final = 1024
_LINES_AT_ONCE: Final = 2000

_HEADER: Final = struct.Struct("@PI4xPNPNi4xI4x")
"""``struct mmsghdr``: name and its length, vector and their number, control and its length, flags,
the length that was sent."""
_VECTOR: Final = struct.Struct("@PN")
_CONTROL: Final = struct.Struct("@Niii4s4s4x")
"""``struct cmsghdr`` and ``in_pktinfo``: interface, source address, and an unused one."""
_IP_PKTINFO: Final = 8


def device_address(number: int) -> str:
    """Give the address of a device."""
    return f"127.1.{number // 250}.{number % 250 + 1}"


def messages(count: int = MESSAGES) -> list[tuple[int, bytes]]:
    """Give messages, each with the number of its device."""
    chance = random.Random(7)
    corpus = SyslogCorpus(seed=7)
    stream = corpus.messages()
    by_vendor: dict[str, list[int]] = defaultdict(list)
    for number, (form, _) in enumerate(islice(stream, DEVICES)):
        by_vendor[form.vendor].append(number)
    found: list[tuple[int, bytes]] = []
    for form, message in stream:
        if devices := by_vendor.get(form.vendor):
            if form.text.partition(">")[2].startswith("{n}: "):
                message = corpus.fill(form, n=_FIRST_NUMBER)
            found.append((chance.choice(devices), message))
        if len(found) == count:
            break
    return found


class Pool:
    """Messages one behind the other, which are sent again and again.

    Attributes:
        content: The messages, each with *end*.
        starts: Where each begins in it, and where the last one ends.
    """

    def __init__(self, pool: Sequence[tuple[int, bytes]], end: bytes = b"") -> None:
        self.content = bytearray().join(message + end for _, message in pool)
        self.starts = [0, *accumulate(len(message) + len(end) for _, message in pool)]
        self._counters: Counter[tuple[int, int]] = Counter()
        self._numbers = [
            (start + match.start(group), (device, group))
            for start, (device, message) in zip(self.starts, pool, strict=False)
            if (match := _NUMBERS(message))
            for group in (1, 2)
            if match[group]
        ]

    def number(self) -> None:
        """Have the devices number their messages; the next time, they go on."""
        content, counters = self.content, self._counters
        for at, counter in self._numbers:
            number = counters[counter] = counters[counter] + 1
            content[at : at + _DIGITS] = b"%d" % (_FIRST_NUMBER + number)


def _send_datagrams(port: int, rate: float, seconds: float) -> tuple[int, float]:
    pairs = messages()
    pool = Pool(pairs)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        headers, _kept = _lay_out([device for device, _ in pairs], pool, port)
        address = ctypes.addressof(ctypes.c_char.from_buffer(headers))
        sendmmsg = _load_sendmmsg()

        def send(at: int, count: int) -> int:
            if at == 0:
                pool.number()
            count = min(count, _MOST_AT_ONCE, len(pairs) - at)
            sent: int = sendmmsg(sender.fileno(), address + at * _HEADER.size, count, 0)
            if sent < 0:
                raise OSError(ctypes.get_errno(), "sendmmsg")
            return sent

        return _paced(send, len(pairs), rate, seconds)


def _paced(
    send: Callable[[int, int], int], pool: int, rate: float, seconds: float
) -> tuple[int, float]:
    """Send what is due, again and again from a pool; give how many in how many seconds."""
    total = int(rate * seconds)
    sent = 0
    started_at = time.perf_counter()
    while sent < total:
        due = min(total, int((time.perf_counter() - started_at) * rate) + 1)
        while sent < due:
            sent += send(sent % pool, due - sent)
        time.sleep(_PAUSE_SECONDS)
    return sent, time.perf_counter() - started_at


def _lay_out(devices: Sequence[int], pool: Pool, port: int) -> tuple[bytearray, list[Any]]:
    """Give an array of ``struct mmsghdr``, and all that it points to."""
    name = ctypes.create_string_buffer(
        struct.pack("=H", socket.AF_INET)
        + struct.pack("!H", port)
        + bytes((127, 0, 0, 1, *bytes(8)))
    )
    content = (ctypes.c_char * len(pool.content)).from_buffer(pool.content)
    vectors = ctypes.create_string_buffer(len(devices) * _VECTOR.size)
    controls = ctypes.create_string_buffer(DEVICES * _CONTROL.size)
    for number in range(DEVICES):
        address = socket.inet_aton(device_address(number))
        level, kind = socket.IPPROTO_IP, _IP_PKTINFO
        _CONTROL.pack_into(
            controls, number * _CONTROL.size, _CONTROL.size - 4, level, kind, 0, address, bytes(4)
        )
    headers = bytearray(len(devices) * _HEADER.size)
    at = ctypes.addressof(content)
    for place, (number, (start, end)) in enumerate(
        zip(devices, pairwise(pool.starts), strict=True)
    ):
        _VECTOR.pack_into(vectors, place * _VECTOR.size, at + start, end - start)
        _HEADER.pack_into(
            headers, place * _HEADER.size, ctypes.addressof(name), 16,
            ctypes.addressof(vectors) + place * _VECTOR.size, 1,
            ctypes.addressof(controls) + number * _CONTROL.size, _CONTROL.size, 0, 0,
        )  # fmt: skip
    return headers, [name, content, vectors, controls]


def _load_sendmmsg() -> Any:
    function = ctypes.CDLL(None, use_errno=True).sendmmsg
    function.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)
    return function


def _send_streams(connections: int, port: int, rate: float, seconds: float) -> tuple[int, float]:
    """Send lines over connections in turn; without a rate, until the time is over."""
    opened = []
    for number in range(connections):
        one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        one.bind((device_address(number), 0))
        one.connect(("127.0.0.1", port))
        opened.append(one)
    pool = Pool(messages(), b"\n")
    content = memoryview(pool.content)
    pieces = [content[start:end] for start, end in pairwise(pool.starts[::_LINES_AT_ONCE])]
    sent = 0
    started_at = time.perf_counter()
    for piece, one in zip(cycle(pieces), cycle(opened), strict=False):
        if piece is pieces[0]:
            pool.number()
        now = time.perf_counter() - started_at
        if now >= seconds:
            break
        if rate and sent > now * rate:
            time.sleep(sent / rate - now)
        one.sendall(piece)
        sent += _LINES_AT_ONCE
    for one in opened:
        one.close()
    return sent, time.perf_counter() - started_at


def main() -> None:
    """Send as the command line says."""
    kind, port, rate, seconds = sys.argv[1:]
    if kind == "udp":
        result = _send_datagrams(int(port), float(rate), float(seconds))
    else:
        connections = int(kind.removeprefix("tcp"))
        result = _send_streams(connections, int(port), float(rate), float(seconds))
    sys.stdout.write("{} {}\n".format(*result))


if __name__ == "__main__":
    main()
