"""``/oid`` and ``/oid.json``: the OID dictionary, to search and to click through from its root.

    /oid?q=ifin                 objects with that in their name
    /oid?name=IF-MIB::ifIndex   all that is known of one, what lies below it, the way up
    /oid.json?q=ifin            the same as JSON
    /oid.json?name=ifIndex.3

Everything works without a script; with one, results appear while one types. Looking up happens in
a thread, one request after another, so that a scrape waits for none of it. The dictionary, and the
code that knows it, is loaded by the first request.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from aiohttp import hdrs, web

from exporters.errors import BadRequest
from exporters.web.markup import Html, element
from exporters.web.pages import Script, render_framed
from exporters.web.service import Route

if TYPE_CHECKING:
    from exporters.smi.dictionary import Dictionary
    from exporters.web.oid_content import Content

_T = TypeVar("_T")

_LONGEST_QUERY = 200
_MOST_WAITING = 16
_SCRIPT = Script("oid.js")


def oid_routes(home: str, dictionary: Callable[[], Dictionary]) -> list[Route]:
    """Return the routes of the dictionary.

    Args:
        home: What the pages call the exporter.
        dictionary: Gives the dictionary of now. Called for each request, because a reload may
            replace it, and in a thread, because it may take a moment.
    """
    pages = _OidPages(home, dictionary)
    return [
        Route("GET", "/oid", pages.page, "the OID dictionary: search names and OIDs of MIBs"),
        Route("GET", "/oid.json", pages.answer, "the same as JSON: ?q=ifin, ?name=ifIndex"),
    ]


class _OidPages:
    def __init__(self, home: str, dictionary: Callable[[], Dictionary]) -> None:
        self._home = home
        self._dictionary = dictionary
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def page(self, request: web.Request) -> web.Response:
        """Answer with the page of a search, of an object, or of the root."""
        text, name, start = _parameters(request.query)

        def build() -> Content:
            from exporters.web.oid_content import build_content

            return build_content(self._dictionary(), text, name, start)

        content = await self._in_turn(build)
        title = f"OID dictionary of {self._home}"
        return render_framed(
            self._home,
            f"{content.title} - {title}" if content.title else title,
            element("h1", "OID dictionary"),
            _search_form(text),
            *content.parts,
            script=_SCRIPT,
            status=content.status,
        )

    async def answer(self, request: web.Request) -> web.Response:
        """Answer with JSON."""
        text, name, start = _parameters(request.query)

        def build() -> tuple[int, str]:
            from exporters.web.oid_answers import answer

            status, value = answer(self._dictionary(), text, name, start)
            return status, json.dumps(value, ensure_ascii=False)

        status, content = await self._in_turn(build)
        return web.Response(text=content, content_type="application/json", status=status)

    async def _in_turn(self, work: Callable[[], _T]) -> _T:
        """Do *work* in a thread when those before it are done, or refuse where they are many."""
        if self._waiting >= _MOST_WAITING:
            raise web.HTTPServiceUnavailable(
                text="Too many look at the OID dictionary; try again in a moment.",
                headers={hdrs.RETRY_AFTER: "1"},
            )
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1


def _parameters(query: Mapping[str, str]) -> tuple[str, str, int]:
    """The text to search, the name to show, and the child to start with."""
    text, name = query.get("q", "").strip(), query.get("name", "").strip()
    if len(text) > _LONGEST_QUERY or len(name) > _LONGEST_QUERY:
        raise BadRequest(f"more than {_LONGEST_QUERY} characters to look for")
    start = query.get("start", "0")
    if not (start.isascii() and start.isdigit()):
        raise BadRequest(f"'start' is {start!r}: expected a number")
    return text, name, int(start[:9])


def _search_form(text: str) -> Html:
    return element(
        "form",
        element(
            "div",
            element("label", "Name or OID", for_="oid-query"),
            element(
                "input",
                id="oid-query",
                name="q",
                type="search",
                value=text or None,
                maxlength=str(_LONGEST_QUERY),
                placeholder="ifHCInOctets, IF-MIB::octets or 1.3.6.1.2.1.2",
                autocomplete="off",
                autocapitalize="off",
                spellcheck="false",
                aria_describedby="oid-status",
            ),
        ),
        element("button", "Search", type="submit"),
        action="oid",
        method="get",
        role="search",
    )
