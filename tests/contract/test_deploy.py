"""What is in deploy/: that it names flags, ports, files and labels which there are."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from exporters.cli import EXPORTERS
from exporters.flags import FlagParser, add_exporter_arguments
from exporters.web.settings import add_web_arguments

REPOSITORY = Path(__file__).resolve().parents[2]
DEPLOY = REPOSITORY / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
MANIFESTS = sorted(
    path for path in (DEPLOY / "kubernetes").glob("*.yml") if path.stem != "prometheus"
)
COMPOSE = DEPLOY / "compose" / "compose.yml"
SECRETS = dict.fromkeys(
    ("SNMP_USERNAME", "SNMP_AUTH_PASSWORD", "SNMP_PRIV_PASSWORD"), "long-enough-for-a-key"
)
SERVED = "/etc/netexporters/"
"""Where the files of deploy/config are, wherever an exporter runs."""


class Start(NamedTuple):
    """How an exporter is started, and where that is written."""

    place: str
    words: list[str]

    @property
    def name(self) -> str:
        return self.words[0]


def unit(path: Path) -> dict[str, list[str]]:
    """The settings of a unit, each with all its values."""
    settings: dict[str, list[str]] = {}
    text = path.read_text().replace("\\\n", " ")
    for line in text.splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            settings.setdefault(key, []).append(value)
    return settings


def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return document


def manifests(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text()))


def workload(path: Path) -> dict[str, Any]:
    return next(item for item in manifests(path) if item["kind"] in ("Deployment", "StatefulSet"))


def container(path: Path) -> dict[str, Any]:
    (only,) = workload(path)["spec"]["template"]["spec"]["containers"]
    return dict(only)


def starts() -> Iterator[Start]:
    for path in UNITS:
        program, *words = shlex.split(unit(path)["ExecStart"][0])
        assert program.endswith("/netexporters")
        yield Start(path.name, words)
    for name, service in compose()["services"].items():
        if name in EXPORTERS:
            yield Start(f"compose {name}", service["command"])
    for path in MANIFESTS:
        yield Start(f"kubernetes {path.stem}", container(path)["args"])


STARTS = [pytest.param(start, id=start.place) for start in starts()]


def test_every_exporter_is_started_everywhere() -> None:
    found = [start.name for start in starts()]
    assert sorted(found) == sorted(3 * list(EXPORTERS))


def parse(start: Start, words: list[str]) -> tuple[Any, Any]:
    """The exporter's module, and the arguments that it takes these words for."""
    exporter = import_module(EXPORTERS[start.name].module)
    parser = FlagParser(start.name, "")
    exporter.add_arguments(parser)
    add_exporter_arguments(parser, start.name, "")
    add_web_arguments(parser, EXPORTERS[start.name].port)
    return exporter, parser.parse(words)


