"""The landing page, read as a browser and a screen reader would."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from exporters import __version__
from exporters.web.pages import relative, render_framed
from exporters.web.service import Form, FormField

VOID = {"br", "hr", "input", "link", "meta"}


class Page(HTMLParser):
    """The elements of a page; complains of elements that are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
async def page(client) -> Page:
    response = await client.get("/")
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    return Page(await response.text())


async def test_landing_page_tells_title_description_version_and_state(page):
    assert "Tiny exporter" in page.text
    assert "Answers <little>." in page.text
    assert __version__ in page.text
    assert "Ready; 2 modules." in page.text


async def test_landing_page_tells_why_it_is_not_ready(client, tiny):
    tiny.not_ready = "loading <modules>"
    page = Page(await (await client.get("/")).text())
    assert "Not ready: loading <modules>; 2 modules." in page.text


async def test_every_input_has_a_label_and_its_choices(page):
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    labels = {label["for"] for label in page.all("label")}
    for field in page.all("input"):
        assert field["id"] in labels
        for reference in (field.get("list"), field.get("aria-describedby")):
            assert reference is None or reference in ids
    assert [option["value"] for option in page.all("option")] == ["if_mib", 'we"ird']
    target, module = page.all("input")
    assert "required" in target
    assert module["value"] == "if_mib"


async def test_form_can_be_sent_as_it_stands(client, page):
    (form,) = page.all("form")
    assert form["method"] == "get"
    query = {field["name"]: field.get("value") or "192.0.2.1" for field in page.all("input")}
    response = await client.get(f"/{form['action']}", params=query)
    assert response.status == 200


async def test_every_link_of_the_landing_page_leads_somewhere(client, page):
    links = [link["href"] for link in page.all("a")]
    assert "metrics" in links
    assert "config" in links
    assert "echo" not in links  # needs parameters: it has a form
    for link in links:
        response = await client.get(f"/{link}")
        assert response.status in (200, 500 if link == "fail" else 200), link


async def test_landing_page_lists_every_address(page):
    for path in ("/echo", "/metrics", "/config", "/-/healthy", "/-/ready", "/-/reload"):
        assert path in page.text


async def test_nothing_is_loaded_from_elsewhere(client, page):
    (icon, sheet) = page.all("link")
    assert icon["href"] == "data:,"
    assert page.all("script") == page.all("img") == page.all("style") == []
    response = await client.get(f"/{sheet['href']}")
    assert response.content_type == "text/css"
    assert "url(" not in await response.text()


async def test_policy_allows_the_stylesheet_and_no_script(client):
    policy = (await client.get("/")).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "style-src 'self'" in policy
    assert "script" not in policy


async def test_page_of_an_exporter_stands_in_the_same_frame(service):
    response = render_framed(service.title, "OIDs & names", "<b>text</b>")
    page = Page(response.text)
    assert page.all("b") == []
    assert "<b>text</b>" in page.text
    assert page.all("a")[0]["href"] == "./"


async def test_page_without_forms_has_none(connect, service):
    client = await connect(replace(service, forms=lambda: ()))
    assert Page(await (await client.get("/")).text()).all("form") == []


async def test_two_forms_do_not_share_ids(connect, service):
    field = FormField("target", "Target", choices=("a",))
    forms = (Form("/echo", "One", (field,)), Form("/fail", "Two", (field,)))
    client = await connect(replace(service, forms=lambda: forms))
    page = Page(await (await client.get("/")).text())
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(("path", "link"), [("/", "./"), ("/oid", "oid"), ("/-/ready", "-/ready")])
def test_links_are_relative(path, link):
    assert relative(path) == link
