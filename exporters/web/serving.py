"""Start an exporter as its settings ask: in this process, or in several that share its addresses.

What the system or a file refuses is known before anything is served.
"""

from __future__ import annotations

import asyncio
import os

from aiohttp import web

from exporters.errors import ConfigError, Problem
from exporters.web.accepting import SoleAcceptor
from exporters.web.heap import settle_heap
from exporters.web.listeners import open_listeners, systemd_listeners
from exporters.web.security import WebSecurity
from exporters.web.server import serve
from exporters.web.service import Service, Shares
from exporters.web.settings import WebSettings
from exporters.web.shell import build_app
from exporters.web.whole import OneProcess
from exporters.web.workers.link import ParentLink
from exporters.web.workers.supervisor import supervise


def run(service: Service, settings: WebSettings) -> None:
    """Serve *service* until SIGTERM or SIGINT.

    Raises:
        ConfigError: the web configuration is wrong, an address cannot be listened on, or the
            service cannot be divided.
        NetexportersError: the workers end as soon as they are started.
    """
    app = check(service, settings)
    if settings.systemd_socket:
        listeners = systemd_listeners(os.environ, os.getpid())
    else:
        listeners = open_listeners(settings.listen_addresses)
    timeout_seconds = settings.shutdown_timeout_seconds
    settle_heap()
    if settings.workers > 1:
        with service.divide(settings.workers):
            asyncio.run(supervise(app, listeners, settings.workers, timeout_seconds))
    else:
        asyncio.run(serve(app, SoleAcceptor(listeners), shutdown_timeout_seconds=timeout_seconds))


def check(service: Service, settings: WebSettings) -> web.Application:
    """Build the application that *settings* ask for, without listening.

    Raises:
        ConfigError: the web configuration is wrong.
    """
    if settings.workers > 1 and service.shares is Shares.NOTHING:
        problem = f"--workers={settings.workers}: the {service.title} cannot be divided"
        raise ConfigError((Problem(problem, hint="run it with one worker"),))
    security = WebSecurity(settings.config_file)
    return build_app(
        service,
        security=security,
        telemetry_path=settings.telemetry_path,
        whole=ParentLink if settings.workers > 1 else OneProcess,
    )
