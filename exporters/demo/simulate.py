"""``netexporters simulate FILE...``: recorded devices, answering on this machine.

Each file gets an agent on a port of its own, counted up from ``--listen-address``; with
``--one-port`` one agent serves all of them, told apart by community or SNMPv3 context. The agents
are ``exporters.demo.agent``'s, the files' format is ``exporters.demo.snmprec``'s.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import re
import shlex
import signal
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from exporters.demo.agent import AgentSettings, SimulatedAgent
from exporters.demo.faults import Faults
from exporters.demo.listeners import Address
from exporters.demo.recording import Recording
from exporters.demo.rmon_probe import DEFAULT_INTERVALS, Rmon
from exporters.demo.snmprec import load_recording
from exporters.errors import ConfigError
from exporters.logs import fields
from exporters.wire.usm import AuthProtocol, PrivProtocol, SecurityLevel, UsmUser

logger = logging.getLogger(__name__)

DEFAULT_LISTEN_ADDRESS: Final = "127.0.0.1:1161"
_FREE_PORT_TRIES: Final = 10
_PROBLEMS_SHOWN: Final = 5
_LONGEST_INTERVAL: Final = 3600
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|)")
_NET_SNMP_NAMES: Final[Mapping[str, str]] = {
    **{f"SHA{bits}": f"SHA-{bits}" for bits in (224, 256, 384, 512)},
    "AES192": "AES-192",
    "AES256": "AES-256",
    "AES192C": "AES-192-C",
    "AES256C": "AES-256-C",
}


class Simulation(NamedTuple):
    """One agent and the files it serves, by name."""

    names: tuple[str, ...]
    agent: SimulatedAgent
    rows: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's flags."""
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help=".snmprec, also .bz2 and .gz"
    )
    parser.add_argument(
        "--listen-address",
        action="append",
        type=_parse_listen_address,
        metavar="HOST:PORT",
        help=f"address of the first agent, the port counts up for each file; 0 takes free ones; "
        f"repeatable (default {DEFAULT_LISTEN_ADDRESS})",
    )
    parser.add_argument("--tcp", action="store_true", help="answer over TCP on the same ports too")
    parser.add_argument(
        "--one-port",
        action="store_true",
        help="serve all files on one port; the community or SNMPv3 context is the file's name",
    )
    parser.add_argument(
        "--community", action="append", help="answer to this community; repeatable (public)"
    )
    parser.add_argument("--user", default="", help="SNMPv3 user name")
    parser.add_argument("--auth-protocol", choices=[str(name) for name in AuthProtocol])
    parser.add_argument("--auth-password", default="")
    parser.add_argument("--priv-protocol", choices=[str(name) for name in PrivProtocol])
    parser.add_argument("--priv-password", default="")
    parser.add_argument(
        "--max-response-bytes", type=int, default=1472, help="largest answer (%(default)s)"
    )
    parser.add_argument("--moving", action="store_true", help="let counters and uptimes grow")
    parser.add_argument(
        "--rmon",
        type=_parse_interfaces,
        metavar="IFINDEX,...",
        help="add RMON tables with live counters, on these interfaces; best with --moving",
    )
    parser.add_argument(
        "--rmon-intervals",
        type=_parse_intervals,
        metavar="SECONDS,...",
        help="of their histories, a row each for every interface "
        f"(default {','.join(map(str, DEFAULT_INTERVALS))})",
    )
    parser.add_argument(
        "--rmon-torn", action="store_true", help="let the newest history bucket lack columns"
    )
    parser.add_argument(
        "--rmon-endless", action="store_true", help="let walks of tables with a TimeFilter not end"
    )
    parser.add_argument(
        "--delay", type=_parse_seconds, default=0.0, help="of each answer, such as 25ms"
    )
    parser.add_argument("--jitter", type=_parse_seconds, default=0.0, help="random delay on top")
    parser.add_argument("--drop", type=_parse_rate, default=0.0, help="share of answers lost, 0-1")
    parser.add_argument(
        "--duplicate", type=_parse_rate, default=0.0, help="share of answers sent twice, 0-1"
    )
    parser.add_argument("--seed", type=int, default=0, help="of all chance (%(default)s)")
    parser.add_argument("--strict", action="store_true", help="refuse files with unusable lines")


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; give the exit status."""
    try:
        simulations = build(arguments)
        return asyncio.run(_serve(simulations, arguments))
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
    except OSError as error:
        sys.stderr.write(f"cannot listen: {error}\n")
    return 1


def build(arguments: argparse.Namespace) -> list[Simulation]:
    """Load the files and make the agents.

    Raises:
        ConfigError: A file cannot be used, or flags contradict each other.
    """
    settings = _read_settings(arguments)
    recordings: dict[str, Recording] = {}
    for path in arguments.files:
        name = _free_name(_recording_name(path), recordings)
        recordings[name] = load_recording(path, strict=arguments.strict)
        _log_problems(path, recordings[name])
    if arguments.one_port:
        agent = SimulatedAgent(recordings, settings)
        return [Simulation(tuple(recordings), agent, sum(map(len, recordings.values())))]
    return [
        Simulation((name,), SimulatedAgent(recording, settings), len(recording))
        for name, recording in recordings.items()
    ]


def _read_settings(arguments: argparse.Namespace) -> AgentSettings:
    try:
        users = () if not arguments.user else (_read_user(arguments),)
        if not users and (arguments.auth_protocol or arguments.priv_protocol):
            raise ValueError("--auth-protocol and --priv-protocol need --user")
        return AgentSettings(
            communities=tuple(arguments.community or ("public",)),
            users=users,
            max_response_bytes=arguments.max_response_bytes,
            moving=arguments.moving,
            rmon=_read_rmon(arguments),
            faults=Faults(
                delay_seconds=arguments.delay,
                jitter_seconds=arguments.jitter,
                drop_rate=arguments.drop,
                duplicate_rate=arguments.duplicate,
                seed=arguments.seed,
            ),
        )
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _read_rmon(arguments: argparse.Namespace) -> Rmon | None:
    torn, endless, intervals = arguments.rmon_torn, arguments.rmon_endless, arguments.rmon_intervals
    if arguments.rmon is None:
        if torn or endless or intervals:
            raise ValueError("--rmon-intervals, --rmon-torn and --rmon-endless need --rmon")
        return None
    return Rmon(arguments.rmon, torn, endless, intervals or DEFAULT_INTERVALS)


def _read_user(arguments: argparse.Namespace) -> UsmUser:
    auth, priv = arguments.auth_protocol, arguments.priv_protocol
    return UsmUser(
        arguments.user,
        AuthProtocol(auth) if auth else None,
        arguments.auth_password,
        PrivProtocol(priv) if priv else None,
        arguments.priv_password,
    )


async def _serve(simulations: Iterable[Simulation], arguments: argparse.Namespace) -> int:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    listen = arguments.listen_address or [_parse_listen_address(DEFAULT_LISTEN_ADDRESS)]
    async with contextlib.AsyncExitStack() as stack:
        for offset, simulation in enumerate(simulations):
            for host, first_port in listen:
                port = first_port + offset if first_port else 0
                address = await _listen(stack, simulation.agent, host, port, tcp=arguments.tcp)
                sys.stdout.write(describe(simulation, address) + "\n")
                sys.stdout.flush()
        await stopped.wait()
    return 0


async def _listen(
    stack: contextlib.AsyncExitStack, agent: SimulatedAgent, host: str, port: int, *, tcp: bool
) -> Address:
    """Serve *agent* on a port, until *stack* ends.

    A port that is free for UDP may be taken for TCP: port 0 is then tried again.
    """
    for further in reversed(range(_FREE_PORT_TRIES if tcp and not port else 1)):
        async with contextlib.AsyncExitStack() as trial:
            address = await trial.enter_async_context(agent.serve(host, port))
            try:
                if tcp:
                    await trial.enter_async_context(agent.serve_tcp(*address))
            except OSError:
                if not further:
                    raise
                continue
            stack.push_async_exit(trial.pop_all())
            return address
    raise AssertionError("the last try returns or raises")


def describe(simulation: Simulation, address: Address) -> str:
    """Say in one line what is served where, with commands to try."""
    target = _format_address(address)
    settings = simulation.agent.settings
    if settings.users:
        credentials = "-v 3 " + _net_snmp_flags(settings.users[0])
    else:
        credentials = f"-v 2c -c {shlex.quote(settings.communities[0])}"
    return (
        f"{target}  {', '.join(simulation.names)}  rows: {simulation.rows}  "
        f"try: snmpwalk {credentials} -On {'udp6:' if ':' in address[0] else ''}{target} .1  "
        f"or: netexporters walk {credentials} {target}"
    )


def _net_snmp_flags(user: UsmUser) -> str:
    """Write the user as net-snmp's tools take it."""
    flags = [f"-u {shlex.quote(user.name)} -l {user.level.name}"]
    if user.auth_protocol is not None:
        name = _NET_SNMP_NAMES.get(user.auth_protocol, user.auth_protocol)
        flags.append(f"-a {name} -A {shlex.quote(user.auth_password)}")
    if user.level == SecurityLevel.authPriv and user.priv_protocol is not None:
        name = _NET_SNMP_NAMES.get(user.priv_protocol, user.priv_protocol)
        flags.append(f"-x {name} -X {shlex.quote(user.priv_password)}")
    return " ".join(flags)


