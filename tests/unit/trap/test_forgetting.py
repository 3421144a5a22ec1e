"""``POST /-/forget-engine`` where several processes may know the engine."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import pytest
from aiohttp.test_utils import TestClient, TestServer

from exporters.flags import FlagParser, add_exporter_arguments
from exporters.trap import exporter
from exporters.web.settings import add_web_arguments
from exporters.web.shell import build_app
from exporters.web.whole import OneProcess

ENGINE = "8000000001020304"


class Several(OneProcess):
    """Processes that have answered already."""

    answers: tuple[bool | None, ...]

    async def ask_all(self, question: str, argument: object) -> tuple[bool | None, ...]:
        assert self._service.questions[question](argument) is False
        return self.answers


@pytest.mark.parametrize(
    ("answers", "status", "text"),
    [
        ((False, True), 200, f"Forgotten {ENGINE}\n"),
        ((False, False), 404, f"no engine {ENGINE} is known\n"),
        ((False, None), 503, f"A worker did not answer; it may know {ENGINE}.\n"),
    ],
)
async def test_engine_is_forgotten_by_whoever_knows_it(answers, status, text):
    parser = FlagParser("trap", "")
    add_web_arguments(parser, 9162)
    exporter.add_arguments(parser)
    add_exporter_arguments(parser, "trap", "")
    service = replace(exporter.build(parser.parse([])), lifespan=nullcontext)
    several = type("These", (Several,), {"answers": answers})
    async with TestClient(TestServer(build_app(service, whole=several))) as client:
        response = await client.post(f"{exporter.FORGET_PATH}?engine_id=0x{ENGINE.upper()}")
        assert (response.status, await response.text()) == (status, text)
