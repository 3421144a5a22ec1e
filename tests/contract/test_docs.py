"""Documentation and code say the same: flags, metrics, addresses, modules, reasons, commands.

Each test lists what one of the two has and the other has not.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from prometheus_client import Metric

from exporters.cli import COMMANDS, EXPORTERS
from exporters.config.check import KINDS, recognise
from exporters.config.context import LoadContext
from exporters.config.event_settings import EventSettings
from exporters.config.snmp_auth import Auth
from exporters.config.validation import validate
from exporters.errors import ConfigError, FailureReason, TargetError
from exporters.flags import FlagParser, add_exporter_arguments
from exporters.icmp import exposition, probe_metrics, survey_exposition
from exporters.icmp.accounting import LastError, LossReason
from exporters.icmp.legacy_names import PING_EXPORTER_HELP, SMOKEPING_HELP
from exporters.icmp.target import Address, Target, TargetSettings
from exporters.metrics.exposition import Exposition
from exporters.metrics.negotiation import TextFormat
from exporters.metrics.receive_sockets import worker_families
from exporters.rmon.collect import CHECKS
from exporters.rmon.families import FAMILIES
from exporters.rmon.groups import GROUPS
from exporters.rmon.telemetry import SCRAPE_HELP
from exporters.snmp.collect import ModuleOutcome
from exporters.snmp.scrape_metrics import add_outcomes, add_session
from exporters.sockets.icmp_values import Reply, Stamp
from exporters.syslog.connections import CLOSED
from exporters.syslog.outcomes import OUTCOMES as SYSLOG_OUTCOMES
from exporters.syslog.series import SyslogSeries
from exporters.syslog.tls import TLS_FAILURES
from exporters.syslog.watch import Watch
from exporters.trap.outcomes import OUTCOMES
from exporters.trap.series import TrapSeries
from exporters.web.pages import STYLESHEET_PATH
from exporters.web.service import Service
from exporters.web.settings import add_web_arguments
from exporters.web.shell import build_app
from exporters.wire.icmp_errors import ErrorKind
from exporters.wire.syslog_faults import MessageFault

FLAG = re.compile(r"(?<![\w-])--[a-z][a-z0-9.-]*[a-z0-9]")
METRIC = re.compile(
    r"(?<!:)\b(?:snmp|icmp|probe|smokeping|ping|trap_exporter|rmon2?|syslog)_[a-z0-9_]+\b"
)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
ANCHOR = re.compile(r"\]\(((?:docs/)?[a-z]+\.md)?#([^)]+)\)")
BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)

NO_METRICS = {
    "snmp_exporter",  # the peer
    # keys of devices.yml
    *("snmp_target", "snmp_concurrency", "snmp_packets_per_second"),
    *("snmp_context", "snmp_engineid", "snmp_debug_packets"),  # parameters
    "icmp_ttl5",  # a module
    *("rmon_index", "rmon_falling"),  # a label, a rule of traps
    *("smokeping_prober", "ping_exporter"),  # peers
    "ping_group_range",  # a setting of the kernel
    "syslog_reading",  # a benchmark
}

FLAGS_OF_OTHERS = {
    *("--web.console.templates", "--web.console.libraries"),  # Prometheus
    *("--build", "--now", "--from-env-file"),  # docker, systemctl, kubectl
}


@pytest.fixture(scope="module")
def pages(repository: Path) -> dict[str, str]:
    """The text of README and of everything in docs/, by name."""
    paths = [repository / "README.md", *sorted((repository / "docs").glob("*.md"))]
    return {path.name: path.read_text() for path in paths}


@pytest.fixture(scope="module")
def everything(pages: dict[str, str]) -> str:
    return "\n".join(pages.values())


# --- flags and commands ---------------------------------------------------------------------


def parsers() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """The parser of every exporter and command, as the command line makes them."""
    for name, entry in EXPORTERS.items():
        exporter = import_module(entry.module)
        parser = FlagParser(name, "")
        exporter.add_arguments(parser)
        add_exporter_arguments(parser, name, "")
        add_web_arguments(parser, entry.port)
        yield name, parser
    for name, entry in COMMANDS.items():
        parser = FlagParser(name, "")
        import_module(entry.module).add_arguments(parser)
        yield name, parser
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for word, of_its_own in action.choices.items():
                    yield f"{name} {word}", of_its_own


def flags_of(parser: argparse.ArgumentParser) -> set[str]:
    """The long flags, without the second form of those that can be switched off, and --help."""
    flags = set(parser._option_string_actions) - {"--help"}
    return {flag for flag in flags if flag.startswith("--") and not flag.startswith("--no-")}


@pytest.mark.parametrize(
    ("name", "parser"), [pytest.param(*item, id=item[0]) for item in parsers()]
)
def test_every_flag_is_documented(
    name: str, parser: argparse.ArgumentParser, everything: str
) -> None:
    assert sorted(flags_of(parser) - set(FLAG.findall(everything))) == []


def test_every_documented_flag_exists(pages: dict[str, str]) -> None:
    known = {flag for _, parser in parsers() for flag in parser._option_string_actions}
    known |= FLAGS_OF_OTHERS
    # The page on benchmarks tells the flags of the benchmarks.
    documented = "\n".join(text for name, text in pages.items() if name != "benchmarks.md")
    assert sorted(set(FLAG.findall(documented)) - known) == []


def test_every_command_is_in_the_readme_and_the_reverse(pages: dict[str, str]) -> None:
    command = r"(?m)^(?:    |\| `)netexporters (snmp module|explain trap|explain syslog|[a-z]+)"
    documented = set(re.findall(command, pages["README.md"]))
    known = {*EXPORTERS, *COMMANDS}
    assert sorted(known - documented) == []
    assert sorted(documented - known) == []


# --- metrics and reasons --------------------------------------------------------------------


def telemetry(families: Iterable[Metric]) -> set[str]:
    """The metrics of the exporter's own."""
    return {
        f"{family.name}_total" if family.type == "counter" else family.name for family in families
    }


