"""What workers and their parent ask each other, and how long they wait for an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class ToParent(StrEnum):
    """A worker's questions."""

    SERVING = "serving"
    """Nothing is asked: it accepts connections from now on."""
    METRICS = "metrics"
    """The metrics of all workers, in the format, and gzipped or not, as the argument says: the body
    of a response."""
    EVERYBODY = "everybody"
    """What each worker answers to a question of the service: a list, with null of the silent. The
    argument is the question's name and its argument."""
    RELOAD = "reload"
    """A reload of the parent and all workers; the answer is a ReloadOutcome."""


class ToWorker(StrEnum):
    """The parent's orders."""

    TELEMETRY = "telemetry"
    """A snapshot of its registry."""
    SAMPLES = "samples"
    """What it has measured, as bytes of Prometheus' text format."""
    QUESTION = "question"
    """A question of the service, by its name and with its argument."""
    RELOAD = "reload"
    """A reload of this worker; the answer is a list of what went wrong."""
    END = "end"
    """Nothing is asked: it shall drain and end."""


SEEN_SECONDS = 2.0
METRICS_SECONDS = SEEN_SECONDS + 3.0
QUESTION_SECONDS = 2.0
EVERYBODY_SECONDS = QUESTION_SECONDS + 1.0
WORKER_RELOAD_SECONDS = 60.0
RELOAD_SECONDS = 3 * WORKER_RELOAD_SECONDS


@dataclass(frozen=True, slots=True)
class ReloadOutcome:
    """What became of a reload: nothing is wrong where both are empty."""

    problems: Sequence[str] = ()
    """What is wrong in the configuration; nothing has changed."""
    failures: Sequence[str] = ()
    """Why some processes have not changed."""

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as JSON can carry it."""
        return asdict(self)
