"""Which text format a scrape gets: HTTP content negotiation as Prometheus' exporters do it.

Two formats are served. Prometheus' own text format 0.0.4 goes to whoever does not ask for another.
OpenMetrics 1.0 goes to clients that rank it above, which Prometheus itself does:

    Accept: application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,
            text/plain;version=0.0.4;q=0.5,*/*;q=0.1

The ``escaping`` parameter may be ignored, because every name served is of the classic character
set and reads the same under each scheme. Nothing is ever answered with 406.

Sources: RFC 9110 section 12.4.2 and 12.5.1; Prometheus documentation, "Exposition formats" and
"Content negotiation".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class TextFormat(Enum):
    """A text format of metrics; the value is its Content-Type."""

    PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

    @property
    def content_type(self) -> str:
        """The complete value of the Content-Type header."""
        return self.value


@dataclass(frozen=True, slots=True)
class Preference:
    """One element of an ``Accept`` or ``Accept-Encoding`` header."""

    value: str
    parameters: Mapping[str, str]
    quality: float


def parse_preferences(header: str) -> list[Preference]:
    """Parse ``value;parameter=x;q=0.5, value...``, best first; equal ones keep their order.

    Names are lower case in the result. Elements of quality 0 ("not this one") are kept at the end.
    A quality that is no number from 0 to 1 counts as 1, as if it were not written.
    """
    preferences = []
    for element in header.split(","):
        value, *rest = element.split(";")
        if not value.strip():
            continue
        parameters = {}
        for parameter in rest:
            name, _, text = parameter.partition("=")
            parameters[name.strip().lower()] = text.strip().strip('"')
        quality = _parse_quality(parameters.pop("q", "1"))
        preferences.append(Preference(value.strip().lower(), parameters, quality))
    return sorted(preferences, key=lambda preference: -preference.quality)


def _parse_quality(text: str) -> float:
    try:
        quality = float(text)
    except ValueError:
        return 1.0
    return quality if 0.0 <= quality <= 1.0 else 1.0


def negotiate_text_format(accept: str) -> TextFormat:
    """Choose the format for a request with this ``Accept`` header ("" where it has none)."""
    for preference in parse_preferences(accept):
        if preference.quality == 0:
            break
        version = preference.parameters.get("version", "")
        match preference.value:
            case "application/openmetrics-text" if version in ("", "1.0.0"):
                return TextFormat.OPENMETRICS
            case "text/plain" if version in ("", "0.0.4"):
                return TextFormat.PROMETHEUS
            case "text/*" | "*/*":
                return TextFormat.PROMETHEUS
    return TextFormat.PROMETHEUS
