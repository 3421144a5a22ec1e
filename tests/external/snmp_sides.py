"""The two sides of a comparison: snmp_exporter 0.21 and our exporter, as processes on loopback."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

_PATIENCE_SECONDS = 30
_LISTENING = re.compile(r"[Ll]istening.*address=(\S+)")

# What 0.21 knows; it refuses a file with any other key.
_KEYS_OF_METRIC = frozenset(
    {"name", "oid", "type", "help", "indexes", "lookups", "regex_extracts", "enum_values"}
)
_KEYS_OF_LOOKUP = frozenset({"labels", "labelname", "oid", "type"})


def peer_config(modules: Mapping[str, Any]) -> dict[str, Any]:
    """The modules of a configuration as 0.21 has them: credentials inside, newer keys left out.

    An enumeration that is its own index is left out, because 0.21 answers nothing at all then; so
    are dates in text, which end its process.
    """
    return {
        name: {
            **module,
            "version": 2,
            "auth": {"community": "public"},
            "metrics": [
                _peer_metric(metric)
                for metric in module["metrics"]
                if not _is_own_index(metric) and metric.get("type") != "ParseDateAndTime"
            ],
        }
        for name, module in modules.items()
    }


def _peer_metric(metric: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in metric.items() if key in _KEYS_OF_METRIC}
    if "lookups" in kept:
        kept["lookups"] = [
            {key: value for key, value in lookup.items() if key in _KEYS_OF_LOOKUP}
            for lookup in kept["lookups"]
        ]
    return kept


def _is_own_index(metric: Mapping[str, Any]) -> bool:
    indexes = [index["labelname"] for index in metric.get("indexes", [])]
    return metric.get("type") == "EnumAsInfo" and metric["name"] in indexes


@contextmanager
def serving(command: Sequence[str]) -> Iterator[str]:
    """Run an exporter that logs where it listens; give its URL."""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        said: list[str] = []
        address: list[str] = []
        ready = threading.Event()

        def listen() -> None:
            assert process.stderr is not None
            for line in process.stderr:
                said.append(line)
                match = None if address else _LISTENING.search(line)
                if match:
                    address.append(match[1])
                    ready.set()
            ready.set()

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        try:
            assert ready.wait(_PATIENCE_SECONDS), f"{command[0]} does not listen"
            assert address, f"{command[0]} has ended: {''.join(said)}"
            yield f"http://{address[0]}"
        finally:
            process.terminate()
            process.wait(_PATIENCE_SECONDS)
            listener.join(_PATIENCE_SECONDS)


@dataclass(frozen=True)
class Family:
    """A family of samples: label sets to values."""

    kind: str
    help: str
    samples: Mapping[frozenset[tuple[str, str]], float]


def read_families(text: str) -> dict[str, Family]:
    """Read an exposition; what an exporter says of the scrape itself is left out."""
    found: dict[str, Family] = {}
    for family in text_string_to_metric_families(text):
        if not family.name.startswith(("snmp_scrape_", "snmp_module_", "snmp_session_", "snmp_up")):
            samples = {frozenset(item.labels.items()): float(item.value) for item in family.samples}
            assert len(samples) == len(family.samples), f"{family.name} has a series twice"
            found[family.name] = Family(family.type, family.documentation, samples)
    return found
