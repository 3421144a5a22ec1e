"""The routers on the way to one target, as rounds of probes with growing hop limits find them.

A round sends one probe for each hop limit; what comes back goes to ``PathTracker.finish_round``.
Pure: who sends, and when, is ``exporters.icmp.path_prober``.

Of these it makes a path:

* A router that keeps silent, or answers only now and then, is no other path: only another address
  where one was known is a change, or another number of hops.
* A hop whose losses are not those of the hops behind it forwards well and is slow to complain:
  routers limit how many errors they send. It is marked, so that nobody takes it for a fault.

Source: RFC 792 and RFC 4443 s3.3 (time exceeded), RFC 1812 s4.3.2.8 (rate limits of errors).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2s
from itertools import zip_longest
from typing import Final, NamedTuple

MAX_HOPS: Final = 30

_ROUNDS_REMEMBERED: Final = 20
"""Rounds that a hop's loss is judged by."""
_BEYOND: Final = 2
"""Hop limits past the target's own that are tried, so that a path that grows is seen at once."""
_FULL_EVERY: Final = 8
"""Rounds of which one tries all hop limits, while the target does not answer."""
_NOTABLE_LOSS: Final = 0.1


class HopAnswer(NamedTuple):
    """What came back for one hop limit.

    *is_end* says that nothing lies behind: the target's own reply, or an error other than that of
    an exceeded hop limit.
    """

    address: str
    rtt_seconds: float
    is_end: bool


@dataclass(frozen=True, slots=True)
class Path:
    """Routers in order, None for one that keeps silent.

    *complete* says that the last one is the end: the target, or who rejects what is sent to it.
    """

    hops: tuple[str | None, ...] = ()
    complete: bool = False

    def text(self) -> str:
        """Write it for people: ``10.0.0.1 > * > 192.0.2.1``."""
        return " > ".join(hop or "*" for hop in self.hops) + ("" if self.complete else " > ?")

    def hash(self) -> str:
        """Sixteen hexadecimal digits that stand for the addresses."""
        return blake2s(self.text().encode(), digest_size=8).hexdigest()


@dataclass(slots=True)
class Hop:
    """What is counted of one place on the path; it may be another router's after a change."""

    probes: int = 0
    answers: int = 0
    rtt_seconds: float = 0.0
    """Of the latest answer."""
    recent: deque[bool] = field(default_factory=lambda: deque(maxlen=_ROUNDS_REMEMBERED))
    """Whether each of the latest probes was answered."""

    @property
    def loss(self) -> float:
        """The share of the latest probes that was not answered."""
        return 1 - sum(self.recent) / len(self.recent) if self.recent else 0.0


class PathTracker:
    """What is known of the path to one target."""

    def __init__(self, max_hops: int = MAX_HOPS) -> None:
        self.path = Path()
        self.changes = 0
        self.changed_at: float | None = None
        """When the latest change was seen, in Unix time."""
        self.rounds = 0
        self.hops: list[Hop] = []
        self._max_hops = max_hops

    def hop_limits(self) -> range:
        """Give the hop limits to probe in the next round, from 1 on."""
        full = not self.path.hops or (not self.path.complete and self.rounds % _FULL_EVERY == 0)
        most = self._max_hops if full else len(self.path.hops) + _BEYOND
        return range(1, min(most, self._max_hops) + 1)

    def router(self, hop_limit: int) -> str:
        """Give the router that complains of this hop limit; empty where none is known to."""
        hops = self.path.hops
        routers = hops[:-1] if self.path.complete else hops
        return (hop_limit <= len(routers) and routers[hop_limit - 1]) or ""

    def finish_round(self, answers: Mapping[int, HopAnswer | None], now: float) -> bool:
        """Take in what came back for each hop limit that was probed; None for silence.

        Args:
            answers: Hop limits that were probed. Those left out say nothing, for good or bad.
            now: Unix time.

        Returns:
            Whether the path is another than before.
        """
        self.rounds += 1
        known, seen = _with_one_end(self.path, _seen_path(answers))
        self._count(answers, max(len(known.hops), len(seen.hops)))
        if known.hops and _is_change(known, seen):
            self.path = seen
            self.changes += 1
            self.changed_at = now
            for hop in self.hops:
                hop.recent.clear()
            return True
        if seen.complete or not known.complete:
            # Otherwise there is silence from some hop on: that is loss, and no other path.
            known = Path(_merge(known.hops, seen.hops), seen.complete)
        self.path = known
        return False

    def rate_limited(self, hop_limit: int) -> bool:
        """Whether the losses of a hop do not persist behind it, although it answers at times."""
        place = hop_limit - 1
        hop = self.hops[place]
        if hop.loss < _NOTABLE_LOSS or not any(hop.recent):
            return False
        behind = [later.loss for later in self.hops[place + 1 :] if later.recent]
        return bool(behind) and min(behind) <= hop.loss / 2

    def _count(self, answers: Mapping[int, HopAnswer | None], length: int) -> None:
        """Count probes up to the end of the path; the ones beyond it are no news of any hop."""
        while len(self.hops) < length:
            self.hops.append(Hop())
        for hop_limit, answer in answers.items():
            if hop_limit > length:
                continue
            hop = self.hops[hop_limit - 1]
            hop.probes += 1
            hop.recent.append(answer is not None)
            if answer is not None:
                hop.answers += 1
                hop.rtt_seconds = answer.rtt_seconds
        del self.hops[length:]


def _seen_path(answers: Mapping[int, HopAnswer | None]) -> Path:
    """Put together what one round has seen, up to the first end or the last answer."""
    answered = {limit: answer for limit, answer in answers.items() if answer is not None}
    ends = [limit for limit, answer in answered.items() if answer.is_end]
    length = min(ends) if ends else max(answered, default=0)
    found = (answered.get(limit) for limit in range(1, length + 1))
    return Path(tuple(answer and answer.address for answer in found), bool(ends))


def _with_one_end(known: Path, seen: Path) -> tuple[Path, Path]:
    """Let both end where the first of them does, if it is only loss that makes one longer.

    A target answers whatever hop limit reaches it. Where the first of its answers was lost, the
    next one makes the path look longer by a silent hop.
    """
    shorter, longer = sorted((known, seen), key=lambda path: len(path.hops))
    place = len(shorter.hops)
    if (
        shorter.complete
        and longer.complete
        and shorter.hops[-1] == longer.hops[-1]
        and not any(longer.hops[place - 1 : -1])
    ):
        cut = Path((*longer.hops[: place - 1], longer.hops[-1]), complete=True)
        return (cut, seen) if longer is known else (known, cut)
    return known, seen


def _is_change(known: Path, seen: Path) -> bool:
    longer, shorter = len(known.hops) < len(seen.hops), len(known.hops) > len(seen.hops)
    if seen.complete and (shorter or (longer and known.complete)):
        return True
    return any(a and b and a != b for a, b in zip(known.hops, seen.hops, strict=False))


def _merge(known: tuple[str | None, ...], seen: tuple[str | None, ...]) -> tuple[str | None, ...]:
    """Fill in from *known* what was silent in *seen*."""
    return tuple(b or a for a, b in zip_longest(known, seen))