def scrape_metrics() -> set[str]:
    """The metrics that a response has of its own scrape, whether it failed or not."""
    failed = ModuleOutcome("a", [TargetError(FailureReason.TIMEOUT, "")])
    exposition = Exposition()
    add_outcomes(exposition, [ModuleOutcome("b", answered=True), failed])
    add_session(exposition, Auth())
    return set(re.findall(r"^# TYPE (\S+)", exposition.text(TextFormat.PROMETHEUS), re.MULTILINE))


def ping_metrics() -> set[str]:
    """The metrics of a probe, of continuous pings, and those that have names of peers."""
    settings = TargetSettings(device="a", group="a", host="192.0.2.1", timeout_seconds=1e6)
    target = Target(settings, Address(4, "192.0.2.1", ("192.0.2.1", 0)))
    account = target.account
    for sequence in range(2):
        sent = Stamp(sequence, sequence)
        account.begin(sent)
        payload = target.payload.encode(sequence)
        account.reply(Reply("", sequence, payload, sent, 64, 0), target.payload, 1, 1.0)
    account.error(0, LastError("192.0.2.1", 3, 1, ErrorKind.UNREACHABLE, Stamp(0, 0)), 1.0)
    text = "".join(exposition.write([target], TextFormat.PROMETHEUS))
    continuous = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    assert len(continuous) >= 20
    surveys = {family.name for family in survey_exposition.FAMILIES}
    return {*probe_metrics.HELP, *SMOKEPING_HELP, *PING_EXPORTER_HELP, *continuous, *surveys}


def test_every_reason_of_a_loss_is_documented_and_the_reverse(pages: dict[str, str]) -> None:
    table = pages["icmp.md"].partition("| reason | |")[2].partition("\n## ")[0]
    documented = re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE)
    assert documented == [reason.label for reason in LossReason]


def trap_metrics() -> set[str]:
    """The metrics of traps; those of events are on a page of their own."""
    series = TrapSeries(EventSettings())
    return {family.name for family in series.families()} | of_workers("trap")


def test_every_outcome_of_a_datagram_is_documented_and_the_reverse(pages: dict[str, str]) -> None:
    table = pages["trap.md"].partition("| outcome | |")[2]
    assert dict(re.findall(r"^\| `([a-z_0-9]+)` \| (.*) \|$", table, re.MULTILINE)) == OUTCOMES


@pytest.mark.parametrize("name", ["trap", "syslog"])
def test_every_reason_of_being_degraded_is_documented(
    name: str, services: dict[str, Service], pages: dict[str, str]
) -> None:
    collected = services[name].registry.collect()
    degraded = next(family for family in collected if family.name == f"{name}_exporter_degraded")
    reasons = {sample.labels["reason"] for sample in degraded.samples}
    reasons_told = re.search(r"^The reasons[a-z ]*:(.*?)\n\n", pages[f"{name}.md"], re.M | re.S)
    assert reasons_told is not None
    assert set(CODE.findall(reasons_told[1])) == reasons


def rmon_metrics() -> set[str]:
    """The metrics that a device's tables give, and those of the scrape itself."""
    return {*FAMILIES, *SCRAPE_HELP}


