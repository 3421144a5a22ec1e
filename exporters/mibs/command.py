"""``netexporters mib``: search names and OIDs, show an object, list a tree, compile MIB files.

    netexporters mib search ifin                parts of names, MIB::part, or an OID
    netexporters mib show IF-MIB::ifOperStatus  all that is known, and the metric it becomes
    netexporters mib tree ifXTable              what lies below
    netexporters mib compile DIR                compile your files, and tell what is wrong in them

Your own files come in with ``--mib.dir``; ``compile`` fills the cache that it uses.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from exporters.errors import ConfigError, Problem
from exporters.flags import add_actions
from exporters.mibs.flags import add_cache_argument, add_mib_arguments
from exporters.mibs.opening import compile_directories, open_dictionary
from exporters.mibs.showing import module_lines, object_lines, result_lines, tree_lines
from exporters.mibs.states import write_store
from exporters.smi.dictionary import Dictionary, UnknownNameError
from exporters.smi.mib_description import describe, summarize
from exporters.smi.mib_findings import Severity
from exporters.smi.mib_objects import MibObject

_OWN_FILES = "--mib.dir names a directory with your own MIB files"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    action = add_actions(parser)
    search = action("search", "find objects by a part of their name, or by OID")
    search.add_argument("text", metavar="TEXT|OID", help="part of a name, MIB::part, or an OID")
    _add_limit(search, 50)
    show = action("show", "tell all that is known of an object or of a module")
    show.add_argument("name", metavar="NAME|OID", help="name, MIB::name, OID, or name of a module")
    tree = action("tree", "list what lies below an object")
    tree.add_argument("name", metavar="OID|NAME", help="where to start")
    tree.add_argument("--depth", type=int, default=0, metavar="N", help="levels (default: all)")
    _add_limit(tree, 1000)
    for reader in (search, show, tree):
        add_mib_arguments(reader)
        reader.add_argument("--json", action="store_true", help="print JSON")
    compiling = action("compile", "compile MIB files, and tell what is wrong in them")
    _add_compile_arguments(compiling)


def _add_limit(parser: argparse.ArgumentParser, default: int) -> None:
    parser.add_argument(
        "--limit", type=int, default=default, metavar="N", help="lines (default: %(default)s)"
    )


def _add_compile_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "directories", metavar="DIR", nargs="+", type=Path, help="directory with MIB files, or file"
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="write the compiled modules there, for --mib.dir of machines without the MIB files",
    )
    parser.add_argument(
        "--warnings",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="tell of what was tolerated too (default: on)",
    )
    add_cache_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked for; 1 if nothing is found, or if an error is in a file to compile.

    Raises:
        ConfigError: A directory is not there, or a name is not known.
    """
    if arguments.action == "compile":
        return _compile(arguments)
    dictionary = open_dictionary(arguments).dictionary
    if arguments.action == "search":
        return _search(dictionary, arguments)
    if arguments.action == "show":
        return _show(dictionary, arguments)
    return _tree(dictionary, arguments)


def _print(lines: list[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _search(dictionary: Dictionary, arguments: argparse.Namespace) -> int:
    found = dictionary.search(arguments.text, limit=max(1, arguments.limit))
    if arguments.json:
        _print_json([summarize(item) for item in found])
    else:
        _print(result_lines(found))
    if not found:
        sys.stderr.write(f"nothing has {arguments.text!r} in its name; {_OWN_FILES}\n")
    return 0 if found else 1


def _show(dictionary: Dictionary, arguments: argparse.Namespace) -> int:
    module = dictionary.module(arguments.name)
    if module is not None and not arguments.json:
        _print(module_lines(module))
        return 0
    item, instance = _find(dictionary, arguments.name)
    if arguments.json:
        _print_json(describe(dictionary, item))
    else:
        _print(object_lines(dictionary, item, instance))
    return 0


def _tree(dictionary: Dictionary, arguments: argparse.Namespace) -> int:
    item, instance = _find(dictionary, arguments.name)
    if instance:
        raise ConfigError((Problem(f"nothing is known below {arguments.name}"),))
    depth = arguments.depth if arguments.depth > 0 else None
    _print(tree_lines(dictionary, item, depth, max(1, arguments.limit)))
    return 0


def _find(dictionary: Dictionary, name: str) -> tuple[MibObject, bytes]:
    """The object that *name* means, and the instance that follows it."""
    try:
        found = dictionary.by_oid(dictionary.parse_oid(name))
    except UnknownNameError as error:
        hint = f"netexporters mib search finds parts of names; {_OWN_FILES}"
        raise ConfigError((Problem(str(error), hint),)) from error
    if found is None:
        raise ConfigError((Problem(f"nothing is known of {name}"),))
    item, instance = found
    # Of several objects with one OID, the one that was named.
    named = dictionary.find(name)
    return (item if named is None else named), instance


def _compile(arguments: argparse.Namespace) -> int:
    compiled = compile_directories(arguments.directories, arguments.mib_cache_directory)
    shown = [
        problem
        for problem in compiled.problems
        if arguments.warnings or problem.severity is Severity.ERROR
    ]
    sys.stderr.write("".join(f"{problem}\n" for problem in shown))
    sys.stderr.flush()
    if arguments.output is not None:
        write_store(arguments.output, compiled.store)
    sys.stdout.write(f"{compiled.summary}\n")
    return int(any(problem.severity is Severity.ERROR for problem in compiled.problems))
