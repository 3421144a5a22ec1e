from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from exporters.errors import ConfigError
from exporters.mibs.opening import default_cache_directory, open_with_directories
from exporters.mibs.states import compile_state, is_store, open_store, write_store
from exporters.smi.dictionary import Dictionary

Module = Callable[..., str]


@pytest.fixture
def states(cache: Path) -> Callable[[], list[Path]]:
    """The states that are kept, in the order of their use."""

    def states() -> list[Path]:
        found = [path.parent.parent for path in cache.glob("*/*/index/modules.txt")]
        return sorted(found, key=lambda path: path.stat().st_mtime_ns)

    return states


def names(state_store: object) -> list[str]:
    return sorted(state_store.modules)


def test_what_was_compiled_is_used_until_a_file_changes(
    mibs: Path, cache: Path, shipped: Dictionary, module: Module, parsed: list[bytes]
) -> None:
    (mibs / "x").write_text(module("A-MIB"))

    first = compile_state([mibs], shipped, cache)
    again = compile_state([mibs], shipped, cache)
    (mibs / "y").write_text(module("B-MIB"))
    changed = compile_state([mibs], shipped, cache)
    (mibs / "x").unlink()
    less = compile_state([mibs], shipped, cache)

    assert [names(state.store) for state in (first, again, changed, less)] == [
        ["A-MIB"], ["A-MIB"], ["A-MIB", "B-MIB"], ["B-MIB"],
    ]  # fmt: skip
    assert len(parsed) == 2


def test_a_file_that_was_written_again_is_looked_at_again(
    mibs: Path, cache: Path, shipped: Dictionary, module: Module
) -> None:
    (mibs / "x").write_text(module("A-MIB", "one OBJECT IDENTIFIER ::= { root 1 }"))
    compile_state([mibs], shipped, cache)
    (mibs / "x").write_text(module("A-MIB", "two OBJECT IDENTIFIER ::= { root 1 }"))
    os.utime(mibs / "x", ns=(1, 1))

    state = compile_state([mibs], shipped, cache)

    assert [item.name for item in state.store.by_name("two")] == ["two"]


def test_problems_and_summary_are_kept_too(
    mibs: Path, cache: Path, shipped: Dictionary, cases: Path
) -> None:
    (mibs / "x").write_bytes((cases / "BROKEN-MIB.txt").read_bytes())

    first = compile_state([mibs], shipped, cache)
    again = compile_state([mibs], shipped, cache)

    assert first.problems == again.problems
    assert len(first.problems) > 5
    assert first.summary == again.summary


def test_old_states_go_and_the_last_ones_stay(
    mibs: Path, cache: Path, shipped: Dictionary, module: Module, states: Callable[[], list[Path]]
) -> None:
    kept = []
    for number in range(5):
        (mibs / "x").write_text(module("A-MIB", f"-- {number}"))
        compile_state([mibs], shipped, cache)
        newest = max(set(states()) - set(kept), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, ns=(number, number))
        kept.append(newest)

    assert states() == kept[-3:]


def test_a_state_that_is_in_use_can_be_read_while_another_is_made(
    mibs: Path, cache: Path, shipped: Dictionary, module: Module
) -> None:
    (mibs / "x").write_text(module("A-MIB"))
    old = compile_state([mibs], shipped, cache)
    (mibs / "x").write_text(module("A-MIB", "new OBJECT IDENTIFIER ::= { root 1 }"))
    compile_state([mibs], shipped, cache)

    assert [item.name for item in old.store.by_name("root")] == ["root"]


