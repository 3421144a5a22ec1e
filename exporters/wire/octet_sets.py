"""Sets of octets in patterns, written so that Python's matcher reads them fastest."""

from __future__ import annotations

import re


def spell_out(pattern: bytes) -> bytes:
    r"""Write sets of what is not to match as sets of what is, which take a third of the time.

    Such a set is one bitmap, in which an octet is looked up.

    Example: ``[^ -~]`` gives ``[\x00...\x1f\x7f...\xff]``, each octet by itself.
    """

    def positive(negated: re.Match[bytes]) -> bytes:
        is_in = re.compile(negated[0]).match
        octets = [b"\\x%02x" % octet for octet in range(256) if is_in(bytes((octet,)))]
        return b"[" + b"".join(octets) + b"]"

    return re.sub(rb"\[\^(?:\\.|[^\]\\])+\]", positive, pattern)
