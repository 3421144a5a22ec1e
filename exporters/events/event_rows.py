"""Events as they are shown to people: cells of the table of ``/events``.

The same cells go into the page and, as values, to the script that adds rows while it is open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from exporters.events.event import Event, printable
from exporters.web.markup import Html, element

HEADINGS: Final = ("Time (UTC)", "Device", "Severity", "Event", "Name", "Message")
_BAD: Final = frozenset(("emergency", "alert", "critical", "error"))
_MOST_CHARACTERS: Final = 1000
_TIME_FORMAT: Final = "%Y-%m-%d %H:%M:%S"
_SAME_SECONDS: Final = 1.0
"""A device's time that is no further away than this is not shown beside that of arrival."""


def shown(event: Event) -> dict[str, Any]:
    """Give what a row has that ``Event.as_json`` has not, or has in another form."""
    moment = datetime.fromtimestamp(event.message.received_at, UTC)
    return {
        "time": f"{moment:{_TIME_FORMAT}}",
        "datetime": moment.isoformat(timespec="milliseconds"),
        "device_time": _device_time(event),
        "class": "bad" if event.verdict.severity in _BAD else "",
        "device": _device(event),
        "name": printable(event.message.name),
        "text": printable(event.text(), _MOST_CHARACTERS),
    }


def row(event: Event) -> dict[str, Any]:
    """Give all that a row has."""
    verdict = event.verdict
    return {
        "id": event.number,
        "severity": verdict.severity,
        "event": verdict.event,
        "shown": shown(event),
    }


def table(rows: Sequence[Mapping[str, Any]]) -> Html:
    """Write the table, the newest event first."""
    heading = element("tr", *(element("th", text, scope="col") for text in HEADINGS))
    return element(
        "div",
        element(
            "table",
            element("thead", heading),
            element("tbody", *map(_written, rows), id="events"),
            class_="events",
        ),
        class_="table",
    )


def _written(row: Mapping[str, Any]) -> Html:
    cells = row["shown"]
    time = element("time", cells["time"], datetime=cells["datetime"])
    device_time = element("small", cells["device_time"]) if cells["device_time"] else ""
    return element(
        "tr",
        element("td", time, device_time),
        element("td", cells["device"]),
        element("td", row["severity"], class_=cells["class"] or None),
        element("td", row["event"]),
        element("td", cells["name"]),
        element("td", cells["text"], class_="text"),
    )


def _device_time(event: Event) -> str:
    """The time that the device tells, where it is another than that of arrival."""
    time = event.remarks().device_time
    if time is None or abs(time - event.message.received_at) < _SAME_SECONDS:
        return ""
    return f"device: {datetime.fromtimestamp(time, UTC):{_TIME_FORMAT}}"


def _device(event: Event) -> str:
    """The device, or the address of a sender that has no name."""
    message = event.message
    return message.device if message.device != "unknown" else f"unknown ({message.source})"
