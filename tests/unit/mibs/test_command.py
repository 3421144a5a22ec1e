from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from exporters import cli
from exporters.mibs.states import is_store

Module = Callable[..., str]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``netexporters mib`` and give the exit code, what it printed, and what it complained."""

    def run(*words: object) -> tuple[int, str, str]:
        code = cli.main(["mib", *map(str, words)])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_search_lists_objects_in_columns(run: Run) -> None:
    code, out, _ = run("search", "ifoperst", "--limit", 2)

    assert code == 0
    assert out.splitlines() == [
        "IF-MIB::ifOperStatus        1.3.6.1.2.1.2.2.1.8      column  INTEGER  read-only",
        "IPV6-MIB::ipv6IfOperStatus  1.3.6.1.2.1.55.1.5.1.10  column  INTEGER  read-only"
        " (obsolete)",
    ]


@pytest.mark.parametrize(("flags", "out"), [((), ""), (("--json",), "[]\n")], ids=["text", "json"])
def test_search_that_finds_nothing_says_so_beside_its_output(
    run: Run, flags: tuple[str, ...], out: str
) -> None:
    assert run("search", "no such object", *flags) == (
        1,
        out,
        "nothing has 'no such object' in its name; "
        "--mib.dir names a directory with your own MIB files\n",
    )


def test_search_ends_at_its_limit(run: Run) -> None:
    assert len(run("search", "table", "--limit", 3)[1].splitlines()) == 3


def test_search_can_print_json(run: Run) -> None:
    (found,) = json.loads(run("search", "IF-MIB::ifOperStatus", "--json")[1])

    assert (found["name"], found["oid"]) == ("IF-MIB::ifOperStatus", "1.3.6.1.2.1.2.2.1.8")


def test_show_tells_all_that_is_known(run: Run) -> None:
    code, out, _ = run("show", "IF-MIB::ifType")
    lines = out.partition("\n\n")[0].splitlines()[1:]
    facts = dict(line.strip().split("  ", 1) for line in lines)

    assert (code, out.splitlines()[0]) == (0, "IF-MIB::ifType")
    assert facts["syntax"].strip() == "IANAifType-MIB::IANAifType, which is INTEGER"
    assert facts["values"].strip().startswith("1 other, 2 regular1822")
    assert facts["row"].strip() == "IF-MIB::ifEntry"
    assert facts["index"].strip() == (
        "IF-MIB::ifIndex: IF-MIB::InterfaceIndex, which is Integer32 (1..2147483647)"
    )


def test_show_prints_the_metric_as_snmp_yml_has_it(run: Run) -> None:
    out = run("show", "ifAdminStatus")[1]

    (metric,) = yaml.safe_load(out.partition("As a metric in snmp.yml:\n")[2])

    assert metric == {
        "name": "ifAdminStatus",
        "oid": "1.3.6.1.2.1.2.2.1.7",
        "type": "gauge",
        "help": "IF-MIB::ifAdminStatus - 1.3.6.1.2.1.2.2.1.7",
        "indexes": [{"labelname": "ifIndex", "type": "gauge"}],
        "enum_values": {1: "up", 2: "down", 3: "testing"},
    }


def test_the_shown_metric_loads_in_a_module(run: Run, tmp_path: Path) -> None:
    text = run("show", "ipNetToPhysicalPhysAddress")[1].partition("snmp.yml:\n")[2]
    file = tmp_path / "snmp.yml"
    indented = re.sub(r"^  ", "      ", text, flags=re.MULTILINE)
    file.write_text(
        "auths: {a: {version: 2}}\n"
        f"modules:\n  m:\n    walk: [1.3.6.1.2.1.4.35]\n    metrics:\n{indented}"
    )

    assert cli.main(["check", str(file)]) == 0


def test_show_says_why_there_is_no_metric(run: Run) -> None:
    assert "It becomes no metric: the type Opaque" in run("show", "alarmActiveVariableOpaqueVal")[1]


def test_show_takes_an_instance_apart(run: Run) -> None:
    assert run("show", "1.3.6.1.2.1.2.2.1.2.7")[1].splitlines()[0] == "IF-MIB::ifDescr, instance 7"


def test_show_of_a_module_counts_its_objects(run: Run) -> None:
    out = run("show", "SNMPv2-TC")[1]

    assert out.splitlines()[0] == "SNMPv2-TC"
    assert "DisplayString" in out


def test_show_of_one_of_several_objects_shows_the_one_that_is_named(run: Run) -> None:
    assert run("show", "RFC1213-MIB::ifDescr")[1].splitlines()[0] == "RFC1213-MIB::ifDescr"


@pytest.mark.parametrize("action", ["show", "tree"])
def test_an_unknown_name_is_answered_with_a_likely_one(run: Run, action: str) -> None:
    code, out, err = run(action, "ifOpersStatus")

    assert (code, out) == (1, "")
    assert err == (
        "no MIB module has the name 'ifOpersStatus', did you mean ifOperStatus?;"
        " netexporters mib search finds parts of names;"
        " --mib.dir names a directory with your own MIB files\n"
    )


def test_tree_lists_what_lies_below(run: Run) -> None:
    out = run("tree", "ifTable")[1].splitlines()

    assert out[:3] == [
        "1.3.6.1.2.1.2.2 IF-MIB::ifTable table",
        "  .1 IF-MIB::ifEntry row",
        "    .1 IF-MIB::ifIndex column InterfaceIndex read-only",
    ]
    assert "    .22 IF-MIB::ifSpecific column OBJECT IDENTIFIER read-only deprecated" in out


def test_tree_goes_as_deep_as_it_is_told(run: Run) -> None:
    assert len(run("tree", "ifTable", "--depth", 1)[1].splitlines()) == 2


def test_tree_ends_at_its_limit(run: Run) -> None:
    out = run("tree", "mib-2", "--limit", 4)[1].splitlines()

    assert len(out) == 5
    assert out[-1] == "... more than 4 lines; --limit or --depth say how many"


def test_tree_of_an_instance_is_refused(run: Run) -> None:
    assert run("tree", "ifDescr.1")[2] == "nothing is known below ifDescr.1\n"


def test_own_files_are_read_from_a_directory(
    run: Run, mibs: Path, cache: Path, cases: Path
) -> None:
    (mibs / "x").write_bytes((cases / "EXAMPLE-MIB.txt").read_bytes())

    out = run("show", "exampleTemperature", "--mib.dir", mibs, "--mib.cache-dir", cache)[1]

    assert "units   degrees Celsius" in out
    assert "How warm it is. - 1.3.6.1.4.1.32473.1.1.2" in out


def test_compile_tells_what_is_wrong_and_fails(
    run: Run, mibs: Path, cache: Path, cases: Path
) -> None:
    (mibs / "x").write_bytes((cases / "IMPORTS-MISSING-MIB.txt").read_bytes())

    code, out, err = run("compile", mibs, "--mib.cache-dir", cache)

    assert code == 1
    assert err.splitlines()[-1] == (
        f"{mibs}/x:25: error: IMPORTS-MISSING-MIB: vendorRoot is imported from NOT-PUBLISHED-MIB,"
        " which is not there; 2 objects have no OID"
    )
    assert out == (
        "1 modules with 3 objects: 0 complete, 0 with gaps, 1 with objects that have no OID\n"
    )


def test_compile_fills_the_cache_that_mib_dir_uses(
    run: Run, mibs: Path, cache: Path, module: Module, parsed: list[bytes]
) -> None:
    (mibs / "x").write_text(module("A-MIB", "mine OBJECT IDENTIFIER ::= { root 1 }"))

    code = run("compile", mibs, "--mib.cache-dir", cache)[0]
    out = run("search", "mine", "--mib.dir", mibs, "--mib.cache-dir", cache, "--limit", 1)[1]

    assert code == 0
    assert out == "A-MIB::mine  1.3.6.1.4.1.32473.1  node\n"
    assert len(parsed) == 1


def test_compile_writes_modules_that_need_no_files(
    run: Run, mibs: Path, cache: Path, module: Module, tmp_path: Path
) -> None:
    (mibs / "x").write_text(module("A-MIB", "mine OBJECT IDENTIFIER ::= { root 1 }"))

    run("compile", mibs, "--mib.cache-dir", cache, "--output", tmp_path / "out")

    assert is_store(tmp_path / "out")
    assert "A-MIB::mine" in run("search", "mine", "--mib.dir", tmp_path / "out")[1]


def test_compile_can_leave_warnings_out(run: Run, mibs: Path, cache: Path, cases: Path) -> None:
    (mibs / "x").write_bytes((cases / "BROKEN-MIB.txt").read_bytes())

    err = run("compile", mibs, "--mib.cache-dir", cache, "--no-warnings")[2]

    assert {line.split(": ")[1] for line in err.splitlines()} == {"error"}


def test_a_directory_that_is_not_there_is_told(run: Run, tmp_path: Path) -> None:
    code, _, err = run("search", "x", "--mib.dir", tmp_path / "missing")

    assert code == 1
    assert err.startswith(f"{tmp_path}/missing: there is no such file or directory")


@pytest.mark.parametrize("words", [(), ("shw", "x"), ("show",), ("show", "x", "--mib.dirs", "y")])
def test_a_wrong_command_line_exits_with_2(run: Run, words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(*words)

    assert caught.value.code == 2
