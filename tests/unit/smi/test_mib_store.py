from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.smi.mib_linker import LinkResult
from exporters.smi.mib_objects import Kind, LinkedModule, MibObject
from exporters.smi.mib_store import (
    MODULES_FILE,
    NAMES_FILE,
    TREES_FILE,
    DirectoryFiles,
    MemoryFiles,
    MibStore,
    MibStoreError,
    build_files,
)
from exporters.wire.ber import decode_oid, encode_oid

Arcs = tuple[int, ...]


def node(module: str, name: str, *arcs: int) -> MibObject:
    oid = encode_oid(".".join(map(str, arcs)))
    return MibObject(module=module, name=name, oid=oid, kind=Kind.NODE)


def store_of(*modules: LinkedModule) -> MibStore:
    return MibStore(MemoryFiles(build_files(modules, lambda _: "")))


def module(name: str, **places: Arcs) -> LinkedModule:
    objects = sorted((arcs, key) for key, arcs in places.items())
    return LinkedModule(name, 2, "", (), tuple(node(name, key, *arcs) for arcs, key in objects))


@pytest.fixture(scope="module")
def store() -> MibStore:
    return store_of(
        module("A-MIB", root=(1, 3), a=(1, 3, 1), b=(1, 3, 1, 5), far=(1, 3, 9)),
        module("B-MIB", a=(1, 3, 1), c=(1, 3, 1, 5, 2), d=(1, 3, 10, 1)),
        module("EMPTY-MIB"),
    )


def test_what_is_looked_up_by_name_comes_from_every_module(store: MibStore) -> None:
    assert [item.qualified_name for item in store.by_name("a")] == ["A-MIB::a", "B-MIB::a"]
    assert [item.qualified_name for item in store.by_name("d")] == ["B-MIB::d"]


@pytest.mark.parametrize("name", ["", "aa", "A", "zzz", "node", "1.3", "a\tnode", "root\n", "ä"])
def test_what_no_module_has_is_not_found(store: MibStore, name: str) -> None:
    assert list(store.by_name(name)) == []


@pytest.mark.parametrize(
    ("arcs", "nearest", "modules"),
    [
        ((1, 3), (1, 3), ("A-MIB",)),
        ((1, 3, 1), (1, 3, 1), ("A-MIB", "B-MIB")),
        ((1, 3, 1, 4), (1, 3, 1), ("A-MIB", "B-MIB")),
        ((1, 3, 1, 5), (1, 3, 1, 5), ("A-MIB",)),
        ((1, 3, 1, 5, 1), (1, 3, 1, 5), ("A-MIB",)),
        ((1, 3, 1, 5, 2, 7, 7), (1, 3, 1, 5, 2), ("B-MIB",)),
        ((1, 3, 1, 5, 3), (1, 3, 1, 5), ("A-MIB",)),
        ((1, 3, 2), (1, 3), ("A-MIB",)),
        ((1, 3, 10), (1, 3), ("A-MIB",)),
        ((1, 3, 10, 1, 1), (1, 3, 10, 1), ("B-MIB",)),
        ((1, 3, 4294967295), (1, 3), ("A-MIB",)),
    ],
)
def test_the_nearest_object_is_the_longest_oid_above(
    store: MibStore, arcs: Arcs, nearest: Arcs, modules: tuple[str, ...]
) -> None:
    assert store.nearest(arcs) == (nearest, modules)


@pytest.mark.parametrize("arcs", [(), (0, 0), (1, 2), (1, 2, 99), (2, 5)])
def test_above_everything_there_is_nothing(store: MibStore, arcs: Arcs) -> None:
    assert store.nearest(arcs) is None


def test_what_follows_is_the_next_object_of_any_module(store: MibStore) -> None:
    found = []
    arcs: Arcs | None = (0,)
    while (arcs := store.following(arcs)) is not None:
        found.append(arcs)
        arcs = (*arcs, 0)

    assert found == [
        (1, 3), (1, 3, 1), (1, 3, 1, 5), (1, 3, 1, 5, 2), (1, 3, 9), (1, 3, 10, 1),
    ]  # fmt: skip


def test_search_finds_parts_of_names_in_any_case(store: MibStore) -> None:
    assert list(store.search("O")) == [("A-MIB", "1.3", "node", "root")]
    assert list(store.search("o", inside=False)) == []
    assert list(store.search("FA", inside=False)) == [("A-MIB", "1.3.9", "node", "far")]


def test_search_within_a_module_leaves_others_alone(store: MibStore) -> None:
    everywhere = {module for module, *_ in store.search("a")}

    assert len(everywhere) > 1
    assert {module for module, *_ in store.search("a", within="a-mib")} == {"A-MIB"}
    assert list(store.search("a", within="NO-MIB")) == []


def test_an_empty_store_answers_nothing() -> None:
    store = store_of()

    assert (list(store.by_name("a")), store.nearest((1, 3)), store.following((0,))) == (
        [],
        None,
        None,
    )
    assert list(store.search("a")) == []


