"""The layers of the package: who may import whom, and that there are no cycles."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

EXPORTERS = ("snmp", "icmp", "trap", "syslog", "rmon")

# What each part may import, beside itself. Whatever is not named here may be imported by nobody
# but the command line.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "build": set(),
    "bundled": {"errors"},
    "open_files": set(),
    "logs": {"errors"},
    "wording": set(),
    "flags": {"logs"},
    "wire": {"errors"},
    "smi": {"errors", "wire"},
    "metrics": {"build"},
    "config": {"errors", "bundled", "logs", "metrics", "smi", "wire"},
    "mibs": {"bundled", "errors", "flags", "logs", "smi", "wire"},
    "sockets": {"errors", "logs", "smi", "wire"},
    "web": {
        "build",
        "bundled",
        "config",
        "errors",
        "logs",
        "metrics",
        "open_files",
        "smi",
        "wire",
        "wording",
    },
    "polling": {"config", "errors", "smi", "sockets", "wire"},
    "events": {
        "build",
        "bundled",
        "config",
        "errors",
        "logs",
        "metrics",
        "smi",
        "web",
        "wire",
        "wording",
    },
    "authoring": {"config", "demo", "errors", "flags", "mibs", "smi", "snmp", "wire", "wording"},
    "demo": {
        "build",
        "bundled",
        "config",
        "errors",
        "logs",
        "metrics",
        "mibs",
        "polling",
        "smi",
        "sockets",
        "web",
        "wire",
        *EXPORTERS,
    },
    **{
        exporter: {
            "build",
            "bundled",
            "config",
            "errors",
            "events",
            "logs",
            "metrics",
            "mibs",
            "open_files",
            "polling",
            "smi",
            "sockets",
            "web",
            "wire",
            "wording",
        }
        for exporter in EXPORTERS
    },
}
COMMAND_LINE = {"cli", "__main__", "healthcheck", "check"}
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "helper", "base", "misc", "manager"}


def _modules(repository: Path) -> dict[str, Path]:
    package = repository / "exporters"
    return {
        ".".join(path.relative_to(repository).with_suffix("").parts).removesuffix(".__init__"): path
        for path in package.rglob("*.py")
    }


def _imports(name: str, path: Path, known: set[str]) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: relative imports hide the direction"
            module = node.module or ""
            found.update(
                f"{module}.{alias.name}" if f"{module}.{alias.name}" in known else module
                for alias in node.names
            )
    return {item for item in found if item.split(".")[0] == "exporters" and item != name}


def _part(module: str) -> str:
    pieces = module.split(".")
    return pieces[1] if len(pieces) > 1 else ""


@pytest.fixture(scope="module")
def graph(repository: Path) -> dict[str, set[str]]:
    modules = _modules(repository)
    return {name: _imports(name, path, set(modules)) for name, path in modules.items()}


def test_imports_run_one_way(graph: dict[str, set[str]]) -> None:
    wrong = [
        f"{module} imports {imported}"
        for module, imports in graph.items()
        if _part(module) and _part(module) not in COMMAND_LINE
        for imported in imports
        if _part(imported)
        and _part(imported) != _part(module)
        and _part(imported) not in MAY_IMPORT[_part(module)]
    ]
    assert wrong == []


def test_every_part_is_named_here(graph: dict[str, set[str]]) -> None:
    parts = {_part(module) for module in graph} - COMMAND_LINE - {""}
    assert parts <= set(MAY_IMPORT)


def test_there_is_no_import_cycle(graph: dict[str, set[str]]) -> None:
    state: dict[str, int] = defaultdict(int)

    def visit(module: str, trail: tuple[str, ...]) -> None:
        state[module] = 1
        for imported in sorted(graph.get(module, ())):
            assert state[imported] != 1, " -> ".join((*trail, module, imported))
            if state[imported] == 0:
                visit(imported, (*trail, module))
        state[module] = 2

    for module in sorted(graph):
        if state[module] == 0:
            visit(module, ())


def test_no_file_has_a_name_that_says_nothing(repository: Path) -> None:
    names = [
        path for path in (repository / "exporters").rglob("*.py") if path.stem in FORBIDDEN_NAMES
    ]
    assert names == []


def test_every_module_says_what_it_is(repository: Path) -> None:
    silent = [
        name
        for name, path in _modules(repository).items()
        if not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []
