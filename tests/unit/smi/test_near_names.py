from __future__ import annotations

import pytest

from exporters.smi.dictionary import Dictionary, UnknownNameError
from exporters.smi.mib_objects import Kind, LinkedModule, MibObject
from exporters.smi.mib_store import Buffer, MemoryFiles, MibStore, build_files
from exporters.smi.near_names import KnownNames
from exporters.wire.ber import encode_oid

NAMES = ("ifDescr", "ifOperStatus", "ifAdminStatus", "dot1xAuthAdminStatus", "IFtABLE", "a")


class CountedFiles(MemoryFiles):
    """Files that tell how often each of them was read."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(files)
        self.read_count = 0

    def read(self, name: str) -> bytes:
        self.read_count += 1
        return super().read(name)

    def buffer(self, name: str) -> Buffer:
        return super().read(name)


def linked(name: str, *objects: str) -> LinkedModule:
    places = (
        MibObject(module=name, name=key, oid=encode_oid(f"1.3.6.1.{number}"), kind=Kind.NODE)
        for number, key in enumerate(objects, 1)
    )
    return LinkedModule(name, 2, "", (), tuple(places))


@pytest.mark.parametrize(
    ("wanted", "near"),
    [
        ("ifDesrc", "ifDescr"),
        ("IFDESCR", "ifDescr"),
        ("ifTable", "IFtABLE"),
        ("OperStatus", "ifOperStatus"),
        ("dot1xAuthAdminState", "dot1xAuthAdminStatus"),
        ("fiDescr", ""),  # the first half is nowhere
        ("ifDescription", "ifDescr"),
        ("ifDescriptions", ""),
        ("ifDescr\nifOper", ""),
        ("ifDéscr", ""),
        ("b", ""),
        ("", ""),
    ],
)
def test_the_nearest_name_has_the_first_half_of_what_was_wanted(wanted: str, near: str) -> None:
    assert KnownNames(name.encode() for name in NAMES).nearest(wanted) == near


def test_the_nearest_of_very_many_names_is_found() -> None:
    many = [f"vendorObject{number}" for number in range(5000)]

    assert KnownNames(name.encode() for name in many).nearest("vendorObjetc4321") in many
    assert KnownNames(map(str.encode, [*many, "vendorObjets"])).nearest("vendorObjetz") == (
        "vendorObjets"
    )


def test_many_unknown_names_read_each_module_once() -> None:
    modules = [linked(f"M{number}-MIB", f"m{number}First", f"m{number}Other") for number in "abc"]
    files = CountedFiles(build_files(modules, lambda _: ""))
    dictionary = Dictionary([MibStore(files)])
    files.read_count = 0

    for number in range(60):
        with pytest.raises(UnknownNameError):
            dictionary.parse_oid(f"zzzzFirst{number}")

    # Once for the names, and once where a name would be if it were there.
    assert files.read_count <= 2 * len(modules)


def test_names_of_a_module_that_another_store_replaces_are_not_suggested() -> None:
    users = MibStore(MemoryFiles(build_files([linked("A-MIB", "newName")], lambda _: "")))
    ships = MibStore(
        MemoryFiles(
            build_files([linked("A-MIB", "oldName"), linked("B-MIB", "thirdName")], lambda _: "")
        )
    )

    def problem(name: str) -> str:
        with pytest.raises(UnknownNameError) as caught:
            Dictionary([users, ships]).parse_oid(name)
        return str(caught.value)

    assert "did you mean newName?" in problem("newNames")
    assert "did you mean thirdName?" in problem("thirdNames")
    assert "did you mean" not in problem("oldNames")
