"""The command line: what is chosen, what is wrong, and that nothing ends in a stack trace."""

from __future__ import annotations

import argparse
import importlib
import logging
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry

from exporters import __version__, cli
from exporters.errors import ConfigError, FailureReason, Problem, TargetError
from exporters.web import serving
from exporters.web.service import Service, Shares


async def _reload() -> None:
    """Nothing to reload."""


SERVICE = Service(
    name="tiny",
    title="Tiny exporter",
    registry=CollectorRegistry(),
    running_config=lambda: "",
    reload=_reload,
    summary=lambda: "2 modules",
)


class Tiny:
    """An exporter and a command in one, whose doing the tests choose."""

    TITLE = "Tiny exporter"

    def __init__(self) -> None:
        self.arguments = argparse.Namespace()
        self.raises: BaseException | None = None
        self.service = SERVICE

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--tiny.wrap", action=argparse.BooleanOptionalAction, default=True)

    def build(self, arguments: argparse.Namespace) -> Service:
        self.run(arguments)
        return replace(self.service, registry=CollectorRegistry())

    def run(self, arguments: argparse.Namespace) -> int:
        self.arguments = arguments
        if self.raises is not None:
            raise self.raises
        return 0


@pytest.fixture
def tiny(monkeypatch):
    tiny = Tiny()
    monkeypatch.setattr(cli, "EXPORTERS", {"tiny": cli.Entry("tiny", "answer little", 9999)})
    monkeypatch.setattr(cli, "COMMANDS", {"poke": cli.Entry("tiny", "poke something")})
    monkeypatch.setattr(cli, "import_module", lambda name: tiny)
    monkeypatch.setattr(cli.logs, "set_up", lambda level, log_format: None)
    monkeypatch.setattr(cli.logging, "shutdown", lambda: None)
    return tiny


@pytest.fixture
def served(tiny, monkeypatch):
    """What is served in place of serving it."""
    served = SimpleNamespace(settings=None)

    def run(service, settings):
        served.settings = settings

    monkeypatch.setattr(serving, "run", run)
    return served


def wrong(capsys, *argv: str) -> str:
    """Run a command line that is wrong, and return what stderr said."""
    try:
        code = cli.main(argv)
    except SystemExit as end:
        code = end.code
    assert code == 2
    output = capsys.readouterr()
    assert output.out == ""
    return output.err


def test_no_command_shows_what_there_is(capsys):
    assert "usage: netexporters COMMAND" in wrong(capsys)


def test_help_names_every_exporter_and_command(capsys):
    for word in ("--help", "-h", "help"):
        assert cli.main([word]) == 0
        output = capsys.readouterr().out
        for name in (*cli.EXPORTERS, *cli.COMMANDS):
            assert f"\n  {name} " in output


def test_version(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith(f"netexporters, version {__version__} (branch: ")


def test_version_of_an_exporter(tiny, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["tiny", "--version"])
    assert end.value.code == 0
    assert f"version {__version__}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["tniy"], "unknown command 'tniy', did you mean tiny?"),
        (["nonsense"], "unknown command 'nonsense'; see netexporters --help"),
        (["--log.level=debug", "tiny"], "the command comes before its flags"),
        (
            ["tiny", "--web.listen-adress=:1"],
            "netexporters tiny: unknown flag --web.listen-adress, did you mean "
            "--web.listen-address?; see netexporters tiny --help",
        ),
        (["tiny", "-config.file=x"], "unknown flag -config.file, did you mean --config.file?"),
        (["tiny", "--web.listen"], "unknown flag --web.listen"),
        (["tiny", "--tiny.warp"], "unknown flag --tiny.warp, did you mean --tiny.wrap?"),
        (["tiny", "--xyzzy"], "unknown flag --xyzzy; see"),
        (["tiny", "extra"], "unexpected argument 'extra'"),
        (["tiny", "--log.level=loud"], "argument --log.level: invalid choice: 'loud'"),
        (["tiny", "--log.format", "xml"], "argument --log.format: invalid choice: 'xml'"),
        (["tiny", "--web.listen-address"], "expected one argument"),
        (["tiny", "--web.shutdown-timeout=soon"], "'soon' is not a duration; write one such as"),
        (["tiny", "--web.shutdown-timeout=-1s"], "'-1s' is negative"),
        (
            ["tiny", "--workers=0"],
            "'0' is not a number from 1 to 512; write one such as 4, or auto",
        ),
        (["tiny", "--workers=many"], "'many' is not a number from 1 to 512"),
        (["poke", "--hard"], "netexporters poke: unknown flag --hard"),
    ],
)
def test_wrong_command_line_is_told_in_words_with_exit_code_2(tiny, capsys, argv, said):
    text = wrong(capsys, *argv)
    assert said in text
    assert "usage:" not in text


def test_flags_have_the_defaults_of_prometheus_exporters(tiny, served):
    assert cli.main(["tiny"]) == 0
    settings = served.settings
    assert [str(address) for address in settings.listen_addresses] == [":9999"]
    assert settings.telemetry_path == "/metrics"
    assert settings.config_file is None
    assert settings.systemd_socket is False
    assert settings.shutdown_timeout_seconds == 10
    assert settings.workers == 1
    assert tiny.arguments.config_files == []
    assert vars(tiny.arguments)["tiny.wrap"] is True


