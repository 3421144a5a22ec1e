"""Labels from memory, as an operator sees them: telemetry, debug=1, reload, other credentials."""

from __future__ import annotations

from pathlib import Path

from exporters.demo.agent import AgentSettings, SimulatedAgent
from exporters.demo.snmprec import load_recording

from .agents import SYSTEM_ROWS, Relay, interface_rows, start_simulation, write_recording
from .exporter import Exporter, start_exporter
from .processes import Programs


def refreshes(exporter: Exporter, reason: str) -> float:
    return exporter.telemetry().value("snmp_lookup_cache_refreshes_total", reason=reason)


def test_labels_are_remembered_until_reload_and_for_the_credentials_alone(
    programs: Programs, repository: Path
) -> None:
    recording = programs.folder / "switch.snmprec"
    write_recording(recording, SYSTEM_ROWS, interface_rows(20))
    target = start_simulation(programs, "--moving", recording)[1]
    exporter = start_exporter(
        programs, f"--config.file={repository}/modules/snmp/*.yml", "--snmp.lookup-cache=1h"
    )
    first, second = (exporter.scrape(target, "if_mib").exposition for _ in range(2))
    hits = exporter.telemetry().value("snmp_lookup_cache_hits_total")
    assert (hits, refreshes(exporter, "unknown")) == (1, 1)
    assert second.named("ifInOctets").keys() == first.named("ifInOctets").keys()
    assert len(second.named("ifInOctets")) == 20
    assert exporter.telemetry().value("snmp_lookup_cache_bytes") > 1000
    text = exporter.scrape(target, "if_mib", debug="1").text
    assert "labels of module if_mib: from memory, read 0 s ago, good for " in text
    exporter.scrape(target, "if_mib", auth="public_v1")
    assert refreshes(exporter, "unknown") == 2
    assert exporter.request("/-/reload", method="POST").status == 200
    assert exporter.telemetry().value("snmp_lookup_cache_bytes") == 0
    exporter.scrape(target, "if_mib")
    assert refreshes(exporter, "unknown") == 3


def test_restarted_agent_has_its_labels_read_again(programs: Programs, repository: Path) -> None:
    uptime = "1.3.6.1.2.1.1.3.0"

    def switch(ticks: int, alias: str) -> SimulatedAgent:
        rows = tuple((oid, tag, text.replace("uplink", alias)) for oid, tag, text in everything)
        path = programs.folder / f"{alias}.snmprec"
        others = tuple(row for row in rows if row[0] != uptime)
        write_recording(path, (*others, (uptime, 67, str(ticks))))
        return SimulatedAgent(load_recording(path), AgentSettings(moving=True))

    everything = (*SYSTEM_ROWS, *interface_rows(20))
    agents = [switch(8_640_000, "uplink"), switch(100, "moved")]
    exporter = start_exporter(
        programs, f"--config.file={repository}/modules/snmp/*.yml", "--snmp.lookup-cache=1h"
    )
    port = {"ifIndex": "7", "ifDescr": "port7", "ifName": "port7"}
    with Relay(answer=lambda request: agents[0].handle(request)) as relay:
        exposition = exporter.scrape(relay.target, "if_mib").exposition
        assert exposition.value("ifMtu", **port, ifAlias="uplink 7") == 1500
        del agents[0]
        exposition = exporter.scrape(relay.target, "if_mib").exposition
        assert exposition.value("ifMtu", **port, ifAlias="moved 7") == 1500
    assert refreshes(exporter, "restart") == 1
