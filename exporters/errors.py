"""Every error that this project raises on purpose.

    NetexportersError
    ├── ConfigError         a configuration file or argument is wrong
    │   └── SocketDenied    ... or the system does not let us have a socket; says what would
    ├── WireError           bytes that are not what the protocol says
    ├── TargetError         a device could not be read; carries one FailureReason
    └── BadRequest          the HTTP client asked for something that cannot be
        └── Forbidden       ... or that it may not have

Errors of the operating system and of libraries are translated once, at the boundary where they
appear: sockets into ``TargetError`` in ``exporters.sockets``, YAML and pydantic into
``ConfigError`` in ``exporters.config``. The HTTP status is chosen in ``exporters.web`` alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class NetexportersError(Exception):
    """The root: catching it catches what we raise on purpose and nothing else."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a configuration, and what would be right."""

    problem: str
    hint: str = ""
    file: str = ""
    line: int | None = None
    key_path: str = ""

    def __str__(self) -> str:
        """``file:line: key.path: problem; hint``, without the parts that are not known."""
        where = self.file
        if self.file and self.line is not None:
            where = f"{self.file}:{self.line}"
        text = ": ".join(part for part in (where, self.key_path, self.problem) if part)
        return f"{text}; {self.hint}" if self.hint else text


class ConfigError(NetexportersError):
    """A configuration is wrong; nothing of it has been put to use."""

    def __init__(self, problems: Sequence[Problem] | str) -> None:
        if isinstance(problems, str):
            problems = (Problem(problems),)
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SocketDenied(ConfigError):  # noqa: N818 - as Forbidden
    """The system refuses a kind of socket to this user; nothing but its administrator helps."""


class WireError(NetexportersError):
    """Bytes from the network that do not decode; the only error a codec raises."""


class FailureReason(StrEnum):
    """Why a device could not be read: a closed set, so that it may be a label."""

    TIMEOUT = "timeout"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    DNS = "dns"
    AUTH_WRONG_DIGEST = "auth_wrong_digest"
    AUTH_UNKNOWN_USER = "auth_unknown_user"
    AUTH_UNKNOWN_ENGINE = "auth_unknown_engine"
    AUTH_TIME_WINDOW = "auth_time_window"
    AUTH_UNSUPPORTED_LEVEL = "auth_unsupported_level"
    DECRYPT = "decrypt"
    UNKNOWN_CONTEXT = "unknown_context"
    TOO_BIG = "too_big"
    NO_ACCESS = "no_access"
    AGENT_ERROR = "agent_error"
    LOOP = "loop"
    DECODE = "decode"
    LIMIT = "limit"
    NO_MODULE = "no_module"
    RATE_LIMIT = "rate_limit"
    OVERLOAD = "overload"
    LOCAL = "local"


class TargetError(NetexportersError):
    """A device could not be read; *oid* is where, as its content bytes, if it is one object."""

    def __init__(self, reason: FailureReason, detail: str, oid: bytes = b"") -> None:
        self.reason = reason
        self.detail = detail
        self.oid = oid
        super().__init__(f"{detail} ({reason})")


class BadRequest(NetexportersError):  # noqa: N818 - named as HTTP names it
    """The request names something that does not exist or cannot be."""


class Forbidden(BadRequest):
    """The request names something that this exporter is told not to do."""
