from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.smi.mib_linker import LinkResult
from exporters.smi.mib_objects import (
    Convention,
    IndexPart,
    Kind,
    LinkedModule,
    MibObject,
    Syntax,
)
from exporters.smi.mib_text import MibTextError, format_module, parse_module
from exporters.wire.ber import encode_oid

FILES = ("EXAMPLE-MIB.txt", "EXAMPLE-V1-MIB.txt", "BROKEN-MIB.txt", "IMPORTS-MISSING-MIB.txt")


@pytest.mark.parametrize("file", FILES)
def test_a_module_reads_back_as_it_was_written(
    link: Callable[..., dict[str, LinkResult]], file: str
) -> None:
    for result in link(file).values():
        assert parse_module(format_module(result.module)) == result.module


def test_lines_are_for_people(link: Callable[..., dict[str, LinkResult]]) -> None:
    lines = format_module(link("EXAMPLE-MIB.txt")["EXAMPLE-MIB"].module).splitlines()

    assert lines[:5] == [
        "module\tEXAMPLE-MIB", "smi\t2", "revision\t2024-05-06", "below\t1.3.6.1.4.1.32473", "",
    ]  # fmt: skip
    assert "type\tExampleState\t\tINTEGER{-1 failed,0 off,1 on}" in lines
    assert "type\tMacAddress\tSNMPv2-TC\tOCTET STRING(6)\t1x:" in lines
    row = lines.index(
        "1.1.10.1\trow\texamplePortEntry"
        "\tindex=IF-MIB::ifIndex,examplePortSide,implied examplePortName\thelp=A port."
    )
    assert lines[row + 1].startswith(".1\texamplePortSide\t")


def test_a_file_that_tells_every_oid_and_kind_is_read_too() -> None:
    text = (
        "module\tA-MIB\nsmi\t2\n\n\n\n1.3.6.1\ttable\tt\n1.3.6.1.1\trow\tr\n"
        "1.3.6.1.1.2\tcolumn\tc\tINTEGER\tro\n"
    )

    assert [(item.name, item.dotted_oid, item.kind) for item in parse_module(text).objects] == [
        ("t", "1.3.6.1", Kind.TABLE), ("r", "1.3.6.1.1", Kind.ROW),
        ("c", "1.3.6.1.1.2", Kind.COLUMN),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("oids", "below"),
    [
        (["1.3.6.1.2"], "1.3.6.1"),
        (["1.3.6.1", "1.3.6.1.2.1"], "1.3.6"),
        (["1.3.6.1.2.1", "1.3.6.1.4.9"], "1.3.6.1"),
        (["1.0.8802", "1.3.6"], "1"),
        (["0.0", "1.3"], ""),
        ([], ""),
    ],
)
def test_oids_go_on_from_what_all_lie_below(oids: list[str], below: str) -> None:
    items = [
        MibObject(module="A-MIB", name="a", oid=encode_oid(oid), kind=Kind.NODE) for oid in oids
    ]
    text = format_module(LinkedModule("A-MIB", 2, "", (), tuple(items)))

    assert (f"\nbelow\t{below}\n" in text) == bool(below)
    assert [item.dotted_oid for item in parse_module(text).objects] == oids


def test_only_columns_right_below_the_row_before_are_written_short() -> None:
    places = (
        ("1.3.6.1", Kind.ROW), ("1.3.6.1.1", Kind.COLUMN), ("1.3.6.1.1.1", Kind.COLUMN),
        ("1.3.6.1.2", Kind.NODE), ("1.3.6.1.3", Kind.COLUMN), ("1.3.6.2", Kind.COLUMN),
    )  # fmt: skip
    items = [
        MibObject(module="A-MIB", name="a", oid=encode_oid(oid), kind=kind) for oid, kind in places
    ]
    text = format_module(LinkedModule("A-MIB", 2, "", (), tuple(items)))

    assert [line.split("\t")[0] for line in text.splitlines()[-6:]] == [
        "1", ".1", "1.1.1", "1.2", ".3", "2",
    ]  # fmt: skip


