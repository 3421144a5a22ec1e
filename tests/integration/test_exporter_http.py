"""The exporter's addresses as HTTP clients see them: parameters, formats, discovery, refusals."""

from __future__ import annotations

import gzip
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode, urljoin

import pytest
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from .agents import SYSTEM_ROWS, address_of, interface_rows, start_simulation, write_recording
from .exporter import Answer, Exporter, start_exporter
from .processes import Programs

PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text"
PROTOBUF = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
)

DEVICES = [
    {
        "name": "core",
        "addresses": ["127.0.0.1", "192.0.2.7"],
        "auth": "public_v2",
        "modules": ["system", "if_mib"],
        "labels": {"site": "seoul", "role": "core"},
    },
    {"name": "bare", "addresses": ["switch.example"]},
    {"name": "elsewhere", "addresses": ["192.0.2.9"], "snmp_target": "tcp://192.0.2.10:1161"},
]


@pytest.fixture(scope="module")
def agent(module_programs: Programs) -> str:
    recording = module_programs.folder / "switch.snmprec"
    write_recording(recording, SYSTEM_ROWS, interface_rows(3))
    return start_simulation(module_programs, recording)[1]


@pytest.fixture(scope="module")
def exporter(module_programs: Programs, repository: Path) -> Exporter:
    folder = module_programs.folder
    auths = {"elsewhere": {"community": "secret", "targets": ["192.0.2.0/24", "2001:db8::/32"]}}
    (folder / "auths.yml").write_text(yaml.safe_dump({"auths": auths}))
    (folder / "devices.yml").write_text(yaml.safe_dump({"devices": DEVICES}))
    return start_exporter(
        module_programs,
        f"--config.file={repository}/modules/snmp/*.yml",
        f"--config.file={folder}/auths.yml",
        f"--devices.file={folder}/devices.yml",
        "--targets.allow=127.0.0.1",
        "--targets.allow=192.0.2.0/24",
    )


def modules_of(answer: Answer) -> set[str]:
    return {dict(labels)["module"] for labels in answer.exposition.named("snmp_module_success")}


# --- parameters -----------------------------------------------------------------------------

ONCE = "'target' parameter must be specified once"
NO_MODULE = "'module' parameter must contain at least one module name"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", ONCE),
        ("target=", ONCE),
        ("target=AGENT&target=AGENT", ONCE),
        ("target=AGENT&target=", ONCE),
        ("target=http://AGENT", "'target' parameter: unknown transport 'http'; expected udp, "
         "udp4, udp6, tcp, tcp4, tcp6"),
        ("target=127.0.0.1:65536", "'target' parameter: '65536' is not a port; expected a number "
         "from 0 to 65535"),
        ("target=127.0.0.1:", "'target' parameter: '' is not a port; expected a number from 0 to "
         "65535"),
        ("target=udp://", "'target' parameter: 'udp://' names no host; expected "
         "[transport://]host[:port]"),
        ("target=a%20b", "'target' parameter: 'a b' is neither a host name nor an address"),
        ("target=%00", r"'target' parameter: '\x00' is neither a host name nor an address"),
        ("target=[::1", "'target' parameter: '[::1' has brackets that do not hold an address"),
        ("target=AGENT&module=", NO_MODULE),
        ("target=AGENT&module=,&module=,,", NO_MODULE),
        ("target=AGENT&module=nope", "Unknown module 'nope'"),
        ("target=AGENT&module=system,nope", "Unknown module 'nope'"),
        ("target=AGENT&module=system&module=nope", "Unknown module 'nope'"),
        ("target=AGENT&auth=nope", "Unknown auth 'nope'"),
        ("target=AGENT&auth=public_v2&auth=public_v2",
         "'auth' parameter must only be specified once"),
        ("target=AGENT&snmp_context=a&snmp_context=b",
         "'snmp_context' parameter must only be specified once"),
        ("target=AGENT&snmp_engineid=00&snmp_engineid=00",
         "'snmp_engineid' parameter must only be specified once"),
        ("target=AGENT&snmp_engineid=xyz", "'snmp_engineid' parameter: 'xyz' is not hexadecimal; "
         "expected digits such as 80001f8880e9bd0c1d12667a51"),
        (f"target=AGENT&snmp_engineid={'00' * 33}",
         "'snmp_engineid' parameter is 33 bytes; at most 32 are possible"),
        ("target=AGENT&failure=no", "'failure' parameter must be 'status' or 'metrics'"),
        ("target=AGENT&failure=metrics&failure=metrics",
         "'failure' parameter must only be specified once"),
    ],
)  # fmt: skip
def test_wrong_parameter_is_told_and_counted(
    exporter: Exporter, agent: str, query: str, message: str
) -> None:
    before = exporter.telemetry().value("snmp_request_errors_total")
    answer = exporter.request(f"/snmp?{query.replace('AGENT', agent)}")
    assert (answer.status, answer.text) == (400, f"{message}\n")
    assert exporter.telemetry().value("snmp_request_errors_total") == before + 1


