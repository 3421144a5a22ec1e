"""Runs a program in a place of its own, where pretend devices answer pings.

    unshare --net python -m exporters.demo.ping_place --network=192.0.2.254/24 COMMAND...

The place is the network namespace that this process is started in: it gets a loopback interface and
a pretend network (``exporters.demo.echo_network``), and nothing else. So that the program can serve
HTTP to the world outside, it is given a listening socket from there, descriptor ``--listener``, as
systemd passes one. ``--try`` only finds out whether all this can be.

Linux only.

Source: sd_listen_fds(3).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from typing import Final

_SYSTEMD_FIRST_FD: Final = 3


def main() -> None:
    """Read the command line, make the place, and become the program."""
    parser = argparse.ArgumentParser(prog="ping_place", allow_abbrev=False)
    parser.add_argument("--network", required=True, metavar="ADDRESS/LENGTH")
    parser.add_argument("--hosts", default="{}", metavar="JSON")
    parser.add_argument("--listener", type=int, metavar="FD")
    parser.add_argument("--try", dest="only_try", action="store_true")
    parser.add_argument("command", nargs="*")
    arguments = parser.parse_args()
    if arguments.listener is not None:
        # Before a pipe may have that number.
        os.dup2(arguments.listener, _SYSTEMD_FIRST_FD)
    network = _start_network(arguments.network, arguments.hosts)
    if arguments.only_try:
        network.communicate()
        return
    # The network ends when the last holder of its input does: the program that this becomes.
    os.set_inheritable(_input_of(network), True)
    passed = {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
    os.execvpe(arguments.command[0], arguments.command, {**os.environ, **passed})


def _start_network(network: str, hosts: str) -> subprocess.Popen[str]:
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    up = ["ip", "link", "set", "lo", "up"]
    try:
        subprocess.run(up, check=True, env={**os.environ, "PATH": path})
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"the loopback interface: {error}")
    command = [sys.executable, "-m", "exporters.demo.echo_network", f"--network={network}"]
    started = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    if started.stdout is None or started.stdout.readline() != "ready\n":
        sys.exit(1)  # it has said why
    os.write(_input_of(started), f"{json.dumps(json.loads(hosts))}\n".encode())
    if started.stdout.readline() != '"done"\n':
        sys.exit("the pretend network does not take these hosts")
    return started


def _input_of(process: subprocess.Popen[str]) -> int:
    if process.stdin is None:
        raise RuntimeError("its input is no pipe")
    return process.stdin.fileno()


if __name__ == "__main__":
    main()