names = st.from_regex(r"[a-z][A-Za-z0-9-]{0,8}", fullmatch=True)
modules = st.from_regex(r"[A-Z][A-Z0-9-]{0,8}-MIB", fullmatch=True)
words = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), max_size=12).map(
    lambda text: " ".join(text.split())
)
numbers = st.integers(-(2**31), 2**64 - 1)
labels = st.dictionaries(st.integers(-9, 400), names, max_size=3).map(
    lambda found: tuple(sorted(found.items()))
)
ranges = st.lists(st.tuples(numbers, numbers), max_size=3).map(tuple)
base_syntaxes = st.builds(
    Syntax,
    st.sampled_from(["INTEGER", "OCTET STRING", "BITS", "Counter64", "NoSuchType"]),
    st.none(),
    labels,
    ranges,
)


def places(number: int) -> st.SearchStrategy[str]:
    """An OID: beside the one before, or below it, as a column below its row."""
    return st.sampled_from([f"1.3.6.1.4.1.{number + 1}", "1.3.6" + ".1" * number, f"1.3.{number}"])


@st.composite
def linked_modules(draw: st.DrawFn) -> LinkedModule:
    """Modules as the linker gives them: their conventions hold whatever their objects need."""
    name = draw(modules)
    conventions: dict[tuple[str, str], Convention] = {}
    for index in range(draw(st.integers(0, 3))):
        origin = draw(st.sampled_from([name, "A-MIB", "B-MIB"]))
        type_name = draw(st.sampled_from(["One", "Two", f"T{index}"]))
        syntax = draw(base_syntaxes)
        if conventions and draw(st.booleans()):
            below = draw(st.sampled_from(list(conventions.values())))
            syntax = Syntax(below.name, below, syntax.labels, syntax.ranges)
        convention = Convention(origin, type_name, syntax, draw(words))
        conventions.setdefault((origin, type_name), convention)
    kept = sorted(
        conventions.values(), key=lambda item: (item.module != name, item.name, item.module)
    )
    objects = []
    for number in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(list(Kind)))
        syntax = None
        access = ""
        if kind in (Kind.SCALAR, Kind.COLUMN):
            syntax = draw(base_syntaxes)
            if kept and draw(st.booleans()):
                convention = draw(st.sampled_from(kept))
                syntax = Syntax(convention.name, convention, syntax.labels, syntax.ranges)
            access = draw(st.sampled_from(["read-only", "read-write", "strange", ""]))
        qualified = st.builds("{}::{}".format, modules, names)
        objects.append(
            MibObject(
                module=name,
                name=draw(names),
                oid=encode_oid(draw(places(number))),
                kind=kind,
                syntax=syntax,
                access=access,
                status=draw(st.sampled_from(["current", "deprecated", "obsolete"])),
                units=draw(words),
                indexes=tuple(
                    draw(
                        st.lists(st.builds(IndexPart, modules | st.just(""), names, st.booleans()))
                    )
                ),
                augments=draw(qualified | st.just("")),
                objects=tuple(draw(st.lists(qualified | names, max_size=3))),
                help=draw(words),
            )
        )
    revision = draw(st.sampled_from(["", "2024-05-06"]))
    return LinkedModule(name, draw(st.sampled_from([1, 2])), revision, tuple(kept), tuple(objects))


@given(module=linked_modules())
def test_any_module_reads_back_as_it_was_written(module: LinkedModule) -> None:
    text = format_module(module)

    read = parse_module(text)

    assert read == module
    assert format_module(read) == text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("module\tX-MIB\n", "three parts"),
        ("smi\t2\n\n\n\n", "names no module"),
        ("module\tX-MIB\n\nkind\tA\t\tINTEGER\n\n\n", "not a type"),
        ("module\tX-MIB\n\ntype\tA\t\tB\ntype\tB\t\tA\n\n\n", "built on itself"),
        ("module\tX-MIB\n\ntype\tA\t\tINTEGER{x}\n\n\n", "not a syntax"),
        ("module\tX-MIB\n\n\n\n1.3\tstrange\ta\n", "not an object"),
        ("module\tX-MIB\n\n\n\n1.x\tnode\ta\n", "not an object"),
        ("module\tX-MIB\n\n\n\n1.3\n", "not an object"),
        ("module\tX-MIB\n\n\n\n.3\ta\tINTEGER\tro\n", "not an object"),
    ],
)
def test_a_text_that_is_no_module_is_refused(text: str, problem: str) -> None:
    with pytest.raises(MibTextError, match=problem):
        parse_module(text)
