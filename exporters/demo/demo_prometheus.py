"""The Prometheus of the demo: the one that is installed, with the configuration that ships."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import yaml

from exporters.bundled import bundled_directory
from exporters.demo.children import Child, free_port, start_child

SCRAPE_INTERVAL: Final = "5s"
_PORT: Final = 9090


async def start_prometheus(
    stack: AsyncExitStack, program: str, folder: Path, addresses: Mapping[int, str]
) -> tuple[str, Child]:
    """Start it; give where it serves, and the process.

    Args:
        stack: Ends it.
        program: What is installed.
        folder: Where configuration and samples lie.
        addresses: Where each exporter is, by its default port; those that are missing do not run.
    """
    address = f"127.0.0.1:{free_port(_PORT)}"
    configuration = folder / "prometheus.yml"
    configuration.write_text(_configuration(addresses))
    _write_rules(folder)
    command = [program, f"--config.file={configuration}", f"--storage.tsdb.path={folder}/tsdb"]
    command += [f"--web.listen-address={address}", "--log.level=error"]
    dashboards = bundled_directory("dashboards")
    command += [f"--web.console.templates={dashboards}/consoles"]
    command += [f"--web.console.libraries={dashboards}/console_libraries"]
    return address, await start_child(stack, "Prometheus", command)


def _configuration(addresses: Mapping[int, str]) -> str:
    """Give the shipped configuration with this demo's addresses and patience."""
    rules = bundled_directory("alert_rules")
    text = (rules / "prometheus.yml").read_text()
    for port, address in addresses.items():
        text = text.replace(f"localhost:{port}", address)
    configuration = yaml.safe_load(text)
    for job in configuration["scrape_configs"]:
        for key in ("scrape_interval", "scrape_timeout"):
            job.pop(key, None)
        for group in job.get("static_configs", ()):
            group["targets"] = [name for name in group["targets"] if "localhost" not in name]
    configuration["global"] = {
        "scrape_interval": SCRAPE_INTERVAL,
        "scrape_timeout": "4s",
        "evaluation_interval": SCRAPE_INTERVAL,
    }
    configuration["rule_files"] = ["*.rules.yml"]
    configuration.pop("alerting", None)  # there is no Alertmanager
    return yaml.safe_dump(configuration)


def _write_rules(folder: Path) -> None:
    """Write the shipped rules, each group as often evaluated as the demo scrapes."""
    for path in bundled_directory("alert_rules").glob("*.rules.yml"):
        document = yaml.safe_load(path.read_text())
        for group in document["groups"]:
            group.pop("interval", None)
        (folder / path.name).write_text(yaml.safe_dump(document, sort_keys=False))