def of_workers(name: str) -> set[str]:
    """The metrics that a receiver has only where it has several workers."""
    families = worker_families(f"{name}_exporter", handed_over=0, waiting_bytes=0, copies=0)
    return telemetry(families)


def syslog_metrics() -> set[str]:
    """The metrics of messages; those of events are on a page of their own."""
    series = SyslogSeries(EventSettings())
    watch = Watch(EventSettings(), series.faults, {})
    families = {family.name for family in (*series.families, *watch.counters, *watch.gauges())}
    return families | of_workers("syslog")


@pytest.mark.parametrize(
    ("heading", "table"),
    [
        ("| outcome | |", SYSLOG_OUTCOMES),
        ("## Why connections end", CLOSED),
        ("| failure | |", TLS_FAILURES),
    ],
)
def test_every_outcome_of_a_message_is_documented_and_the_reverse(
    heading: str, table: dict[str, str], pages: dict[str, str]
) -> None:
    section = pages["syslog.md"].partition(heading)[2].partition("\n#")[0]
    assert dict(re.findall(r"^\| `([a-z_0-9]+)` \| (.*) \|$", section, re.MULTILINE)) == table


RESPONSE_METRICS = {
    "snmp": scrape_metrics,
    "icmp": ping_metrics,
    "trap": trap_metrics,
    "syslog": syslog_metrics,
    "rmon": rmon_metrics,
}
"""What each exporter's responses have besides what it says of itself."""


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Service]:
    """Every exporter with all that flags can give it."""
    devices = tmp_path_factory.mktemp("devices") / "devices.yml"
    devices.write_text("devices: []\n")
    services = {}
    for name, entry in EXPORTERS.items():
        exporter = import_module(entry.module)
        parser = FlagParser(name, "")
        add_web_arguments(parser, entry.port)
        exporter.add_arguments(parser)
        add_exporter_arguments(parser, name, "")
        services[name] = exporter.build(parser.parse([f"--devices.file={devices}"]))
    return services


@pytest.fixture(scope="module")
def addresses(services: dict[str, Service]) -> set[str]:
    # Building it adds the metrics of the shell to the registry.
    apps = [build_app(service) for service in services.values()]
    found = {resource.canonical for app in apps for resource in app.router.resources()}
    return found - {STYLESHEET_PATH}


@pytest.mark.parametrize("name", EXPORTERS)
def test_every_metric_is_documented(
    name: str, services: dict[str, Service], addresses: set[str], pages: dict[str, str]
) -> None:
    text = (pages[f"{name}.md"] + pages["http.md"]).replace("<name>", name)
    documented = {re.sub(r"\{.*", "", code) for code in CODE.findall(text)}
    families = {name.removesuffix("*") for name in documented if name.endswith("*")}
    missing = {
        metric
        for metric in telemetry(services[name].registry.collect()) | RESPONSE_METRICS[name]()
        if metric not in documented and not metric.startswith(tuple(families))
    }
    assert sorted(missing) == []


def test_every_documented_metric_exists(
    services: dict[str, Service], addresses: set[str], pages: dict[str, str]
) -> None:
    known = set(NO_METRICS)
    for name, service in services.items():
        known |= telemetry(service.registry.collect()) | RESPONSE_METRICS[name]()
    # The page for whoever changes the code names modules of the code.
    users = "\n".join(text for name, text in pages.items() if name != "architecture.md")
    assert sorted(set(METRIC.findall(users)) - known) == []


def test_every_fault_of_a_message_is_documented_and_the_reverse(pages: dict[str, str]) -> None:
    table = pages["syslog.md"].partition("## Faults")[2].partition("\n## ")[0]
    documented = re.findall(r"^\| `([a-z_0-9]+)` \|", table, re.MULTILINE)
    assert sorted(documented) == sorted(MessageFault)


def test_every_reason_is_documented_and_the_reverse(pages: dict[str, str]) -> None:
    table = pages["snmp.md"].partition("## Reasons")[2].partition("\n## ")[0]
    documented = re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE)
    assert sorted(documented) == sorted(reason.value for reason in FailureReason)


@pytest.mark.parametrize(("heading", "known"), [("Groups", GROUPS), ("Data quality", CHECKS)])
def test_every_group_and_check_of_rmon_is_documented_and_the_reverse(
    heading: str, known: Iterable[str], pages: dict[str, str]
) -> None:
    table = pages["rmon.md"].partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    documented = re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE)
    assert sorted(documented) == sorted(known)


# --- addresses, modules, parameters ---------------------------------------------------------


