"""The pages of the ICMP exporter, against a pretend network of good, bad and dead hosts."""

from __future__ import annotations

import html
import re
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest

from .chromium import CONTRAST, Page, chromium
from .inside import inside
from .namespaces import EchoNetwork, Namespace, echo_network, needs_root, network_namespace
from .processes import NETEXPORTERS, Programs, until

pytestmark = [needs_root, pytest.mark.peer("ip", "iproute2")]

ADDRESS = "127.0.0.1:9374"
HOSTILE = "<script>alert(1)</script>"
CONFIG = f"""
groups:
  core:
    hosts: [10.9.1.1, 10.9.1.2, {{host: 10.9.1.3, labels: {{site: "{HOSTILE}"}}}}]
    interval: 50ms
    timeout: 200ms
    path: true
    pmtu: true
  edge:
    hosts: [10.9.2.1]
    dscp: [0, 46]
    interval: 100ms
"""
NETWORK = {
    "10.9.1.1": {"hops": ["10.9.9.1", "10.9.9.2"], "answers": {"delay_seconds": 0.01}},
    "10.9.1.2": {"answers": {"drop_rate": 0.3}, "mtu": 1400, "mtu_reporter": "10.9.9.1"},
    "10.9.1.3": {"error": [3, 13], "reporter": "10.9.9.1"},
}


def get(path: str) -> str:
    with urllib.request.urlopen(f"http://{ADDRESS}{path}", timeout=10) as response:
        return response.read().decode()


def metric(text: str, name: str, **labels: str) -> float | None:
    for line in text.splitlines():
        if line.startswith(f"{name}{{") and all(f'{k}="{v}"' in line for k, v in labels.items()):
            return float(line.rpartition(" ")[2])
    return None


@pytest.fixture(scope="module")
def namespace() -> Iterator[Namespace]:
    with network_namespace() as namespace, inside(namespace):
        yield namespace


@pytest.fixture(scope="module")
def network(
    namespace: Namespace, module_programs: Programs, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EchoNetwork]:
    """The exporter has pinged the network for long enough to know its paths and MTUs."""
    config = tmp_path_factory.mktemp("icmp") / "icmp.yml"
    config.write_text(CONFIG)
    with echo_network(namespace) as network:
        network.change(NETWORK)
        module_programs.start(
            *namespace.command(NETEXPORTERS),
            "icmp",
            f"--config.file={config}",
            f"--web.listen-address={ADDRESS}",
        )
        until(_knows_all, "all paths and MTUs are known", 60)
        yield network


def _knows_all() -> bool:
    try:
        text = get("/metrics")
    except (urllib.error.URLError, ConnectionError):
        return False
    return (
        metric(text, "icmp_path_hops", host="10.9.1.1") == 3
        and metric(text, "icmp_path_mtu_bytes", host="10.9.1.2") == 1400
        and (metric(text, "icmp_sent_total", host="10.9.2.1") or 0) > 100
    )


def page_of(host: str) -> str:
    row = re.search(rf'href="(target\?id=[0-9a-f]+)">{re.escape(host)}<', get("/"))
    assert row is not None
    return get(f"/{html.unescape(row[1])}")


