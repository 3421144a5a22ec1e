"""From MIB files to a store of compiled modules, with a report of everything that is wrong.

The steps are told by ``compile_sources``: read the files, choose one of modules that several files
have, link names, build the store. Nothing stops at a fault: whatever can be told of a file is in
the store, and whatever cannot is in the report, as ``file:line``.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from exporters.mibs.sources import ReadFile, SourceFile, SourceReader
from exporters.smi.dictionary import Dictionary
from exporters.smi.mib_declarations import Clause, ParsedModule
from exporters.smi.mib_findings import Finding, Severity
from exporters.smi.mib_linker import Linker, LinkResult, parse_revision
from exporters.smi.mib_objects import LinkedModule
from exporters.smi.mib_store import build_files


@dataclass(frozen=True, slots=True)
class MibProblem:
    """Something that is wrong in a MIB file."""

    file: str
    line: int
    severity: Severity
    module: str
    text: str

    def __str__(self) -> str:
        """``file:line: severity: MODULE: text``, which editors find their way by."""
        module = f"{self.module}: " if self.module else ""
        return f"{self.file}:{self.line}: {self.severity}: {module}{self.text}"


@dataclass(frozen=True, slots=True)
class ModuleReport:
    """What became of one module."""

    name: str
    file: str
    objects: int
    """How many objects of it have an OID."""
    lost: int
    """How many have none, because what they stand on is missing."""
    problems: tuple[MibProblem, ...]

    @property
    def complete(self) -> bool:
        """Whether all of it is in the dictionary."""
        return not any(problem.severity is Severity.ERROR for problem in self.problems)


@dataclass(frozen=True, slots=True)
class Compilation:
    """What compiling gave."""

    files: Mapping[str, bytes]
    """The files of the store, as ``exporters.smi.mib_store`` has them."""
    modules: tuple[ModuleReport, ...]
    stray_problems: tuple[MibProblem, ...]
    """Of files without a module, and of modules that another file has too."""

    @property
    def problems(self) -> Iterator[MibProblem]:
        """Everything that is wrong, file by file."""
        every = [*self.stray_problems, *(p for module in self.modules for p in module.problems)]
        return iter(sorted(every, key=lambda problem: (problem.file, problem.line)))

    def summary(self) -> str:
        """One line for a person."""
        complete = sum(module.complete for module in self.modules)
        lost = sum(module.lost > 0 for module in self.modules)
        gaps = len(self.modules) - complete - lost
        objects = sum(module.objects for module in self.modules)
        return (
            f"{len(self.modules)} modules with {objects} objects: {complete} complete, {gaps} with"
            f" gaps, {lost} with objects that have no OID"
        )


def compile_sources(
    sources: Iterable[SourceFile],
    reader: SourceReader,
    known: Dictionary,
    *,
    folder: Callable[[str], str] = lambda _: "",
    keep: Callable[[str], bool] = lambda _: True,
    with_help: bool = True,
) -> Compilation:
    """Compile files.

    Args:
        sources: The files; what is no MIB file is passed over.
        reader: Reads them.
        known: Modules that are there already, for names that the files import.
        folder: Where the compiled module of a name goes in the store.
        keep: Whether a module is stored; all take part in linking.
        with_help: Whether first sentences of descriptions are kept.
    """
    with _without_collector():
        chosen, strays = _choose(file for source in sources if (file := reader.read(source)))
        linker = Linker(
            (module for module, _ in chosen.values()),
            known.module,
            lambda name: [item.module for item in known.by_name(name)],
        )
        linked: list[LinkedModule] = []
        reports: list[ModuleReport] = []
        for name in sorted(chosen):
            result = linker.link(name)
            reports.append(_report(result, chosen[name][1]))
            if keep(name):
                linked.append(result.module if with_help else _without_help(result.module))
        return Compilation(build_files(linked, folder), tuple(reports), tuple(strays))


@contextmanager
def _without_collector() -> Iterator[None]:
    """Compiling makes millions of values that live to its end and none that are circular."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _choose(
    files: Iterable[ReadFile],
) -> tuple[dict[str, tuple[ParsedModule, Path]], list[MibProblem]]:
    """One module of each name, and problems that belong to none of them."""
    chosen: dict[str, tuple[ParsedModule, Path]] = {}
    strays: list[MibProblem] = []
    for file in files:
        strays.extend(_problems(file.path, "", file.findings))
        if not file.modules and not file.findings:
            finding = Finding(1, Severity.ERROR, "no MIB module could be told apart in it")
            strays.extend(_problems(file.path, "", [finding]))
        for module in file.modules:
            other = chosen.get(module.name)
            if other is None:
                chosen[module.name] = (module, file.path)
                continue
            kept, dropped = sorted(((module, file.path), other), key=_preference, reverse=True)
            chosen[module.name] = kept
            text = f"the module stands in {kept[1]} too, at line {kept[0].line}; that one is used"
            finding = Finding(dropped[0].line, Severity.WARNING, text)
            strays.extend(_problems(dropped[1], module.name, [finding]))
    return chosen, strays


def _preference(candidate: tuple[ParsedModule, Path]) -> tuple[str, bool, int, int]:
    """Greater is better: later, in a file of the module's name, with more in it, first of all."""
    module, path = candidate
    revisions = (
        parse_revision(declaration.revision)
        for declaration in module.declarations
        if declaration.clause is Clause.MODULE
    )
    own_file = path.name == module.name or path.stem == module.name
    return next(revisions, ""), own_file, len(module.declarations), -module.line


def _problems(path: Path, module: str, findings: Iterable[Finding]) -> Iterator[MibProblem]:
    for finding in findings:
        yield MibProblem(str(path), finding.line, finding.severity, module, finding.text)


def _report(result: LinkResult, path: Path) -> ModuleReport:
    name = result.module.name
    problems = tuple(_problems(path, name, result.findings))
    return ModuleReport(name, str(path), len(result.module.objects), result.lost, problems)


def _without_help(module: LinkedModule) -> LinkedModule:
    return replace(
        module,
        objects=tuple(replace(item, help="") if item.help else item for item in module.objects),
    )
