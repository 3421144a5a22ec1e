"""The command ``simulate``: its flags, what it prints, how it ends."""

from __future__ import annotations

import argparse
import errno
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from pathlib import Path

import pytest

from exporters.demo.listeners import Address
from exporters.demo.simulate import _listen, add_arguments, build, describe, run
from exporters.errors import ConfigError
from exporters.wire.tags import GET_REQUEST

from .asking import encode_request, read_answer

NAME = "1.3.6.1.2.1.1.5.0"
GET_NAME = encode_request(GET_REQUEST, NAME)
PATIENCE_SECONDS = 30
DRIVER = """
import argparse, sys
from exporters.demo.simulate import add_arguments, run
parser = argparse.ArgumentParser()
add_arguments(parser)
sys.exit(run(parser.parse_args()))
"""


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    paths = []
    for name in ("core", "edge"):
        path = tmp_path / f"{name}.snmprec"
        path.write_text(f"{NAME}|4|{name}\n")
        paths.append(str(path))
    return paths


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_arguments(parser)
    return parser.parse_args(arguments)


def ask_name(address: str, request: bytes = GET_NAME, kind: int = socket.SOCK_DGRAM) -> bytes:
    host, _, port = address.rpartition(":")
    with socket.socket(socket.AF_INET, kind) as client:
        client.settimeout(PATIENCE_SECONDS)
        client.connect((host, int(port)))
        client.sendall(request)
        return bytes(read_answer(client.recv(2000)).varbinds[0][2])


