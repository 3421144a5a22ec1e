"""``netexporters check FILE...``: what is wrong in configuration files, before anything runs them.

Each file is checked alone, whichever exporter reads it; its keys tell its kind. Names of objects
are looked up in the OID dictionary. Whether files fit together, ``netexporters EXPORTER
--config.check`` tells.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from exporters.config.check import KINDS, check_file
from exporters.config.json_schema import json_schema
from exporters.errors import ConfigError, Problem
from exporters.mibs.flags import add_mib_arguments
from exporters.mibs.on_demand import DictionaryOnDemand


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    kinds = ", ".join(KINDS)
    parser.add_argument("files", metavar="FILE", nargs="*", type=Path, help="file to check")
    parser.add_argument(
        "--kind",
        choices=KINDS,
        metavar="KIND",
        help=f"what the files are, {kinds} (default: told by their keys)",
    )
    parser.add_argument(
        "--config.expand-environment-variables",
        dest="expand_environment_variables",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="expand $NAME too, as the SNMP exporter does with the same flag",
    )
    parser.add_argument(
        "--schema",
        choices=KINDS,
        metavar="KIND",
        help="print the JSON Schema of a kind of file, for editors, and exit",
    )
    add_mib_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Tell of each file that it is right, or what is wrong in it; 1 if anything is.

    Raises:
        ConfigError: no file is named.
    """
    if arguments.schema:
        schema = json_schema(KINDS[arguments.schema])
        sys.stdout.write(json.dumps(schema, indent=2, ensure_ascii=False) + "\n")
        return 0
    if not arguments.files:
        hint = "netexporters check snmp.yml devices.yml"
        raise ConfigError((Problem("no file is named to check", hint=hint),))
    mibs = DictionaryOnDemand(arguments.mib_directories, arguments.mib_cache_directory)
    wrong = False
    for file in arguments.files:
        problems = check_file(
            file,
            arguments.kind,
            environment=os.environ,
            expand_environment_variables=arguments.expand_environment_variables,
            open_dictionary=mibs.get,
            beside=[other for other in arguments.files if other != file],
        )
        for problem in problems:
            sys.stderr.write(f"{problem}\n")
        if not problems:
            sys.stdout.write(f"{file}: right\n")
        wrong = wrong or bool(problems)
    return int(wrong)
