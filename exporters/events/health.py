"""Whether something is not as it should be, although the exporter goes on: one word for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric

from exporters.events.intake import Intake
from exporters.metrics.receive_sockets import ReceiveSocket

_RECENT_SECONDS: Final = 300.0


class Health:
    """Looks when it is asked."""

    def __init__(
        self,
        listeners: Callable[[], Sequence[ReceiveSocket]],
        intake: Intake,
        monotonic: Callable[[], float],
        *,
        not_handed_over: Callable[[], int],
        others: Mapping[str, Callable[[], bool]] | None = None,
    ) -> None:
        """Begin to look.

        Args:
            listeners: Gives the sockets.
            intake: What the exporter keeps.
            monotonic: A clock.
            not_handed_over: Gives how much another worker had no room for.
            others: Reasons that only this exporter has, and what says whether they hold.
        """
        self._listeners = listeners
        self._intake = intake
        self._monotonic = monotonic
        self._not_handed_over = not_handed_over
        self._others = others or {}
        self._lost_at: dict[str, float] = {}
        self._counts: dict[str, int] = {}

    def reasons(self) -> dict[str, bool]:
        """Give all reasons there may be, and which hold; of losses, in the last five minutes."""
        listeners = self._listeners()
        drops = sum(listener.state().drops for listener in listeners)
        lines, file = self._intake.json_lines, self._intake.state_file
        unlogged = 0 if lines is None else lines.dropped + lines.failed
        return {
            "receive_buffer": any(one.granted_bytes < one.asked_bytes for one in listeners),
            "datagrams_dropped": self._has_grown("drops", drops),
            "state_file": file is not None and (file.failing or file.damaged is not None),
            "events_log": self._has_grown("unlogged", unlogged),
            "handover": self._has_grown("not handed over", self._not_handed_over()),
            **{reason: holds() for reason, holds in self._others.items()},
        }

    def family(self) -> Metric:
        """Give the reasons as a metric."""
        family = GaugeMetricFamily(
            f"{self._intake.name}_exporter_degraded",
            "Whether something is not as it should be, by what it is.",
            labels=("reason",),
        )
        for reason, is_so in self.reasons().items():
            family.add_metric((reason,), int(is_so))
        return family

    def _has_grown(self, what: str, count: int) -> bool:
        now = self._monotonic()
        if count > self._counts.get(what, 0):
            self._counts[what] = count
            self._lost_at[what] = now
        return now - self._lost_at.get(what, -_RECENT_SECONDS) < _RECENT_SECONDS