def test_a_directory_holds_the_same_as_memory(
    tmp_path: Path, link: Callable[..., dict[str, LinkResult]]
) -> None:
    modules = [result.module for result in link("EXAMPLE-MIB.txt").values()]
    files = build_files(modules, lambda _: "folder")
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)

    in_directory, in_memory = MibStore(DirectoryFiles(tmp_path)), MibStore(MemoryFiles(files))

    assert (tmp_path / "folder" / "EXAMPLE-MIB.txt").is_file()
    assert list(in_directory.by_name("examplePortMac")) == list(in_memory.by_name("examplePortMac"))
    assert in_directory.linked("EXAMPLE-MIB") == modules[0]
    assert in_directory.linked("NO-MIB") is None


def test_an_object_comes_back_with_its_types(link: Callable[..., dict[str, LinkResult]]) -> None:
    linked = link("EXAMPLE-MIB.txt")["EXAMPLE-MIB"].module
    text = store_of(linked).text("EXAMPLE-MIB")

    for item in linked.objects:
        assert list(text.by_name(item.name)) == [item]


@pytest.mark.parametrize("name", [MODULES_FILE, NAMES_FILE, TREES_FILE])
def test_a_store_without_its_index_is_refused(tmp_path: Path, name: str) -> None:
    for file, content in build_files([module("A-MIB", a=(1, 3))], lambda _: "").items():
        if file != name:
            (tmp_path / file).parent.mkdir(exist_ok=True)
            (tmp_path / file).write_bytes(content)

    with pytest.raises(MibStoreError, match=name):
        MibStore(DirectoryFiles(tmp_path))


def test_a_module_that_is_cut_off_is_refused() -> None:
    files = build_files([module("A-MIB", a=(1, 3))], lambda _: "")
    store = MibStore(MemoryFiles({**files, "A-MIB.txt": b"module\tA-MIB\n"}))

    with pytest.raises(MibStoreError, match="three parts"):
        list(store.by_name("a"))


def test_only_so_much_of_the_modules_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exporters.smi.mib_store._KEPT_BYTES", 100)
    store = store_of(*(module(f"M{i}-MIB", **{f"name{i}": (1, 3, i)}) for i in range(9)))

    texts = [store.text(f"M{i}-MIB") for i in range(9)]

    assert store.text("M8-MIB") is texts[8]
    assert store.text("M0-MIB") is not texts[0]
    assert [next(store.by_name(f"name{i}")).module for i in range(9)] == [
        f"M{i}-MIB" for i in range(9)
    ]


arcs_strategy = st.lists(st.integers(0, 4), min_size=1, max_size=4).map(lambda rest: (1, 3, *rest))
names = st.sampled_from(["row", "column", "scalar", "a", "ab", "ccc"])
kinds = st.sampled_from([Kind.ROW, Kind.COLUMN, Kind.SCALAR, Kind.NODE])
contents = st.dictionaries(names, st.tuples(arcs_strategy, kinds), max_size=6)


@given(found=st.lists(contents, min_size=1, max_size=4), wanted=arcs_strategy)
def test_any_store_agrees_with_looking_at_every_object(
    found: list[dict[str, tuple[Arcs, Kind]]], wanted: Arcs
) -> None:
    everything = {
        (f"M{number}-MIB", name): place
        for number, content in enumerate(found)
        for name, place in content.items()
    }
    store = store_of(
        *(
            LinkedModule(owner, 2, "", (), tuple(_objects(owner, content)))
            for owner, content in ((f"M{i}-MIB", content) for i, content in enumerate(found))
        )
    )
    owners: dict[Arcs, set[str]] = {}
    for (owner, _), (arcs, _) in everything.items():
        owners.setdefault(arcs, set()).add(owner)
    above = [arcs for arcs in owners if wanted[: len(arcs)] == arcs]
    after = sorted(arcs for arcs in owners if arcs >= wanted)
    nearest = max(above, key=len, default=())

    expected = (nearest, tuple(sorted(owners[nearest]))) if above else None
    assert store.nearest(wanted) == expected
    assert store.following(wanted) == (after[0] if after else None)
    assert set(store.modules_at(wanted)) == owners.get(wanted, set())
    below = {arcs for arcs in owners if arcs[: len(wanted)] == wanted}
    assert {
        arcs
        for module_name in store.modules_below(wanted)
        for arcs, _ in store.text(module_name).subtree(wanted)
    } == below
    assert store.modules_below(wanted) >= {name for arcs in below for name in owners[arcs]}
    for name in ("row", "column", "a", "ab", "zz"):
        having = {owner: place for (owner, key), place in everything.items() if key == name}
        assert {
            item.module: (decode_oid(item.oid), item.kind) for item in store.by_name(name)
        } == having
        assert set(store.search(name, inside=False)) == {
            (owner, ".".join(map(str, arcs)), kind.value, key)
            for (owner, key), (arcs, kind) in everything.items()
            if key.startswith(name)
        }


def _objects(owner: str, content: dict[str, tuple[Arcs, Kind]]) -> Iterator[MibObject]:
    for name, (arcs, kind) in sorted(content.items(), key=lambda item: (item[1][0], item[0])):
        yield replace(node(owner, name, *arcs), kind=kind)
