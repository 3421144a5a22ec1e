"""What the commands share: flags that say whom to ask and how, and the session they lead to.

Credentials come from an auth of the configuration (``--auth``), or from flags named as net-snmp's
tools name them.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Final

from exporters.config.context import LoadContext
from exporters.config.go_duration import parse_duration
from exporters.config.snmp_config import Auth, SnmpConfig
from exporters.config.validation import validate
from exporters.errors import ConfigError, Problem
from exporters.snmp.arguments import DEFAULT_CONFIG_FILE, load_files
from exporters.snmp.loaded import Loaded
from exporters.snmp.query import DEFAULT_AUTH
from exporters.sockets.resolution import resolve
from exporters.sockets.rtt import RttEstimator
from exporters.sockets.snmp_session import SessionSettings, SnmpSession, Traffic
from exporters.sockets.snmp_usm import EngineMemory
from exporters.sockets.target_address import TargetAddress, parse_target

_VERSIONS: Final = {"1": 1, "2c": 2, "2": 2, "3": 3}
_FLAG_AUTH: Final = "command line"


def add_conversation_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the target and the flags for credentials and patience."""
    parser.add_argument("target", metavar="TARGET", type=_target, help="[transport://]host[:port]")
    group = parser.add_argument_group("credentials from the configuration")
    group.add_argument(
        "--config.file",
        dest="config_files",
        metavar="FILE",
        action="append",
        default=[],
        help=f"file with auths (default: {DEFAULT_CONFIG_FILE} here, else the shipped ones)",
    )
    group.add_argument("--auth", default="", help=f"auth to use (default: {DEFAULT_AUTH})")
    flags = parser.add_argument_group("credentials on the command line, as net-snmp's tools")
    flags.add_argument("-v", dest="version", choices=_VERSIONS, help="version: 1, 2c or 3")
    flags.add_argument("-c", dest="community", help="community")
    flags.add_argument("-u", dest="user", help="user name")
    flags.add_argument(
        "-l", dest="level", choices=("noAuthNoPriv", "authNoPriv", "authPriv"), help="level"
    )
    flags.add_argument("-a", dest="auth_protocol", help="MD5, SHA, SHA224, SHA256, SHA384, SHA512")
    flags.add_argument("-A", dest="auth_password", help="authentication password")
    flags.add_argument(
        "-x", dest="priv_protocol", help="DES, AES, AES192, AES256, AES192C, AES256C"
    )
    flags.add_argument("-X", dest="priv_password", help="privacy password")
    flags.add_argument("-n", dest="context", help="context name")
    patience = parser.add_argument_group("patience")
    patience.add_argument(
        "-t",
        "--timeout",
        dest="timeout",
        type=_duration,
        default=2.0,
        metavar="DURATION",
        help="wait for each answer (default: 2s)",
    )
    patience.add_argument(
        "-r",
        "--retries",
        dest="retries",
        type=int,
        default=2,
        metavar="N",
        help="further tries (default: %(default)s)",
    )


@asynccontextmanager
async def open_conversation(
    arguments: argparse.Namespace, *, deadline_seconds: float
) -> AsyncIterator[SnmpSession]:
    """Open a session as the flags say.

    Raises:
        ConfigError: The credentials do not exist, or do not suffice.
        TargetError: The target cannot be reached.
    """
    loaded, auth_name = _load(arguments)
    loop = asyncio.get_running_loop()
    deadline_at = loop.time() + deadline_seconds
    endpoint = await resolve(arguments.target, deadline_at)
    security = loaded.credentials.security(
        auth_name,
        EngineMemory(),
        context_name=None if arguments.context is None else arguments.context.encode(),
        context_engine_id=b"",
        clock=loop.time,
        salts=_numbers(63),
    )
    async with SnmpSession(
        endpoint,
        security,
        SessionSettings(arguments.timeout, max(0, arguments.retries)),
        deadline_at=deadline_at,
        request_ids=_numbers(24),
        rtt=RttEstimator(),
        traffic=Traffic(),
    ) as session:
        yield session


def _load(arguments: argparse.Namespace) -> tuple[Loaded, str]:
    """The configuration, and the name of the auth in it that the flags mean."""
    if arguments.version or arguments.community is not None or arguments.user:
        auth = _auth_of_flags(arguments)
        return Loaded.compile(SnmpConfig(auths={_FLAG_AUTH: auth}, modules={}), None), _FLAG_AUTH
    loaded = Loaded.compile(load_files(arguments.config_files, need_modules=False), None)
    name = arguments.auth or DEFAULT_AUTH
    if name not in loaded.config.auths:
        known = ", ".join(sorted(loaded.config.auths))
        raise ConfigError([Problem(f"there is no auth {name!r}", f"there are {known}")])
    return loaded, name


def _auth_of_flags(arguments: argparse.Namespace) -> Auth:
    version = _VERSIONS[arguments.version] if arguments.version else (3 if arguments.user else 2)
    level = arguments.level
    if level is None:
        level = "authPriv" if arguments.priv_password else "noAuthNoPriv"
        if arguments.auth_password and not arguments.priv_password:
            level = "authNoPriv"
    return validate(
        Auth,
        {
            "version": version,
            "community": arguments.community or "public",
            "security_level": level,
            "username": arguments.user or "",
            "password": arguments.auth_password or "",
            "auth_protocol": _protocol(arguments.auth_protocol, "SHA"),
            "priv_protocol": _protocol(arguments.priv_protocol, "AES"),
            "priv_password": arguments.priv_password or "",
        },
        path=Path("command line"),
        context=LoadContext(),
    )


def _protocol(text: str | None, default: str) -> str:
    """Read a protocol as net-snmp writes it too: ``sha-256``, ``AES-192-C``."""
    return default if text is None else text.upper().replace("-", "")


def _numbers(bits: int) -> Iterator[int]:
    return count(random.SystemRandom().getrandbits(bits) + 1)


def _target(text: str) -> TargetAddress:
    try:
        return parse_target(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _duration(text: str) -> float:
    try:
        seconds = float(text) if text.replace(".", "", 1).isdigit() else parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}; expected one such as 2s") from error
    if seconds <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time to wait")
    return seconds
