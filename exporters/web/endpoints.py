"""What every exporter answers, whatever it exports: the table is in ``standard_routes``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence

from aiohttp import hdrs, web
from prometheus_client import Counter, Gauge

from exporters.metrics.negotiation import negotiate_text_format
from exporters.web.compression import client_accepts_gzip
from exporters.web.pages import (
    STYLESHEET_PATH,
    render_landing_page,
    render_stylesheet,
)
from exporters.web.responses import plain_text
from exporters.web.service import DiscoveryGroup, Handler, Route, Service
from exporters.web.whole import OthersSilentError, WholeExporter


def standard_routes(
    service: Service,
    whole: WholeExporter,
    not_ready: Callable[[], str | None],
    telemetry_path: str,
) -> list[Route]:
    """Return the routes that all exporters have, in the order of the landing page."""
    routes = [
        Route(
            "GET",
            telemetry_path,
            metrics(service, whole),
            "telemetry of the exporter itself"
            if service.samples is None
            else "what was measured, and telemetry of the exporter itself",
        ),
        Route(
            "GET", "/config", running_config(service), "the configuration in use, secrets masked"
        ),
        Route("GET", "/-/healthy", healthy, "200 while the exporter runs"),
        Route(
            "GET", "/-/ready", ready(not_ready), "200 when it can serve, else 503 and the reason"
        ),
        Route("POST", "/-/reload", reload(whole), "read the configuration again"),
    ]
    if service.discovery is not None:
        summary = "its targets, for Prometheus' HTTP service discovery"
        routes.insert(2, Route("GET", "/sd", discovery(service.discovery), summary))
    return routes


def page_routes(service: Service, listed: Sequence[Route]) -> list[Route]:
    """Return the landing page, which lists the routes *listed*, and what it needs."""

    async def landing(request: web.Request) -> web.Response:
        overview = await service.overview(request.query) if service.overview else ""
        return render_landing_page(service, listed, overview)

    async def stylesheet(_: web.Request) -> web.Response:
        return render_stylesheet()

    return [
        Route("GET", "/", landing, "this page"),
        Route("GET", STYLESHEET_PATH, stylesheet, "the stylesheet of the pages"),
    ]


def metrics(service: Service, whole: WholeExporter) -> Handler:
    """Serve what the exporter measures, and its own metrics.

    Scrapes are counted as Prometheus' client for Go does. What may be long, samples, is compressed
    as it is written.
    """
    requests = Counter(
        "promhttp_metric_handler_requests_total",
        "Total number of scrapes by HTTP status code.",
        ("code",),
        registry=service.registry,
    )
    in_flight = Gauge(
        "promhttp_metric_handler_requests_in_flight",
        "Current number of scrapes being served.",
        registry=service.registry,
    )
    for code in ("200", "500", "503"):
        requests.labels(code)

    async def scrape(request: web.Request) -> web.Response:
        text_format = negotiate_text_format(",".join(request.headers.getall(hdrs.ACCEPT, ())))
        is_long = service.samples is not None
        gzipped = is_long and client_accepts_gzip(request)
        with in_flight.track_inprogress():
            try:
                body = await whole.metrics(text_format, gzipped=gzipped)
            except OthersSilentError:
                requests.labels("503").inc()
                raise
            except Exception:
                requests.labels("500").inc()
                raise
        requests.labels("200").inc()
        response = web.Response(body=body)
        response.headers[hdrs.CONTENT_TYPE] = text_format.content_type
        if gzipped:
            response.headers[hdrs.CONTENT_ENCODING] = "gzip"
            response.headers.add(hdrs.VARY, hdrs.ACCEPT_ENCODING)
        return response

    return scrape


def running_config(service: Service) -> Handler:
    """Serve the configuration in use as YAML text."""

    async def config(_: web.Request) -> web.Response:
        # In a thread: two megabytes of YAML take most of a second to write.
        return web.Response(text=await asyncio.to_thread(service.running_config))

    return config


async def healthy(_: web.Request) -> web.Response:
    """Answer 200: whoever reads it knows that the event loop turns."""
    return plain_text(200, "Healthy")


def ready(not_ready: Callable[[], str | None]) -> Handler:
    """Answer 200, or 503 with the reason that *not_ready* gives."""

    async def is_ready(_: web.Request) -> web.Response:
        reason = not_ready()
        return plain_text(200, "Ready") if reason is None else plain_text(503, reason)

    return is_ready


def reload(whole: WholeExporter) -> Handler:
    """Reload, and answer 200; what it raises is the shell's to answer."""

    async def post_reload(_: web.Request) -> web.Response:
        await whole.reload()
        return plain_text(200, "Reloaded")

    return post_reload


def discovery(groups: Callable[[], Sequence[DiscoveryGroup]]) -> Handler:
    """Serve target groups as Prometheus' ``http_sd_configs`` reads them."""

    async def service_discovery(_: web.Request) -> web.Response:
        return web.Response(text=json.dumps(list(groups())), content_type="application/json")

    return service_discovery
