"""A question of the service, put to every worker."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from exporters.web.workers.process import WorkerProcess
from exporters.web.workers.questions import QUESTION_SECONDS, ToWorker


async def ask_everybody(
    processes: Sequence[WorkerProcess], workers: int, question: object
) -> list[Any]:
    """Return the answers by the numbers of the *workers* there should be; None of the silent."""
    answers: list[Any] = [None] * workers

    async def ask(process: WorkerProcess) -> None:
        if process.serving_at is None:
            return
        try:
            answer = await process.ask(ToWorker.QUESTION, question, QUESTION_SECONDS)
        except (TimeoutError, ConnectionError):
            return
        answers[process.number] = answer

    await asyncio.gather(*map(ask, processes))
    return answers
