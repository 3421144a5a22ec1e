"""State files that are divided and made whole again, killed at every step on the way."""

from __future__ import annotations

import os
from itertools import count as counting
from pathlib import Path

import pytest

from exporters.errors import ConfigError
from exporters.events import state_parts
from exporters.events.state_file import StateFile
from exporters.events.state_parts import open_divided, open_whole, part_path

STATES = {f"state\tdevice-{number}\tlink": [number, "x"] for number in range(40)}


def by_number(count: int):
    """The owner of a key by the number in it."""

    def owner(key: str) -> int | None:
        number = key.split("\t")[1].partition("-")[2]
        return int(number) % count if number else None

    return owner


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "syslog.state"


def fill(path: Path, values: dict[str, object]) -> None:
    file = StateFile.open(path)
    for key, value in values.items():
        file.put(key, value)
    file.close()


def content(path: Path) -> dict[str, object]:
    file = StateFile.open(path)
    try:
        return dict(file.items())
    finally:
        file.close()


def divide(path: Path, count: int) -> list[dict[str, object]]:
    """Divide, and give what each worker finds."""
    whole = open_divided(path, count, by_number(count))
    try:
        assert not len(whole)
        return [content(part_path(path, number)) for number in range(count)]
    finally:
        whole.close()


def names(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir())


def test_whole_file_is_divided_by_owners(path):
    fill(path, STATES)
    parts = divide(path, 3)
    for number, part in enumerate(parts):
        assert part == {k: v for k, v in STATES.items() if by_number(3)(k) == number}
    assert content(path) == {}


@pytest.mark.parametrize("counts", [(2, 5), (5, 2), (3, 3), (2, 3, 4, 2)], ids=str)
def test_other_numbers_of_workers_lose_nothing(path, counts):
    fill(path, STATES)
    for count in counts:
        parts = divide(path, count)
        assert sum(map(len, parts)) == len(STATES)
        assert {k: v for part in parts for k, v in part.items()} == STATES
    assert names(path) == ["syslog.state", *(f"syslog.state.worker-{n}" for n in range(counts[-1]))]


def test_one_process_makes_the_file_whole_again(path):
    fill(path, STATES)
    divide(path, 4)
    whole = open_whole(path)
    assert dict(whole.items()) == STATES
    whole.close()
    assert names(path) == ["syslog.state"]


def test_file_of_one_process_is_not_touched(path):
    fill(path, STATES)
    before = path.read_bytes()
    open_whole(path).close()
    assert path.read_bytes() == before


def test_parts_that_are_right_are_not_written(path, monkeypatch):
    fill(path, STATES)
    divide(path, 2)
    before = [part_path(path, number).read_bytes() for number in range(2)]
    monkeypatch.setattr(state_parts, "_gather", None)
    monkeypatch.setattr(state_parts, "_divide", None)
    divide(path, 2)
    assert [part_path(path, number).read_bytes() for number in range(2)] == before


def test_key_whose_owner_is_another_now_moves(path):
    fill(path, STATES)
    divide(path, 2)
    whole = open_divided(path, 2, lambda key: 1 - by_number(2)(key))
    whole.close()
    for number in range(2):
        expected = {k: v for k, v in STATES.items() if by_number(2)(k) == 1 - number}
        assert content(part_path(path, number)) == expected


def test_workers_have_what_they_changed_and_not_what_was_before(path):
    fill(path, STATES)
    divide(path, 2)
    part = StateFile.open(part_path(path, 1))
    part.put("state\tdevice-1\tlink", ["changed"])
    part.delete("state\tdevice-3\tlink")
    part.close()
    expected = STATES | {"state\tdevice-1\tlink": ["changed"]}
    del expected["state\tdevice-3\tlink"]
    parts = divide(path, 3)
    assert {k: v for some in parts for k, v in some.items()} == expected


def test_what_all_workers_have_of_strangers_becomes_the_latest(path):
    for number, seen_at in enumerate((5.0, 9.0, 7.0)):
        fill(part_path(path, number), {"seen\tunknown\tlink_down": seen_at})
    whole = open_whole(path)
    assert whole.get("seen\tunknown\tlink_down") == 9.0
    whole.close()


