"""What an exporter hands to the HTTP shell, and what the command line asks of an exporter.

Values only: the shell reads them, the exporter builds them, neither knows the other's inside.
"""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from aiohttp import web
from prometheus_client import CollectorRegistry

from exporters.metrics.negotiation import TextFormat
from exporters.web.markup import Html

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

WriteSamples = Callable[[TextFormat], Iterable[str]]
"""Writes samples as text of whole families, in pieces that are each made within milliseconds."""

Question = Callable[[Any], Any]
"""Answers a question that other processes of the same exporter ask, at once. Argument and answer
are what JSON can carry, and an answer is not None."""

Overview = Callable[[Mapping[str, str]], Awaitable[Html]]

DiscoveryGroup = dict[str, Any]
"""One element of Prometheus' HTTP service discovery: ``{"targets": [...], "labels": {...}}``."""


@dataclass(frozen=True, slots=True)
class FormField:
    """One labelled input of a form; *choices* are offered while typing, other text is allowed."""

    name: str
    label: str
    placeholder: str = ""
    default: str = ""
    choices: Sequence[str] = ()
    required: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """A form of the landing page; it sends its fields to *path* as a GET query."""

    path: str
    title: str
    fields: Sequence[FormField]
    submit: str = "Send"


@dataclass(frozen=True, slots=True)
class Route:
    """One address that the exporter answers itself; *summary* tells of it on the landing page.

    A GET route answers HEAD too. The handler returns a complete response, or raises: BadRequest
    becomes 400, Forbidden 403, TargetError 500, anything unforeseen 500 and a line in the log.
    One that *asks* for parameters is no link on the landing page: without them it only complains.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    asks: bool = False


class Shares(Enum):
    """What each of several processes that serve one exporter has its share of."""

    NOTHING = "nothing"
    """It cannot be divided: it acts unasked, or its requests must find each other's traces."""
    REQUESTS = "requests"
    """Any process answers any request, and nothing else is to be done."""
    SENDERS = "senders"
    """Each process receives what its share of the senders sends, and has alone what is known of
    them: an answer to a request is joined of all."""


def _no_forms() -> Sequence[Form]:
    return ()


def _no_summary() -> str:
    return "nothing to configure"


def _always_ready() -> str | None:
    return None


def _nothing_to_divide(_: int) -> AbstractContextManager[None]:
    return nullcontext()


def _all_alike(_: int) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One exporter, as the shell serves it.

    Attributes:
        name: the first word of its metrics, "snmp".
        title: "SNMP exporter".
        description: one sentence for the landing page.
        registry: its own telemetry, served at the telemetry path.
        samples: what it has measured all the time, served before the telemetry; made in pieces, so
            that a long text keeps nobody waiting.
        questions: what its processes ask each other, through ``WholeExporter.ask_all``, because
            each knows a part; by name.
        routes: what it answers beside what every exporter answers.
        forms: the landing page's forms; asked for each time, because choices change on reload.
        running_config: the configuration in use as YAML, secrets masked; asked for in a thread.
        reload: builds, checks and swaps the configuration; raises ConfigError and changes nothing.
        overview: what the landing page tells besides, as HTML, for the query that it is asked with.
        summary: what is loaded, "53 modules, 2 auths"; for --config.check and the log.
        ready: None, or the reason why it cannot serve yet.
        discovery: its targets for Prometheus' HTTP service discovery, where it has any.
        lifespan: what lives while the server serves; entered before the first request.
        shares: what several processes would each have their share of.
        divide: told how many workers there will be, in their parent, before the first is forked;
            only where there are several. What all of them inherit is open for as long as the
            context lasts; entering it raises ConfigError.
        become: told which worker this process is, from 0, after the fork and before the lifespan;
            a worker in place of one that ended has its number.
    """

    name: str
    title: str
    description: str = ""
    registry: CollectorRegistry
    samples: WriteSamples | None = None
    questions: Mapping[str, Question] = field(default_factory=dict)
    routes: Sequence[Route] = ()
    forms: Callable[[], Sequence[Form]] = _no_forms
    running_config: Callable[[], str]
    reload: Callable[[], Awaitable[None]]
    overview: Overview | None = None
    summary: Callable[[], str] = _no_summary
    ready: Callable[[], str | None] = _always_ready
    discovery: Callable[[], Sequence[DiscoveryGroup]] | None = None
    lifespan: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
    shares: Shares = Shares.REQUESTS
    divide: Callable[[int], AbstractContextManager[None]] = _nothing_to_divide
    become: Callable[[int], None] = _all_alike


class Exporter(Protocol):
    """The contract of ``exporters/<name>/exporter.py``: a module with these four names."""

    NAME: str
    TITLE: str

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        """Add the exporter's own flags; those of ``--web.*`` and ``--log.*`` are there already."""

    @staticmethod
    def build(arguments: argparse.Namespace) -> Service:
        """Load the configuration that *arguments* name.

        Raises:
            ConfigError: it is wrong; every problem is in it.
        """
