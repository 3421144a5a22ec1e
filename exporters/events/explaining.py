"""What would become of a message, in words: for the commands ``explain`` and for ``/explain``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from exporters.config.event_taxonomy import UNKNOWN
from exporters.events.event import Action, Event, printable
from exporters.events.exposition import Family
from exporters.events.rules import RuleSet

_LONG_AGO: Final = 1e9
_PARTS: Final = (
    "version", "source", "device", "facility", "app", "vendor", "name", "text", "event", "severity",
)  # fmt: skip
_NOT_SHOWN: Final = {
    Action.COUNT_ONLY: "it is counted, but neither shown nor logged",
    Action.DROP: "it is no event",
}
_OF_OTHERS: Final = ("trap is ", "vendor_event is ", "app is ", "vendor is ")
"""How conditions begin that say only that a rule is for something else."""


def event_lines(event: Event, rules: RuleSet) -> Iterator[str]:
    """Tell of an event, and of the rules for it."""
    shown = event.as_json()
    for name in _PARTS:
        if name in shown:
            yield f"{name}: {shown[name] or '-'}"
    yield from _remark_lines(event)
    for name, value in shown.get("labels", {}).items():
        yield f"label {name}: {value}"
    for state in shown.get("states", ()):
        word = "raises" if state["active"] else "clears"
        kept = ", but senders outside of the inventory have none" * (shown["device"] == UNKNOWN)
        yield f"{word}: {state['event']} {state['instance'] or '(of the device)'}{kept}"
    if event.verdict.action in _NOT_SHOWN:
        yield f"action: {event.verdict.action.value}: {_NOT_SHOWN[event.verdict.action]}"
    yield from _rule_lines(rules, event)


def _remark_lines(event: Event) -> Iterator[str]:
    """Tell what a message says of itself."""
    remarks = event.remarks()
    if remarks.device_time is not None:
        moment = datetime.fromtimestamp(remarks.device_time, UTC)
        yield f"device time: {moment.isoformat(sep=' ', timespec='milliseconds')}"
    if remarks.clock:
        yield f"clock: {remarks.clock}"
    if remarks.repeated:
        yield f"stands for: {remarks.repeated} messages"
    if remarks.faults:
        yield f"wrong with it: {', '.join(remarks.faults)}"


def _rule_lines(rules: RuleSet, event: Event) -> Iterator[str]:
    """Tell which rules match, and of those for this message which do not, and why."""
    _, trials = rules.explain(event.message)
    matched = [trial.rule for trial in trials if trial.matched]
    yield f"rules that match: {', '.join(matched) or 'none'}"
    for trial in trials:
        if not trial.matched and not trial.failed.startswith(_OF_OTHERS):
            yield f"  not {trial.rule}: {printable(trial.failed)}"
        if trial.matched:
            return


def sample_lines(families: Sequence[Family], prefix: str) -> list[str]:
    """Give all samples of events and of what *prefix* begins, as if none were held back."""
    lines: list[str] = []
    for moment in (0.0, _LONG_AGO):
        lines = []
        for family in families:
            family.scraped(moment)
            if family.name.startswith(("network_", prefix)) and "_exporter_" not in family.name:
                lines += (line.rstrip() for line in family.lines())
    return lines


def file_named(text: str) -> Path | None:
    """Give the file that *text* names; None where it names none, as most messages do."""
    path = Path(text)
    try:
        return path if path.is_file() else None
    except OSError:  # longer than any name, as messages may be
        return None