@pytest.mark.parametrize("start", STARTS)
def test_exporter_takes_its_flags_and_files(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    words = [
        word.replace(SERVED, f"{DEPLOY}/config/").replace("/var/lib/netexporters", str(tmp_path))
        for word in start.words[1:]
    ]
    assert sum(str(DEPLOY) in word for word in words) == 2
    exporter, arguments = parse(start, words)
    service = exporter.build(arguments)
    assert service.name == start.name


# --- systemd --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_unit_serves_on_the_port_of_its_exporter(path: Path) -> None:
    name = path.stem.removeprefix("netexporters-")
    assert f"--web.listen-address=:{EXPORTERS[name].port}" in unit(path)["ExecStart"][0]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_unit_gives_the_capabilities_that_its_exporter_needs(path: Path) -> None:
    listening = "CAP_NET_BIND_SERVICE CAP_NET_ADMIN"
    needed = {"icmp": "CAP_NET_RAW CAP_NET_ADMIN", "trap": listening, "syslog": listening}
    name = path.stem.removeprefix("netexporters-")
    settings = unit(path)
    assert settings["AmbientCapabilities"] == settings["CapabilityBoundingSet"]
    assert settings["AmbientCapabilities"] == [needed.get(name, "")]
    assert ("StateDirectory" in settings) == (name in ("trap", "syslog"))


@pytest.fixture
def unit_here(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A unit whose program is on this machine, so that nothing else can be wrong with it."""
    text = request.param.read_text()
    path = tmp_path / request.param.name
    path.write_text(text.replace("/opt/netexporters/bin/netexporters", "/bin/true"))
    return path


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", *map(str, words)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.mark.peer("systemd-analyze", "systemd")
@pytest.mark.parametrize("unit_here", UNITS, ids=lambda path: path.stem, indirect=True)
def test_systemd_takes_the_unit(unit_here: Path) -> None:
    verified = analyze("verify", "--man=no", unit_here)
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")


@pytest.mark.peer("systemd-analyze", "systemd")
@pytest.mark.parametrize("unit_here", UNITS, ids=lambda path: path.stem, indirect=True)
def test_systemd_finds_the_unit_well_protected(unit_here: Path) -> None:
    judged = analyze("security", "--offline=true", "--threshold=20", unit_here)
    assert judged.returncode == 0, judged.stdout[-300:]


def test_limits_may_be_raised_under_the_filter_of_system_calls() -> None:
    """exporters/open_files.py does so; what systemd calls @resources would forbid it."""
    for path in UNITS:
        settings = unit(path)
        assert settings["SystemCallFilter"] == ["@system-service", "~@privileged"]
        assert settings["SystemCallErrorNumber"] == ["EPERM"], "an error, and no kill"


# --- compose --------------------------------------------------------------------------------


def test_every_file_that_compose_mounts_is_there() -> None:
    document = compose()
    mounted = {}
    for name, service in document["services"].items():
        for volume in service["volumes"]:
            source, target = volume.split(":")[:2]
            if source.startswith("."):
                assert (COMPOSE.parent / source).exists(), f"{name}: {source}"
                mounted[name, target] = (COMPOSE.parent / source).resolve()
            else:
                assert source in document["volumes"], f"{name}: {source}"
    assert mounted["grafana", "/etc/grafana/provisioning"].is_dir()
    assert document["services"]["snmp"]["build"] == "../.."


def test_health_of_each_container_is_asked_at_its_own_port() -> None:
    """They share the host's network, where any other exporter would answer too."""
    for name, service in compose()["services"].items():
        if name in EXPORTERS:
            (address,) = [word for word in service["healthcheck"]["test"] if ":" in word]
            assert address == f"--address=127.0.0.1:{EXPORTERS[name].port}"


def test_containers_have_no_capabilities_but_those_they_need() -> None:
    listening = ["NET_BIND_SERVICE", "NET_ADMIN"]
    needed = {"icmp": ["NET_RAW", "NET_ADMIN"], "trap": listening, "syslog": listening}
    for name, service in compose()["services"].items():
        if name in EXPORTERS:
            assert service["cap_drop"] == ["ALL"]
            assert service.get("cap_add", []) == needed.get(name, [])
            assert service["read_only"] is True


def test_images_are_pinned() -> None:
    images = [service["image"] for service in compose()["services"].values()]
    images += [container(path)["image"] for path in MANIFESTS]
    wrong = [image for image in images if not re.search(r":v?\d+\.\d+\.\d+$", image)]
    assert wrong == []


def test_example_of_secrets_names_every_variable_of_the_configuration() -> None:
    example = (COMPOSE.parent / "secrets.env.example").read_text()
    named = set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))
    used = {
        name
        for path in (DEPLOY / "config").glob("*.yml")
        for name in re.findall(r"\$\{([A-Z_]+)\}", path.read_text())
    }
    assert named == used == set(SECRETS)


def test_grafana_is_given_its_source_and_the_dashboards() -> None:
    folder = COMPOSE.parent / "grafana"
    (source,) = yaml.safe_load((folder / "datasources/prometheus.yml").read_text())["datasources"]
    assert source["type"] == "prometheus"
    (provider,) = yaml.safe_load((folder / "dashboards/netexporters.yml").read_text())["providers"]
    mounts = dict(volume.split(":")[:2] for volume in compose()["services"]["grafana"]["volumes"])
    targets = {target: source for source, target in mounts.items()}
    dashboards = (COMPOSE.parent / targets[provider["options"]["path"]]).resolve()
    assert list(dashboards.glob("*.json"))


