"""The SNMPv3 engines that traps come from: what time it is there, and whether a message is new.

A trap names the engine of its sender, and is new if it fits that engine's clock (RFC 3414 s3.2 step
7b). What is known of the clock is kept over a restart: otherwise whatever an attacker has recorded
could be played back to us once. Of an engine that was known before the restart, nothing is believed
that is not later than the last that was; of others, the first message is.

Within the window of 150 seconds a message could be played back: digests are remembered longer than
that. When there are too many of them, the window is as long as they are remembered.

An engine id that several devices have, as copies of one image do, makes their clocks contradict
each other, and one of them is refused. Such an engine is told of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from exporters.events.state_file import StateFile
from exporters.wire.usm import MAX_BOOTS, TIME_WINDOW_SECONDS, UserKeys, UsmUser, localize

_KEY: Final = "engine\t"
_CONFLICT_SECONDS: Final = 3600.0
_MOST_KEYS: Final = 16


def engine_of_state(key: str) -> bytes:
    """Give the engine whose clock is kept under a key of the state file; nothing: it is no clock's.

    Raises:
        ValueError: The key was not written by ``Engines``.
    """
    return bytes.fromhex(key.removeprefix(_KEY)) if key.startswith(_KEY) else b""


@dataclass(slots=True)
class Engine:
    """One engine; *learned_at* is on the monotonic clock.

    Attributes:
        boots: How often it has started.
        time: Its latest time, in seconds since its start.
        learned_at: When that was told.
        floor: Boots and time up to which nothing is new any more, of before our own restart.
        peer: The address that its last message came from.
        conflict_at: When an older message came from another address; None for never.
        keys: Of the users who have sent from it.
    """

    boots: int
    time: int
    learned_at: float
    floor: tuple[int, int] = (-1, -1)
    peer: str = ""
    conflict_at: float | None = None
    keys: dict[UsmUser, UserKeys] = field(default_factory=dict, repr=False)


class Engines:
    """All engines, at most *limit*."""

    def __init__(
        self,
        limit: int,
        *,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        """Know none; ``attach`` takes up what an earlier process knew. *clock* is Unix time."""
        self.limit = limit
        self._state_file: StateFile | None = None
        self._clock = clock
        self._monotonic = monotonic
        self._engines: dict[bytes, Engine] = {}

    def attach(self, state_file: StateFile) -> None:
        """Take up what an earlier process left in a file, and keep clocks there from now on."""
        self._state_file = state_file
        self._restore(state_file.items(_KEY))

    def __len__(self) -> int:
        return len(self._engines)

    @property
    def is_full(self) -> bool:
        """Whether there is no place for another one."""
        return len(self._engines) >= self.limit

    def has(self, engine_id: bytes) -> bool:
        """Whether an engine has proven itself before."""
        return engine_id in self._engines

    def keys(self, user: UsmUser, engine_id: bytes) -> UserKeys:
        """Give a user's keys at an engine."""
        engine = self._engines.get(engine_id)
        if engine is None:
            return localize(user, engine_id)
        keys = engine.keys.get(user)
        if keys is None:
            if len(engine.keys) >= _MOST_KEYS:
                engine.keys.clear()
            keys = engine.keys[user] = localize(user, engine_id)
        return keys

    def accept(
        self,
        engine_id: bytes,
        boots: int,
        time: int,
        peer: str,
        window_seconds: float = TIME_WINDOW_SECONDS,
    ) -> bool:
        """Whether a message that is proven to be of an engine is new; its clock is noted if so.

        A new engine must find a place: ask ``is_full`` before.
        """
        now = self._monotonic()
        engine = self._engines.get(engine_id)
        if boots == MAX_BOOTS:
            return False
        if engine is None:
            self._engines[engine_id] = Engine(boots, time, now, peer=peer)
            self._keep(engine_id, boots, time)
            return True
        if (boots, time) <= engine.floor or self._is_old(engine, boots, time, now, window_seconds):
            if peer != engine.peer and engine.peer:
                engine.conflict_at = now
            return False
        engine.peer = peer
        if (boots, time) > (engine.boots, engine.time):
            engine.boots, engine.time, engine.learned_at = boots, time, now
            self._keep(engine_id, boots, time)
        return True

    def forget(self, engine_id: bytes) -> bool:
        """Forget an engine, whose boots have gone back for good; whether it was known."""
        if self._state_file is not None:
            self._state_file.delete(_KEY + engine_id.hex())
        return self._engines.pop(engine_id, None) is not None

    def conflicts(self) -> list[bytes]:
        """Give the engines that lately several addresses have claimed to be."""
        since = self._monotonic() - _CONFLICT_SECONDS
        return [
            engine_id
            for engine_id, engine in self._engines.items()
            if engine.conflict_at is not None and engine.conflict_at >= since
        ]

    @staticmethod
    def _is_old(engine: Engine, boots: int, time: int, now: float, window_seconds: float) -> bool:
        """RFC 3414 s3.2 step 7b 2."""
        if boots != engine.boots:
            return boots < engine.boots
        return time < engine.time + int(now - engine.learned_at) - window_seconds

    def _keep(self, engine_id: bytes, boots: int, time: int) -> None:
        if self._state_file is not None:
            self._state_file.put(_KEY + engine_id.hex(), [boots, time, int(self._clock())])

    def _restore(self, saved: Iterable[tuple[str, Any]]) -> None:
        wall, now = self._clock(), self._monotonic()
        for name, value in saved:
            match value:
                case [int(boots), int(time), int(at)] if len(self._engines) < self.limit:
                    engine_id = bytes.fromhex(name.removeprefix(_KEY))
                    learned_at = now - max(0.0, wall - at)
                    engine = Engine(boots, time, learned_at, floor=(boots, time))
                    self._engines[engine_id] = engine
