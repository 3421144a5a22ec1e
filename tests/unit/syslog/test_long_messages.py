"""Messages made to be slow to judge, which must not keep others waiting."""

from __future__ import annotations

import re
import time

import pytest

from exporters.events.rule_files import load_rules
from exporters.events.searching import search

PATTERNS = {
    rule.name: rule.match.message
    for rule in load_rules("syslog", (), shipped=True)
    if rule.match.message is not None
}
FILLS = ("a", "a-", "A", "1", "1.", "Gi0/1 ", " ", " neighbor ", "Switch 1 ")
MOST_SECONDS = 0.25
"""Fifty times what the slowest takes, as machines are busy; without a limit it takes minutes."""


@pytest.mark.parametrize("name", PATTERNS)
def test_shipped_pattern_is_soon_done_with_any_text(name: str) -> None:
    pattern = PATTERNS[name]
    words = ("", *re.findall(r"[A-Za-z][A-Za-z ]{3,}", pattern.source)[:2])
    texts = [(word + fill * 60_000)[:60_000] for word in words for fill in FILLS]
    slowest = 0.0
    for text in texts:
        started_at = time.process_time()
        search(pattern, text)
        slowest = max(slowest, time.process_time() - started_at)
    assert slowest < MOST_SECONDS
