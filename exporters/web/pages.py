"""The pages that people open: the frame around every page, the landing page, the stylesheet.

No font and no image is loaded, from here or elsewhere, and no script but one that a page brings
inside of itself. Links are relative, so that the pages work behind a proxy that serves them below a
path of its own. A page one level down, such as ``/oid``, finds everything where the landing page
does.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from string import Template

from aiohttp import web

from exporters import __version__
from exporters.web.markup import Html, element, join
from exporters.web.service import Form, FormField, Route, Service

STYLESHEET_PATH = "/static/style.css"

_STATIC = Path(__file__).parent / "static"
_FRAME = Template((_STATIC / "page.html").read_text(encoding="utf-8"))
_STYLESHEET = (_STATIC / "style.css").read_bytes()
_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


class Script:
    """A script that a page brings inside of itself, and that may ask this server for more."""

    def __init__(self, file: str) -> None:
        text = (_STATIC / file).read_text(encoding="utf-8")
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        self.element = Html(f"<script>{text}</script>")
        self.policy = f"script-src 'sha256-{digest}'; connect-src 'self'"


def render_framed(
    home: str, title: str, *content: str, script: Script | None = None, status: int = 200
) -> web.Response:
    """Answer with *content* in the frame of all pages; *home* names the link to the landing one."""
    policy = _CONTENT_SECURITY_POLICY
    if script is not None:
        content = (*content, script.element)
        policy = f"{policy}; {script.policy}"
    text = _FRAME.substitute(
        title=join(title),
        home=join(home),
        version=join(f"version {__version__}"),
        stylesheet=join(f"{relative(STYLESHEET_PATH)}?v={__version__}"),
        content=join(*content),
    )
    headers = {"Content-Security-Policy": policy}
    return web.Response(text=text, content_type="text/html", headers=headers, status=status)


def render_landing_page(
    service: Service, routes: Sequence[Route], overview: str = ""
) -> web.Response:
    """Answer with what the exporter is, its overview, its forms, and every address it answers."""
    forms = service.forms()
    title = f"{service.title} of netexporters"
    return render_framed(
        service.title,
        title,
        element("h1", service.title),
        element("p", service.description) if service.description else "",
        _state(service),
        overview,
        *(_form(form, number) for number, form in enumerate(forms)),
        _endpoints(routes),
    )


def render_stylesheet() -> web.Response:
    """Answer with the stylesheet; its address carries the version, so it may be kept for a day."""
    headers = {"Cache-Control": "max-age=86400"}
    return web.Response(body=_STYLESHEET, content_type="text/css", charset="utf-8", headers=headers)


def relative(path: str) -> str:
    """Return the link from any page to the absolute *path* of this server."""
    return f".{path}" if path == "/" else path.removeprefix("/")


def _state(service: Service) -> Html:
    reason = service.ready()
    if reason is None:
        state = element("strong", "Ready", class_="good")
    else:
        state = join(element("strong", "Not ready", class_="bad"), f": {reason}")
    return element("p", state, f"; {service.summary()}.")


def _form(form: Form, number: int) -> Html:
    heading_id = f"form-{number}"
    return join(
        element("h2", form.title, id=heading_id),
        element(
            "form",
            *(_form_field(field, f"{heading_id}-{field.name}") for field in form.fields),
            element("div", element("button", form.submit, type="submit"), class_="actions"),
            action=relative(form.path),
            method="get",
            aria_labelledby=heading_id,
        ),
    )


def _form_field(field: FormField, field_id: str) -> Html:
    list_id = f"{field_id}-choices" if field.choices else None
    hint_id = f"{field_id}-hint" if field.hint else None
    return element(
        "div",
        element("label", field.label, for_=field_id),
        element(
            "input",
            id=field_id,
            name=field.name,
            type="text",
            value=field.default or None,
            placeholder=field.placeholder or None,
            list=list_id,
            required=field.required,
            autocomplete="off",
            autocapitalize="off",
            spellcheck="false",
            aria_describedby=hint_id,
        ),
        element("span", field.hint, id=hint_id, class_="hint") if hint_id else "",
        _choices(field.choices, list_id) if list_id else "",
    )


def _choices(choices: Sequence[str], list_id: str) -> Html:
    options = (element("option", value=choice) for choice in choices)
    return element("datalist", *options, id=list_id)


def _endpoints(routes: Sequence[Route]) -> Html:
    rows = []
    for route in routes:
        path: str = element("code", route.path)
        if route.method == "GET" and not route.asks:
            path = element("a", path, href=relative(route.path))
        elif route.method != "GET":
            path = join(element("code", route.method), " ", path)
        rows.append(element("tr", element("td", path), element("td", route.summary)))
    heading = element(
        "tr", element("th", "Address", scope="col"), element("th", "What for", scope="col")
    )
    table = element("table", element("thead", heading), element("tbody", *rows))
    return join(element("h2", "Addresses"), element("div", table, class_="table"))
