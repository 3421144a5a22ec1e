"""The pages that Prometheus serves of devices and interfaces, in a browser, on the demo."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest

from .chromium import CONTRAST, Page, chromium
from .demo import DEVICE, LINK, DemoPrometheus
from .namespaces import needs_root
from .processes import Programs, until

pytestmark = [
    needs_root,
    pytest.mark.peer("prometheus", "prometheus"),
    pytest.mark.peer("chromium", "chromium"),
    pytest.mark.peer("unshare", "util-linux"),
]
PAGES = {
    "index": "/consoles/index.html?range=15m",
    "device": f"/consoles/device.html?device={DEVICE}&range=15m",
    "interface": f"/consoles/interface.html?device={DEVICE}&interface={LINK}&range=15m",
}
DRAWN = 'document.documentElement.dataset.done === "true"'
EMPTY_CHARTS = """
[...document.querySelectorAll("figure")].filter(figure => !figure.querySelector("path, rect"))
  .map(figure => figure.textContent.trim())
"""
EMPTY_COLUMNS = """
[...document.querySelectorAll("th[data-query]")].filter(head =>
  [...head.closest("table").tBodies[0].rows].every(row =>
    ["", "-"].includes(row.cells[head.cellIndex].textContent))).map(head => head.textContent)
"""
NOTES = '[...document.querySelectorAll("figure p, .table p")].map(note => note.textContent)'
AT_LEAST = {"index": (4, 8), "device": (6, 6), "interface": (6, 0)}
"""Charts, and columns that are filled."""


@pytest.fixture(scope="module")
def prometheus(module_programs: Programs) -> DemoPrometheus:
    demo = DemoPrometheus(module_programs)
    rates = f'interface:in_errors:ratio5m{{device="{DEVICE}"}}'
    until(lambda: demo.query(rates), "rules have been evaluated", 120.0)
    events = f'sum by (event) (rate(network_events_total{{device="{DEVICE}"}}[5m])) > 0'
    until(lambda: demo.query(events), "the link went down and came up", 60.0)
    return demo


async def open_page(page: Page, prometheus: DemoPrometheus, path: str) -> None:
    await page.open(f"{prometheus.url}{path}")
    await page.until(DRAWN)


@pytest.mark.parametrize("name", PAGES)
async def test_every_chart_and_column_of_a_page_shows_something(
    prometheus: DemoPrometheus, tmp_path: Path, name: str
) -> None:
    async with chromium(tmp_path) as page:
        await open_page(page, prometheus, PAGES[name])
        charts, columns = AT_LEAST[name]
        assert await page.evaluate('document.querySelectorAll("figure").length') >= charts
        heads = 'document.querySelectorAll("th[data-query]").length'
        assert await page.evaluate(heads) >= columns
        assert await page.evaluate(EMPTY_CHARTS) == []
        assert await page.evaluate(EMPTY_COLUMNS) == []
        assert await page.evaluate(NOTES) == []
        assert page.complaints == []


@pytest.mark.parametrize("name", PAGES)
async def test_page_can_be_read_in_light_and_dark_and_on_a_telephone(
    prometheus: DemoPrometheus, tmp_path: Path, name: str
) -> None:
    async with chromium(tmp_path) as page:
        for scheme in ("light", "dark"):
            await page.prefer(scheme)
            await open_page(page, prometheus, PAGES[name])
            assert await page.evaluate(CONTRAST) >= 4.5, scheme
        small = {"width": 380, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        await page.send("Emulation.setDeviceMetricsOverride", **small)
        await open_page(page, prometheus, PAGES[name])
        assert await page.evaluate("document.documentElement.scrollWidth") <= 380


async def test_links_lead_from_all_devices_to_one_interface(
    prometheus: DemoPrometheus, tmp_path: Path
) -> None:
    async with chromium(tmp_path) as page:
        await open_page(page, prometheus, PAGES["index"])
        for name in (DEVICE, LINK):
            links = '[...document.querySelectorAll("tbody a")]'
            await page.evaluate(f'{links}.find(link => link.textContent === "{name}").click()')
            await page.loaded()
        assert await page.evaluate('document.querySelector("h1").textContent') == f"{DEVICE} {LINK}"
        assert "range=15m" in await page.evaluate("location.search")


async def test_page_asks_nobody_but_its_prometheus(
    prometheus: DemoPrometheus, tmp_path: Path
) -> None:
    async with chromium(tmp_path) as page:
        await open_page(page, prometheus, PAGES["device"])
        asked = await page.evaluate(
            'performance.getEntriesByType("resource").map(entry => new URL(entry.name).origin)'
        )
        assert set(asked) <= {prometheus.url, "null"}
        assert len(asked) > 10


async def test_names_are_not_markup_and_no_part_of_a_query(
    prometheus: DemoPrometheus, tmp_path: Path
) -> None:
    name = '"} or up{x="<script>document.title = 1</script>'
    async with chromium(tmp_path) as page:
        for file in ("device", "interface"):
            asked = urlencode({"device": name, "interface": name})
            await open_page(page, prometheus, f"/consoles/{file}.html?{asked}")
            text = await page.evaluate("document.body.textContent")
            assert f"is called {name}." in text
            assert await page.evaluate("document.title") != "1"
            assert page.complaints == []


async def test_page_is_of_use_without_javascript(prometheus: DemoPrometheus) -> None:
    async def words(path: str) -> str:
        text = await asyncio.to_thread(prometheus.fetch, path)
        return " ".join(re.sub(r"<style>.*?</style>|<[^>]*>", " ", text, flags=re.S).split())

    assert f"{DEVICE} demo access up" in await words(PAGES["index"])
    assert re.search(r"Uplink2 to core-sw-01 up", await words(PAGES["device"]))
    assert "Should be up" in await words(PAGES["interface"])


@pytest.mark.parametrize("file", ["device", "interface"])
async def test_page_that_is_asked_for_nothing_says_what_it_wants(
    prometheus: DemoPrometheus, file: str
) -> None:
    text = await asyncio.to_thread(prometheus.fetch, f"/consoles/{file}.html")
    assert "The address must name one" in text
