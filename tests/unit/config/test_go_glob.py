from __future__ import annotations

import pytest

from exporters.config.go_glob import glob, is_pattern


@pytest.fixture
def names(tmp_path, monkeypatch):
    for name in (
        "a.yml",
        "b.yml",
        ".hidden.yml",
        "c.yaml",
        "[x].yml",
        "d/a.yml",
        "e/a.yml",
        "e/f/a",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("a.yml", ["a.yml"]),
        ("none.yml", []),
        ("*.yml", [".hidden.yml", "[x].yml", "a.yml", "b.yml"]),
        ("?.yml", ["a.yml", "b.yml"]),
        ("[ab].yml", ["a.yml", "b.yml"]),
        ("[a-b].y*", ["a.yml", "b.yml"]),
        ("[^a].yml", ["b.yml"]),
        ("[!a].yml", ["a.yml"]),
        (r"\[x\].yml", ["[x].yml"]),
        (r"[\[]x[\]].yml", ["[x].yml"]),
        ("*/a.yml", ["d/a.yml", "e/a.yml"]),
        ("**/a", []),
        ("*/*/a", ["e/f/a"]),
        ("a.yml/*", []),
        ("none/*", []),
        ("./a*", ["a.yml"]),
    ],
)
def test_pattern_finds_what_go_finds(pattern, found, names):
    assert [str(path) for path in glob(pattern)] == found


def test_absolute_pattern_finds_absolute_paths(names):
    assert glob(f"{names}/[ab].yml") == [names / "a.yml", names / "b.yml"]
    assert glob("/et[c]") == [type(names)("/etc")]


@pytest.mark.parametrize("pattern", ["[a", "[]a]", "[a-", "[-a]", "[z-a]", "a[\\", "*\\"])
def test_malformed_pattern_is_refused(pattern, names):
    with pytest.raises(ValueError, match=r"not closed|runs backwards|unexpected"):
        glob(pattern)


@pytest.mark.parametrize("text", ["*", "a?", "[a]", "\\a"])
def test_special_characters_make_a_pattern(text):
    assert is_pattern(text)
    assert not is_pattern("snmp.yml")