def test_every_address_is_documented_and_the_reverse(
    addresses: set[str], pages: dict[str, str]
) -> None:
    documented = re.findall(r"^\| `(?:[A-Z]+ )?(/[^` ]*)` \|", pages["http.md"], re.MULTILINE)
    assert sorted(addresses - set(documented) - {"/snmp", "/probe", "/target", "/rmon"}) == []
    assert sorted(set(documented) - addresses) == []
    assert "## /snmp\n" in pages["snmp.md"]
    assert "## /probe\n" in pages["icmp.md"]
    assert "## /rmon\n" in pages["rmon.md"]


@pytest.mark.parametrize(
    ("name", "path", "least"), [("snmp", "/snmp", 8), ("icmp", "/probe", 5), ("rmon", "/rmon", 6)]
)
def test_every_parameter_is_documented_and_the_reverse(
    name: str, path: str, least: int, repository: Path, pages: dict[str, str]
) -> None:
    source = (repository / f"exporters/{name}/query.py").read_text()
    read = set(re.findall(r'(?:query, |getall\(|query\.get\()"([a-z_]+)"', source))
    table = pages[f"{name}.md"].partition(f"## {path}")[2].partition("| status |")[0]
    documented = re.findall(r"^\| `([a-z_]+)(?:=[a-z0-9]+)?` \|", table, re.MULTILINE)
    assert len(read) >= least
    assert sorted(documented) == sorted(read)


def test_every_folder_of_shipped_mibs_is_documented_and_the_reverse(
    repository: Path, pages: dict[str, str]
) -> None:
    folders = [path for path in (repository / "modules/mibs").iterdir() if path.name != "index"]
    shipped = {f"`{path.name}` {len(list(path.glob('*.txt')))}" for path in folders}
    section = pages["mibs.md"].partition("## What ships")[2].partition("\n## ")[0]
    assert set(re.findall(r"`[a-z0-9]+`\s[0-9]+", section.replace("\n", " "))) == shipped


def test_every_shipped_module_and_auth_is_documented(repository: Path, everything: str) -> None:
    # Of rules there are hundreds, which the page on their exporter tells by their files.
    files = [*(repository / "modules").rglob("*.yml")]
    rules = [file for file in files if "rules" in yaml.safe_load(file.read_text())]
    assert sorted({file.name for file in rules} - set(CODE.findall(everything))) == []
    cases = [*(repository / "modules").glob("*/cases/*.yml")]
    files = [file for file in files if file not in (*rules, *cases)]
    parts = [part for file in files for part in yaml.safe_load(file.read_text()).values()]
    names = {name for part in parts for name in part}
    assert names
    assert sorted(names - set(CODE.findall(everything))) == []


# --- examples and links ---------------------------------------------------------------------


def test_every_example_of_configuration_is_right(pages: dict[str, str], tmp_path: Path) -> None:
    """But for the files and variables of whoever copies it."""
    wrong: list[str] = []
    kinds: list[str] = []
    for page, text in pages.items():
        for block in BLOCK.findall(text):
            content = yaml.safe_load(block)
            if not isinstance(content, dict) or "scrape_configs" in content:
                continue
            try:
                kind = recognise(content, Path(page))
                kinds.append(kind)
                validate(KINDS[kind], content, path=Path(page), context=LoadContext({}, tmp_path))
            except ConfigError as error:
                theirs = ("cannot be read", "environment variable", "is not a bcrypt hash")
                wrong += [str(p) for p in error.problems if not any(t in str(p) for t in theirs)]
    assert wrong == []
    assert {"snmp", "icmp", "devices", "web"} <= set(kinds)


def test_every_link_leads_to_a_file(pages: dict[str, str], repository: Path) -> None:
    folders = {name: repository / ("docs" if name != "README.md" else ".") for name in pages}
    dead = [
        f"{name}: {link}"
        for name, text in pages.items()
        for link in LINK.findall(text)
        if "://" not in link and not (folders[name] / link).exists()
    ]
    assert dead == []


def test_every_link_into_a_page_leads_to_a_heading(pages: dict[str, str]) -> None:
    dead = [
        f"{name}: {page}#{anchor}"
        for name, text in pages.items()
        for page, anchor in ANCHOR.findall(text)
        if anchor not in headings(pages[Path(page).name if page else name])
    ]
    assert dead == []


def headings(page: str) -> set[str]:
    """The anchors that a page of Markdown gets of its headings."""
    titles = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_page_is_linked_from_the_readme(pages: dict[str, str]) -> None:
    linked = {Path(link).name for link in LINK.findall(pages["README.md"])}
    assert sorted(set(pages) - {"README.md"} - linked) == []
