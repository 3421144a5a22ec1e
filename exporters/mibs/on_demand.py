"""The dictionary of a command or an exporter, opened when somebody asks.

Opening takes a moment, and longer where a user's files are to be compiled; a process that never
looks anything up does not even import the code. What is wrong in the user's files is logged here.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from exporters.errors import NetexportersError
from exporters.logs import fields
from exporters.smi.mib_findings import Severity
from exporters.smi.oid_names import has_oids, name_oids

if TYPE_CHECKING:
    from exporters.smi.dictionary import Dictionary

logger = logging.getLogger(__name__)


class DictionaryOnDemand:
    """The dictionary of some directories and of what ships, for any thread."""

    def __init__(self, directories: Sequence[Path], cache: Path | None) -> None:
        self._directories = directories
        self._cache = cache
        self._lock = threading.Lock()
        self._dictionary: Dictionary | None = None

    def get(self) -> Dictionary:
        """The dictionary; the first call opens it.

        Raises:
            ConfigError: As ``exporters.mibs.opening.open_with_directories``.
        """
        with self._lock:
            if self._dictionary is None:
                self._dictionary = _open(self._directories, self._cache)
            return self._dictionary

    def name_oids(self, text: str) -> str:
        """Write names beside the OIDs in *text*; where nothing can be looked up, it stays so."""
        if not has_oids(text):
            return text
        try:
            return name_oids(self.get(), text)
        except (NetexportersError, OSError, ValueError) as error:
            logger.warning("OID dictionary not readable", extra=fields(err=error))
            return text


def _open(directories: Sequence[Path], cache: Path | None) -> Dictionary:
    # Here and not above: see the first lines.
    from exporters.mibs.opening import open_with_directories

    opened = open_with_directories(directories, cache)
    errors = [problem for problem in opened.problems if problem.severity is Severity.ERROR]
    if errors:
        logger.warning(
            "MIB files have errors, which netexporters mib compile tells",
            extra=fields(errors=len(errors), first=errors[0], compiled=opened.summary),
        )
    return opened.dictionary
