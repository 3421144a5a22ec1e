from __future__ import annotations

import os
import socket
import stat
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from exporters.errors import ConfigError
from exporters.sockets.unix_sockets import unix_socket

KINDS = [socket.SOCK_STREAM, socket.SOCK_DGRAM]


def opened(
    path: Path, kind: socket.SocketKind = socket.SOCK_STREAM, mode: int = 0o660
) -> AbstractContextManager[socket.socket]:
    return unix_socket(path, kind, mode=mode, flag="--listen")


@pytest.fixture(params=KINDS, ids=["stream", "datagram"])
def kind(request: pytest.FixtureRequest) -> socket.SocketKind:
    found: socket.SocketKind = request.param
    return found


@pytest.mark.parametrize("mode", [0o600, 0o666])
def test_file_has_its_mode_whatever_the_umask_and_is_removed(
    tmp_path: Path, kind: socket.SocketKind, mode: int
) -> None:
    path = tmp_path / "log"
    before = os.umask(0o077)
    try:
        with opened(path, kind, mode):
            assert stat.S_IMODE(path.stat().st_mode) == mode
            with socket.socket(socket.AF_UNIX, kind) as sender:
                sender.connect(str(path))
    finally:
        os.umask(before)
    assert not path.exists()


@pytest.mark.parametrize("left", KINDS, ids=["stream", "datagram"])
def test_file_that_a_dead_program_left_is_replaced(
    tmp_path: Path, kind: socket.SocketKind, left: socket.SocketKind
) -> None:
    path = tmp_path / "log"
    with socket.socket(socket.AF_UNIX, left) as dead:
        dead.bind(str(path))
    assert path.exists()
    with opened(path, kind):
        assert path.is_socket()


@pytest.mark.parametrize("other", KINDS, ids=["stream", "datagram"])
def test_socket_that_somebody_listens_on_stays(
    tmp_path: Path, kind: socket.SocketKind, other: socket.SocketKind
) -> None:
    path = tmp_path / "log"
    with opened(path, other):
        with pytest.raises(ConfigError, match="address already in use; stop what listens there"):
            opened(path, kind).__enter__()
        with socket.socket(socket.AF_UNIX, other) as sender:
            sender.connect(str(path))


def test_file_that_is_no_socket_stays(tmp_path: Path, kind: socket.SocketKind) -> None:
    path = tmp_path / "log"
    path.write_text("precious")
    with pytest.raises(ConfigError, match="it is no socket"):
        opened(path, kind).__enter__()
    assert path.read_text() == "precious"


def test_file_of_a_successor_stays(tmp_path: Path, kind: socket.SocketKind) -> None:
    path = tmp_path / "log"
    with opened(path, kind):
        path.unlink()
        path.write_text("another")
    assert path.read_text() == "another"


@pytest.mark.parametrize(
    ("name", "words"),
    [("missing/log", "make its directory"), ("x" * 120, "a path may have 107 octets")],
    ids=["no directory", "too long"],
)
def test_path_that_cannot_be_is_told(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        opened(tmp_path / name).__enter__()
