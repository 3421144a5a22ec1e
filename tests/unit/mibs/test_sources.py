from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from exporters.errors import ConfigError
from exporters.mibs.sources import SourceReader, find_sources
from exporters.smi.mib_findings import Severity

Module = Callable[..., str]


def read_one(reader: SourceReader, directory: Path) -> object:
    (source,) = find_sources([directory])
    return reader.read(source)


def test_files_are_found_below_a_directory_whatever_they_are_called(mibs: Path) -> None:
    for name in ("A-MIB", "b.txt", "c.my", "vendor/D-MIB.mib", ".hidden", ".git/E-MIB"):
        (mibs / name).parent.mkdir(exist_ok=True)
        (mibs / name).write_text("x")

    found = [source.path.relative_to(mibs).as_posix() for source in find_sources([mibs])]

    assert found == ["A-MIB", "b.txt", "c.my", "vendor/D-MIB.mib"]


def test_a_file_that_is_named_twice_is_found_once(mibs: Path) -> None:
    (mibs / "A-MIB").write_text("x")

    assert len(find_sources([mibs, mibs / "A-MIB"])) == 1


def test_a_place_that_is_not_there_is_an_error(mibs: Path) -> None:
    with pytest.raises(ConfigError, match="no such file or directory"):
        find_sources([mibs / "missing"])


@pytest.mark.parametrize(
    "content",
    [b"", b"#!/bin/sh\necho DEFINITIONS\n", b"\x89PNG\r\n\x1a\n\0\0", b"DEFINITIONS of words"],
    ids=["empty", "script", "picture", "prose"],
)
def test_what_is_no_mib_file_is_passed_over(mibs: Path, content: bytes) -> None:
    (mibs / "x").write_bytes(content)

    assert read_one(SourceReader(None), mibs) is None


def test_line_ends_and_encoding_make_no_difference(mibs: Path, cases: Path) -> None:
    text = (cases / "EXAMPLE-MIB.txt").read_text().replace("Nobody", "Müller")
    readings = []
    for content in (
        text.encode(),
        text.encode("utf-8-sig"),
        text.replace("\n", "\r\n").encode("latin-1"),
    ):
        (mibs / "x").write_bytes(content)
        readings.append(read_one(SourceReader(None), mibs).modules)

    assert readings[0] == readings[1] == readings[2]
    assert len(readings[0][0].declarations) == 40


def test_a_file_is_read_once(mibs: Path, cache: Path, module: Module, parsed: list[bytes]) -> None:
    (mibs / "x").write_text(module("A-MIB"))

    first = read_one(SourceReader(cache), mibs)
    (mibs / "x").rename(mibs / "y")
    second = read_one(SourceReader(cache), mibs)

    assert len(parsed) == 1
    assert second.path.name == "y"
    assert second.modules == first.modules


def test_a_file_that_has_changed_is_read_again(
    mibs: Path, cache: Path, module: Module, parsed: list[bytes]
) -> None:
    for name in ("A-MIB", "B-MIB"):
        (mibs / "x").write_text(module(name))
        assert read_one(SourceReader(cache), mibs).modules[0].name == name

    assert len(parsed) == 2


@pytest.mark.parametrize("damage", ["{", "[1]", '[[["X"]], []]', ""], ids=repr)
def test_a_damaged_cache_is_read_past(
    mibs: Path, cache: Path, module: Module, parsed: list[bytes], damage: str
) -> None:
    (mibs / "x").write_text(module("A-MIB"))
    read_one(SourceReader(cache), mibs)
    (kept,) = cache.iterdir()
    kept.write_text(damage)

    assert read_one(SourceReader(cache), mibs).modules[0].name == "A-MIB"
    assert len(parsed) == 2


def test_a_cache_where_a_file_is_in_the_way_is_done_without(
    mibs: Path, cache: Path, module: Module
) -> None:
    cache.write_text("in the way")
    (mibs / "x").write_text(module("A-MIB"))

    assert read_one(SourceReader(cache), mibs).modules[0].name == "A-MIB"


def test_a_file_that_is_too_large_is_a_finding(
    mibs: Path, monkeypatch: pytest.MonkeyPatch, module: Module
) -> None:
    monkeypatch.setattr("exporters.mibs.sources._LARGEST_FILE_BYTES", 10)
    (mibs / "x").write_text(module("A-MIB"))

    read = read_one(SourceReader(None), mibs)

    assert read.modules == ()
    assert [finding.severity for finding in read.findings] == [Severity.ERROR]


def test_a_file_that_is_gone_is_a_finding(mibs: Path, module: Module) -> None:
    (mibs / "x").write_text(module("A-MIB"))
    (source,) = find_sources([mibs])
    (mibs / "x").unlink()

    assert "No such file" in SourceReader(None).read(source).findings[0].text