@contextmanager
def simulate(repository: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own, as its users run it."""
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, *arguments],
        cwd=repository,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def addresses(process: subprocess.Popen[str], count: int) -> list[str]:
    """Where the first agents listen, as they say it."""
    assert process.stdout is not None
    return [process.stdout.readline().partition(" ")[0] for _ in range(count)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_serves_each_file_on_its_port_until_told_to_end(
    repository: Path, files: list[str], number: signal.Signals
) -> None:
    with simulate(repository, *files, "--listen-address", "127.0.0.1:0", "--tcp") as process:
        core, edge = addresses(process, 2)
        assert (ask_name(core), ask_name(edge)) == (b"core", b"edge")
        assert ask_name(edge, kind=socket.SOCK_STREAM) == b"edge"
        process.send_signal(number)
        _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, errors) == (0, "")


def test_serves_all_files_on_one_port_by_community(repository: Path, files: list[str]) -> None:
    arguments = (*files, "--one-port", "--listen-address", "127.0.0.1:0")
    with simulate(repository, *arguments) as process:
        (address,) = addresses(process, 1)
        names = [
            ask_name(address, encode_request(GET_REQUEST, NAME, community=community))
            for community in (b"core", b"edge", b"public")
        ]
    assert names == [b"core", b"edge", b"core"]


def test_port_in_use_is_told_and_ends_the_command(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert run(parse(*files, "--listen-address", f"127.0.0.1:{port}")) == 1
    assert "cannot listen" in capsys.readouterr().err


def test_missing_file_is_told_and_ends_the_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(parse("nowhere.snmprec")) == 1
    assert "nowhere.snmprec: cannot be read" in capsys.readouterr().err


def test_flags_become_settings(files: list[str]) -> None:
    arguments = parse(
        files[0],
        *("--community", "a", "--community", "b", "--moving", "--max-response-bytes", "65507"),
        *("--delay", "25ms", "--jitter", "0.5s", "--drop", "0.01", "--duplicate", "1"),
        *("--seed", "9"),
    )
    settings = build(arguments)[0].agent.settings
    assert (settings.communities, settings.moving) == (("a", "b"), True)
    assert settings.max_response_bytes == 65507
    faults = settings.faults
    assert (faults.delay_seconds, faults.jitter_seconds) == (0.025, 0.5)
    assert (faults.drop_rate, faults.duplicate_rate, faults.seed) == (0.01, 1.0, 9)


def test_files_of_one_name_are_told_apart(tmp_path: Path, files: list[str]) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "core.snmprec").write_text(f"{NAME}|4|x\n")
    simulations = build(parse(*files, str(other / "core.snmprec")))
    assert [simulation.names for simulation in simulations] == [("core",), ("edge",), ("core-2",)]


@pytest.mark.parametrize(
    ("arguments", "address", "command"),
    [
        pytest.param(
            ("--community", "it's"),
            ("127.0.0.1", 1161),
            "try: snmpwalk -v 2c -c 'it'\"'\"'s' -On 127.0.0.1:1161 .1",
            id="community, quoted for a shell",
        ),
        pytest.param(
            (),
            ("::1", 1161),
            "try: snmpwalk -v 2c -c public -On udp6:[::1]:1161 .1",
            id="IPv6",
        ),
        pytest.param(
            ("--user", "ann"),
            ("127.0.0.1", 1161),
            "try: snmpwalk -v 3 -u ann -l noAuthNoPriv -On 127.0.0.1:1161 .1",
            id="user without keys",
        ),
        pytest.param(
            (
                *("--user", "ann", "--auth-protocol", "SHA256", "--auth-password", "one two 3"),
                *("--priv-protocol", "AES256C", "--priv-password", "password"),
            ),
            ("127.0.0.1", 1161),
            "try: snmpwalk -v 3 -u ann -l authPriv -a SHA-256 -A 'one two 3' "
            "-x AES-256-C -X password -On 127.0.0.1:1161 .1",
            id="user with keys",
        ),
    ],
)
def test_line_of_an_agent_tells_how_to_walk_it(
    files: list[str], arguments: tuple[str, ...], address: tuple[str, int], command: str
) -> None:
    line = describe(build(parse(files[0], *arguments))[0], address)
    assert command in line
    assert "core  rows: 1 " in line


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        pytest.param(("--auth-protocol", "SHA"), "need --user", id="protocol without user"),
        pytest.param(
            ("--user", "a", "--auth-protocol", "SHA"), "no authentication password", id="password"
        ),
        pytest.param(("--max-response-bytes", "100"), "expected 484", id="response bytes"),
    ],
)
def test_contradicting_flags_are_refused(
    files: list[str], arguments: tuple[str, ...], problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem):
        build(parse(files[0], *arguments))


@pytest.mark.parametrize(
    ("flag", "value", "problem"),
    [
        pytest.param("--listen-address", "localhost", "is not HOST:PORT", id="no port"),
        pytest.param("--listen-address", "127.0.0.1:99999", "is not HOST:PORT", id="port"),
        pytest.param("--delay", "fast", "is not a duration", id="duration"),
        pytest.param("--delay", "5m", "is not a duration", id="unit"),
        pytest.param("--drop", "1.5", "is not a share", id="rate"),
        pytest.param("--drop", "nan", "is not a share", id="nan"),
    ],
)
def test_flag_with_a_wrong_value_is_refused(
    files: list[str], flag: str, value: str, problem: str
) -> None:
    with pytest.raises(argparse.ArgumentError, match=problem):
        parse(files[0], flag, value)


def test_strict_refuses_a_file_with_a_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "a.snmprec"
    path.write_text(f"{NAME}|4|x\nbroken\n")
    with pytest.raises(ConfigError, match=r"a\.snmprec:2"):
        build(parse(str(path), "--strict"))


def test_problems_of_a_file_are_logged_in_bounded_number(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.snmprec"
    path.write_text(f"{NAME}|4|x\n" + "broken\n" * 20)
    build(parse(str(path)))
    assert len(caplog.messages) == 6
    assert vars(caplog.records[-1])["fields"]["count"] == 15


async def test_port_that_tcp_cannot_have_is_given_up_for_another(
    files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = build(parse(files[0]))[0].agent
    serve_tcp, refused = agent.serve_tcp, []

    def serve_tcp_but_not_at_first(host: str, port: int) -> AbstractAsyncContextManager[Address]:
        if len(refused) < 2:
            refused.append(port)
            raise OSError(errno.EADDRINUSE, "Address already in use")
        return serve_tcp(host, port)

    monkeypatch.setattr(agent, "serve_tcp", serve_tcp_but_not_at_first)
    async with AsyncExitStack() as stack:
        await _listen(stack, agent, "127.0.0.1", 0, tcp=True)
        assert len(refused) == 2