@pytest.mark.parametrize("file", ["manifest.json", "index/modules.txt", "index/trees.txt"])
def test_a_damaged_state_is_made_again(
    mibs: Path,
    cache: Path,
    shipped: Dictionary,
    module: Module,
    file: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (mibs / "x").write_text(module("A-MIB"))
    compile_state([mibs], shipped, cache)
    (damaged,) = cache.glob(f"*/*/{file}")
    damaged.write_text("{") if file.endswith("json") else damaged.unlink()

    with caplog.at_level(logging.WARNING):
        state = compile_state([mibs], shipped, cache)

    assert [item.name for item in state.store.by_name("root")] == ["root"]
    assert damaged.stat().st_size > 1
    assert [record.getMessage() for record in caplog.records] == ["compiled MIB files not usable"]


def test_without_a_cache_everything_is_compiled_in_memory(
    mibs: Path, shipped: Dictionary, module: Module, tmp_path: Path
) -> None:
    (mibs / "x").write_text(module("A-MIB"))

    state = compile_state([mibs], shipped, None)

    assert names(state.store) == ["A-MIB"]
    assert list(tmp_path.iterdir()) == [mibs]


def test_a_cache_that_cannot_be_made_is_done_without_and_told(
    mibs: Path,
    cache: Path,
    shipped: Dictionary,
    module: Module,
    caplog: pytest.LogCaptureFixture,
) -> None:
    cache.write_text("in the way")
    (mibs / "x").write_text(module("A-MIB"))

    with caplog.at_level(logging.WARNING):
        state = compile_state([mibs], shipped, cache)

    assert names(state.store) == ["A-MIB"]
    assert {record.getMessage() for record in caplog.records} == {"MIB cache not writable"}


def test_a_store_is_written_for_other_machines(
    mibs: Path, cache: Path, shipped: Dictionary, module: Module, tmp_path: Path
) -> None:
    (mibs / "x").write_text(module("A-MIB"))
    output = tmp_path / "deep" / "output"

    for _ in range(2):  # a store may be replaced
        write_store(output, compile_state([mibs], shipped, cache).store)

    assert is_store(output)
    assert [item.name for item in open_store(output).by_name("root")] == ["root"]
    assert not (output / "manifest.json").exists()
    assert [path.name for path in output.parent.iterdir()] == ["output"]


@pytest.mark.parametrize("what", ["file", "directory"])
def test_something_else_is_not_overwritten_by_a_store(
    mibs: Path, shipped: Dictionary, tmp_path: Path, what: str
) -> None:
    output = tmp_path / "output"
    if what == "file":
        output.write_text("precious")
    else:
        output.mkdir()
        (output / "precious").write_text("precious")

    with pytest.raises(ConfigError, match="something else"):
        write_store(output, compile_state([mibs], shipped, None).store)

    assert "precious" in (output if what == "file" else output / "precious").read_text()


def test_a_directory_of_compiled_modules_is_opened_as_it_is(
    mibs: Path, cache: Path, shipped: Dictionary, module: Module, tmp_path: Path
) -> None:
    (mibs / "x").write_text(module("A-MIB", "a OBJECT IDENTIFIER ::= { root 1 }"))
    write_store(tmp_path / "output", compile_state([mibs], shipped, None).store)
    (mibs / "x").write_text(
        module("B-MIB", "b OBJECT IDENTIFIER ::= { a 1 }", "a FROM A-MIB").replace("root", "top")
    )

    opened = open_with_directories([mibs, tmp_path / "output"], cache)

    assert opened.problems == ()
    assert opened.dictionary.find("b").dotted_oid == "1.3.6.1.4.1.32473.1.1"
    assert opened.dictionary.find("ifDescr").module == "IF-MIB"


def test_own_modules_replace_those_that_ship(mibs: Path, cache: Path, module: Module) -> None:
    (mibs / "x").write_text(module("IF-MIB", "ifMine OBJECT IDENTIFIER ::= { root 1 }"))

    opened = open_with_directories([mibs], cache)

    assert opened.dictionary.by_qualified("IF-MIB::ifDescr") is None
    assert opened.dictionary.find("ifDescr").module == "RFC1213-MIB"
    assert opened.dictionary.find("ifMine").module == "IF-MIB"


def test_what_ships_is_there_without_any_directory(cache: Path) -> None:
    opened = open_with_directories([], cache)

    assert opened.dictionary.find("ifDescr").module == "IF-MIB"
    assert (opened.problems, opened.summary) == ((), "")
    assert not cache.exists()


@pytest.mark.parametrize(
    ("environment", "directory"),
    [
        ({"CACHE_DIRECTORY": "/var/cache/x", "HOME": "/home/u"}, "/var/cache/x/mibs"),
        ({"CACHE_DIRECTORY": "/var/cache/x:/var/cache/y"}, "/var/cache/x/mibs"),
        ({"XDG_CACHE_HOME": "/c", "HOME": "/home/u"}, "/c/netexporters/mibs"),
        ({"HOME": "/home/u"}, "/home/u/.cache/netexporters/mibs"),
        ({}, None),
    ],
)
def test_the_environment_says_where_the_cache_is(
    environment: dict[str, str], directory: str | None
) -> None:
    expected = None if directory is None else Path(directory)

    assert default_cache_directory(environment) == expected