@pytest.mark.parametrize("form", ["{}={}", "{} {}"], ids=["equals", "space"])
def test_flags_are_read_in_both_forms(tiny, served, form):
    flags = {
        "--web.listen-address": "127.0.0.1:1",
        "--config.file": "a.yml",
        "--web.config.file": "web.yml",
        "--web.telemetry-path": "/own",
        "--web.shutdown-timeout": "1m30s",
        "--workers": "3",
    }
    words = [word for flag in flags.items() for word in form.format(*flag).split()]
    assert cli.main(["tiny", *words, "--web.listen-address=[::1]:2", "--config.file=b*.yml"]) == 0
    settings = served.settings
    assert [str(address) for address in settings.listen_addresses] == ["127.0.0.1:1", "[::1]:2"]
    assert str(settings.config_file) == "web.yml"
    assert settings.telemetry_path == "/own"
    assert settings.shutdown_timeout_seconds == 90
    assert settings.workers == 3
    assert tiny.arguments.config_files == ["a.yml", "b*.yml"]


def test_boolean_flags_can_be_denied(tiny, served):
    assert cli.main(["tiny", "--no-tiny.wrap", "--web.systemd-socket"]) == 0
    assert vars(tiny.arguments)["tiny.wrap"] is False
    assert served.settings.systemd_socket is True


@pytest.mark.parametrize("flag", ["--config.check", "--dry-run"])
def test_check_loads_everything_and_serves_nothing(tiny, served, capsys, flag):
    assert cli.main(["tiny", flag]) == 0
    assert served.settings is None
    assert capsys.readouterr().out == "Tiny exporter: the configuration is right: 2 modules\n"


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("--web.telemetry-path=metrics", "--web.telemetry-path=metrics is no path"),
        ("--web.listen-address=nowhere", "--web.listen-address=nowhere has no port"),
        ("--web.config.file=/does/not/exist", "/does/not/exist"),
    ],
)
def test_check_refuses_what_serving_would_refuse(tiny, served, capsys, flag, said):
    assert cli.main(["tiny", "--config.check", flag]) == 1
    assert said in capsys.readouterr().err


def test_workers_are_refused_where_the_exporter_cannot_be_divided(tiny, capsys):
    tiny.service = replace(SERVICE, shares=Shares.NOTHING)
    assert cli.main(["tiny", "--config.check", "--workers=2"]) == 1
    said = "--workers=2: the Tiny exporter cannot be divided; run it with one worker\n"
    assert capsys.readouterr().err == said
    assert cli.main(["tiny", "--config.check", "--workers=1"]) == 0


def test_config_error_is_its_lines_and_exit_code_1(tiny, capsys):
    tiny.raises = ConfigError(
        (Problem("is wrong", "write x", "snmp.yml", 3, "modules.x"), Problem("also"))
    )
    for word in ("tiny", "poke"):
        assert cli.main([word]) == 1
        assert capsys.readouterr().err == "snmp.yml:3: modules.x: is wrong; write x\nalso\n"


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (
            TargetError(FailureReason.TIMEOUT, "192.0.2.1 did not answer"),
            1,
            "netexporters: 192.0.2.1 did not answer (timeout)\n",
        ),
        (PermissionError(13, "Permission denied", "x.yml"), 1, "Permission denied: 'x.yml'\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_what_a_user_can_cause_is_told_in_words(tiny, capsys, error, code, said):
    tiny.raises = error
    assert cli.main(["poke"]) == code
    text = capsys.readouterr().err
    assert text.endswith(said)
    assert text.count("\n") == bool(said)


def test_fault_of_an_exporter_is_a_line_in_the_log(tiny, capsys, caplog):
    tiny.raises = RuntimeError("a fault")
    assert cli.main(["tiny"]) == 1
    assert capsys.readouterr().err == ""
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.exc_info is not None


def test_exit_code_of_a_command_is_passed_on(tiny, monkeypatch):
    monkeypatch.setattr(Tiny, "run", lambda self, arguments: 7)
    assert cli.main(["poke"]) == 7


def test_reader_that_has_seen_enough_ends_quietly(repository):
    script = (
        "import sys; from exporters import cli\n"
        "class Endless:\n"
        "    add_arguments = staticmethod(lambda parser: None)\n"
        "    @staticmethod\n"
        "    def run(arguments):\n"
        "        while True: print('line' * 1000)\n"
        "cli.COMMANDS = {'poke': cli.Entry('x', 'poke')}\n"
        "cli.import_module = lambda name: Endless\n"
        "sys.exit(cli.main(['poke']))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=repository,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=20) == 141


def test_start_imports_nothing_that_is_not_chosen(repository):
    script = (
        "import sys; from exporters import cli; cli.main(['--help'])\n"
        "heavy = {'aiohttp', 'prometheus_client', 'yaml', 'pydantic', 'pysnmp', 'cryptography'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", script], cwd=repository, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", cli.EXPORTERS)
def test_exporter_keeps_the_contract(name):
    exporter = importlib.import_module(cli.EXPORTERS[name].module)
    assert name == exporter.NAME
    assert cli.EXPORTERS[name].port > 1024
    assert exporter.TITLE
    assert callable(exporter.add_arguments)
    assert callable(exporter.build)


@pytest.mark.parametrize("name", cli.EXPORTERS)
def test_flags_of_an_exporter_do_not_clash_with_those_of_all(name, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main([name, "--help"])
    assert end.value.code == 0
    assert "--web.listen-address" in capsys.readouterr().out


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_command_keeps_the_contract(name, capsys):
    command = importlib.import_module(cli.COMMANDS[name].module)
    assert callable(command.run)
    with pytest.raises(SystemExit) as end:
        cli.main([name, "--help"])
    assert end.value.code == 0
    assert f"usage: netexporters {name}" in capsys.readouterr().out


def test_package_runs_as_a_module(repository):
    done = subprocess.run(
        [sys.executable, "-m", "exporters", "--version"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"version {__version__}" in done.stdout
