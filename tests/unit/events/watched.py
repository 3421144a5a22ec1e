"""A service that has nothing but events, to be looked at over HTTP."""

from __future__ import annotations

from aiohttp import web
from prometheus_client import CollectorRegistry
from pydantic import TypeAdapter

from exporters.config.event_settings import EventSettings
from exporters.events.exposition import write_families
from exporters.events.intake import Intake
from exporters.events.pages import event_routes
from exporters.events.rules import RuleSet
from exporters.web.service import Service
from exporters.web.shell import build_app

from .conftest import read_rules

RULES = """
rules:
  - {name: down, match: {trap: linkDown}, event: link, severity: error}
  - {name: up, match: {trap: linkUp}, event: link, severity: info}
"""
HOSTILE = (
    '<script>document.title="taken"</script><img src=x onerror=alert(1)> "onclick="\x1b[31m\u202e'
)


def make_intake(rules: str = RULES, scrape_interval: str = "1m") -> Intake:
    settings = TypeAdapter(EventSettings).validate_python({"scrape_interval": scrape_interval})
    return Intake(
        "trap", RuleSet(read_rules(rules), "trap"), settings, devices=["core-1", "edge-1"]
    )


def make_app(intake: Intake) -> web.Application:
    async def reload() -> None:
        """There is nothing to read again."""

    service = Service(
        name="trap",
        title="SNMP trap exporter",
        registry=CollectorRegistry(),
        routes=event_routes("SNMP trap exporter", intake, lambda: ["core-1", "edge-1"]),
        samples=lambda text_format: write_families(intake.families(), text_format),
        running_config=str,
        reload=reload,
    )
    return build_app(service)
