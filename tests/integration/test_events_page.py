"""The page of events in a real browser: what arrives shows up, and nothing of it is executed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from exporters.events.intake import Intake
from tests.unit.events.conftest import make_message
from tests.unit.events.watched import HOSTILE, make_app, make_intake

from .chromium import Page, chromium

pytestmark = pytest.mark.peer("chromium", "chromium")

NEW_ROWS = "document.querySelectorAll('#events tr.new').length"


@asynccontextmanager
async def opened(intake: Intake, tmp_path: Path, path: str = "/events") -> AsyncIterator[Page]:
    """The page in a browser, once its stream is open."""
    async with TestServer(make_app(intake)) as server, chromium(tmp_path / "profile") as page:
        await page.open(str(server.make_url(path)))
        await page.until("document.getElementById('events-status').textContent.startsWith('Live')")
        yield page


async def test_new_event_appears_at_the_top_and_runs_nothing(tmp_path):
    intake = make_intake()
    intake.take(make_message(HOSTILE, HOSTILE))
    async with opened(intake, tmp_path) as page:
        intake.take(make_message("linkDown", HOSTILE))
        await page.until(f"{NEW_ROWS} === 1")
        texts = await page.evaluate(
            "[...document.querySelectorAll('#events td.text')].map(cell => cell.textContent)"
        )
        others = await page.evaluate("document.querySelectorAll('#events :is(img, script)').length")
        title = await page.evaluate("document.title")
        complaints = page.complaints

    assert [text.startswith("<script>document.title") for text in texts] == [True, True]
    assert others == 0
    assert title == "Events · SNMP trap exporter"
    assert complaints == []


async def test_filter_holds_for_what_arrives_too(tmp_path):
    intake = make_intake()
    async with opened(intake, tmp_path, "/events?device=edge-1") as page:
        intake.take(make_message("linkDown"))
        intake.take(make_message("linkUp", device="edge-1"))
        await page.until(f"{NEW_ROWS} === 1")

        names = "[...document.querySelectorAll('#events tr')].map(row => row.cells[4].textContent)"
        assert await page.evaluate(names) == ["linkUp"]


async def test_page_stands_still_while_it_is_paused(tmp_path):
    intake = make_intake()
    async with opened(intake, tmp_path) as page:
        await page.evaluate("document.getElementById('events-pause').click()")
        for _ in range(3):
            intake.take(make_message("linkDown"))
        await page.until(
            "document.getElementById('events-status').textContent === 'Paused, 3 waiting.'"
        )
        assert await page.evaluate(NEW_ROWS) == 0

        await page.evaluate("document.getElementById('events-pause').click()")
        await page.until(f"{NEW_ROWS} === 3")


async def test_storm_leaves_a_page_of_limited_length(tmp_path):
    intake = make_intake()
    async with opened(intake, tmp_path) as page:
        for _ in range(20):
            for _ in range(100):
                intake.take(make_message("linkDown"))
            await asyncio.sleep(0.01)
        await page.until(f"{NEW_ROWS} >= 400")

        assert await page.evaluate("document.querySelectorAll('#events tr').length") <= 500


async def test_long_message_breaks_no_word_of_other_columns(tmp_path):
    intake = make_intake()
    intake.take(make_message("bgpBackwardTransition", "x" * 300, device="switch-1"))
    async with opened(intake, tmp_path) as page:
        await page.send(
            "Emulation.setDeviceMetricsOverride",
            width=1200,
            height=700,
            deviceScaleFactor=1,
            mobile=False,
        )
        heights = "[...document.querySelectorAll('#events td:not(.text)')].map((cell) => {"
        lines = "const range = document.createRange(); range.selectNodeContents(cell);"
        count = "return new Set([...range.getClientRects()].map((box) => box.top)).size; })"
        assert await page.evaluate(f"{heights}{lines}{count}") == [1, 1, 1, 1, 1]


async def test_page_is_not_wider_than_a_telephone(tmp_path):
    intake = make_intake()
    intake.take(make_message("linkDown", "x" * 300))
    async with opened(intake, tmp_path) as page:
        await page.send(
            "Emulation.setDeviceMetricsOverride",
            width=380,
            height=800,
            deviceScaleFactor=1,
            mobile=False,
        )
        assert await page.evaluate("document.documentElement.scrollWidth") <= 380
