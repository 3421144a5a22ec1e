"""Log lines: their form, and that nothing can break them."""

from __future__ import annotations

import io
import json
import logging
import threading
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters import logs
from exporters.logs import BackgroundHandler, JsonFormatter, LogfmtFormatter, fields


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no text")


class Colour(Enum):
    RED = 1


def record(message: object = "hello", *args: object, **values: object) -> logging.LogRecord:
    made = logging.LogRecord("exporters.web", logging.INFO, "x.py", 1, message, args, None)
    made.created = 1_750_000_000.987654
    made.__dict__.update(fields(**values))
    return made


def logfmt(**values: object) -> str:
    line = LogfmtFormatter().format(record(**values))
    return line.removeprefix("ts=2025-06-15T15:06:40.987Z level=info logger=exporters.web msg=")


def test_logfmt_line():
    line = LogfmtFormatter().format(record("target not read", target="192.0.2.1", seconds=1.5))
    assert line == (
        "ts=2025-06-15T15:06:40.987Z level=info logger=exporters.web "
        'msg="target not read" target=192.0.2.1 seconds=1.5'
    )


def test_json_line():
    line = JsonFormatter().format(record("hello", count=3, ratio=0.5, ok=True, none=None, name="é"))
    assert line == (
        '{"ts":"2025-06-15T15:06:40.987Z","level":"info","logger":"exporters.web","msg":"hello",'
        '"count":3,"ratio":0.5,"ok":true,"none":null,"name":"\\u00e9"}'
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", "plain"),
        ("", '""'),
        ("two words", '"two words"'),
        ("a=b", '"a=b"'),
        ('say "x"', '"say \\"x\\""'),
        ("back\\slash", '"back\\\\slash"'),
        ("한국", "한국"),
        ("line\nbreak\ttab\r", '"line\\nbreak\\ttab\\r"'),
        ("\x1b[31m\x00\x85\u2028\u202e", '"\\u001b[31m\\u0000\\u0085\\u2028\\u202e"'),
        ("lone \udc80", '"lone \\udc80"'),
        (None, "null"),
        (True, "true"),
        (12, "12"),
        (float("nan"), "nan"),
        (b"\xff", "\"b'\\\\xff'\""),
        (Colour.RED, "Colour.RED"),
        (TimeoutError(), "TimeoutError"),
        (OSError("gone"), "gone"),
        (Unprintable(), '"<unprintable Unprintable>"'),
    ],
)
def test_logfmt_value_is_quoted_where_it_needs_to_be(value, written):
    assert logfmt(value=value) == f"hello value={written}"


def test_long_value_is_cut():
    line = logfmt(value="x" * 100_000)
    assert len(line) < 17_000
    assert line.endswith('... (100000 characters)"')


def test_odd_names_are_made_right_and_reserved_ones_kept_apart():
    values = {"a b": 1, "": 2, "msg": 3, "x\n": 4}
    assert logfmt(**values) == "hello a_b=1 _=2 field_msg=3 x_=4"
    assert json.loads(JsonFormatter().format(record(**values)))["msg"] == "hello"


@pytest.mark.parametrize("formatter", [LogfmtFormatter(), JsonFormatter()], ids=["logfmt", "json"])
def test_message_with_wrong_arguments_is_still_logged(formatter):
    line = formatter.format(record("%d things", "many"))
    assert "%d things" in line
    assert "many" in line


@pytest.mark.parametrize("formatter", [LogfmtFormatter(), JsonFormatter()], ids=["logfmt", "json"])
def test_fields_that_are_no_mapping_are_ignored(formatter):
    made = record()
    made.fields = ["not", "a", "mapping"]
    assert "hello" in formatter.format(made)


@pytest.mark.parametrize("formatter", [LogfmtFormatter(), JsonFormatter()], ids=["logfmt", "json"])
def test_stack_trace_stays_in_its_line(formatter):
    made = record()
    try:
        raise ValueError("two\nlines")
    except ValueError as error:
        made.exc_info = (ValueError, error, error.__traceback__)
    line = formatter.format(made)
    assert "\n" not in line
    assert "ValueError: two\\nlines" in line
    assert "test_logs.py" in line


def test_error_that_cannot_tell_of_itself_is_still_logged():
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    made = record()
    made.exc_info = (Mute, Mute(), None)
    assert 'err="Mute: <unprintable Mute>"' in LogfmtFormatter().format(made)


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.floats() | st.binary()))
def test_no_field_breaks_a_line_or_fakes_another_field(values):
    line = LogfmtFormatter().format(record(**values))
    assert line.isprintable()
    line = JsonFormatter().format(record(**values))
    assert line.isascii()
    assert line.isprintable()
    json.loads(line, parse_constant=pytest.fail)


@pytest.mark.parametrize(
    ("level", "name"),
    [
        (logging.DEBUG, "debug"),
        (logging.INFO, "info"),
        (logging.WARNING, "warn"),
        (logging.ERROR, "error"),
        (logging.CRITICAL, "error"),
    ],
)
def test_level_names_are_those_of_prometheus(level, name):
    made = record()
    made.levelno, made.levelname = level, logging.getLevelName(level)
    assert f"level={name} " in LogfmtFormatter().format(made)


