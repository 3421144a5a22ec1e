"""The log of one probe, for ``debug=true``: what was done, when, and how it ended.

The lines are those of the exporter's own log, where they go too, at level debug.
"""

from __future__ import annotations

import logging
from typing import Final

from exporters.logs import LogfmtFormatter, fields

_FORMATTER: Final = LogfmtFormatter()

logger = logging.getLogger(__name__)


class ProbeLog:
    """Lines about one probe; kept only where somebody asked for them."""

    def __init__(self, *, module: str, target: str, kept: bool) -> None:
        self._always: dict[str, object] = {"module": module, "target": target}
        self._kept = kept
        self._records: list[logging.LogRecord] = []

    def info(self, message: str, **values: object) -> None:
        """Tell what is done."""
        self._add(logging.INFO, message, values)

    def warning(self, message: str, **values: object) -> None:
        """Tell why the probe fails."""
        self._add(logging.WARNING, message, values)

    def text(self) -> str:
        """All lines."""
        return "".join(f"{_FORMATTER.format(record)}\n" for record in self._records)

    def _add(self, level: int, message: str, values: dict[str, object]) -> None:
        values = {**self._always, **values}
        logger.debug(message, extra=fields(**values))
        if self._kept:
            self._records.append(
                logging.makeLogRecord(
                    {
                        "name": "probe",
                        "levelno": level,
                        "levelname": logging.getLevelName(level),
                        "msg": message,
                        "fields": values,
                    }
                )
            )
