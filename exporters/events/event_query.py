"""The query of ``/events``, ``/events.json`` and ``/events/stream``: which events somebody wants.

``device``, ``event`` (both repeatable), ``severity`` (this or worse), ``text``, ``since`` and
``until`` (Unix time, RFC 3339, or a duration before now such as ``15m``), ``limit``, ``before``.
An empty parameter is none, as a form sends it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from multidict import MultiMapping

from exporters.config.event_taxonomy import EVENTS, SEVERITIES
from exporters.config.go_duration import parse_duration
from exporters.errors import BadRequest
from exporters.events.recent import Query

_MOST_SHOWN = 1000
_SHOWN = 200
_LONGEST_TEXT = 200
_MOST_DIGITS = 18
_UNIX_TIME = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")
PARAMETERS = ("device", "event", "severity", "text", "since", "until", "limit", "before")


class EventQuery(NamedTuple):
    """What to show, and how much of it."""

    query: Query
    limit: int
    before: int


def read_event_query(parameters: MultiMapping[str], now: float) -> EventQuery:
    """Read the query of a request.

    Raises:
        BadRequest: A parameter is unknown, or its value cannot be.
    """
    if unknown := sorted(set(parameters) - set(PARAMETERS)):
        raise BadRequest(f"unknown parameter {unknown[0]!r}; known: {', '.join(PARAMETERS)}")
    events = frozenset(filter(None, parameters.getall("event", [])))
    if wrong := sorted(events - set(EVENTS)):
        raise BadRequest(f"unknown event {wrong[0]!r}; known: {', '.join(EVENTS)}")
    severity = parameters.get("severity", "")
    if severity and severity not in SEVERITIES:
        raise BadRequest(f"unknown severity {severity!r}; known: {', '.join(SEVERITIES)}")
    text = parameters.get("text", "").strip()
    if len(text) > _LONGEST_TEXT:
        raise BadRequest(f"text is longer than {_LONGEST_TEXT} characters")
    query = Query(
        devices=frozenset(filter(None, parameters.getall("device", []))),
        events=events,
        severity=severity,
        text=text,
        since=_time(parameters, "since", now),
        until=_time(parameters, "until", now),
    )
    limit = _number(parameters, "limit") or _SHOWN
    return EventQuery(query, min(limit, _MOST_SHOWN), _number(parameters, "before"))


def _number(parameters: Mapping[str, str], name: str) -> int:
    text = parameters.get(name, "")
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise BadRequest(f"{name}={text[:30]!r} is not a number")
    return int(text)


def _time(parameters: Mapping[str, str], name: str, now: float) -> float:
    """Read a time; 0 for none."""
    text = parameters.get(name, "").strip()
    if not text:
        return 0.0
    try:
        if _UNIX_TIME.fullmatch(text):
            return float(text)
        return _written_time(text, now)
    except ValueError as error:
        hint = "write Unix time, 2026-01-31T12:00:00Z, or 15m for 15 minutes ago"
        raise BadRequest(f"{name}={text[:40]!r} is not a time; {hint}") from error


def _written_time(text: str, now: float) -> float:
    try:
        return now - parse_duration(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
