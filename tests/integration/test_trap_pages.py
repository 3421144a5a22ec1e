"""The trap exporter's pages in a real browser, with a device that sends markup in its varbinds."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.unit.events.watched import HOSTILE
from tests.unit.trap.conftest import head, interface, trap_v2c

from .chromium import Page, chromium
from .processes import Programs
from .trap_exporter import LINK_DOWN, TrapExporter, snmptrap

pytestmark = [pytest.mark.peer("chromium", "chromium"), pytest.mark.peer("snmptrap", "snmp")]

FOREIGN = (
    "document.querySelectorAll("
    "'main :is(table, pre, form, p) :is(img, script, iframe, [onclick])').length"
)
MARKUP = HOSTILE.partition("\x1b")[0]
OVERRIDE = "\u202e"


@asynccontextmanager
async def opened(exporter: TrapExporter, tmp_path: Path, path: str) -> AsyncIterator[Page]:
    async with chromium(tmp_path / "profile") as page:
        await page.open(f"http://127.0.0.1:{exporter.http.port}{path}")
        yield page


def hostile_trap(exporter: TrapExporter) -> None:
    row = "1.3.6.1.2.1.2.2.1"
    sent = snmptrap(
        *("-v", "2c", "-c", "sec<b>ret", exporter.target, "1000", LINK_DOWN),
        *(f"{row}.1.7", "i", "7", f"{row}.2.7", "s", HOSTILE),
    )
    assert sent.returncode == 0, sent.stderr


async def submit(page: Page, message: str, source: str) -> None:
    """Fill in the form as a person would."""
    for name, text in (("message", message), ("source", source)):
        field = f"document.getElementById('explain-{name}')"
        await page.evaluate(f"{field}.value = {json.dumps(text)}")
    await page.evaluate("document.querySelector('form[action=explain] button').click()")
    await page.loaded()


async def assert_harmless(page: Page, title: str) -> None:
    assert await page.evaluate(FOREIGN) == 0
    assert await page.evaluate("document.title") == title
    assert page.complaints == []


async def test_page_of_events_shows_markup_of_a_device_and_runs_none(
    programs: Programs, tmp_path: Path
) -> None:
    exporter = TrapExporter(programs)
    hostile_trap(exporter)
    exporter.wait_for_outcome("accepted", 1)
    async with opened(exporter, tmp_path, "/events") as page:
        await page.until("document.getElementById('events-status').textContent.startsWith('Live')")
        hostile_trap(exporter)  # by the stream
        await page.until("document.querySelectorAll('#events tr.new').length === 1")
        texts = await page.evaluate(
            "[...document.querySelectorAll('#events td.text')].map(cell => cell.textContent)"
        )
        await assert_harmless(page, "Events · Trap exporter")
        whole = await page.evaluate("document.documentElement.outerHTML")

    assert len(texts) == 2
    for text in texts:
        assert MARKUP in text
        assert OVERRIDE not in text
        assert "\x1b" not in text
    assert "sec<b>ret" not in whole
    assert "sec&lt;b&gt;ret" not in whole


async def test_page_that_explains_shows_markup_of_a_trap_and_runs_none(
    programs: Programs, tmp_path: Path
) -> None:
    exporter = TrapExporter(programs)
    trap = trap_v2c(*head(), *interface(7, HOSTILE))
    async with opened(exporter, tmp_path, "/explain") as page:
        await submit(page, trap.hex(), "127.0.0.1")
        explained = await page.evaluate("document.querySelector('main pre').textContent")
        await assert_harmless(page, "Explain · Trap exporter")

    assert explained.startswith("outcome: accepted")
    assert MARKUP in explained
    assert OVERRIDE not in explained
    assert "raises: link" in explained
    assert exporter.events() == []


@pytest.mark.parametrize(
    ("message", "source"),
    [
        pytest.param(f'"></textarea>{HOSTILE}', "127.0.0.1", id="message"),
        pytest.param("linkDown", f'">{HOSTILE}', id="source"),
    ],
)
async def test_page_that_explains_repeats_what_is_wrong_and_runs_none(
    message: str, source: str, programs: Programs, tmp_path: Path
) -> None:
    exporter = TrapExporter(programs)
    async with opened(exporter, tmp_path, "/explain") as page:
        await submit(page, message, source)
        told = await page.evaluate("document.querySelector('p.bad').textContent")
        kept = await page.evaluate(
            "['message', 'source'].map(name => document.getElementById('explain-' + name).value)"
        )
        assert await page.evaluate(FOREIGN) == 0

    assert "is no" in told
    assert kept == [message, source]