# --- Kubernetes -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_ports_of_a_workload_agree(path: Path) -> None:
    ports = {port["name"]: port for port in container(path)["ports"]}
    assert ports["http"]["containerPort"] == EXPORTERS[path.stem].port
    for item in manifests(path):
        if item["kind"] == "Service":
            for port in item["spec"]["ports"]:
                target = ports[port["targetPort"]]
                assert port.get("protocol", "TCP") == target.get("protocol", "TCP")
    for probe in ("readinessProbe", "livenessProbe"):
        assert container(path)[probe]["httpGet"]["port"] == "http"
    listening = [word for word in container(path)["args"] if ".listen-address=" in word]
    assert {int(word.rpartition(":")[2]) for word in listening} == {
        port["containerPort"] for name, port in ports.items() if name != "http"
    }


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_everything_of_a_workload_selects_its_pods(path: Path) -> None:
    labels = workload(path)["spec"]["template"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/name"] == path.stem
    for item in manifests(path):
        selector = item["spec"]["selector"]
        assert selector.get("matchLabels", selector) == labels, item["metadata"]["name"]
        assert item["apiVersion"] in ("apps/v1", "v1", "policy/v1")


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_pods_may_do_nothing_but_their_work(path: Path) -> None:
    pod = workload(path)["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    context = container(path)["securityContext"]
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert context["readOnlyRootFilesystem"] is True
    assert context["allowPrivilegeEscalation"] is False


@pytest.mark.parametrize("name", ["trap", "syslog"])
def test_receivers_keep_the_address_of_senders(name: str) -> None:
    (receiver,) = [
        item["spec"]
        for item in manifests(DEPLOY / f"kubernetes/{name}.yml")
        if item["kind"] == "Service" and item["spec"].get("type") == "LoadBalancer"
    ]
    assert receiver["externalTrafficPolicy"] == "Local"
    assert receiver["sessionAffinity"] == "ClientIP"
    standard = {"trap": {162}, "syslog": {514}}
    assert {port["port"] for port in receiver["ports"]} == standard[name]


def test_kustomization_names_every_file() -> None:
    kustomization = yaml.safe_load((DEPLOY / "kustomization.yml").read_text())
    assert {DEPLOY / name for name in kustomization["resources"]} == set(MANIFESTS)
    (config,) = kustomization["configMapGenerator"]
    assert {DEPLOY / name for name in config["files"]} == set((DEPLOY / "config").glob("*.yml"))
    for path in MANIFESTS:
        volumes = workload(path)["spec"]["template"]["spec"]["volumes"]
        assert {"name": "config", "configMap": {"name": config["name"]}} in volumes


def scrape_jobs() -> Mapping[str, Any]:
    document = yaml.safe_load((DEPLOY / "kubernetes/prometheus.yml").read_text())
    return {job["job_name"]: job for job in document["scrape_configs"]}


def test_prometheus_finds_services_that_there_are() -> None:
    services = {
        item["metadata"]["name"]: item["spec"]
        for path in MANIFESTS
        for item in manifests(path)
        if item["kind"] == "Service"
    }
    for job in scrape_jobs().values():
        for discovery in job.get("dns_sd_configs", ()):
            (name,) = discovery["names"]
            assert services[name]["clusterIP"] == "None", "else there is no address of each copy"
            assert discovery["port"] in {port["port"] for port in services[name]["ports"]}
        for discovery in job.get("http_sd_configs", ()):
            name = discovery["url"].removeprefix("http://").partition(":")[0]
            assert name in services


def test_prometheus_shares_devices_among_all_copies_of_the_rmon_exporter() -> None:
    replicas = workload(DEPLOY / "kubernetes/rmon.yml")["spec"]["replicas"]
    hashing = scrape_jobs()["rmon"]["relabel_configs"][0]
    assert hashing["modulus"] == replicas


@pytest.mark.peer("promtool", "prometheus")
def test_prometheus_takes_its_configuration() -> None:
    path = DEPLOY / "kubernetes/prometheus.yml"
    command = ["promtool", "check", "config", "--syntax-only", str(path)]
    checked = subprocess.run(command, check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_copies_whose_states_have_an_instance_are_told_apart_all_the_same() -> None:
    honoring = [job for job in scrape_jobs().values() if job.get("honor_labels")]
    assert [job["job_name"] for job in honoring] == ["trap", "syslog"]
    for job in honoring:
        assert {"source_labels": ["__address__"], "target_label": "receiver"} in (
            job["relabel_configs"]
        )


def test_jobs_are_those_of_the_shipped_configuration() -> None:
    shipped = yaml.safe_load((REPOSITORY / "alert_rules/prometheus.yml").read_text())
    jobs = {job["job_name"]: job for job in shipped["scrape_configs"]}
    for name in ("snmp", "rmon"):
        assert scrape_jobs()[name]["metrics_path"] == jobs[name]["metrics_path"]
    labels = {
        group["labels"]["exporter"]
        for job in jobs.values()
        for group in job.get("static_configs", ())
    }
    here = {
        rule["replacement"]
        for job in scrape_jobs().values()
        for rule in job["relabel_configs"]
        if rule.get("target_label") == "exporter"
    }
    assert here == labels == set(EXPORTERS)
