"""Clocks of engines over a restart of ours, our own engine, and what else is remembered."""

from __future__ import annotations

import errno
import os
from math import inf
from pathlib import Path

import pytest

from exporters.errors import ConfigError
from exporters.events.state_file import StateFile
from exporters.trap.engines import Engines
from exporters.trap.own_engine import start_engine
from exporters.trap.restarts import Restarts
from exporters.trap.seen import Seen
from exporters.wire.usm import MAX_BOOTS

from .conftest import Clock

ENGINE = b"\x80\x00\x00\x00\x05engine"


def start(path: Path, clock: Clock, limit: int = 10) -> tuple[Engines, StateFile]:
    file = StateFile.open(path)
    engines = Engines(limit, clock=lambda: clock.wall, monotonic=lambda: clock.monotonic)
    engines.attach(file)
    return engines, file


@pytest.mark.parametrize(
    ("boots", "time", "taken"),
    [
        pytest.param(3, 1000, False, id="the last one again"),
        pytest.param(3, 999, False, id="an earlier one"),
        pytest.param(2, 5000, False, id="one of an earlier life"),
        pytest.param(3, 1001, True, id="a later one"),
        pytest.param(4, 0, True, id="one of a later life"),
    ],
)
def test_what_was_seen_before_a_restart_is_not_taken_after_it(
    tmp_path: Path, boots: int, time: int, taken: bool
) -> None:
    clock = Clock()
    engines, file = start(tmp_path / "state", clock)
    assert engines.accept(ENGINE, 3, 1000, "192.0.2.1")
    file.flush()
    os.close(file._descriptor)  # as kill -9 does
    clock = Clock(wall=clock.wall + 60, monotonic=5.0)
    engines, file = start(tmp_path / "state", clock)
    assert engines.accept(ENGINE, boots, time, "192.0.2.1") is taken
    file.close()


def test_clock_of_an_engine_goes_on_while_we_are_away(tmp_path: Path) -> None:
    clock = Clock()
    engines, file = start(tmp_path / "state", clock)
    engines.accept(ENGINE, 3, 1000, "192.0.2.1")
    file.close()
    engines, file = start(tmp_path / "state", Clock(wall=clock.wall + 400))
    assert not engines.accept(ENGINE, 3, 1200, "192.0.2.1")  # the window is from 1250 on
    assert engines.accept(ENGINE, 3, 1300, "192.0.2.1")
    file.close()


def test_engine_that_was_forgotten_is_forgotten_after_a_restart_too(tmp_path: Path) -> None:
    engines, file = start(tmp_path / "state", Clock())
    engines.accept(ENGINE, 3, 1000, "192.0.2.1")
    engines.forget(ENGINE)
    file.close()
    engines, file = start(tmp_path / "state", Clock())
    assert len(engines) == 0
    file.close()


def test_saved_engines_beyond_the_limit_or_of_another_form_are_left_out(tmp_path: Path) -> None:
    engines, file = start(tmp_path / "state", Clock())
    engines.accept(ENGINE, 3, 1000, "a")
    engines.accept(ENGINE + b"2", 3, 1000, "a")
    file.put("engine\t80", "nonsense")
    file.close()
    engines, file = start(tmp_path / "state", Clock(), limit=1)
    assert len(engines) == 1
    file.close()


# --- our own engine ---------------------------------------------------------------------------


def test_our_engine_stays_and_its_boots_rise(tmp_path: Path) -> None:
    path = tmp_path / "trap.state.engine"
    first, second = start_engine(path, b"", 0.0), start_engine(path, b"", 0.0)
    assert first.id == second.id
    assert 5 <= len(first.id) <= 32
    assert (first.boots, second.boots) == (1, 2)
    configured = start_engine(path, ENGINE, 0.0)
    assert (configured.id, configured.boots) == (ENGINE, 3)


def test_time_of_our_engine_is_counted_from_its_start(tmp_path: Path) -> None:
    engine = start_engine(None, ENGINE, 100.0)
    assert (engine.boots, engine.time(100.0), engine.time(250.9)) == (1, 0, 150)
    assert engine.time(1e12) == 2**31 - 1


