"""How many messages have come, by device and class, and what these come to in the metrics.

Counting a message is one step into a dictionary. What the counts come to, the series of several
families, is worked out when somebody wants to know it, or after seconds: then it is done once for
all messages of one device and one class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from exporters.events.intake import Intake
from exporters.syslog.batch import Judgement
from exporters.syslog.outcomes import OUTCOMES
from exporters.syslog.plans import Plan, Plans
from exporters.syslog.series import SyslogSeries
from exporters.wire.syslog_classes import MessageClass

_MOST_WAITING: Final = 65_536
"""Counts that wait to be settled, which takes about a microsecond for each."""


class Accounts:
    """Counts messages.

    Attributes:
        outcomes: Messages that were settled, by outcome.
    """

    def __init__(self, intake: Intake, series: SyslogSeries) -> None:
        self.outcomes = dict.fromkeys(OUTCOMES, 0)
        self._intake = intake
        self._series = series
        self._arrived: Counter[tuple[str, MessageClass]] = Counter()
        self._dropped: Counter[tuple[str, MessageClass]] = Counter()
        self._judged: Counter[tuple[str, Judgement]] = Counter()

    @property
    def is_full(self) -> bool:
        """Whether it is time to settle."""
        return len(self._arrived) + len(self._judged) >= _MOST_WAITING

    def count(self, devices: Sequence[str], classes: Sequence[MessageClass]) -> None:
        """Count messages."""
        self._arrived.update(zip(devices, classes, strict=True))

    def forget(self, device: str, message_class: MessageClass) -> None:
        """Count a message less: it has another outcome."""
        self._arrived[device, message_class] -= 1

    def drop(self, device: str, message_class: MessageClass) -> None:
        """Note that a message that is counted is no event."""
        self._dropped[device, message_class] += 1

    def count_judged(self, devices: Iterable[str], judgements: Iterable[Judgement]) -> None:
        """Count events whose classes are not settled."""
        self._judged.update(zip(devices, judgements, strict=True))

    def settle(self, plans: Plans, seen_at: Callable[[str], float]) -> None:
        """Put what has come into the families.

        Args:
            plans: What to do with each class.
            seen_at: Gives when a device last sent something.
        """
        arrived, self._arrived = self._arrived, Counter()
        dropped, self._dropped = self._dropped, Counter()
        judged, self._judged = self._judged, Counter()
        for (device, message_class), count in arrived.items():
            plan = plans.plan(message_class)
            self.outcomes[plan.outcome] += count
            for fault in message_class.faults:
                self._series.faults.inc((device, fault.value), count)
            if plan.is_event and dropped:
                count -= dropped[device, message_class]
            if count and plan.is_event:
                self.add(device, plan, count, seen_at(device))
                if plan.verdict is not None:
                    self._intake.count(device, plan.verdict, count, seen_at(device))
        for (device, judgement), count in judged.items():
            self._intake.count(device, judgement.verdict, count, seen_at(device))

    def add(self, device: str, plan: Plan, count: int, seen_at: float) -> None:
        """Count messages that are alike by what they say of themselves."""
        series = self._series
        series.messages.inc((device, plan.facility, plan.severity), count)
        series.vendor_events.inc((device, plan.vendor, plan.event), count)
        series.last_seen.set((device,), seen_at)
