"""Patterns of rules on what senders write: no further than a message has to be read."""

from __future__ import annotations

import re
from typing import Final

from exporters.config.re2 import Regex

LONGEST_SEARCHED: Final = 1024
"""Characters, the longest message of RFC 3164. A pattern may take time that grows with the square
of a text, and a sender of 64 KiB would keep everybody waiting for a minute."""


def search(pattern: Regex, text: str) -> re.Match[str] | None:
    """Match anywhere in what is looked at of *text*."""
    return pattern.search(text[:LONGEST_SEARCHED])