def _log_problems(path: Path, recording: Recording) -> None:
    for problem in recording.problems[:_PROBLEMS_SHOWN]:
        logger.warning("recording has a problem", extra=fields(problem=problem))
    if recording.problem_count > _PROBLEMS_SHOWN:
        more = recording.problem_count - _PROBLEMS_SHOWN
        logger.warning("recording has more problems", extra=fields(file=path, count=more))


def _recording_name(path: Path) -> str:
    name = path.name
    for suffix in (".bz2", ".gz", ".snmprec"):
        name = name.removesuffix(suffix)
    return name


def _free_name(name: str, taken: Mapping[str, object]) -> str:
    """Two files of different folders may have one name; the later gets a number."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free


def _parse_listen_address(text: str) -> Address:
    host, separator, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not separator or not port.isdigit() or int(port) > 0xFFFF:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, such as 127.0.0.1:1161")
    return host or "127.0.0.1", int(port)


def _parse_interfaces(text: str) -> tuple[int, ...]:
    numbers = text.split(",")
    if not all(number.isdigit() and 0 < int(number) < 1 << 31 for number in numbers):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of ifIndex such as 1,2,49")
    return tuple(map(int, numbers))


def _parse_intervals(text: str) -> tuple[int, ...]:
    numbers = text.split(",")
    if not all(number.isdigit() and 0 < int(number) <= _LONGEST_INTERVAL for number in numbers):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a list of seconds such as 30,1800, each from 1 to {_LONGEST_INTERVAL}"
        )
    return tuple(map(int, numbers))


def _format_address(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _parse_seconds(text: str) -> float:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration such as 25ms or 1.5s")
    return float(match[1]) * (0.001 if match[2] == "ms" else 1.0)


def _parse_rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0.0 <= rate <= 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share between 0 and 1")
    return rate
