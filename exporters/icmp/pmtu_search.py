"""The search for the largest packet that reaches a target whole, one question after another.

    search = PmtuSearch(4)
    while (size := search.next_size()) is not None:
        ...                       # ask with a packet of that size, then tell search what came back
    search.found                  # PathMtu(1400, "10.0.0.1", black_hole=False)

Sizes are those of IP packets, header included. A router that cannot pass a packet on says so, and
how much it could; that is checked and not just believed. One that keeps silent is a black hole:
small packets pass, large ones vanish, and nobody says why. Then the size is found by halving.

Pure: who asks, how often, and what counts as silence is ``exporters.icmp.pmtu_prober``.

Sources: RFC 1191 s5 and s7 (routers that tell no MTU, plateaus), RFC 2923 s2.1 (black holes),
RFC 8201 (IPv6), RFC 791 and RFC 8200 s5 (the least that all must take).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from exporters.wire.icmp import IpVersion

LEAST_BYTES: Final[dict[int, int]] = {4: 576, 6: 1280}
"""What every host takes; where not even that passes, the target does not answer at all."""
MOST_BYTES: Final = 65_535

_PLATEAUS: Final = (
    *(32_000, 17_914, 9_216, 9_000, 8_166, 4_352, 2_002, 1_500, 1_492, 1_480, 1_476, 1_460),
    *(1_450, 1_440, 1_420, 1_400, 1_380, 1_360, 1_280, 1_006, 576),
)
"""Sizes that networks and tunnels have, tried before others."""
_NEVER: Final = MOST_BYTES + 1


@dataclass(frozen=True, slots=True)
class PathMtu:
    """What a search has found.

    Attributes:
        mtu_bytes: the largest packet that passes.
        reporter: the router that says so; empty where none had to, or none did.
        black_hole: larger packets vanish without a word.
    """

    mtu_bytes: int
    reporter: str = ""
    black_hole: bool = False


class PmtuSearch:
    """One search; what a question came to is told by ``replied``, ``too_big`` or ``silent``."""

    def __init__(self, version: IpVersion) -> None:
        self._least = LEAST_BYTES[version]
        self._passes = 0
        """The largest size that has passed; 0 before any has."""
        self._told = _NEVER
        """The smallest size that somebody has called too big, and who it was."""
        self._reporter = ""
        self._swallowed = _NEVER
        """The smallest size that has met silence, and whether it was asked again at the end."""
        self._confirmed = False
        self._hint = MOST_BYTES
        self._dead = False

    @property
    def found(self) -> PathMtu | None:
        """What was found; None before the end, and where the target does not answer."""
        if self._dead or self.next_size() is not None:
            return None
        black_hole = self._swallowed < self._told
        return PathMtu(self._passes, "" if black_hole else self._reporter, black_hole)

    def next_size(self) -> int | None:
        """Give the size to ask with; None at the end."""
        if self._dead:
            return None
        if not self._passes:
            return self._least
        if self._fails - self._passes > 1:
            return self._between()
        if self._swallowed < self._told and not self._confirmed:
            return self._swallowed
        return None

    def replied(self, size: int) -> None:
        """Take in that a packet of *size* has passed."""
        self._passes = max(self._passes, size)
        if size == self._hint:
            self._told = min(self._told, size + 1)
        if size >= self._swallowed:
            self._swallowed = _NEVER  # it was loss, or the path is another by now
        if size >= self._told:
            self._told = _NEVER

    def too_big(self, size: int, mtu: int, reporter: str) -> None:
        """Take in that *reporter* passes no packet of *size*, but of *mtu*; 0: it does not say."""
        if size <= self._least:
            self._dead = True
        elif size < self._told:
            self._told, self._reporter = size, reporter
            self._hint = mtu if mtu < size else 0

    def silent(self, size: int) -> None:
        """Take in that a packet of *size*, sent more than once, was not answered."""
        if size <= self._least:
            self._dead = True
        elif size == self._swallowed:
            self._confirmed = True
        else:
            self._swallowed = min(self._swallowed, size)
            self._confirmed = False

    @property
    def _fails(self) -> int:
        return min(self._told, self._swallowed)

    def _between(self) -> int:
        """Choose a size between what passes and what does not."""
        if self._passes < self._hint < self._fails:
            return self._hint
        plateaus = [size for size in _PLATEAUS if self._passes < size < self._fails]
        if plateaus:
            return plateaus[len(plateaus) // 2]
        return (self._passes + self._fails) // 2
