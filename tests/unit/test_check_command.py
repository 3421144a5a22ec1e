"""``netexporters check``, from the command line to its words and exit code."""

from __future__ import annotations

import json

import pytest

from exporters import cli
from exporters.config.check import KINDS

RIGHT = "rate_limit: {interval: 1s, burst: 5}\n"
WRONG = "rate_limit: {interval: 1s, burst: 5}\nbasic_auth_users: {alice: secret}\n"


@pytest.fixture
def write(tmp_path):
    def write(name: str, text: str) -> str:
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


def test_right_file_is_said_to_be_right(write, capsys):
    file = write("web.yml", RIGHT)
    assert cli.main(["check", file]) == 0
    assert capsys.readouterr() == (f"{file}: right\n", "")


def test_every_problem_of_every_file_is_told(write, capsys):
    right, wrong = write("right.yml", RIGHT), write("wrong.yml", WRONG)
    assert cli.main(["check", wrong, right, "missing.yml"]) == 1
    output = capsys.readouterr()
    assert output.out == f"{right}: right\n"
    first, second = output.err.splitlines()
    assert first.startswith(f"{wrong}:2: basic_auth_users.alice: ")
    assert "missing.yml" in second


def test_kind_of_file_can_be_told(write, capsys):
    file = write("empty.yml", "{}\n")
    assert cli.main(["check", file]) == 1
    assert "not clear which kind" in capsys.readouterr().err
    assert cli.main(["check", "--kind=web", file]) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_schema_of_a_kind_is_printed(kind, capsys):
    assert cli.main(["check", f"--schema={kind}"]) == 0
    assert "properties" in json.loads(capsys.readouterr().out)


def test_nothing_to_check_is_an_error(capsys):
    assert cli.main(["check"]) == 1
    assert "no file is named to check" in capsys.readouterr().err


def test_unknown_kind_is_a_wrong_command_line(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["check", "--kind=nonsense", "x.yml"])
    assert end.value.code == 2
    assert "invalid choice: 'nonsense'" in capsys.readouterr().err


def test_names_are_looked_up_in_the_dictionary(write, capsys):
    file = write("snmp.yml", "modules: {a: {walk: [ifTable]}, b: {walk: [ifTabel]}}\n")
    assert cli.main(["check", file]) == 1
    assert capsys.readouterr().err == (
        f'{file}:1: modules.b.walk[0]: no MIB module has the name "ifTabel", '
        "did you mean ifTable?\n"
    )


def test_modules_of_the_other_files_may_be_included(write, capsys):
    a = write("a.yml", "modules: {a: {include: [b], walk: [ifMtu]}}\n")
    b = write("b.yml", "modules: {b: {walk: [ifAlias]}}\n")
    assert cli.main(["check", a, b]) == 0
    assert capsys.readouterr().out == f"{a}: right\n{b}: right\n"
    assert cli.main(["check", a]) == 1
    assert capsys.readouterr().err == (f'{a}:1: modules.a.include[0]: there is no module "b"\n')


def test_what_is_wrong_in_an_included_module_is_told_of_its_file(write, capsys):
    a = write("a.yml", "modules: {a: {include: [b]}}\n")
    b = write("b.yml", "modules:\n  b: {walk: [ifTabel]}\n")
    assert cli.main(["check", a, b]) == 1
    problem = (
        f'{b}:2: modules.b.walk[0]: no MIB module has the name "ifTabel", did you mean ifTable?'
    )
    assert set(capsys.readouterr().err.splitlines()) == {problem}


def test_names_may_be_those_of_ones_own_mib_files(write, tmp_path, capsys):
    (tmp_path / "mibs").mkdir()
    write("mibs/acme.my", ACME)
    file = write("snmp.yml", "modules: {acme: {walk: [acmeLoad]}}\n")
    cache = f"--mib.cache-dir={tmp_path / 'cache'}"
    assert cli.main(["check", file, f"--mib.dir={tmp_path / 'mibs'}", cache]) == 0
    assert cli.main(["check", file, cache]) == 1


ACME = """ACME-MIB DEFINITIONS ::= BEGIN
IMPORTS enterprises, OBJECT-TYPE, Integer32 FROM SNMPv2-SMI;
acmeLoad OBJECT-TYPE SYNTAX Integer32 MAX-ACCESS read-only STATUS current
  DESCRIPTION "How busy it is." ::= { enterprises 32473 1 }
END
"""
