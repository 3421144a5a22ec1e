"""A service that has nothing but events, to be looked at over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry
from pydantic import TypeAdapter

from exporters.config.event_settings import EventSettings
from exporters.events.event_questions import EventQuestions
from exporters.events.exposition import write_families
from exporters.events.intake import Intake
from exporters.events.pages import event_routes
from exporters.events.rules import RuleSet
from exporters.web.reloading import Reloader
from exporters.web.service import Question, Service
from exporters.web.shell import build_app
from exporters.web.whole import OneProcess

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


def make_app(intake: Intake, *others: Intake | None) -> web.Application:
    """Serve the events of an intake, and of others as if they were in other processes.

    One that is None is a process that does not answer.
    """

    async def reload() -> None:
        """There is nothing to read again."""

    questions = EventQuestions(intake.recent, intake.numbers)
    service = Service(
        name="trap",
        title="SNMP trap exporter",
        registry=CollectorRegistry(),
        questions=questions.answers(),
        routes=event_routes("SNMP trap exporter", questions, lambda: ["core-1", "edge-1"]),
        samples=lambda text_format: write_families(intake.families(), text_format),
        running_config=str,
        reload=reload,
    )
    if not others:
        return build_app(service)
    everybody = [
        questions.answers(),
        *(other and EventQuestions(other.recent, other.numbers).answers() for other in others),
    ]
    return build_app(service, whole=lambda _, reloader: Everybody(service, reloader, everybody))


class Everybody(OneProcess):
    """Several processes in one, which ask each other as JSON carries it."""

    def __init__(
        self,
        service: Service,
        reloader: Reloader,
        everybody: list[Mapping[str, Question] | None],
    ) -> None:
        super().__init__(service, reloader)
        self.everybody = everybody
        self.asked: list[str] = []

    async def ask_all(self, question: str, argument: object) -> list[Any]:
        await asyncio.sleep(0)
        self.asked.append(question)
        argument = json.loads(json.dumps(argument))
        answers = [one and one[question](argument) for one in self.everybody]
        return json.loads(json.dumps(answers))
