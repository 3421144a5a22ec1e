"""Log lines as Prometheus writes them: logfmt or JSON, one line for a record, to stderr.

The convention: a constant message, and what varies as fields.

    logger = logging.getLogger(__name__)
    logger.info("configuration loaded", extra=fields(modules=53, file=path))

    ts=2025-06-01T12:00:00.000Z level=info logger=exporters.snmp.exporter msg="configuration
    loaded" modules=53 file=snmp.yml                                    (one line, wrapped here)

Text of strangers is safe in a field: whatever does not print is escaped, so that one record stays
one line, and a long value is cut. No value can make a log call fail. A log call never waits for
stderr: a thread writes, and what it cannot keep up with is dropped and counted.

This is not an access log or an event log: nothing here is written per packet above ``debug``.

Sources: the logfmt and JSON handlers of Go's log/slog, whose quoting Prometheus' users parse.
"""

from __future__ import annotations

import json
import logging
import math
import queue
import re
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

LEVELS: Mapping[str, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
}
FORMATS = ("logfmt", "json")

MAX_VALUE_CHARACTERS = 16_384
_QUEUE_LINES = 10_000
_CLOSE_SECONDS = 1.0

_LEVEL_NAMES = {logging.WARNING: "warn", logging.CRITICAL: "error"}
_RESERVED = frozenset(("ts", "level", "logger", "msg"))
_NOT_IN_A_KEY = re.compile(r"[^A-Za-z0-9_.\-]")
_NEEDS_QUOTES = re.compile(r'[\s"=\\]')


def fields(**values: object) -> dict[str, object]:
    """Return the ``extra`` argument of a log call that carries *values* as key=value."""
    return {"fields": values}


def set_up(level: str, log_format: str, stream: TextIO | None = None) -> None:
    """Send the records of every logger to *stream* (default: stderr).

    Replaces whatever handlers the root logger has. The thread that writes does not survive a fork;
    see ``writer_stopped``.
    """
    handler = BackgroundHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(JsonFormatter() if log_format == "json" else LogfmtFormatter())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(LEVELS[level])
    # asyncio's debug lines tell of its selectors and nothing of an exporter.
    logging.getLogger("asyncio").setLevel(max(LEVELS[level], logging.INFO))
    logging.captureWarnings(True)


@contextmanager
def writer_stopped() -> Iterator[None]:
    """Write what is queued, and have no thread inside the context: the place for a fork.

    Parent and child have one of their own each when they leave it. What is logged inside is
    written then, by both.
    """
    handlers = _background_handlers()
    for handler in handlers:
        handler.stop()
    try:
        yield
    finally:
        for handler in handlers:
            handler.start()


def add_to_every_line(**values: object) -> None:
    """Let every line of this process carry *values*, behind its own fields."""

    def add(record: logging.LogRecord) -> bool:
        given = getattr(record, "fields", None)
        record.fields = {**given, **values} if isinstance(given, Mapping) else values
        return True

    for handler in _background_handlers():
        handler.addFilter(add)


def _background_handlers() -> list[BackgroundHandler]:
    handlers = logging.getLogger().handlers
    return [handler for handler in handlers if isinstance(handler, BackgroundHandler)]


class LogfmtFormatter(logging.Formatter):
    """``ts=... level=info logger=... msg="..." key=value``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of logfmt."""
        return " ".join(
            f"{key}={_format_logfmt_value(value)}" for key, value in _items(record).items()
        )


class JsonFormatter(logging.Formatter):
    """The same keys and values as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of ASCII JSON; numbers stay numbers."""
        values = {key: _json_value(value) for key, value in _items(record).items()}
        return json.dumps(values, separators=(",", ":"))