class Stuck(io.StringIO):
    """A stream that nobody reads until told so."""

    def __init__(self) -> None:
        super().__init__()
        self.read = threading.Event()
        self.entered = threading.Event()

    def write(self, text: str) -> int:
        self.entered.set()
        assert self.read.wait(10)
        return super().write(text)


def test_stuck_stream_holds_nobody_up_and_losses_are_told():
    stream = Stuck()
    handler = BackgroundHandler(stream, capacity=2)
    handler.setFormatter(LogfmtFormatter())
    handler.emit(record("first"))
    assert stream.entered.wait(10)
    for number in range(5):
        handler.emit(record(f"line{number}"))
    stream.read.set()
    handler.close()
    messages = [line.split("msg=")[1] for line in stream.getvalue().splitlines()]
    assert messages[0] == "first"
    assert messages[1].endswith("lines=3")
    assert messages[2:] == ["line0", "line1"]


def test_lines_that_could_not_be_written_are_counted_and_told():
    class Failing(io.StringIO):
        failures = 2

        def write(self, text: str) -> int:
            if self.failures:
                self.failures -= 1
                raise BrokenPipeError
            return super().write(text)

    stream = Failing()
    handler = BackgroundHandler(stream)
    handler.setFormatter(LogfmtFormatter())
    for _ in range(3):
        handler.emit(record())
    handler.close()
    lost, written = stream.getvalue().splitlines()
    assert lost.endswith("lines=2")
    assert written.endswith("msg=hello")


def test_closed_stream_ends_no_thread():
    stream = io.StringIO()
    handler = BackgroundHandler(stream)
    handler.setFormatter(LogfmtFormatter())
    stream.close()
    handler.emit(record())
    handler.emit(record())
    handler.close()
    assert not handler._writer.is_alive()


@pytest.fixture
def root():
    """Lend the root logger to a test, and take it back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    yield root
    for handler in root.handlers:
        handler.close()
    root.handlers = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


@pytest.mark.parametrize(
    ("level", "seen"),
    [
        ("debug", ["debug", "info", "warn", "error"]),
        ("info", ["info", "warn", "error"]),
        ("warn", ["warn", "error"]),
        ("error", ["error"]),
    ],
)
def test_set_up_shows_what_is_at_the_level_or_above(root, level, seen):
    stream = io.StringIO()
    logs.set_up(level, "json", stream)
    logger = logging.getLogger("exporters.test")
    for name, number in logs.LEVELS.items():
        logger.log(number, name, extra=fields(x=1))
    root.handlers[0].close()
    assert [json.loads(line)["msg"] for line in stream.getvalue().splitlines()] == seen


def test_set_up_twice_writes_once(root):
    first, second = io.StringIO(), io.StringIO()
    logs.set_up("info", "logfmt", first)
    logs.set_up("info", "logfmt", second)
    logging.getLogger("exporters.test").info("hello")
    root.handlers[0].close()
    assert first.getvalue() == ""
    assert second.getvalue().count("msg=hello") == 1


def test_no_thread_writes_where_the_writer_is_stopped_and_no_line_is_lost(root):
    stream = io.StringIO()
    threads = set(threading.enumerate())
    logs.set_up("info", "json", stream)
    logger = logging.getLogger("exporters.test")
    logger.info("before")
    assert [thread.name for thread in set(threading.enumerate()) - threads] == ["log writer"]
    with logs.writer_stopped():
        assert set(threading.enumerate()) <= threads
        assert "before" in stream.getvalue()
        logger.info("inside")
    logger.info("after")
    root.handlers[0].close()
    messages = [json.loads(line)["msg"] for line in stream.getvalue().splitlines()]
    assert messages == ["before", "inside", "after"]


def test_stuck_stream_does_not_keep_the_writer_from_being_stopped(root, monkeypatch):
    monkeypatch.setattr(logs, "_CLOSE_SECONDS", 0.01)
    stream = Stuck()
    logs.set_up("info", "json", stream)
    logger = logging.getLogger("exporters.test")
    logger.info("first")
    assert stream.entered.wait(10)
    with logs.writer_stopped():
        logger.info("inside")
    stream.read.set()
    monkeypatch.setattr(logs, "_CLOSE_SECONDS", 10)
    root.handlers[0].close()
    messages = [json.loads(line)["msg"] for line in stream.getvalue().splitlines()]
    assert sorted(messages) == ["first", "inside"]


def test_what_is_added_to_every_line_stands_behind_its_fields(root):
    stream = io.StringIO()
    logs.set_up("info", "logfmt", stream)
    logs.add_to_every_line(worker=1)
    logger = logging.getLogger("exporters.test")
    logger.info("with", extra=fields(x=1))
    logger.info("without")
    root.handlers[0].close()
    with_fields, without = stream.getvalue().splitlines()
    assert with_fields.endswith("msg=with x=1 worker=1")
    assert without.endswith("msg=without worker=1")
