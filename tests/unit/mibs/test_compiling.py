from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

import pytest

from exporters.mibs.compiling import Compilation, compile_sources
from exporters.mibs.sources import SourceReader, find_sources
from exporters.smi.dictionary import Dictionary
from exporters.smi.mib_store import MemoryFiles, MibStore

Module = Callable[..., str]
Compile = Callable[[], Compilation]


def dictionary(compilation: Compilation) -> Dictionary:
    return Dictionary((MibStore(MemoryFiles(compilation.files)),))


def test_problems_are_told_as_file_and_line(mibs: Path, compiled: Compile, cases: Path) -> None:
    (mibs / "broken.mib").write_bytes((cases / "BROKEN-MIB.txt").read_bytes())

    problems = [str(problem) for problem in compiled().problems]

    assert problems[0] == (
        f"{mibs}/broken.mib:9: warning: BROKEN-MIB: the semicolon that ends IMPORTS is missing"
    )
    assert (
        f"{mibs}/broken.mib:68: error: BROKEN-MIB: beyondRepair: unexpected (; only its name and"
        " OID are kept"
    ) in problems


def test_the_summary_counts_modules_by_what_became_of_them(
    mibs: Path, compiled: Compile, cases: Path
) -> None:
    for name in ("EXAMPLE-MIB.txt", "IMPORTS-MISSING-MIB.txt", "CYCLES.txt"):
        (mibs / name).write_bytes((cases / name).read_bytes())

    assert compiled().summary() == (
        "4 modules with 40 objects: 3 complete, 0 with gaps, 1 with objects that have no OID"
    )


def test_first_sentences_are_kept_only_where_they_are_wanted(
    mibs: Path, shipped: Dictionary, cases: Path
) -> None:
    (mibs / "x").write_bytes((cases / "EXAMPLE-MIB.txt").read_bytes())
    sources = find_sources([mibs])

    with_help = compile_sources(sources, SourceReader(None), shipped)
    without = compile_sources(sources, SourceReader(None), shipped, with_help=False)

    assert dictionary(with_help).find("exampleUpTime").help == "How long it is up"
    assert b"How long it is up" not in b"".join(without.files.values())


def test_modules_import_from_each_other_and_from_what_is_known(
    mibs: Path, compiled: Compile, module: Module
) -> None:
    (mibs / "one").write_text(module("A-MIB", "a OBJECT IDENTIFIER ::= { root 1 }"))
    (mibs / "two").write_text(
        module(
            "B-MIB", "b OBJECT IDENTIFIER ::= { a 1 }", "a FROM A-MIB ifEntry FROM IF-MIB"
        ).replace("root OBJECT", "other OBJECT")
    )

    compilation = compiled()

    assert list(compilation.problems) == []
    assert dictionary(compilation).find("b").dotted_oid == "1.3.6.1.4.1.32473.1.1"


REVISED = (
    'm MODULE-IDENTITY LAST-UPDATED "{}" ORGANIZATION "" CONTACT-INFO "" DESCRIPTION ""'
    " ::= {{ root 1 }}\n{} OBJECT IDENTIFIER ::= {{ m 1 }}"
)


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_of_two_files_with_one_module_the_later_revision_is_used(
    mibs: Path, compiled: Compile, module: Module, names: tuple[str, str]
) -> None:
    old, new = names
    (mibs / old).write_text(module("A-MIB", REVISED.format("200001010000Z", "old")))
    (mibs / new).write_text(module("A-MIB", REVISED.format("202001010000Z", "new")))

    compilation = compiled()

    assert [bool(dictionary(compilation).by_name(name)) for name in ("old", "new")] == [False, True]
    (problem,) = compilation.problems
    assert str(problem) == (
        f"{mibs}/{old}:1: warning: A-MIB: the module stands in {mibs}/{new} too, at line 1;"
        " that one is used"
    )


def test_of_two_files_of_one_revision_the_one_of_the_modules_name_is_used(
    mibs: Path, compiled: Compile, module: Module
) -> None:
    (mibs / "ALL-MIBS.txt").write_text(module("A-MIB", "all OBJECT IDENTIFIER ::= { root 1 }"))
    (mibs / "A-MIB.txt").write_text(module("A-MIB", "own OBJECT IDENTIFIER ::= { root 1 }"))

    found = dictionary(compiled())

    assert (found.find("own") is not None, found.find("all")) == (True, None)


def test_a_file_whose_module_cannot_be_told_is_reported(mibs: Path, compiled: Compile) -> None:
    (mibs / "x").write_text("1 DEFINITIONS ::= BEGIN\nEND\n")

    (problem,) = compiled().problems

    assert str(problem) == f"{mibs}/x:1: error: no MIB module could be told apart in it"


def test_only_modules_that_are_wanted_are_stored_and_in_their_folders(
    mibs: Path, shipped: Dictionary, module: Module
) -> None:
    (mibs / "one").write_text(module("A-MIB"))
    (mibs / "two").write_text(module("B-MIB"))

    compilation = compile_sources(
        find_sources([mibs]),
        SourceReader(None),
        shipped,
        folder=lambda name: name[0].lower(),
        keep=lambda name: name == "B-MIB",
    )

    assert [name for name in compilation.files if not name.startswith("index/")] == ["b/B-MIB.txt"]
    assert len(compilation.modules) == 2


def test_a_module_of_two_and_a_half_megabytes_compiles(
    mibs: Path, compiled: Compile, module: Module
) -> None:
    objects = "\n".join(
        f"object{number} OBJECT-TYPE SYNTAX INTEGER {{ one(1), two(2) }} ACCESS read-only"
        f' STATUS mandatory DESCRIPTION "{"word " * 60}" ::= {{ root {number} }}'
        for number in range(1, 6001)
    )
    (mibs / "x").write_text(module("LARGE-MIB", objects))
    assert (mibs / "x").stat().st_size > 2_500_000

    compilation = compiled()

    assert compilation.summary().startswith("1 modules with 6001 objects: 1 complete")


def test_the_collector_is_on_again_afterwards(compiled: Compile) -> None:
    compiled()

    assert gc.isenabled()
