"""The HTTP application around an exporter, the same for all of them.

A request is told by ``_answer``, from top to bottom: count it, let its sender in or not, let the
handler answer, put errors into words, add headers, compress, send within a deadline.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from aiohttp import hdrs, web

from exporters.errors import ConfigError, Problem
from exporters.logs import fields
from exporters.web.authentication import TooBusyError
from exporters.web.compression import compress
from exporters.web.endpoints import page_routes, standard_routes
from exporters.web.in_flight import RequestsInFlight
from exporters.web.pages import STYLESHEET_PATH
from exporters.web.reloading import Reloader
from exporters.web.responses import error_response, plain_text
from exporters.web.security import WebSecurity
from exporters.web.service import Handler, Route, Service
from exporters.web.whole import OneProcess, WholeExporter

logger = logging.getLogger(__name__)

_SEND_SECONDS = 30.0
_MAX_REQUEST_BODY_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Shell:
    """What the parts of one application share."""

    service: Service
    security: WebSecurity
    reloader: Reloader
    whole: WholeExporter
    in_flight: RequestsInFlight

    def not_ready(self) -> str | None:
        """Why the exporter cannot serve now, or None if it can."""
        return "shutting down" if self.in_flight.draining else self.service.ready()


SHELL = web.AppKey("SHELL", Shell)


def build_app(
    service: Service,
    *,
    security: WebSecurity | None = None,
    telemetry_path: str = "/metrics",
    whole: Callable[[Service, Reloader], WholeExporter] = OneProcess,
) -> web.Application:
    """Build the application that serves *service*; its lifespan is that of the service.

    What it does for all processes of the exporter, it does through *whole*.

    Raises:
        ConfigError: the telemetry path is taken, or is no path.
    """
    security = security or WebSecurity()
    reloader = Reloader(service, security)
    shell = Shell(service, security, reloader, whole(service, reloader), RequestsInFlight())
    routes = [
        *service.routes,
        *standard_routes(service, shell.whole, shell.not_ready, telemetry_path),
    ]
    _check_telemetry_path(telemetry_path, routes)
    if telemetry_path != "/":
        routes.extend(page_routes(service, tuple(routes)))
    app = web.Application(middlewares=[_answer], client_max_size=_MAX_REQUEST_BODY_BYTES)
    app[SHELL] = shell
    for route in routes:
        if route.method == "GET":
            app.router.add_get(route.path, route.handler, allow_head=True)
        else:
            app.router.add_route(route.method, route.path, route.handler)
    app.cleanup_ctx.append(_lifespan)
    return app


def _check_telemetry_path(path: str, routes: list[Route]) -> None:
    flag = f"--web.telemetry-path={path}"
    if not path.startswith("/") or not path.isprintable() or set(path) & set("{}?# "):
        raise ConfigError((Problem(f"{flag} is no path", hint="write one such as /metrics"),))
    if path == STYLESHEET_PATH or [route.path for route in routes].count(path) > 1:
        raise ConfigError((Problem(f"{flag} is taken", hint="choose another path"),))


async def _lifespan(app: web.Application) -> AsyncIterator[None]:
    shell = app[SHELL]
    async with shell.service.lifespan():
        yield
    shell.security.authentication.close()


@web.middleware
async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    shell = request.app[SHELL]
    with shell.in_flight.track():
        response = await _respond(shell, request, handler)
        if not isinstance(response, web.Response) or response.prepared:
            return response
        _add_headers(shell, response)
        await compress(request, response)
        await _send(request, response)
    return response


async def _respond(shell: Shell, request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        refusal = await _refusal(shell, request)
        return await handler(request) if refusal is None else refusal
    except Exception as error:  # noqa: BLE001 - whatever it is, the client gets an answer
        return error_response(request, error)


async def _refusal(shell: Shell, request: web.Request) -> web.Response | None:
    """Whatever the address: who may not come in gets no further than this."""
    security = shell.security
    if not security.rate_limit.take():
        text = "More requests than the rate_limit of the web configuration allows."
        return plain_text(429, text, {hdrs.RETRY_AFTER: "1"})
    if not security.allows_certificate(request.get_extra_info("peercert")):
        return plain_text(403, "The client's certificate has none of client_allowed_sans.")
    if security.authentication.required:
        try:
            authorization = request.headers.get(hdrs.AUTHORIZATION, "")
            accepted = await security.authentication.accepts(authorization)
        except TooBusyError:
            text = "Too many passwords are being checked; try again in a moment."
            return plain_text(503, text, {hdrs.RETRY_AFTER: "1"})
        if not accepted:
            challenge = 'Basic realm="netexporters", charset="UTF-8"'
            text = "This exporter asks for a user and a password."
            return plain_text(401, text, {hdrs.WWW_AUTHENTICATE: challenge})
    # A page of another site must not use a browser's standing credentials to change anything.
    # Browsers send this header; curl and Prometheus do not, and are not meant.
    site = request.headers.get("Sec-Fetch-Site", "none")
    if request.method not in ("GET", "HEAD") and site not in ("none", "same-origin"):
        return plain_text(403, "Requests from pages of other sites are refused.")
    return None


def _add_headers(shell: Shell, response: web.Response) -> None:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault(hdrs.SERVER, "netexporters")
    response.headers.update(shell.security.headers)
    if shell.in_flight.draining:
        response.force_close()


async def _send(request: web.Request, response: web.Response) -> None:
    """Send *response* here, because aiohttp would wait without end for a client that reads not."""
    try:
        async with asyncio.timeout(_SEND_SECONDS):
            await response.prepare(request)
            await response.write_eof()
    except TimeoutError:
        logger.debug("client reads too slowly", extra=fields(client=request.remote))
        if request.transport is not None:
            request.transport.abort()
    except ConnectionError:
        logger.debug("client went away", extra=fields(client=request.remote))