@pytest.mark.parametrize("content", ["", "8000 1\n", "80000000055566 x\n", "zz 1\n", "\x00" * 40])
def test_damaged_engine_file_is_an_error_every_time(tmp_path: Path, content: str) -> None:
    path = tmp_path / "trap.state.engine"
    path.write_text(content)
    for _ in range(2):
        with pytest.raises(ConfigError, match="is damaged: expected an engine id and its boots"):
            start_engine(path, b"", 0.0)
    assert path.read_text() == content


def test_boots_at_their_end_stay_there(tmp_path: Path) -> None:
    path = tmp_path / "trap.state.engine"
    path.write_text(f"{ENGINE.hex()} {MAX_BOOTS}\n")
    assert start_engine(path, b"", 0.0).boots == MAX_BOOTS


def test_boots_rise_on_a_full_disk_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "trap.state.engine"
    path.write_text("80001f8804746573 9\n")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", _no_space)
        assert start_engine(path, b"", 0.0).boots == 10
        assert start_engine(path, b"", 0.0).boots == 11
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert start_engine(path, b"", 0.0).boots == 12


def test_engine_that_was_never_kept_is_an_error_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "rename", _no_space)
    with pytest.raises(ConfigError, match="no space left on device"):
        start_engine(tmp_path / "trap.state.engine", b"", 0.0)
    assert list(tmp_path.iterdir()) == []


def _no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_engine_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written: no such file or directory"):
        start_engine(tmp_path / "nowhere" / "trap.state.engine", b"", 0.0)


# --- what was seen ----------------------------------------------------------------------------


def test_messages_are_remembered_for_five_minutes() -> None:
    known = Seen()
    assert [known.has_seen(b"a", b"x", at) for at in (0.0, 299.0, 300.0)] == [False, True, False]


def test_same_message_of_another_sender_was_not_seen() -> None:
    known = Seen()
    assert [known.has_seen(sender, b"x", 0.0) for sender in (b"", b"a", b"a")] == [
        False,
        False,
        True,
    ]


def test_what_was_forgotten_early_is_told() -> None:
    known = Seen(2)
    assert known.reach_seconds(1000.0) == inf
    for number in range(4):
        known.has_seen(b"a", b"%d" % number, 1000.0 + number)
    assert known.reach_seconds(1004.0) == 3.0  # the second, of 1001, was the last to go


def test_what_grew_old_was_not_forgotten_early() -> None:
    known = Seen(2)
    known.has_seen(b"a", b"x", 1000.0)
    known.has_seen(b"a", b"y", 1400.0)
    assert known.reach_seconds(1400.0) == inf


def test_memory_of_messages_is_bounded() -> None:
    known = Seen(10)
    for number in range(50):
        known.has_seen(b"a", b"%d" % number, 0.0)
    assert len(known) == 10
    assert known.has_seen(b"a", b"49", 0.0)


# --- restarts ---------------------------------------------------------------------------------


def note(*messages: tuple[float, int | None, bool]) -> int:
    restarts = Restarts()
    return sum(
        restarts.note("core-1", now, ticks, says_so=says_so) for now, ticks, says_so in messages
    )


@pytest.mark.parametrize(
    ("messages", "count"),
    [
        pytest.param([(1000, 500, False), (1100, 10_500, False)], 0, id="none"),
        pytest.param([(1000, 90_000, False), (1100, 500, False)], 1, id="by its uptime alone"),
        pytest.param([(1000, 90_000, False), (1100, 500, True)], 1, id="a coldStart"),
        pytest.param(
            [(1000, 90_000, False), (1100, 500, False), (1101, 400, True)], 1, id="linkUp before"
        ),
        pytest.param([(1000, 500, True)], 1, id="a coldStart first of all"),
        pytest.param([(1000, None, True), (1001, None, False)], 1, id="without sysUpTime"),
        pytest.param([(1000, 90_000, False), (1001, 9_000_000, False)], 0, id="another process"),
        pytest.param([(1000, 2**32 - 100, False), (1010, 900, False)], 0, id="after 497 days"),
    ],
)
def test_restart_is_counted_once(
    messages: list[tuple[float, int | None, bool]], count: int
) -> None:
    assert note(*messages) == count