def words(text: str) -> str:
    """What a reader sees, without markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


def listed(page: str) -> list[str]:
    return re.findall(r'href="target\?id=[0-9a-f]+">([^<]*)<', page)


def test_list_has_every_target_the_worst_first(network: EchoNetwork) -> None:
    page = get("/")
    assert listed(page) == ["10.9.1.3", "10.9.1.2", "10.9.1.1", "10.9.2.1", "10.9.2.1"]
    assert "5 targets: 1 down, 1 losing, 3 up." in words(page)
    assert "DSCP 46" in words(page)


@pytest.mark.parametrize(
    ("query", "hosts"),
    [
        ({"q": "edge"}, ["10.9.2.1", "10.9.2.1"]),
        ({"q": "core 1.1"}, ["10.9.1.1"]),
        ({"state": "down"}, ["10.9.1.3"]),
        ({"sort": "name"}, ["10.9.1.1", "10.9.1.2", "10.9.1.3", "10.9.2.1", "10.9.2.1"]),
        ({"q": HOSTILE}, ["10.9.1.3"]),
        ({"q": "nobody"}, []),
        ({"state": "?", "sort": "?", "page": "-1"}, None),
        ({"page": "99999999999"}, None),
    ],
)
def test_list_shows_what_is_asked_for(
    query: dict[str, str], hosts: list[str] | None, network: EchoNetwork
) -> None:
    page = get(f"/?{urlencode(query)}")
    assert listed(page) == hosts or (hosts is None and len(listed(page)) == 5)
    assert "<script" not in page


def test_charts_are_whole_and_say_in_words_what_they_show(network: EchoNetwork) -> None:
    charts = re.findall(r"<svg.*?</svg>", get("/"))
    assert len(charts) == 5
    for chart in charts:
        assert re.match(r"the last \d+ pings, \d+ of them lost", _label(chart))


def _label(chart: str) -> str:
    return ElementTree.fromstring(chart).get("aria-label", "")


def test_page_of_a_target_shows_its_path_and_its_mtu(network: EchoNetwork) -> None:
    text = words(page_of("10.9.1.1"))
    assert re.search(r"Hop Address Loss Time 1 10\.9\.9\.1 .* 2 10\.9\.9\.2 .* 3 10\.9\.1\.1", text)
    assert "65000 bytes" in text
    assert "1400 bytes, as 10.9.9.1 says" in words(page_of("10.9.1.2"))


def test_page_of_a_rejected_target_shows_its_outage_and_its_error(network: EchoNetwork) -> None:
    page = page_of("10.9.1.3")
    text = words(page)
    assert "reported by 10.9.9.1" in text
    assert "type 3, code 13" in text
    assert "prohibited" in text.partition("Outages")[2]
    assert "The path when losses began" in text
    assert "<script" not in page
    assert HOSTILE in text


def test_page_of_nobody_is_refused_with_words(network: EchoNetwork) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        get("/target?id=0123456789abcdef")
    assert caught.value.code == 400
    assert "no target has this id" in caught.value.read().decode()


def test_pages_allow_nothing_from_elsewhere(network: EchoNetwork) -> None:
    with urllib.request.urlopen(f"http://{ADDRESS}/", timeout=10) as response:
        policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_outage_that_ends_is_told_with_its_length(network: EchoNetwork) -> None:
    def outages() -> str:
        return words(page_of("10.9.2.1")).partition("Outages")[2]

    network.change({"10.9.2.1": {"lose_every": 1}})
    until(lambda: get("/?q=edge&state=down").count("target?id=") == 2, "both targets are down")
    assert "lasts" in outages()
    network.change({"10.9.2.1": {}})
    # Two targets have the address, and the page of either is that of the worse one.
    until(lambda: re.search(r"UTC [\d.]+ s \d+ timeout", outages()), "its end is shown")


# --- in a real browser --------------------------------------------------------------------------


@pytest.fixture
async def page(network: EchoNetwork, tmp_path: Path) -> AsyncIterator[Page]:
    """A browser in the namespace, with the list before it."""
    async with chromium(tmp_path / "profile") as page:
        await page.open(f"http://{ADDRESS}/")
        yield page
        assert page.complaints == []


in_chromium = pytest.mark.peer("chromium", "chromium")
FOCUS = "document.activeElement.textContent || document.activeElement.name"


@in_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_can_be_read_and_charts_be_seen(scheme: str, page: Page) -> None:
    await page.prefer(scheme)
    assert await page.evaluate(CONTRAST) >= 4.5
    colours = await page.evaluate(
        "['chart', 'smoke', 'loss', 'middle'].map(name => {"
        " const style = getComputedStyle(document.querySelector('.' + name));"
        " return {chart: style.backgroundColor, middle: style.stroke}[name] || style.fill; })"
    )
    assert len(set(colours)) == 4
    sizes = await page.evaluate(
        "[...document.querySelectorAll('path.smoke, path.loss')]"
        ".map(path => path.getBoundingClientRect()).map(box => box.width * box.height)"
    )
    assert len(sizes) >= 4
    assert min(sizes) > 0


@in_chromium
async def test_target_is_found_and_opened_with_the_keyboard_alone(page: Page) -> None:
    for _ in range(20):
        await page.press("Tab")
        if await page.evaluate("document.activeElement.name") == "q":
            break
    await page.type("10.9.1.1")
    await page.press("Enter")
    await page.loaded()
    assert await page.evaluate("location.search") == "?q=10.9.1.1&state=&sort=state"
    for _ in range(20):
        await page.press("Tab")
        if await page.evaluate(FOCUS) == "10.9.1.1":
            break
    await page.press("Enter")
    await page.loaded()
    assert await page.evaluate("document.querySelector('h1').textContent") == "10.9.1.1"
    assert await page.evaluate("document.querySelector('figure .chart').clientWidth") > 300


@in_chromium
async def test_pages_fit_a_narrow_screen(page: Page) -> None:
    await page.send(
        "Emulation.setDeviceMetricsOverride",
        width=360,
        height=800,
        deviceScaleFactor=1,
        mobile=False,
    )
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    await page.evaluate("document.querySelector('td a').click()")
    await page.loaded()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