def _items(record: logging.LogRecord) -> dict[str, object]:
    milliseconds = int(record.created * 1000) % 1000
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    items: dict[str, object] = {
        "ts": f"{seconds}.{milliseconds:03d}Z",
        "level": _LEVEL_NAMES.get(record.levelno, record.levelname.lower()),
        "logger": record.name,
        "msg": _message(record),
    }
    given = getattr(record, "fields", None)
    if isinstance(given, Mapping):
        for key, value in given.items():
            name = _NOT_IN_A_KEY.sub("_", _text(key)) or "_"
            items[f"field_{name}" if name in _RESERVED else name] = value
    if record.exc_info and record.exc_info[1] is not None:
        error = record.exc_info[1]
        items.setdefault("err", f"{type(error).__name__}: {_text(error)}")
        items["stacktrace"] = _stack_trace(error)
    return items


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - a wrong format string must not stop its caller
        return f"{record.msg} {_text(record.args)}"


def _stack_trace(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error)).rstrip()
    except Exception as cause:  # noqa: BLE001 - an exception may fail at telling of itself
        return f"<no stack trace: {type(cause).__name__}>"


def _text(value: object) -> str:
    """The value as text of bounded length, even where its own ``__str__`` fails."""
    try:
        text = str(value)
    except Exception:  # noqa: BLE001 - a log call must not fail for the value it was given
        text = f"<unprintable {type(value).__name__}>"
    if not text and isinstance(value, BaseException):
        text = type(value).__name__
    if len(text) > MAX_VALUE_CHARACTERS:
        text = f"{text[:MAX_VALUE_CHARACTERS]}... ({len(text)} characters)"
    return text


def _format_logfmt_value(value: object) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    text = _text(value)
    if text and text.isprintable() and not _NEEDS_QUOTES.search(text):
        return text
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    if not text.isprintable():
        # Control characters, line separators, bidirectional overrides and lone surrogates, in
        # the escapes of JSON, which every logfmt reader knows.
        text = "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
    return f'"{text}"'


def _json_value(value: object) -> object:
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return _text(value)


class BackgroundHandler(logging.Handler):
    """Hands each line to a thread that writes it, so that no caller waits for the stream."""

    def __init__(self, stream: TextIO, capacity: int = _QUEUE_LINES) -> None:
        super().__init__()
        self._stream = stream
        self._capacity = capacity
        self._dropped = 0  # by callers
        self._failed = 0  # by the writer, as is the next
        self._told = 0
        # Not queue.Queue: a __del__ that logs may interrupt a put in the same thread, and only
        # SimpleQueue.put may be entered twice.
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the record's line; drop and count it where the stream is too far behind."""
        if self._lines.qsize() >= self._capacity:
            self._dropped += 1
        else:
            self._lines.put(self.format(record))

    def close(self) -> None:
        """Write what is queued, within a second, and end the thread."""
        self.stop()
        super().close()

    def start(self) -> None:
        """Start the thread that writes, of which there is none after ``stop``."""
        self._writer = threading.Thread(
            target=self._write_lines, args=(self._lines,), name="log writer", daemon=True
        )
        self._writer.start()

    def stop(self) -> None:
        """Write what is queued, within a second, and end the thread until ``start``."""
        if self._writer.is_alive():
            self._lines.put(None)
            self._writer.join(_CLOSE_SECONDS)
            # Should that thread be stuck at its stream, it keeps the old queue and ends with it.
            self._lines = queue.SimpleQueue()

    def _write_lines(self, lines: queue.SimpleQueue[str | None]) -> None:
        while (line := lines.get()) is not None:
            lost = self._dropped + self._failed
            if lost > self._told:
                line = f"{self._loss(lost - self._told)}\n{line}"
            try:
                self._stream.write(f"{line}\n")
                self._stream.flush()
            except (OSError, ValueError):
                # The stream is gone, and with it the only place to say so.
                self._failed += 1
            else:
                self._told = lost

    def _loss(self, lines: int) -> str:
        record = logging.makeLogRecord(
            {
                "name": __name__,
                "levelno": logging.WARNING,
                "msg": "log lines lost, because stderr was not read fast enough",
                "fields": {"lines": lines},
            }
        )
        return self.format(record)
