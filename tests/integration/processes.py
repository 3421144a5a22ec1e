"""Programs that a test starts, waits for and ends: ours and foreign ones, by their own pids.

A program writes its output into files, so that no pipe of a test that looks elsewhere can stop it.
Whatever we started of our own must end with exit code 0 at SIGTERM, and must not have written a
stack trace; ``Programs.close`` says so when a test ends.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

PATIENCE_SECONDS = 30.0
_POLL_SECONDS = 0.02

Value = TypeVar("Value")

# The command that users have, of the environment that runs the tests.
NETEXPORTERS = str(Path(sys.executable).with_name("netexporters"))
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("NETEXPORTERS_")},
    "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin",
    "LC_ALL": "C.UTF-8",
}


class Program:
    """A program that runs in the background."""

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        *,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.name = Path(command[0]).name
        number = len(list(folder.glob(f"{self.name}-*.out")))
        self._out = folder / f"{self.name}-{number}.out"
        self._err = folder / f"{self.name}-{number}.err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**ENVIRONMENT, **(environment or {})},
                cwd=cwd or folder,
                start_new_session=True,  # Ctrl-C ends the tests, and these end the programs
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    @property
    def output(self) -> str:
        return self._out.read_text(errors="replace")

    @property
    def errors(self) -> str:
        return self._err.read_text(errors="replace")

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Wait for the end and give the exit code."""
        return self._process.wait(seconds)

    def end(self) -> int:
        """End it as an operator would, and for certain; give the exit code."""
        if not self.ended:
            self._process.terminate()
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        self._process.kill()
        return self._process.wait()

    def until(self, condition: Callable[[], Value], what: str) -> Value:
        """Wait until *condition* gives something; a program that ends before will not do it."""

        def alive() -> Value:
            value = condition()
            assert value or not self.ended, f"{self.name} ended:\n{self.output}\n{self.errors}"
            return value

        try:
            return until(alive, what)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; {self.name} said:\n{self.errors}") from None


class Programs:
    """The programs of one test, or of the tests of one file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._started: list[Program] = []

    def start(
        self,
        *command: str | Path,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Program:
        words = [str(word) for word in command]
        program = Program(words, self.folder, environment=environment, cwd=cwd)
        self._started.append(program)
        return program

    def close(self) -> None:
        """End what still runs, the latest first, and look at what our own programs leave."""
        wrong: list[str] = []
        for program in reversed(self._started):
            ran = not program.ended
            code = program.end()
            if program.name != "netexporters":
                continue
            errors = program.errors
            if "Traceback" in errors:
                position = errors.index("Traceback")
                wrong.append(
                    f"a stack trace in the log:\n{errors[max(0, position - 500) :][:5000]}"
                )
            if ran and code != 0:
                wrong.append(f"exit code {code} at SIGTERM:\n{errors[-2000:]}")
        assert not wrong, "\n".join(wrong)


def run(
    *command: str | Path,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    seconds: float = PATIENCE_SECONDS,
    text_in: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run(
        [str(word) for word in command],
        check=False,
        capture_output=True,
        text=True,
        input=text_in,
        timeout=seconds,
        env={**ENVIRONMENT, **(environment or {})},
        cwd=cwd,
    )


def netexporters(*words: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    """Run our command to its end; whatever it is told, it never answers with a stack trace."""
    result = run(NETEXPORTERS, *words, **options)  # type: ignore[arg-type]
    assert "Traceback" not in result.stderr, result.stderr
    return result


def until(condition: Callable[[], Value], what: str, seconds: float = PATIENCE_SECONDS) -> Value:
    """Wait until *condition* gives something, and give that.

    Raises:
        TimeoutError: It did not within *seconds*.
    """
    give_up_at = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(_POLL_SECONDS)
    return value


def free_port() -> int:
    """A port that is free on loopback, over UDP and TCP, of IPv4 and (if there is one) of IPv6.

    For foreign programs alone, which cannot tell which port the system gave them.
    """
    families = [(socket.AF_INET, "127.0.0.1")]
    if has_ipv6():
        families.append((socket.AF_INET6, "::1"))
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as first:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            if all(_is_free(family, host, port) for family, host in families):
                return port


def _is_free(family: int, host: str, port: int) -> bool:
    kinds = [socket.SOCK_STREAM]
    if family != socket.AF_INET:
        kinds.append(socket.SOCK_DGRAM)
    for kind in kinds:
        with socket.socket(family, kind) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True


def has_ipv6() -> bool:
    """Whether this machine has the loopback address of IPv6."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
    return True
