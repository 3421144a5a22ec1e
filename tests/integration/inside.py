"""Have the test itself be in a network namespace, so that the sockets that it opens are there."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator
from pathlib import Path

from .namespaces import Namespace

_CLONE_NEWNET = 0x40000000
_OWN = Path("/proc/thread-self/ns/net")


@contextlib.contextmanager
def inside(namespace: Namespace) -> Iterator[None]:
    """Move this thread there, and back."""
    with _OWN.open("rb") as own, Path("/run/netns", namespace.name).open("rb") as other:
        _enter(other.fileno())
        try:
            yield
        finally:
            _enter(own.fileno())


def _enter(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
