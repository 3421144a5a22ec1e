"""The state file: what was flushed is there again, whatever happened in between."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.errors import ConfigError
from exporters.events.state_file import StateFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trap.state"


def contents(path: Path) -> dict[str, object]:
    file = StateFile.open(path)
    found = dict(file.items())
    file.close()
    return found


def test_values_are_there_again(path):
    file = StateFile.open(path)
    file.put("a\tb", [1, None, "ü\n"])
    file.put("b", {"x": 1.5})
    file.put("c", 1)
    file.delete("c")
    file.delete("never there")
    assert file.flush()
    file.put("a\tb", 2)
    file.close()

    assert contents(path) == {"a\tb": 2, "b": {"x": 1.5}}


def test_update_writes_what_has_changed_and_nothing_of_what_came_and_went(path):
    file = StateFile.open(path)
    file.update([("a", [1]), ("b", [2]), ("c", [3])])
    file.flush()
    before = path.read_bytes()
    file.update([("a", [4]), ("b", None), ("never there", None)])
    file.update([("d", [5])])
    file.update([("d", None)])
    file.close()

    assert len(path.read_bytes().removeprefix(before).splitlines()) == 3
    assert contents(path) == {"a": [4], "c": [3]}


def test_items_are_found_by_the_beginning_of_their_keys(path):
    file = StateFile.open(path)
    file.put("state\t1", 1)
    file.put("seen\t1", 2)

    assert dict(file.items("state\t")) == {"state\t1": 1}
    file.close()


def test_nothing_is_written_where_nothing_has_changed(path):
    file = StateFile.open(path)
    file.put("a", 1)
    file.flush()
    before = path.stat().st_mtime_ns, path.stat().st_size

    assert file.flush()
    assert (path.stat().st_mtime_ns, path.stat().st_size) == before
    file.close()


def test_second_process_is_told_that_the_file_is_in_use(path):
    file = StateFile.open(path)

    with pytest.raises(ConfigError, match="is in use by another process; each exporter needs"):
        StateFile.open(path)
    file.close()
    StateFile.open(path).close()


def test_lock_holds_after_the_file_was_written_anew(path):
    file = StateFile.open(path)
    fill(file)

    with pytest.raises(ConfigError, match="in use"):
        StateFile.open(path)
    file.close()


def fill(file: StateFile) -> None:
    """Change one key until the file has been written anew at least once."""
    grown = 0
    for number in range(100_000):
        file.put("a", ["x" * 2000, number])
        file.flush()
        if file.size_bytes < grown:
            return
        grown = file.size_bytes
    raise AssertionError("the file grows without end")


def test_file_does_not_grow_with_the_number_of_changes(path):
    file = StateFile.open(path)
    file.put("b", 1)
    fill(file)

    assert path.stat().st_size == file.size_bytes < 10_000
    file.put("c", 2)
    file.close()
    assert set(contents(path)) == {"a", "b", "c"}
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_last_record_that_was_cut_off_is_dropped_without_an_error(path):
    file = StateFile.open(path)
    file.put("a", 1)
    file.flush()
    whole = path.stat().st_size
    file.put("b", 2)
    file.close()
    data = path.read_bytes()

    for length in range(whole, len(data)):
        path.write_bytes(data[:length])
        file = StateFile.open(path)
        assert dict(file.items()) == {"a": 1}
        assert file.damaged is None
        file.put("c", 3)
        file.close()
        assert contents(path) == {"a": 1, "c": 3}


@pytest.mark.parametrize("where", ["header", "middle", "end"])
def test_damaged_file_is_set_aside_with_an_error_and_the_rest_is_kept(path, where, caplog):
    file = StateFile.open(path)
    for number in range(10):
        file.put(f"key{number}", number)
        file.flush()
    file.close()
    data = bytearray(path.read_bytes())
    data[{"header": 2, "middle": len(data) // 2, "end": len(data) - 3}[where]] ^= 1
    path.write_bytes(data)

    with caplog.at_level(logging.ERROR):
        file = StateFile.open(path, now=lambda: 0.0)

    assert file.damaged == path.with_name("trap.state.damaged-19700101T000000Z")
    assert file.damaged.read_bytes() == data
    assert [record.message for record in caplog.records] == ["state file damaged, set aside"]
    assert len(file) == (10 if where == "header" else 9)
    file.close()
    assert len(contents(path)) == len(file)


def test_something_else_than_a_state_file_is_set_aside(path):
    path.write_bytes(os.urandom(5000))

    file = StateFile.open(path)

    assert file.damaged is not None
    assert len(file) == 0
    file.close()


def test_file_of_another_version_is_left_alone(path):
    path.write_bytes(b"netexporters-state 2\n")

    with pytest.raises(ConfigError, match="of another format, 'netexporters-state 2'"):
        StateFile.open(path)
    assert path.read_bytes() == b"netexporters-state 2\n"


def test_what_is_no_file_is_left_alone(path):
    os.mkfifo(path)

    with pytest.raises(ConfigError, match="is no regular file"):
        StateFile.open(path)
    assert path.is_fifo()


def test_file_in_a_place_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="cannot be opened for writing: no such file"):
        StateFile.open(tmp_path / "none" / "file")


KEYS = st.text(max_size=5)
VALUES = st.one_of(st.none(), st.integers(), st.text(max_size=20), st.lists(st.integers()))


@given(st.lists(st.tuples(KEYS, st.one_of(VALUES, st.just(...)))), st.data())
def test_flushed_values_survive_any_cut(tmp_path_factory, changes, data):
    path = tmp_path_factory.mktemp("state") / "file"
    file = StateFile.open(path)
    expected: dict[str, object] = {}
    for key, value in changes:
        if value is ...:
            file.delete(key)
            expected.pop(key, None)
        else:
            file.put(key, value)
            expected[key] = value
        if data.draw(st.booleans()):
            file.flush()
    file.close()
    with path.open("ab") as more:
        more.write(b'12345678 ["a",')  # the power went

    assert contents(path) == expected


WRITER = """
import sys
import threading
from pathlib import Path
from exporters.events.state_file import StateFile
file = StateFile.open(Path(sys.argv[1]))
for number in range(10**9):
    file.put("count", number)
    file.put(f"key{number % 50}", "x" * 500)
    file.flush()
    print(number, flush=True)
