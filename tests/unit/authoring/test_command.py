"""``netexporters snmp module``, from the command line to its words and exit code."""

from __future__ import annotations

import pytest
import yaml

from exporters import cli


@pytest.fixture
def write(tmp_path):
    def write(name: str, text: str) -> str:
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


def test_show_prints_a_module_as_snmp_yml_has_it(write, capsys):
    file = write("a.yml", "modules: {a: {walk: [sysUpTime]}, b: {walk: [ifTable]}}\n")

    assert cli.main(["snmp", "module", "show", "a", "--config.file", file]) == 0

    shown = yaml.safe_load(capsys.readouterr().out)
    assert shown == {
        "modules": {
            "a": {
                "get": ["1.3.6.1.2.1.1.3.0"],
                "metrics": [
                    {
                        "name": "sysUpTime",
                        "oid": "1.3.6.1.2.1.1.3",
                        "type": "gauge",
                        "help": "SNMPv2-MIB::sysUpTime - 1.3.6.1.2.1.1.3",
                    }
                ],
                "max_repetitions": 25,
                "retries": 3,
                "timeout": "5s",
            }
        }
    }


BEYOND = """
modules:
  a:
    walk: [ifMtu]
    where: ifOperStatus == up
    labels: {site: seoul}
    concurrency: 2
    timeticks: seconds
    lookups:
      - {source_indexes: [ifIndex], first_of: [ifAlias, ifName], labelname: interface}
    rename: {labels: {ifIndex: index}}
  b:
    walk: [ifAlias]
    rename: {labels: {ifAlias: alias, ifIndex: index}}
"""


def test_show_names_the_series_that_the_peer_cannot_have(write, capsys):
    module = """
modules:
  a:
    walk: [ifMtu]
    lookups: [{source_indexes: [ifIndex], lookup: ifAlias}]
    info_labels: true
    constants: [{name: limit, value: 3}]
"""
    assert cli.main(["snmp", "module", "show", "--config.file", write("a.yml", module)]) == 0
    first_line = capsys.readouterr().out.partition("\n")[0]
    assert first_line == "# a: snmp_exporter cannot have the series if_info, limit"


def test_show_leaves_out_what_the_peer_cannot_have_and_says_so(write, capsys):
    file = write("a.yml", BEYOND)

    assert cli.main(["snmp", "module", "show", "--config.file", file]) == 0

    out = capsys.readouterr().out
    assert out.splitlines()[:2] == [
        "# a: snmp_exporter cannot have labels, where, concurrency, first_of of the label "
        "interface, but for its first column",
        "# b: snmp_exporter cannot have the name alias of the label with the value of ifAlias",
    ]
    shown = yaml.safe_load(out)["modules"]
    assert sorted(shown["a"]) == ["max_repetitions", "metrics", "retries", "timeout", "walk"]
    (metric,) = shown["a"]["metrics"]
    assert metric["indexes"] == [{"labelname": "index", "type": "gauge"}]
    assert [(item["labels"], item["labelname"]) for item in metric["lookups"]] == [
        (["index"], "interface")
    ]
    assert "value_label" not in shown["b"]["metrics"][0]


def test_show_prints_every_module_that_ships(capsys):
    assert cli.main(["snmp", "module", "show"]) == 0
    assert {"if_mib", "system"} <= set(yaml.safe_load(capsys.readouterr().out)["modules"])


def test_show_of_an_unknown_module_says_which_there_are(capsys):
    assert cli.main(["snmp", "module", "show", "if_mibb"]) == 1
    assert capsys.readouterr().err.startswith(
        "there is no module 'if_mibb', did you mean if_mib?; there are "
    )


def test_lint_finds_nothing_in_what_ships(capsys):
    assert cli.main(["snmp", "module", "lint"]) == 0
    assert capsys.readouterr() == ("", "")


def test_lint_of_a_device_that_has_two_modules_with_one_metric_is_told(write, capsys):
    modules = write("a.yml", "modules: {a: {walk: [sysUpTime]}, b: {walk: [system]}}\n")
    devices = write("d.yml", "devices: [{name: d, addresses: [192.0.2.1], modules: [a, b]}]\n")

    assert cli.main(["snmp", "module", "lint", modules, f"--devices.file={devices}"]) == 1
    assert capsys.readouterr().out.startswith(
        f"{modules}:1: modules.b: gives 1 metric that a gives too: sysUpTime; "
    )


def test_lint_of_a_file_that_does_not_load_says_why(write, capsys):
    file = write("a.yml", "modules: {a: {walk: [sysUpTiem]}}\n")

    assert cli.main(["snmp", "module", "lint", file]) == 1
    assert capsys.readouterr().err == (
        f'{file}:1: modules.a.walk[0]: no MIB module has the name "sysUpTiem", '
        "did you mean sysUpTime?\n"
    )


def test_a_proposal_has_the_name_of_its_file_unless_told(write, capsys):
    file = write("core sw-1.snmprec", "1.3.6.1.2.1.1.3.0|67|5\n")

    assert cli.main(["snmp", "module", "from-walk", file]) == 0
    assert list(yaml.safe_load(capsys.readouterr().out)["modules"]) == ["core_sw-1"]
    assert cli.main(["snmp", "module", "from-walk", file, "--name=core"]) == 0
    assert list(yaml.safe_load(capsys.readouterr().out)["modules"]) == ["core"]


def test_nothing_to_propose_is_told_with_what_would_help(write, capsys):
    file = write("a.snmprec", "1.3.6.1.4.1.99999.1|2|5\n")

    assert cli.main(["snmp", "module", "from-walk", file]) == 1
    assert capsys.readouterr().err == (
        f"{file}: no number of it is known to a MIB module; --mib.dir names a directory with MIB "
        "files of the device\n"
    )


def test_the_exporter_is_still_what_snmp_alone_means(capsys):
    assert cli.main(["snmp", "--config.check"]) == 0
    assert "the configuration is right" in capsys.readouterr().out
