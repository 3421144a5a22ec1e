"""Events as lines of JSON: whole lines, and never a wait."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from exporters.errors import ConfigError
from exporters.events.event import Change, Event, Verdict
from exporters.events.json_lines import JsonLines

from .conftest import make_message

PATIENCE_SECONDS = 10.0


def event(number: int, text: str = "text") -> Event:
    return Event(number, make_message("linkDown", text, {"f": "1"}), Verdict("link", "error"))


def test_event_is_one_line_of_json(tmp_path: Path):
    lines = JsonLines(str(tmp_path / "log"))
    change = Change(True, "link", "7", "eth7")
    verdict = Verdict("link", "error", (("peer", "x"),), (change,), rules=("down",))
    lines.write(Event(3, make_message("linkDown", "a\nb\x1b", {"f": 1.5}, version="2c"), verdict))
    lines.close()

    (line,) = (tmp_path / "log").read_text().splitlines()
    assert json.loads(line) == {
        "id": 3,
        "time": 1000.0,
        "kind": "trap",
        "device": "core-1",
        "source": "192.0.2.1",
        "event": "link",
        "severity": "error",
        "name": "linkDown",
        "text": "a\\nb\\x1b",
        "fields": {"f": 1.5},
        "version": "2c",
        "labels": {"peer": "x"},
        "states": [{"event": "link", "instance": "eth7", "active": True}],
        "rules": ["down"],
    }


def test_all_events_are_written_in_their_order_and_appended(tmp_path: Path):
    for start in (0, 1000):
        lines = JsonLines(str(tmp_path / "log"))
        for number in range(start, start + 1000):
            lines.write(event(number))
        lines.close()
        assert lines.written == 1000

    found = [json.loads(line)["id"] for line in (tmp_path / "log").read_text().splitlines()]
    assert found == list(range(2000))


def test_file_that_was_rotated_away_is_opened_anew(tmp_path: Path):
    path = tmp_path / "log"
    lines = JsonLines(str(path))
    path.rename(tmp_path / "log.1")
    lines.write(event(1))
    lines.close()

    assert json.loads(path.read_text())["id"] == 1


def test_pipe_that_nobody_reads_costs_events_and_no_time(tmp_path: Path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    lines = JsonLines(str(path))

    for number in range(15_000):
        lines.write(event(number, "x" * 500))

    assert lines.dropped > 0
    os.close(reader)
    lines.close()
    assert lines.written + lines.failed + lines.dropped == 15_000


def test_full_disk_is_counted_and_told_once(caplog):
    lines = JsonLines("/dev/full")
    for number in range(500):
        lines.write(event(number))
    lines.close()

    assert lines.failed == 500
    assert [record.message for record in caplog.records] == ["events cannot be logged"]


def test_line_that_was_cut_off_spoils_no_other(tmp_path: Path, monkeypatch):
    path = tmp_path / "log"
    calls = threading.Semaphore(0)
    real_write = os.write
    said: list[int] = []

    def write(descriptor: int, data: bytes) -> int:
        said.append(len(data))
        if len(said) == 1:
            return real_write(descriptor, data[:10])
        if len(said) == 2:
            calls.release()
            raise OSError(28, "No space left on device")
        return real_write(descriptor, data)

    monkeypatch.setattr("exporters.events.json_lines.os.write", write)
    lines = JsonLines(str(path))
    lines.write(event(1))
    assert calls.acquire(timeout=PATIENCE_SECONDS)
    lines.write(event(2))
    lines.close()

    first, second = path.read_text().splitlines()
    assert first == '{"id": 1, '
    assert json.loads(second)["id"] == 2


def test_file_that_cannot_be_opened_is_an_error(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"--events.log=.* cannot be opened: no such file"):
        JsonLines(str(tmp_path / "none" / "log"))