"""


@pytest.mark.parametrize("after", [1, 500, 1200])
def test_process_that_is_killed_loses_nothing_that_was_flushed(path, after):
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process:
        for _ in range(after):
            acknowledged = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().splitlines()
    acknowledged = int(rest[-1]) if rest and rest[-1].isdigit() else acknowledged

    assert contents(path)["count"] >= acknowledged


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    if os.geteuid() != 0:
        pytest.skip("mounting a file system needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine lets nobody mount a file system")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_full_disk_is_told_once_and_forgotten_when_there_is_room(small_disk, caplog):
    filler = small_disk / "filler"
    file = StateFile.open(small_disk / "state")
    file.put("a", 1)
    file.flush()
    with pytest.raises(OSError, match="No space"), filler.open("wb", buffering=0) as full:
        while True:
            full.write(b"x" * 4096)

    for number in range(20):
        file.put(f"big{number}", "y" * 4000)
        assert number == 0 or not file.flush()
    assert file.failing
    assert file.failures >= 19
    assert [r.message for r in caplog.records] == ["state file cannot be written"]
    assert found_by_another(small_disk / "state") == {"a": 1}

    filler.unlink()
    assert file.flush()
    assert not file.failing
    file.close()
    assert len(contents(small_disk / "state")) == 21


def found_by_another(path: Path) -> dict[str, object]:
    """What another process would find if this one were killed now."""
    copy = path.parent.parent / "copy"
    copy.write_bytes(path.read_bytes())
    return contents(copy)


def test_exporter_starts_on_a_full_disk(small_disk):
    with pytest.raises(OSError, match="No space"), (small_disk / "filler").open("wb", 0) as full:
        while True:
            full.write(b"x" * 4096)

    file = StateFile.open(small_disk / "state")

    assert file.failing
    file.put("a", 1)
    assert not file.flush()
    (small_disk / "filler").unlink()
    file.close()
    assert contents(small_disk / "state") == {"a": 1}


def test_values_may_change_while_another_thread_flushes(path):
    file = StateFile.open(path)
    done = threading.Event()

    def flush() -> None:
        while not done.is_set():
            file.flush()

    flushing = threading.Thread(target=flush)
    flushing.start()
    try:
        for number in range(20_000):
            file.put(f"key{number % 300}", [number, "x" * 50])
            if number % 7 == 0:
                file.delete(f"key{(number + 5) % 300}")
    finally:
        done.set()
        flushing.join()
    expected = dict(file.items())
    file.close()

    assert contents(path) == expected
    assert file.failures == 0
