"""``netexporters snmp module``: show a module as it is resolved, check it, propose one.

    netexporters snmp module show if_mib              a module as snmp.yml has it
    netexporters snmp module lint acme.yml            what of it can never have an effect
    netexporters snmp module from-walk acme.snmprec   a module for a recorded device

Files and MIB files are named as for the exporter: ``--config.file``, ``--mib.dir``.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

from exporters.authoring.lint import lint_files
from exporters.authoring.peer_form import peer_form
from exporters.authoring.proposal import NothingToProposeError, propose
from exporters.authoring.walk_text import load_values
from exporters.config.config_files import matching_files
from exporters.config.devices import load_inventory
from exporters.config.snmp_config import OpenDictionary, SnmpConfig
from exporters.config.snmp_dump import dump_snmp_config
from exporters.config.snmp_module import Module
from exporters.errors import ConfigError, Problem
from exporters.flags import add_actions, did_you_mean
from exporters.mibs.flags import add_mib_arguments
from exporters.mibs.on_demand import DictionaryOnDemand
from exporters.snmp.arguments import configuration_files, load_files

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]+")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    action = add_actions(parser)
    show = action("show", "print modules as snmp.yml has them")
    show.add_argument("names", metavar="NAME", nargs="*", help="module (default: every one)")
    show.add_argument(
        "--config.file",
        dest="config_files",
        metavar="FILE",
        action="append",
        default=[],
        help="file with modules, as for the exporter; repeatable",
    )
    lint = action("lint", "tell what in modules can never have an effect")
    lint.add_argument(
        "files", metavar="FILE", nargs="*", help="file with modules (default: the exporter's)"
    )
    lint.add_argument(
        "--devices.file",
        dest="devices_file",
        metavar="FILE",
        type=Path,
        help="inventory: tells which modules are scraped together",
    )
    from_walk = action("from-walk", "propose a module for a recorded device")
    from_walk.add_argument(
        "recording", metavar="FILE", type=Path, help="recording, or what snmpwalk -On printed"
    )
    from_walk.add_argument("--name", default="", help="of the module (default: that of the file)")
    for each in (show, lint, from_walk):
        add_mib_arguments(each)


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked for; 1 if lint has found anything.

    Raises:
        ConfigError: A file is wrong, or there is no module of a name.
    """
    mibs = DictionaryOnDemand(arguments.mib_directories, arguments.mib_cache_directory)
    if arguments.action == "show":
        return _show(arguments, mibs.get)
    if arguments.action == "lint":
        return _lint(arguments, mibs.get)
    return _from_walk(arguments, mibs.get)


def _show(arguments: argparse.Namespace, open_dictionary: OpenDictionary) -> int:
    modules = load_files(
        arguments.config_files, open_dictionary=open_dictionary, need_auths=False
    ).modules
    for name in arguments.names:
        if name not in modules:
            problem = f"there is no module {name!r}{did_you_mean(name, modules)}"
            raise ConfigError([Problem(problem, f"there are {', '.join(sorted(modules))}")])
    shown: dict[str, Module] = {}
    for name in arguments.names or modules:
        shown[name], lost = peer_form(modules[name])
        if lost:
            sys.stdout.write(f"# {name}: snmp_exporter cannot have {', '.join(lost)}\n")
    sys.stdout.write(dump_snmp_config(SnmpConfig(auths={}, modules=shown)))
    return 0


def _lint(arguments: argparse.Namespace, open_dictionary: OpenDictionary) -> int:
    paths, problems = matching_files(configuration_files(arguments.files))
    if problems:
        raise ConfigError(problems)
    inventory = load_inventory(arguments.devices_file) if arguments.devices_file else None
    found = lint_files(paths, open_dictionary, environment=os.environ, inventory=inventory)
    sys.stdout.write("".join(f"{problem}\n" for problem in found))
    return int(bool(found))


def _from_walk(arguments: argparse.Namespace, open_dictionary: OpenDictionary) -> int:
    path = arguments.recording
    name = arguments.name or _NOT_IN_NAMES.sub("_", path.name.partition(".")[0]).strip("_")
    try:
        text = propose(name or "device", path.name, load_values(path), open_dictionary())
    except NothingToProposeError as error:
        hint = "--mib.dir names a directory with MIB files of the device"
        raise ConfigError([Problem(str(error), hint, str(path))]) from error
    sys.stdout.write(text)
    return 0
