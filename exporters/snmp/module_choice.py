"""What ``auto`` stands for: asked of a target once, and remembered between scrapes.

A target is asked again after some time, when its sysUpTime shows a restart, and under another
configuration. Each has its own turn in that time, so that targets that came together after a start
are not all asked again together. A choice belongs to an address and what it is asked with: other
credentials may see other objects.

Which modules are chosen is ``exporters.snmp.survey``'s to decide.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from exporters.config.snmp_config import AUTO
from exporters.errors import FailureReason, TargetError
from exporters.polling.agent_memory import AgentMemory, BoundedCache
from exporters.polling.cursor import Range, Rows
from exporters.polling.question import DEFAULT_REPETITIONS, Questioner
from exporters.snmp.agent_changes import Sighting, watched_with
from exporters.snmp.collect import ModuleOutcome
from exporters.snmp.label_cache import expiry
from exporters.snmp.survey import Candidates, Survey
from exporters.sockets.snmp_session import SnmpSession, Traffic, oid_text
from exporters.wire.ber import Oid
from exporters.wire.snmp_message import VarBind, Version
from exporters.wire.tags import EXCEPTIONS

_NAMES_PER_ROUND: Final = 48
"""As many as fit a packet: later questions are better ones."""
_NAMES_PER_ROUND_V1: Final = 8
"""An agent of version 1 names what it has nothing behind one by one."""
_WATCHED: Final = watched_with(())
_SYS_UPTIME: Final = _WATCHED[0]
_OF_ONE_OBJECT: Final = frozenset(
    {FailureReason.AGENT_ERROR, FailureReason.NO_ACCESS, FailureReason.TOO_BIG}
)
"""Failures that leave a root unknown, and say nothing of the others."""


class Asking(StrEnum):
    """Why a target was asked: a closed set, so that it may be a label itself."""

    UNKNOWN = "unknown"
    AGE = "age"
    RESTART = "restart"


@dataclass(slots=True, eq=False)
class Choice:
    """What one target answered when it was asked for *candidates*."""

    candidates: Candidates
    modules: Sequence[str]
    """The modules to read."""
    reasons: Sequence[str]
    """A line for each module that it has something for."""
    sighting: Sighting
    expires_at: float
    restarted: bool = False


@dataclass(slots=True, eq=False)
class _Place:
    """Where the choice for one target is kept."""

    choice: Choice | None = None


class ModuleChoices:
    """The choices for all targets, each remembered for *seconds* at the most."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._places = BoundedCache[Hashable, _Place](_Place)

    def of(
        self,
        target: Hashable,
        wanted: Sequence[str],
        candidates: Candidates,
        clock: Callable[[], float],
    ) -> WantedModules:
        """Give the modules that one request wants of *target*."""
        wanted_modules = WantedModules(wanted, candidates, target, self._seconds, clock, clock())
        if AUTO in wanted:
            wanted_modules.use_place(self._places.get(target))
        return wanted_modules

    def clear(self) -> None:
        """Forget everything (another configuration has other modules)."""
        self._places.clear()


