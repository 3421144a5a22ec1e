"""What a syslog message costs before it is counted, in microseconds of CPU.

    .venv/bin/python -m benchmarks.syslog_reading

Messages are those of ``exporters.demo.syslog_corpus``, mixed by weight, as a receiver gets them;
one vendor's alone would be cheaper. No sockets are involved. Ends within a minute.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from statistics import median

from benchmarks.table import aligned
from exporters.config.event_settings import EventSettings
from exporters.demo.syslog_corpus import SyslogCorpus
from exporters.syslog.sequences import Sequences
from exporters.wire.syslog_classes import Classifier, MessageClass
from exporters.wire.syslog_framing import FramingCounts, StreamFramer
from exporters.wire.syslog_message import decode_message, decode_text
from exporters.wire.syslog_sequence import find_numbers

MESSAGES = 40_000
READ_WHOLE = 4_000
"""Of these; reading takes many times as long as counting."""
BATCH = 256
DEVICES = 1_000
CHUNK_BYTES = 262_144
ROUNDS = 7

_NUMBERED = b"<189>%d: core-1: *Mar 15 10:05:53.044: %%SYS-5-CONFIG_I: Configured from console"
_PRI = re.compile(rb"^[ ]?<(\d{1,3})>.*+\n", re.MULTILINE)


def microseconds(work: Callable[[], object], messages: int) -> str:
    """Give the median CPU time of a message, over rounds."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return f"{median(times) / messages * 1e6:.2f}"


def chunks(stream: bytes) -> list[bytes]:
    """Cut a stream as a socket would."""
    return [stream[at : at + CHUNK_BYTES] for at in range(0, len(stream), CHUNK_BYTES)]


def frame(received: Sequence[bytes]) -> None:
    """Find the messages of a stream."""
    framer = StreamFramer(FramingCounts())
    for chunk in received:
        framer.feed(chunk)


def main() -> None:
    """Measure, and print a table."""
    messages = [message for _, message in islice(SyslogCorpus().messages(), MESSAGES)]
    batches = [messages[at : at + BATCH] for at in range(0, MESSAGES, BATCH)]
    devices = [[f"device-{number % DEVICES}" for number in range(at, at + BATCH)] for at in
               range(0, MESSAGES, BATCH)]  # fmt: skip
    lines = chunks(b"".join(message + b"\n" for message in messages))
    counted = chunks(b"".join(b"%d %b" % (len(message), message) for message in messages))
    classifier = Classifier()
    counts: Counter[tuple[MessageClass, str]] = Counter()

    def count() -> None:
        for batch, senders in zip(batches, devices, strict=True):
            counts.update(zip(classifier.classify_batch(batch), senders, strict=False))

    numbered = [
        [_NUMBERED % (number // DEVICES) for number in range(at, at + BATCH)]
        for at in range(0, MESSAGES, BATCH)
    ]

    def follow() -> None:
        sequences = Sequences(EventSettings())
        for batch, senders in zip(numbered, devices, strict=True):
            sequences.take(senders, find_numbers(batch), 0.0)

    whole = messages[:READ_WHOLE]
    rows = [
        ("PRI alone", lambda: [_PRI.findall(b"\n".join(batch) + b"\n") for batch in batches]),
        ("class, in batches of 256", lambda: [classifier.classify_batch(b) for b in batches]),
        ("the same, and counted by class and device", count),
        ("class, one by one", lambda: [classifier.classify(message) for message in messages]),
        ("numbers found, of messages that may have some", lambda: [*map(find_numbers, numbered)]),
        ("the same, and followed by device", follow),
        ("frame of a stream of lines", lambda: frame(lines)),
        ("frame of a stream with counts", lambda: frame(counted)),
    ]
    table = [(name, microseconds(work, MESSAGES)) for name, work in rows]
    classes = [classifier.classify(message) for message in whole]
    table += [
        ("text alone", microseconds(lambda: list(map(decode_text, whole)), READ_WHOLE)),
        (
            "read whole, its class being known",
            microseconds(lambda: list(map(decode_message, whole, classes)), READ_WHOLE),
        ),
    ]
    print(aligned(("of a message", "us"), table))
    print(f"\n{MESSAGES} messages of {sum(map(len, messages)) // MESSAGES} octets on average,")
    print(f"{len({kind for kind, _ in counts})} classes, medians of {ROUNDS} rounds.")


if __name__ == "__main__":
    main()
