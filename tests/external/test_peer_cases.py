"""The cases of ``tests/cases/snmp`` against snmp_exporter itself: do they tell the truth?

What a case expects is what snmp_exporter gives, but for cases that have ``peer``: there it gives
something else. Left out are cases for what Debian's snmp_exporter, 0.21, does not have yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
import yaml

from exporters.demo.agent import SimulatedAgent
from exporters.demo.recording import Recording

from ..unit.snmp.scraping import case_module, device, expected, read_cases
from .snmp_sides import peer_config, serving

pytestmark = pytest.mark.peer("prometheus-snmp-exporter", "prometheus-snmp-exporter")

NEWER_KEYS = frozenset({"scale", "offset", "display_hint", "datetime_pattern"})
NEWER_TYPES = frozenset({"NTPTimeStamp", "ParseDateAndTime", "ObjectIdentifier"})
SUBTYPED = frozenset({"InetAddress", "InetAddressMissingSize", "LldpPortId"})


def is_older(case: dict[str, Any]) -> bool:
    """Whether 0.21 has all that the case is about."""
    return not case.keys() & {"since", "wrap_counters"} and all(
        not metric.keys() & NEWER_KEYS
        and metric.get("type") not in NEWER_TYPES
        and all(index["type"] not in NEWER_TYPES for index in metric.get("indexes", []))
        and not any(
            lookup.keys() & {*NEWER_KEYS, "enum_values"} or lookup.get("type") in SUBTYPED
            for lookup in metric.get("lookups", [])
        )
        for metric in case_module(case)["metrics"]
    )


CASES = {
    f"{subject}-{case['id']}": case
    for subject in ("samples", "labels", "plans")
    for case in read_cases(subject)
    if is_older(case)
}


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An snmp_exporter with a module for each case."""
    modules = {name: case_module(case) for name, case in CASES.items()}
    path = tmp_path_factory.mktemp("peer") / "snmp.yml"
    path.write_text(yaml.safe_dump(peer_config(modules)))
    listen = "--web.listen-address=127.0.0.1:0"
    with serving(["prometheus-snmp-exporter", f"--config.file={path}", listen]) as url:
        yield url


def values(lines: list[str]) -> dict[str, float]:
    """Series and their values; snmp_exporter writes labels in the same order as we do."""
    pairs = (line.rpartition(" ") for line in lines)
    return {series: float(value) for series, _, value in pairs}


@pytest.mark.parametrize("name", CASES)
async def test_case_is_what_snmp_exporter_gives(peer: str, name: str) -> None:
    case = CASES[name]
    agent = SimulatedAgent(Recording.from_varbinds(device(case.get("rows", ""))))
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as http,
        agent.serve("127.0.0.1", 0) as (host, port),
        http.get(f"{peer}/snmp", params={"target": f"{host}:{port}", "module": name}) as response,
    ):
        text = await response.text()
    lines = [line for line in text.split("\n") if line and not line.startswith(("#", "snmp_"))]
    given = values(lines) if response.status == 200 else {"": 500.0}
    wanted = values(expected(case)["samples"])

    if "peer" in case:
        assert repr(given) != repr(wanted), "the peer does the same: what the case says is not true"
    else:
        assert repr(sorted(given.items())) == repr(sorted(wanted.items())), text