@dataclass(slots=True, eq=False)
class WantedModules:
    """The modules that one request wants, with those in the place of ``auto``.

    Attributes:
        outcome: How asking the target went, as of a module.
        asking: Why it was asked; None if it was not.
    """

    _wanted: Sequence[str]
    _candidates: Candidates
    _target: Hashable
    _seconds: float
    _clock: Callable[[], float]
    _began_at: float
    outcome: ModuleOutcome = field(default_factory=lambda: ModuleOutcome(AUTO))
    asking: Asking | None = None
    _place: _Place = field(default_factory=_Place)
    _choice: Choice | None = None
    """What this request goes by; others may have put another one in the place meanwhile."""
    _chosen: Sequence[str] = ()

    def use_place(self, place: _Place) -> None:
        """Go by the choice in *place*, if it is one of the same candidates, or put one there."""
        self._place = place
        if place.choice is not None and place.choice.candidates is self._candidates:
            self._choice = place.choice
            self._chosen = place.choice.modules

    @property
    def names(self) -> tuple[str, ...]:
        """The modules to read, as far as they are known."""
        names: dict[str, None] = {}
        for name in self._wanted:
            names |= dict.fromkeys(self._chosen if name == AUTO else (name,))
        return tuple(names)

    @property
    def due(self) -> Asking | None:
        """Why the target is to be asked first; None if its modules are known, or it was asked."""
        choice = self._choice
        if AUTO not in self._wanted or self.asking is not None:
            return None
        if choice is None:
            return Asking.UNKNOWN
        if choice.restarted:
            return Asking.RESTART
        return Asking.AGE if self._clock() >= choice.expires_at else None

    @property
    def asked(self) -> bool:
        """Whether the target was asked anything for this."""
        return self.asking is not None or self.outcome.traffic.packets_sent > 0

    async def ask(
        self, open_session: Callable[[Traffic], SnmpSession], memory: AgentMemory
    ) -> None:
        """Ask the target which modules it answers.

        What it told before a failure serves this request, unless there is an earlier choice.
        """
        self.asking = self.due
        started_at = self._clock()
        survey = Survey(self._candidates)
        uptime: Rows = {}
        try:
            async with open_session(self.outcome.traffic) as session:
                questioner = _questioner(session, memory)
                result = questioner.begin()
                await _ask_all(survey, questioner, uptime)
            self.outcome.varbinds = result.varbinds
            failures = result.failures
        except TargetError as error:
            failures = [error]
        self.outcome.seconds = self.outcome.walk_seconds = self._clock() - started_at
        self.outcome.varbinds_per_answer = memory.varbinds_per_answer
        broken = [error for error in failures if error.reason not in _OF_ONE_OBJECT]
        self._settle(survey, uptime, broken or (failures if not survey.answered else []))

    def _settle(self, survey: Survey, uptime: Rows, failures: Sequence[TargetError]) -> None:
        """Choose from what the target has told, and remember it if it was all."""
        if not failures and not survey.answered:
            modules = f"any of the {len(self._candidates.names)} loaded modules"
            detail = f"the device answers, but has nothing that {modules} reads"
            failures = [TargetError(FailureReason.NO_MODULE, detail)]
            self._choice = self._place.choice = None
            self._chosen = ()
        self.outcome.failures.extend(failures)
        self.outcome.answered = bool(survey.answered)
        chosen, covered = self._candidates.choose(survey.answered)
        if not failures:
            reasons = [
                _reason(name, survey.answered[name], covered)
                for name in self._candidates.names
                if name in survey.answered
            ]
            expires_at = expiry(self._target, self._clock(), self._seconds)
            self._choice = self._place.choice = Choice(
                self._candidates, chosen, reasons, self._sight(uptime), expires_at
            )
        if not failures or self._choice is None:
            self._chosen = chosen

    async def look_for_restart(
        self,
        read: Mapping[Range, Rows],
        open_session: Callable[[Traffic], SnmpSession],
        memory: AgentMemory,
    ) -> None:
        """See whether the target has restarted since it was asked: then it is, next time.

        Args:
            read: What modules of this request have read: sysUpTime maybe, else it is asked for.
            open_session: Opens a session.
            memory: What is remembered of the agent.
        """
        choice = self._choice
        if choice is None or self.asking is not None:
            return
        uptime = read.get(_SYS_UPTIME)
        if uptime is None:
            uptime = {}
            try:
                async with open_session(self.outcome.traffic) as session:
                    questioner = _questioner(session, memory)
                    questioner.begin()
                    [answer] = await questioner.ask_next([_SYS_UPTIME.root])
            except TargetError:
                return
            if answer is None:
                return
            self.outcome.answered = True
            _note_uptime(answer, uptime)
        sighting = self._sight(uptime)
        if sighting.restarted_since(choice.sighting):
            choice.restarted = True
        else:
            choice.sighting = sighting

    def _sight(self, uptime: Rows) -> Sighting:
        return Sighting.read(
            _WATCHED,
            {_SYS_UPTIME.column: uptime},
            earliest_at=self._began_at,
            latest_at=self._clock(),
        )

    def describe(self) -> Iterator[str]:
        """Tell, for ``debug=1``, what ``auto`` stands for and why."""
        choice = self._choice
        if AUTO not in self._wanted:
            return
        if choice is None:
            names = ", ".join(self.names) or "no module"
            yield f"auto: not remembered; in this scrape: {names}"
            return
        left = choice.expires_at - self._clock()
        origin = "from memory" if self.asking is None else f"asked ({self.asking})"
        yield f"auto: {origin}, good for {left:.0f} s more: {', '.join(choice.modules)}"
        yield from choice.reasons


def _reason(module: str, oid: Oid, covered: Mapping[str, str]) -> str:
    if module in covered:
        return f"auto: module {module} is left out: {covered[module]} has all its metrics"
    return f"auto: module {module}: the device has {oid_text(oid)}"


def _questioner(session: SnmpSession, memory: AgentMemory) -> Questioner:
    return Questioner(
        session, memory, concurrency=asyncio.Semaphore(1), max_repetitions=DEFAULT_REPETITIONS
    )


async def _ask_all(survey: Survey, questioner: Questioner, uptime: Rows) -> None:
    """Ask until every module is known; of sysUpTime in the first packet, for its rows."""
    most = _NAMES_PER_ROUND_V1 if questioner.session.version == Version.V1 else _NAMES_PER_ROUND
    size = min(most, questioner.fitting([_SYS_UPTIME.root] * most))
    before: list[Oid] = [_SYS_UPTIME.root]
    while places := survey.next_places(size - len(before)):
        names = [*before, *(survey.asked(place) for place in places)]
        answers = await questioner.ask_next(names)
        if before and answers[0] is not None:
            _note_uptime(answers[0], uptime)
        for place, answer in zip(places, answers[len(before) :], strict=True):
            survey.take(place, answer)
        failed = any(error.reason not in _OF_ONE_OBJECT for error in questioner.result.failures)
        if failed or not any(answers):
            return
        before = []


def _note_uptime(answer: VarBind, uptime: Rows) -> None:
    oid, tag, content = answer
    if oid.startswith(_SYS_UPTIME.root) and tag not in EXCEPTIONS:
        uptime[oid[len(_SYS_UPTIME.root) :]] = (tag, content)
