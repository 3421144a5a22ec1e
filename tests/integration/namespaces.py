"""Network namespaces of a test's own, and a pretend network in one that answers pings.

    with network_namespace() as namespace, echo_network(namespace) as network:
        network.change({"10.9.0.7": {"lose_every": 2}})
        namespace.run("ping", "-c", "4", "10.9.0.7")

Nothing in it reaches the machine's own network. Needs root.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from .processes import ENVIRONMENT

NETWORKS = ("10.9.0.1/16", "fd09::1/64")
"""Addresses of the namespace itself in the pretend network, which has all the others."""

_numbers = itertools.count(1)

needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="making a network namespace needs root: run the tests as root"
)


class Namespace:
    """A network namespace with a loopback interface and nothing else."""

    def __init__(self, name: str) -> None:
        self.name = name

    def command(self, *words: str) -> list[str]:
        """Give the command line that runs *words* in here."""
        return ["ip", "netns", "exec", self.name, *words]

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in here to its end."""
        return _run(self.command(*words), check=check)

    def set(self, setting: str, value: str) -> None:
        """Set a kernel setting, such as ``net.ipv4.ping_group_range``."""
        path = f"/proc/sys/{setting.replace('.', '/')}"
        self.run("sh", "-c", f"echo '{value}' > {path}")

    def allow_ping_sockets(self, *, allowed: bool) -> None:
        """Let everybody open ICMP datagram sockets, or nobody."""
        self.set("net.ipv4.ping_group_range", "0 2147483647" if allowed else "1 0")


class EchoNetwork:
    """The pretend network in a namespace, ``exporters.demo.echo_network``."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def change(self, hosts: Mapping[str, Mapping[str, object]]) -> None:
        """Say how addresses answer from now on."""
        assert self._ask(hosts) == "done"

    def counts(self) -> dict[str, dict[str, object]]:
        """Give what each address has seen and done."""
        counts = self._ask("counts")
        assert isinstance(counts, dict)
        return counts

    def _ask(self, order: object) -> object:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())


@contextlib.contextmanager
def network_namespace() -> Iterator[Namespace]:
    """Make a namespace that is gone afterwards."""
    namespace = Namespace(f"netexporters-{os.getpid()}-{next(_numbers)}")
    _run(["ip", "netns", "add", namespace.name])
    try:
        namespace.run("ip", "link", "set", "lo", "up")
        yield namespace
    finally:
        _run(["ip", "netns", "delete", namespace.name])


@contextlib.contextmanager
def echo_network(namespace: Namespace, networks: Sequence[str] = NETWORKS) -> Iterator[EchoNetwork]:
    """Have all addresses of *networks* answer pings; ends with the context."""
    checkout = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "exporters.demo.echo_network"]
    command += [f"--network={network}" for network in networks]
    with subprocess.Popen(
        namespace.command(*command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        cwd=checkout,
        start_new_session=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", "it said on stderr why not"
        yield EchoNetwork(process)
        process.stdin.close()
    assert process.returncode == 0


@contextlib.contextmanager
def names_of(namespace: Namespace, names: str) -> Iterator[None]:
    """Give what runs in a namespace a file of hosts of its own, and no name server."""
    folder = Path("/etc/netns") / namespace.name
    folder.mkdir(parents=True)
    try:
        (folder / "hosts").write_text(names)
        (folder / "resolv.conf").write_text("")
        yield
    finally:
        shutil.rmtree(folder)


def _run(command: Sequence[str], *, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, check=check, capture_output=True, text=True, env=ENVIRONMENT, timeout=30
    )
