"""The sockets that HTTP is served on: ``--web.listen-address`` and systemd's socket activation.

An address is ``host:port`` with the meaning that Prometheus' users know:

    :9116             every address of this machine, IPv6 and IPv4 on one socket
    127.0.0.1:9116    one IPv4 address            [::1]:9116    one IPv6 address
    localhost:9116    every address of a name     [::]:9116     the same as :9116

What the system refuses becomes a ConfigError that names the address and what to do.

Sources: the flags of Prometheus' exporter-toolkit; sd_listen_fds(3).
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from exporters.errors import ConfigError, Problem

_BACKLOG = 4096
_SYSTEMD_FIRST_FD = 3
_FLAG = "--web.listen-address"


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """A parsed ``host:port``; no host means every address of this machine."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_listen_address(text: str) -> ListenAddress:
    """Parse ``[host]:port``.

    Raises:
        ConfigError: it is not of this form.
    """
    host, colon, port_text = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon:
        address = f":{text}" if text.isdigit() else f"{text}:9116 or :9116"
        raise _wrong(text, "has no port", f"write {address}")
    if ":" in host and not bracketed:
        raise _wrong(text, "is ambiguous", "write IPv6 addresses in brackets, [::1]:9116")
    if not (port_text.isascii() and port_text.isdigit() and int(port_text) <= 65535):
        raise _wrong(text, f"has the port {port_text!r}", "a port is a number from 0 to 65535")
    return ListenAddress(host[1:-1] if bracketed else host, int(port_text))


def _wrong(text: str, problem: str, hint: str) -> ConfigError:
    return ConfigError((Problem(f"{_FLAG}={text} {problem}", hint=hint),))


def open_listeners(addresses: Sequence[ListenAddress], *, flag: str = _FLAG) -> list[socket.socket]:
    """Open listening sockets for all *addresses*, or none; *flag* is where they came from.

    Raises:
        ConfigError: the system refuses one of them.
    """
    with ExitStack() as undo:
        listeners = []
        for address in addresses:
            for listener in _listen(address, flag):
                undo.enter_context(listener)
                listeners.append(listener)
        undo.pop_all()
    return listeners


def _listen(address: ListenAddress, flag: str) -> list[socket.socket]:
    if address.host in ("", "::"):
        return [_listen_everywhere(address, flag)]
    try:
        resolved = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        problem = f"{flag}={address} cannot be resolved: {error.strerror or error}"
        raise ConfigError((Problem(problem, hint="check the host name"),)) from error
    opened: list[socket.socket] = []
    missing: OSError | None = None
    for family, _, _, _, sockaddr in resolved:
        try:
            opened.append(_open(family, sockaddr))
        except OSError as error:
            # A name may have addresses that this machine lacks: "localhost" without IPv6.
            if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                missing = error
                continue
            _close_all(opened)
            raise _refused(address, error, flag) from error
    if not opened and missing is not None:
        raise _refused(address, missing, flag) from missing
    return opened


def _listen_everywhere(address: ListenAddress, flag: str) -> socket.socket:
    try:
        try:
            return _open(socket.AF_INET6, ("::", address.port), dual_stack=True)
        except OSError as error:
            if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                raise
            # A kernel without IPv6.
            return _open(socket.AF_INET, ("0.0.0.0", address.port))  # noqa: S104
    except OSError as error:
        raise _refused(address, error, flag) from error


def _open(family: int, sockaddr: tuple[object, ...], *, dual_stack: bool = False) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not dual_stack)
        listener.setblocking(False)
        listener.bind(sockaddr)
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def _refused(address: ListenAddress, error: OSError, flag: str) -> ConfigError:
    hints = {
        errno.EADDRINUSE: f"stop what listens there, or choose another {flag}",
        errno.EACCES: "ports below 1024 need the capability CAP_NET_BIND_SERVICE "
        f"(systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE), or choose another {flag}",
        errno.EADDRNOTAVAIL: "choose an address of this machine",
    }
    reason = os.strerror(error.errno).lower() if error.errno else str(error)
    problem = Problem(f"cannot listen on {address}: {reason}", hint=hints.get(error.errno or 0, ""))
    return ConfigError((problem,))


def _close_all(listeners: Sequence[socket.socket]) -> None:
    for listener in listeners:
        listener.close()


def systemd_listeners(environment: Mapping[str, str], pid: int) -> list[socket.socket]:
    """Take over the listening sockets that systemd passed to the process *pid*.

    Raises:
        ConfigError: systemd passed none, or one that is no listening stream socket.
    """
    passed = environment.get("LISTEN_FDS", "")
    count = int(passed) if passed.isascii() and passed.isdigit() else 0
    if environment.get("LISTEN_PID") != str(pid) or count == 0:
        raise ConfigError(
            (
                Problem(
                    "--web.systemd-socket is set, but systemd passed no socket",
                    hint="start the .socket unit, or use --web.listen-address",
                ),
            )
        )
    listeners: list[socket.socket] = []
    for descriptor in range(_SYSTEMD_FIRST_FD, _SYSTEMD_FIRST_FD + count):
        try:
            listeners.append(_adopt(descriptor))
        except OSError as error:
            _close_all(listeners)
            raise ConfigError(
                (
                    Problem(
                        f"systemd passed descriptor {descriptor}, which is no listening socket",
                        hint="the .socket unit needs ListenStream= and Accept=no",
                    ),
                )
            ) from error
    return listeners


def _adopt(descriptor: int) -> socket.socket:
    listener = socket.socket(fileno=descriptor)
    try:
        listening = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        if listener.type != socket.SOCK_STREAM or not listening:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        listener.setblocking(False)
        listener.set_inheritable(False)
    except BaseException:
        listener.close()
        raise
    return listener


def describe_listener(listener: socket.socket) -> str:
    """Return the address that *listener* is bound to, as users write it."""
    name = listener.getsockname()
    if not isinstance(name, tuple):
        return str(name) or "unix socket"
    host = "" if name[0] == "::" else name[0]
    return str(ListenAddress(host, name[1]))