@pytest.mark.parametrize(
    ("query", "modules"),
    [
        pytest.param("", {"if_mib"}, id="the default"),
        pytest.param("&module=system", {"system"}, id="one"),
        pytest.param("&module=system,if_mib", {"system", "if_mib"}, id="separated by commas"),
        pytest.param("&module=system&module=if_mib", {"system", "if_mib"}, id="repeated"),
        pytest.param("&module=,system,,&module=system", {"system"}, id="twice and empty"),
        pytest.param("&auth=", {"if_mib"}, id="empty auth"),
        pytest.param("&auth=public_v1", {"if_mib"}, id="auth"),
        pytest.param("&snmp_context=x&snmp_engineid=", {"if_mib"}, id="without effect on v2c"),
        pytest.param("&nonsense=1", {"if_mib"}, id="unknown"),
        pytest.param("&failure=status", {"if_mib"}, id="failure as the status"),
    ],
)
def test_right_parameters_select_the_modules(
    exporter: Exporter, agent: str, query: str, modules: set[str]
) -> None:
    answer = exporter.request(f"/snmp?target={agent}{query}")
    assert modules_of(answer) == modules
    assert bool(answer.exposition.named("ifNumber")) == ("if_mib" in modules)
    assert bool(answer.exposition.named("sysName")) == ("system" in modules)
    assert answer.exposition.value("snmp_up") == 1


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        pytest.param("127.0.0.1:1", "refused", id="closed port"),
        pytest.param("tcp://127.0.0.1:1", "refused", id="closed port of TCP"),
        pytest.param("no-such-host.invalid", "dns", id="unknown name"),
        pytest.param("a..b", "dns", id="no possible name"),
        pytest.param("udp6://127.0.0.1", "dns", id="address of the other family"),
    ],
)
def test_target_that_cannot_be_reached_fails_with_its_reason(
    exporter: Exporter, target: str, reason: str
) -> None:
    before = exporter.failures(reason)
    as_status = exporter.scrape(target, "system", "if_mib")
    as_metrics = exporter.scrape(target, "system", "if_mib", failure="metrics")
    assert as_status.status == 500
    assert as_status.text.count(f"({reason})\n") == 2
    assert as_metrics.exposition.samples.keys() == {
        ("snmp_up", frozenset()),
        *((name, frozenset({("module", module), *extra}))
          for module in ("system", "if_mib")
          for name, extra in (("snmp_module_success", ()),
                              ("snmp_module_failure", (("reason", reason),)))),
    }  # fmt: skip
    assert as_metrics.exposition.value("snmp_up") == 0
    assert exporter.failures(reason) == before + 4


# --- who may be asked -----------------------------------------------------------------------


@pytest.mark.parametrize("target", ["127.0.0.2", "udp://127.0.0.2", "[::ffff:127.0.0.2]"])
def test_target_outside_of_the_allowed_networks_hears_nothing(
    exporter: Exporter, target: str
) -> None:
    before = exporter.telemetry().value("snmp_targets_refused_total")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.2", 0))
        answer = exporter.scrape(f"{target}:{udp.getsockname()[1]}")
        udp.setblocking(False)
        with pytest.raises(BlockingIOError):
            udp.recv(1)
    text = "target 127.0.0.2 is outside of --targets.allow\n"
    assert (answer.status, answer.text) == (403, text)
    assert exporter.telemetry().value("snmp_targets_refused_total") == before + 1


def test_target_outside_of_the_networks_of_the_auth_hears_nothing(exporter: Exporter) -> None:
    before = exporter.telemetry().value("snmp_targets_refused_total")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        answer = exporter.scrape(address_of(udp), auth="elsewhere", failure="metrics", debug="1")
        udp.setblocking(False)
        with pytest.raises(BlockingIOError):
            udp.recv(1)
    text = "target 127.0.0.1 is outside of the targets of auth 'elsewhere'\n"
    assert (answer.status, answer.text) == (403, text)
    assert exporter.telemetry().value("snmp_targets_refused_total") == before + 1


def test_name_is_judged_by_its_address(exporter: Exporter, agent: str) -> None:
    port = agent.partition(":")[2]
    assert exporter.scrape(f"udp4://localhost:{port}").status == 200
    assert exporter.scrape("0.0.0.0:161").status == 403


# --- formats --------------------------------------------------------------------------------


@pytest.mark.parametrize("accept", ["", "*/*", f"{OPENMETRICS};version=1.0.0", PROTOBUF])
def test_samples_of_devices_keep_their_format_whatever_is_accepted(
    exporter: Exporter, agent: str, accept: str
) -> None:
    """Names and types of a device's samples must not change with the reader."""
    answer = exporter.request(f"/snmp?target={agent}", headers={"Accept": accept})
    assert answer.headers["content-type"] == PROMETHEUS_TEXT
    assert answer.exposition.types["ifHCInOctets"] == "counter"
    assert len(answer.exposition.named("ifHCInOctets")) == 3


