"""``/explain``: what would become of a message, as a page with a form and as text.

    curl -d @message 'http://localhost:9162/explain?source=192.0.2.1'

Nothing that is explained is counted or kept, so that a rule can be tried before it is deployed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from aiohttp import web

from exporters.errors import BadRequest
from exporters.web.markup import Html, element
from exporters.web.pages import render_framed
from exporters.web.responses import plain_text
from exporters.web.service import Route

Explain = Callable[[str, str], Sequence[str]]
"""Gives the lines for a message, as text, from an address. Raises ValueError: it is none."""

_FORM: Final = "application/x-www-form-urlencoded"


def explain_routes(title: str, explain: Explain, *, hint: str, example: str) -> list[Route]:
    """Give the routes.

    Args:
        title: Of the exporter, "Trap exporter".
        explain: What explains; called in a thread.
        hint: What can be explained, in a sentence.
        example: One that is in the form when the page is opened.
    """

    async def page(_: web.Request) -> web.Response:
        return render(example, "")

    async def post(request: web.Request) -> web.Response:
        # curl calls whatever it posts a form.
        form: Mapping[str, Any] = await request.post() if request.content_type == _FORM else {}
        if "message" not in form:
            lines = await explained(await request.text(), request.query.get("source", ""))
            return plain_text(200, "\n".join(lines))
        message, source = str(form.get("message", "")), str(form.get("source", ""))
        try:
            lines = await explained(message, source)
        except BadRequest as error:
            return render(message, source, element("p", str(error), class_="bad"), status=400)
        return render(message, source, element("pre", "\n".join(lines), class_="told"))

    async def explained(message: str, source: str) -> Sequence[str]:
        try:
            return await asyncio.to_thread(explain, message, source)
        except ValueError as error:
            raise BadRequest(str(error)) from error

    def render(message: str, source: str, *result: Html, status: int = 200) -> web.Response:
        return render_framed(
            title,
            f"Explain · {title}",
            element("h1", "Explain"),
            element("p", hint),
            _form(message, source),
            *result,
            status=status,
        )

    return [
        Route("GET", "/explain", page, "a form to try a message and the rules for it"),
        Route("POST", "/explain", post, "what would become of a message"),
    ]


def _form(message: str, source: str) -> Html:
    return element(
        "form",
        element(
            "div",
            element("label", "Message", for_="explain-message"),
            element(
                "textarea", message, id="explain-message", name="message", rows="6", required=True
            ),
        ),
        element(
            "div",
            element("label", "Sent from", for_="explain-source"),
            element(
                "input",
                id="explain-source",
                name="source",
                type="text",
                value=source or None,
                placeholder="192.0.2.1",
                autocomplete="off",
            ),
        ),
        element("div", element("button", "Explain", type="submit"), class_="actions"),
        action="explain",
        method="post",
        aria_label="Explain",
    )