@pytest.mark.parametrize("newest", [0, 1])
def test_state_of_a_device_that_had_another_worker_is_that_of_its_last_change(path, newest):
    """A reload moved the device: one worker cleared its states, the other has raised one since."""
    key = "state\tdevice-1\tlink"
    cleared = [0, "Gi0/1", 50.0, 50.0, 2, 950.0, None, 0]
    raised = [1, "Gi0/1", 60.0, 60.0, 1, 0.0, None, 0]
    fill(part_path(path, newest), {key: raised})
    fill(part_path(path, 1 - newest), {key: cleared})
    whole = open_whole(path)
    assert whole.get(key) == raised
    whole.close()


def test_part_of_a_worker_that_is_no_more_goes_although_nobody_owns_what_is_in_it(path):
    fill(part_path(path, 0), {})
    fill(part_path(path, 3), {"seen\tunknown\tlink_down": 5.0})
    assert divide(path, 2) == [{"seen\tunknown\tlink_down": 5.0}, {}]
    assert names(path) == ["syslog.state", "syslog.state.worker-0", "syslog.state.worker-1"]


def test_other_files_beside_it_are_left_alone(path):
    fill(path, STATES)
    others = (
        "syslog.state.worker-1.damaged-20260101T000000Z",
        "syslog.state.worker-x",
        "syslog.state.worker-00",
        "a.worker-0",
    )
    for name in others:
        (path.parent / name).write_text("mine")
    divide(path, 2)
    open_whole(path).close()
    assert [(path.parent / name).read_text() for name in others] == ["mine"] * 4


def test_damaged_part_is_told_and_the_others_are_kept(path):
    fill(path, STATES)
    divide(path, 2)
    part = part_path(path, 1)
    part.write_bytes(part.read_bytes()[:-40] + b"garbage" * 10 + b"\n")
    whole = open_divided(path, 2, by_number(2))
    assert whole.damaged is not None
    assert whole.damaged.name.startswith("syslog.state.worker-1.damaged-")
    whole.close()
    assert len(content(part_path(path, 0))) == 20
    assert 0 < len(content(part_path(path, 1))) < 20


def test_divided_file_is_in_use_for_any_other_process(path):
    whole = open_divided(path, 2, by_number(2))
    for another in (lambda: open_whole(path), lambda: open_divided(path, 3, by_number(3))):
        with pytest.raises(ConfigError, match="in use by another process"):
            another()
    whole.close()


def test_part_that_a_worker_still_has_is_in_use(path):
    open_divided(path, 2, by_number(2)).close()
    worker = StateFile.open(part_path(path, 1))
    with pytest.raises(ConfigError, match="in use by another process"):
        open_whole(path)
    worker.close()
    open_whole(path).close()


class KilledError(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("before", [1, 2, 4], ids=lambda n: f"from {n}")
@pytest.mark.parametrize("after", [1, 3], ids=lambda n: f"to {n}")
def test_nothing_is_lost_wherever_it_is_killed(path, monkeypatch, before, after):
    """Killed before each of its steps in turn: each sync, and each removal of a file."""
    for step in counting():
        for file in path.parent.iterdir():
            file.unlink()
        fill(path, STATES)
        if before > 1:
            divide(path, before)
        left = [step]

        def counted(original, left=left):
            def run(*arguments):
                if not left[0]:
                    raise KilledError
                left[0] -= 1
                return original(*arguments)

            return run

        with monkeypatch.context() as patch:
            patch.setattr(state_parts, "_sync", counted(state_parts._sync))
            patch.setattr(Path, "unlink", counted(Path.unlink))
            # What a process that is killed had not flushed is lost.
            patch.setattr(StateFile, "close", lambda file: os.close(file._descriptor))
            try:
                if after == 1:
                    open_whole(path).close()
                else:
                    open_divided(path, after, by_number(after)).close()
                is_done = True
            except KilledError:
                is_done = False
        whole = open_whole(path)
        assert dict(whole.items()) == STATES, f"killed before step {step}"
        whole.close()
        if is_done:
            assert step or before == after == 1
            return


def test_full_disk_is_told_and_loses_nothing(path, monkeypatch):
    fill(path, STATES)
    with monkeypatch.context() as patch:
        patch.setattr(StateFile, "sync", lambda file: False)
        with pytest.raises(ConfigError, match=r"cannot be written.*; make room on the disk"):
            open_divided(path, 2, by_number(2))
    assert content(path) == STATES
