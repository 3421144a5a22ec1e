"""The page of the OID dictionary in a real browser, with a keyboard alone, in light and in dark."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry

from exporters.smi.dictionary import Dictionary
from exporters.smi.mib_store import DirectoryFiles, MibStore
from exporters.web.oid_pages import oid_routes
from exporters.web.service import Service
from exporters.web.shell import build_app

from .chromium import CONTRAST, Page, chromium

pytestmark = pytest.mark.peer("chromium", "chromium")

RESULTS = "[...document.querySelectorAll('#oid-results a')].map(a => a.textContent)"
STATUS = "document.getElementById('oid-status').textContent"
FOCUS = "document.activeElement.textContent || document.activeElement.id"
HEADING = "document.querySelector('h2').textContent"
NAMED = frozenset(("link", "button", "searchbox", "navigation"))


async def _reload() -> None:
    """Nothing to reload."""


@pytest.fixture
async def url(repository: Path) -> AsyncIterator[str]:
    dictionary = Dictionary((MibStore(DirectoryFiles(repository / "modules" / "mibs")),))
    service = Service(
        name="snmp",
        title="SNMP exporter",
        registry=CollectorRegistry(),
        routes=tuple(oid_routes("SNMP exporter", lambda: dictionary)),
        running_config=lambda: "",
        reload=_reload,
    )
    async with TestServer(build_app(service), access_log=None) as server:
        yield str(server.make_url("/oid"))


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    async with chromium(tmp_path / "profile") as page:
        yield page
        assert page.complaints == []


async def _into_the_field(page: Page) -> None:
    await page.evaluate("document.querySelector('.home').focus()")
    await page.press("Tab")
    assert await page.evaluate(FOCUS) == "oid-query"


async def test_results_appear_while_one_types(page: Page, url: str) -> None:
    await page.open(url)
    await _into_the_field(page)

    await page.type("ifHCInOct")
    await page.until(f"{RESULTS}.length > 0")

    assert (await page.evaluate(RESULTS))[0] == "IF-MIB::ifHCInOctets"
    assert await page.evaluate("location.search") == ""


async def test_results_follow_what_is_typed_and_taken_back(page: Page, url: str) -> None:
    await page.open(url)
    await _into_the_field(page)

    await page.type("sysUpTimex")
    await page.until(f"{STATUS} === 'Nothing has that in its name.'")
    await page.press("Backspace")
    await page.until(f"{RESULTS}.includes('SNMPv2-MIB::sysUpTime')")
    for _ in "sysUpTime":
        await page.press("Backspace")
    await page.until(f"{STATUS} === '' && {RESULTS}.length === 0")


async def test_arrows_and_enter_lead_to_an_object(page: Page, url: str) -> None:
    await page.open(url)
    await _into_the_field(page)
    await page.type("ifHCInOct")
    await page.until(f"{RESULTS}.length > 0")

    await page.press("ArrowDown")
    assert await page.evaluate(FOCUS) == "IF-MIB::ifHCInOctets"
    await page.press("ArrowUp")
    assert await page.evaluate(FOCUS) == "oid-query"
    await page.press("ArrowDown")
    await page.press("Enter")
    await page.loaded()

    assert await page.evaluate(HEADING) == "IF-MIB::ifHCInOctets"


async def test_enter_in_the_field_asks_the_server(page: Page, url: str) -> None:
    await page.open(url)
    await _into_the_field(page)

    await page.type("ifOperStatus")
    await page.press("Enter")
    await page.loaded()

    assert await page.evaluate("location.search") == "?q=ifOperStatus"
    assert (await page.evaluate(RESULTS))[0] == "IF-MIB::ifOperStatus"


async def test_the_tree_is_walked_by_keyboard_from_the_root(page: Page, url: str) -> None:
    await page.open(url)
    for name in ("SNMPv2-SMI::org", "SNMPv2-SMI::dod", "SNMPv2-SMI::internet"):
        for _ in range(40):
            await page.press("Tab")
            if await page.evaluate(FOCUS) == name:
                break
        await page.press("Enter")
        await page.loaded()
        assert await page.evaluate(HEADING) == name


async def test_everything_works_without_scripts(page: Page, url: str) -> None:
    await page.send("Emulation.setScriptExecutionDisabled", value=True)
    await page.open(f"{url}?q=ifHCInOct")

    document = await page.send("DOM.getDocument")
    found = await page.send(
        "DOM.querySelector", nodeId=document["root"]["nodeId"], selector="#oid-results a"
    )
    html = await page.send("DOM.getOuterHTML", nodeId=found["nodeId"])

    assert "IF-MIB::ifHCInOctets" in html["outerHTML"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("query", ["", "?q=ifin", "?name=ifOperStatus", "?name=no"])
async def test_everything_can_be_read_in_light_and_in_dark(
    page: Page, url: str, scheme: str, query: str
) -> None:
    await page.prefer(scheme)
    await page.open(f"{url}{query}")

    is_dark = await page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert is_dark is (scheme == "dark")
    assert await page.evaluate(CONTRAST) >= 4.5
    page.complaints[:] = [text for text in page.complaints if "404" not in text]


async def test_a_narrow_screen_needs_no_sideways_scrolling(page: Page, url: str) -> None:
    await page.send(
        "Emulation.setDeviceMetricsOverride",
        width=360, height=800, deviceScaleFactor=1, mobile=False,
    )  # fmt: skip
    for query in ("", "?q=ifin", "?name=ifXTable"):
        await page.open(f"{url}{query}")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360


async def test_every_control_has_a_name(page: Page, url: str) -> None:
    await page.open(f"{url}?name=ifTable")
    tree = await page.send("Accessibility.getFullAXTree")

    controls = [
        (node["role"]["value"], node.get("name", {}).get("value"))
        for node in tree["nodes"]
        if not node.get("ignored") and node.get("role", {}).get("value") in NAMED
    ]

    assert {role for role, _ in controls} == NAMED
    assert [role for role, name in controls if not name] == []
