"""The pages of the OID dictionary, as a browser without scripts gets them, and the JSON."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient

from exporters.errors import ConfigError
from exporters.smi.dictionary import Dictionary
from exporters.smi.mib_objects import Convention, Kind, LinkedModule, MibObject, Syntax
from exporters.smi.mib_store import DirectoryFiles, MemoryFiles, MibStore, build_files
from exporters.web.oid_pages import oid_routes
from exporters.web.service import Service
from exporters.wire.ber import encode_oid


@pytest.fixture(scope="module")
def dictionary(repository: Path) -> Dictionary:
    return Dictionary((MibStore(DirectoryFiles(repository / "modules" / "mibs")),))


@pytest.fixture
async def client(
    connect: Callable[..., Awaitable[TestClient]], service: Service, dictionary: Dictionary
) -> TestClient:
    routes = oid_routes("Tiny exporter", lambda: dictionary)
    return await connect(replace(service, routes=tuple(routes)))


async def page(client: TestClient, query: str = "", status: int = 200) -> str:
    async with client.get(f"/oid{query}") as response:
        text = await response.text()
    assert response.status == status, text
    assert response.content_type == "text/html"
    return text


async def answer(client: TestClient, query: str = "", status: int = 200) -> dict:
    async with client.get(f"/oid.json{query}") as response:
        assert response.status == status
        return await response.json()


def links(text: str) -> dict[str, str]:
    """Link texts and where they lead, of the main part of a page."""
    main = text.partition("<main>")[2].partition("<script>")[0]
    found = re.findall(r'<a href="([^"]*)">(.*?)</a>', main)
    return {unescape(re.sub("<.*?>", "", words)): unescape(target) for target, words in found}


async def test_the_page_starts_at_the_root(client: TestClient) -> None:
    text = await page(client)

    assert links(text)["SNMPv2-SMI::org"] == "oid?name=SNMPv2-SMI%3A%3Aorg"
    assert "The root" in text


async def test_a_search_lists_links(client: TestClient) -> None:
    text = await page(client, "?q=ifOperSt")

    assert links(text)["IF-MIB::ifOperStatus"] == "oid?name=IF-MIB%3A%3AifOperStatus"
    assert 'value="ifOperSt"' in text


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?q=nothing+of+the+kind", "Nothing has that in its name."),
        ("?q=IF-MIB::ifOperStatus", "1 object."),
        ("?q=IF-MIB::ifHC", "10 objects."),
        ("?q=table", "The first 50 objects."),
    ],
)
async def test_results_are_counted_in_words(client: TestClient, query: str, count: str) -> None:
    assert f'role="status">{count}<' in await page(client, query)


async def test_an_object_is_told_with_its_metric_and_the_way_to_it(client: TestClient) -> None:
    text = await page(client, "?name=IF-MIB::ifOperStatus")
    found = links(text)

    assert found["iso"] == "oid"
    assert found["mib-2 (1)"] == "oid?name=1.3.6.1.2.1"
    assert found["IF-MIB::ifIndex"] == "oid?name=IF-MIB%3A%3AifIndex"
    assert '<li aria-current="page">ifOperStatus (8)</li>' in text
    assert "<li>7 lowerLayerDown</li>" in text
    assert "- name: ifOperStatus\n  oid: 1.3.6.1.2.1.2.2.1.8\n  type: gauge\n" in text


async def test_every_step_from_the_root_down_is_a_link(client: TestClient) -> None:
    text = await page(client)
    for name in (
        "SNMPv2-SMI::org", "SNMPv2-SMI::dod", "SNMPv2-SMI::internet", "SNMPv2-SMI::mgmt",
        "SNMPv2-SMI::mib-2", "IF-MIB::interfaces", "IF-MIB::ifTable", "IF-MIB::ifEntry",
        "IF-MIB::ifDescr",
    ):  # fmt: skip
        text = await page(client, links(text)[name].removeprefix("oid"))

    assert "<h2>IF-MIB::ifDescr</h2>" in text


async def test_an_instance_is_told_apart_from_its_object(client: TestClient) -> None:
    text = await page(client, "?name=1.3.6.1.2.1.2.2.1.2.7")

    assert "<h2>IF-MIB::ifDescr</h2>" in text
    assert "The instance asked for is <code>7</code>." in text


async def test_a_number_without_a_name_leads_on(client: TestClient) -> None:
    text = await page(client, "?name=1.3.6.1.4.1.171")

    assert "<h2>1.3.6.1.4.1.171</h2>" in text
    assert "This number has no name of its own" in text
    assert "Below it" in text


async def test_what_becomes_no_metric_says_why(client: TestClient) -> None:
    text = await page(client, "?name=alarmActiveVariableOpaqueVal")

    assert "It becomes no metric: the type Opaque" in text


async def test_an_unknown_name_is_answered_with_a_likely_one(client: TestClient) -> None:
    text = await page(client, "?name=ifOpersStatus", status=404)

    assert "did you mean ifOperStatus?" in text
    assert 'role="alert"' in text


async def test_many_children_come_in_parts(client: TestClient) -> None:
    first = await page(client, "?name=1.3.6.1.4.1.9.1")
    (rest,) = [target for words, target in links(first).items() if words.endswith(" more")]
    second = await page(client, rest.removeprefix("oid"))
    names = [{name for name in links(text) if "::" in name} for text in (first, second)]

    assert len(names[0]) > 400
    assert len(names[1]) > 400
    assert names[0] & names[1] == set()


@pytest.mark.parametrize(
    "query", [f"?q={'x' * 201}", f"?name={'1.' * 101}", "?name=ifTable&start=x", "?start=-1"]
)
async def test_a_query_that_cannot_be_is_refused(client: TestClient, query: str) -> None:
    for path in ("/oid", "/oid.json"):
        async with client.get(f"{path}{query}") as response:
            assert response.status == 400


async def test_json_finds_what_the_page_finds(client: TestClient) -> None:
    found = await answer(client, "?q=ifOperSt")

    assert found["query"] == "ifOperSt"
    assert found["results"][0] == {
        "name": "IF-MIB::ifOperStatus", "oid": "1.3.6.1.2.1.2.2.1.8", "kind": "column",
        "type": "INTEGER", "access": "read-only", "status": "current", "help": "",
    }  # fmt: skip
    assert (await answer(client, "?q=table"))["more"] is True


async def test_json_tells_all_of_an_object(client: TestClient) -> None:
    found = await answer(client, "?name=ifDescr.3")

    assert (found["oid"], found["name"]) == ("1.3.6.1.2.1.2.2.1.2.3", "IF-MIB::ifDescr.3")
    assert (found["instance"], found["object"]["row"]) == ("3", "IF-MIB::ifEntry")
    assert found["object"]["metric"]["type"] == "DisplayString"
    assert [step["name"] for step in found["path"]][-2:] == ["IF-MIB::ifEntry", "IF-MIB::ifDescr"]


async def test_json_lists_children(client: TestClient) -> None:
    children = (await answer(client, "?name=ifTable"))["children"]
    roots = (await answer(client))["children"]

    assert [child["name"] for child in children] == ["IF-MIB::ifEntry"]
    assert [child["oid"] for child in roots] == ["0.0", "1.0", "1.2", "1.3"]


async def test_json_of_an_unknown_name_is_an_error(client: TestClient) -> None:
    found = await answer(client, "?name=ifOpersStatus", status=404)

    assert "did you mean ifOperStatus?" in found["error"]


async def test_only_the_pages_own_script_may_run(client: TestClient) -> None:
    async with client.get("/oid") as response:
        policy = response.headers["Content-Security-Policy"]
        text = await response.text()

    assert "default-src 'none'" in policy
    assert re.search(r"script-src 'sha256-[A-Za-z0-9+/=]{44}'; connect-src 'self'", policy)
    assert text.count("<script") == 1
    assert "src=" not in text


async def test_the_landing_page_links_to_it_and_runs_no_script(client: TestClient) -> None:
    async with client.get("/") as response:
        policy = response.headers["Content-Security-Policy"]
        text = await response.text()

    assert links(text)["/oid"] == "oid"
    assert "script-src" not in policy


async def test_what_a_mib_says_is_text_and_never_markup(
    connect: Callable[..., Awaitable[TestClient]], service: Service
) -> None:
    evil = "<script>alert(1)</script>"
    syntax = Syntax("T", Convention("X-MIB", "T", Syntax("INTEGER", labels=((1, evil),)), evil))
    item = MibObject(
        module="X-MIB", name=f"a{evil}", oid=encode_oid("1.3.6"), kind=Kind.SCALAR, syntax=syntax,
        units=evil, help=evil, access=evil,
    )  # fmt: skip
    files = build_files([LinkedModule("X-MIB", 2, "", (), (item,))], lambda _: "")
    dictionary = Dictionary((MibStore(MemoryFiles(files)),))
    client = await connect(replace(service, routes=tuple(oid_routes(evil, lambda: dictionary))))

    for query in ("", "?q=a", "?name=1.3.6", f"?q={evil}", f"?name={evil}"):
        async with client.get(f"/oid{query}") as response:
            text = await response.text()
        assert evil not in text
        assert text.count("<script>") == 1


async def test_the_title_names_what_is_shown(client: TestClient) -> None:
    titles = [
        re.findall("<title>(.*?)</title>", await page(client, query))
        for query in ("", "?q=a<b", "?name=ifDescr")
    ]

    assert titles == [
        ["OID dictionary of Tiny exporter"],
        ["a&lt;b - OID dictionary of Tiny exporter"],
        ["IF-MIB::ifDescr - OID dictionary of Tiny exporter"],
    ]


async def test_requests_wait_for_one_another_up_to_a_number(
    connect: Callable[..., Awaitable[TestClient]], service: Service
) -> None:
    going, most, go_on = 0, 0, threading.Event()

    def slow() -> Dictionary:
        nonlocal going, most
        going += 1
        most = max(most, going)
        go_on.wait(20)
        going -= 1
        return Dictionary()

    client = await connect(replace(service, routes=tuple(oid_routes("Tiny", slow))))

    async def ask() -> int:
        async with client.get("/oid.json?q=ifDescr") as response:
            return response.status

    asked = [asyncio.create_task(ask()) for _ in range(20)]
    done, waiting = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED, timeout=20)
    while len(done) < 4:  # the event loop turns while a thread looks up
        more, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED, timeout=20)
        done |= more
    go_on.set()
    statuses = [await task for task in asked]

    assert (statuses.count(200), statuses.count(503)) == (16, 4)
    assert most == 1


async def test_a_dictionary_that_cannot_be_opened_is_an_error_in_words(
    connect: Callable[..., Awaitable[TestClient]], service: Service
) -> None:
    def broken() -> Dictionary:
        raise ConfigError("the directory 'modules' that ships with netexporters is missing")

    client = await connect(replace(service, routes=tuple(oid_routes("Tiny", broken))))

    async with client.get("/oid") as response:
        assert response.status == 500
        assert "the directory 'modules'" in await response.text()


async def test_the_dictionary_of_now_is_asked(
    connect: Callable[..., Awaitable[TestClient]], service: Service, dictionary: Dictionary
) -> None:
    now = [Dictionary(), dictionary]
    client = await connect(replace(service, routes=tuple(oid_routes("Tiny", lambda: now.pop(0)))))

    assert (await answer(client, "?q=ifDescr"))["results"] == []
    assert (await answer(client, "?q=ifDescr"))["results"] != []