def test_telemetry_is_openmetrics_for_who_prefers_it(exporter: Exporter) -> None:
    accept = f"{OPENMETRICS};version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1"
    answer = exporter.request("/metrics", headers={"Accept": accept})
    assert answer.headers["content-type"].startswith(f"{OPENMETRICS}; version=1.0.0")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert families["snmp_packets"].type == "counter"
    assert families["snmp_collection_duration_seconds"].type == "histogram"
    assert exporter.request("/metrics").headers["content-type"] == PROMETHEUS_TEXT


@pytest.mark.parametrize("path", ["/metrics", "/snmp?target=AGENT", "/config"])
def test_text_is_compressed_for_who_takes_it(exporter: Exporter, agent: str, path: str) -> None:
    path = path.replace("AGENT", agent)
    plain = exporter.request(path)
    packed = exporter.request(path, headers={"Accept-Encoding": "gzip"})
    refused = exporter.request(path, headers={"Accept-Encoding": "gzip;q=0"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) == len(packed.body) < len(plain.body) / 3
    lines = gzip.decompress(packed.body).decode().splitlines()
    assert lines[:2] == plain.text.splitlines()[:2]
    assert len(lines) == len(plain.text.splitlines())
    assert "content-encoding" not in plain.headers.keys() | refused.headers.keys()


@pytest.mark.parametrize("path", ["/", "/metrics", "/config", "/sd", "/snmp?target=AGENT"])
def test_head_is_a_get_without_its_body(exporter: Exporter, agent: str, path: str) -> None:
    path = path.replace("AGENT", agent)
    get, head = exporter.request(path), exporter.request(path, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    assert int(head.headers["content-length"]) > 0


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/snmp", 405),
        ("GET", "/-/reload", 405),
        ("DELETE", "/metrics", 405),
        ("GET", "/nothing", 404),
        ("GET", "/../../etc/passwd", 404),
        ("GET", "/static/../exporter.py", 404),
    ],
)
def test_wrong_address_is_told_in_words(
    exporter: Exporter, method: str, path: str, status: int
) -> None:
    answer = exporter.request(path, method=method)
    assert answer.status == status
    assert "address" in answer.text
    assert len(answer.text.splitlines()) == 1


def test_exporter_is_healthy_and_ready(exporter: Exporter) -> None:
    assert exporter.request("/-/healthy").text == "Healthy\n"
    assert exporter.request("/-/ready").text == "Ready\n"


class FormReader(HTMLParser):
    """The first form of a page: where it leads, and what it sends if it is left as it is."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "form":
            self.action = attributes["action"] or ""
        elif tag == "input":
            self.fields[attributes["name"] or ""] = attributes.get("value") or ""


@pytest.mark.parametrize("prefix", ["/", "/behind/a/proxy/"])
def test_landing_page_has_a_form_that_works(exporter: Exporter, agent: str, prefix: str) -> None:
    page = exporter.request("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    form = FormReader(page.text)
    assert form.fields == {"target": "", "module": "if_mib", "auth": "public_v2"}
    address = urljoin(f"{exporter.url}{prefix}", form.action)
    assert address == f"{exporter.url}{prefix}snmp"
    answer = exporter.request(f"/snmp?{urlencode(form.fields | {'target': agent})}")
    assert answer.exposition.value("ifNumber") == 3


# --- discovery ------------------------------------------------------------------------------


def test_discovery_gives_every_device_as_prometheus_reads_it(exporter: Exporter) -> None:
    answer = exporter.request("/sd")
    assert answer.headers["content-type"].startswith("application/json")
    assert json.loads(answer.text) == [
        {
            "targets": ["127.0.0.1"],
            "labels": {
                "instance": "127.0.0.1",
                "site": "seoul",
                "role": "core",
                "device": "core",
                "__metrics_path__": "/snmp",
                "__param_target": "127.0.0.1",
                "__param_auth": "public_v2",
                "__param_module": "system,if_mib",
            },
        },
        {
            "targets": ["switch.example"],
            "labels": {
                "instance": "switch.example",
                "device": "bare",
                "__metrics_path__": "/snmp",
                "__param_target": "switch.example",
            },
        },
        {
            "targets": ["tcp://192.0.2.10:1161"],
            "labels": {
                "instance": "192.0.2.9",
                "device": "elsewhere",
                "__metrics_path__": "/snmp",
                "__param_target": "tcp://192.0.2.10:1161",
            },
        },
    ]


def test_no_inventory_no_discovery(programs: Programs) -> None:
    assert start_exporter(programs).request("/sd").status == 404


# --- many at once ---------------------------------------------------------------------------


def test_twenty_scrapes_of_one_target_at_once_are_all_right(exporter: Exporter, agent: str) -> None:
    with ThreadPoolExecutor(20) as pool:
        scrape = [pool.submit(exporter.scrape, agent, "system", "if_mib") for _ in range(20)]
        expositions = [future.result().exposition for future in scrape]
    served = [
        {key: value for key, value in exposition.samples.items() if not key[0].startswith("snmp_")}
        for exposition in expositions
    ]
    assert len(served[0]) > 100
    assert served == [served[0]] * 20
    assert all(exposition.value("snmp_up") == 1 for exposition in expositions)
    assert exporter.telemetry().value("snmp_request_in_flight") == 0
