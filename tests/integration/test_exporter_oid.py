"""The OID dictionary of a running exporter: what ships, the user's own MIB files, reload."""

from __future__ import annotations

import json
import statistics
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest

from .agents import (
    SYSTEM_ROWS,
    address_of,
    silent_udp,
    start_simulation,
    write_recording,
)
from .exporter import Exporter, start_exporter
from .processes import Programs, netexporters

HOSTILE = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' or 1=1 --", "%00", "\x00",
    "../../etc/passwd", "(((((((", "[a-z]*", "\\", "1." * 99, "1.3.6.99999999999999999999",
    "🦄", "\t", "::", "IF-MIB::", "::ifDescr", "é" * 200,
)  # fmt: skip


def mib(name: str, *columns: str) -> str:
    objects = "\n".join(
        f"{column} OBJECT-TYPE SYNTAX INTEGER {{ on(1), off(2) }} ACCESS read-only\n"
        f"STATUS mandatory ::= {{ top {number} }}"
        for number, column in enumerate(columns, 1)
    )
    return (
        f"{name} DEFINITIONS ::= BEGIN\nIMPORTS enterprises FROM RFC1155-SMI\n"
        f"OBJECT-TYPE FROM RFC-1212;\ntop OBJECT IDENTIFIER ::= {{ enterprises 32473 }}\n"
        f"{objects}\nEND\n"
    )


@pytest.fixture(scope="module")
def mibs(module_programs: Programs) -> Path:
    folder = module_programs.folder / "mibs"
    folder.mkdir()
    (folder / "OWN-MIB").write_text(mib("OWN-MIB", "ownFan"))
    return folder


@pytest.fixture(scope="module")
def exporter(module_programs: Programs, mibs: Path) -> Exporter:
    cache = module_programs.folder / "cache"
    return start_exporter(module_programs, f"--mib.dir={mibs}", f"--mib.cache-dir={cache}")


def find(exporter: Exporter, text: str) -> list[str]:
    answer = exporter.request(f"/oid.json?{urlencode({'q': text})}")
    assert answer.status == 200, answer.text
    return [item["name"] for item in json.loads(answer.text)["results"]]


def test_page_and_json_tell_of_what_ships(exporter: Exporter) -> None:
    page = exporter.request("/oid?name=IF-MIB::ifOperStatus")

    assert page.status == 200
    assert "7 lowerLayerDown" in page.text
    assert find(exporter, "IF-MIB::ifHCInOct") == ["IF-MIB::ifHCInOctets"]


def test_an_own_file_is_there_from_the_start_and_a_new_one_after_a_reload(
    exporter: Exporter, mibs: Path
) -> None:
    assert find(exporter, "OWN-MIB::fan") == ["OWN-MIB::ownFan"]

    (mibs / "MORE-MIB").write_text(mib("MORE-MIB", "morePower"))
    assert find(exporter, "MORE-MIB::power") == []
    assert exporter.request("/-/reload", method="POST").status == 200
    assert find(exporter, "MORE-MIB::power") == ["MORE-MIB::morePower"]


def test_a_directory_that_is_gone_at_reload_changes_nothing(exporter: Exporter, mibs: Path) -> None:
    away = mibs.with_name("away")
    mibs.rename(away)
    try:
        refused = exporter.request("/-/reload", method="POST")
    finally:
        away.rename(mibs)

    assert refused.status == 500
    assert "there is no such file or directory" in refused.text
    assert find(exporter, "OWN-MIB::fan") == ["OWN-MIB::ownFan"]


def test_a_directory_that_is_not_there_is_a_wrong_configuration(tmp_path: Path) -> None:
    result = netexporters("snmp", "--config.check", f"--mib.dir={tmp_path}/none")

    assert result.returncode == 1
    assert result.stderr.startswith(f"{tmp_path}/none: there is no such file or directory")


@pytest.mark.parametrize("parameter", ["q", "name"])
def test_hostile_text_is_answered_in_words(exporter: Exporter, parameter: str) -> None:
    for text in HOSTILE:
        query = urlencode({parameter: text})
        for path in ("/oid", "/oid.json"):
            answer = exporter.request(f"{path}?{query}")
            assert answer.status in (200, 404), (text, answer.text)
            assert answer.status == 200 or parameter == "name"
            if path == "/oid":
                assert answer.text.count("<script>") == 1
                assert "onerror=alert(1)>" not in answer.text
            else:
                json.loads(answer.text)


def test_answers_are_bounded(exporter: Exporter) -> None:
    for query in ("q=a", "q=table", "name=1.3.6.1.4.1.9.1", "name=enterprises", "name=1.3"):
        for path in ("/oid", "/oid.json"):
            assert len(exporter.request(f"{path}?{query}").body) < 300_000


def test_other_requests_do_not_wait_for_a_search(exporter: Exporter) -> None:
    """A search reads every module; what else is asked meanwhile is answered between two steps."""
    exporter.request("/oid.json?q=table")
    searching = threading.Thread(
        target=lambda: [exporter.request("/oid.json?q=table") for _ in range(4)]
    )
    searching.start()
    waits = []
    while searching.is_alive():
        waits.append(exporter.request("/-/healthy").seconds)
        time.sleep(0.002)
    searching.join()

    assert len(waits) > 10
    assert statistics.median(waits) < 0.1


def test_what_a_scrape_tells_has_names_beside_oids(exporter: Exporter, programs: Programs) -> None:
    recording = write_recording(programs.folder / "a.snmprec", SYSTEM_ROWS)
    target = start_simulation(programs, recording)[1]

    told = exporter.scrape(target, "system", debug="1").text
    with silent_udp() as silent:
        failure = exporter.scrape(address_of(silent), "system", timeout=1.0)

    assert " oids=SNMPv2-MIB::sysDescr (1.3.6.1.2.1.1.1)," in told
    assert "column SNMPv2-MIB::sysName (1.3.6.1.2.1.1.5): 1 rows, complete" in told
    assert '\nsysName{sysName="switch-1"} 1\n' in told
    assert failure.status == 500
    assert "asked for SNMPv2-MIB::sysDescr (1.3.6.1.2.1.1.1) (timeout)" in failure.text
