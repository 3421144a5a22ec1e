from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
import yaml

from exporters.config import source_lines, yaml_file
from exporters.config.source_lines import SourceLines, line_of
from exporters.config.yaml_file import load_yaml, parse_yaml
from exporters.errors import ConfigError


@pytest.fixture(params=["libyaml", "pure Python"])
def parser(request, monkeypatch):
    if request.param == "libyaml" and not yaml.__with_libyaml__:
        pytest.skip("PyYAML was built without libyaml")
    loader = yaml.CSafeLoader if request.param == "libyaml" else yaml.SafeLoader
    monkeypatch.setattr(yaml_file, "LOADER", loader)
    monkeypatch.setattr(source_lines, "LOADER", loader)


def test_peers_file_is_read_as_safe_load_reads_it(shared_dir):
    path = shared_dir / "peers" / "snmp_exporter-snmp.yml"
    assert load_yaml(path) == yaml.load(path.read_bytes(), source_lines.LOADER)


def test_peers_file_costs_little_memory_while_it_is_read(shared_dir):
    path = shared_dir / "peers" / "snmp_exporter-snmp.yml"
    tracemalloc.start()
    try:
        document = load_yaml(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(document["modules"]) == 53
    assert peak < 20e6  # a node graph of this file takes 60 MB


def test_merge_keys_fill_in_what_is_not_given(cases, parser):
    document = load_yaml(cases / "yaml" / "merge_keys.good.yml")
    assert document["one"] == {"a": 1, "b": 9}
    assert document["list"] == {"a": 1, "b": 2, "c": 4, "d": 5}
    assert document["again"] is document["base"]


def test_scalars_have_the_types_of_their_spelling(cases, parser):
    document = load_yaml(cases / "yaml" / "scalars.good.yml")
    assert document["ints"] == [0, -7, 7, 31, 15, 15, 5, 1000]
    assert document["floats"] == [1.5, -0.25, 1000.0, 1.0, 0.5, float("inf"), float("-inf")]
    assert document["booleans"] == [True, False]
    assert document["nulls"] == [None, None]
    assert all(type(text) is str for text in document["texts"])
    assert document["block"] == "two\nlines\n"


def test_equal_texts_are_one_object(parser):
    first, second = parse_yaml(b"[gauge long, gauge long]")
    assert first is second


@pytest.mark.parametrize("data", [b"", b"# nothing\n", b"---\n", b"\xef\xbb\xbf"])
def test_empty_file_is_null(data, parser):
    assert parse_yaml(data) is None


def test_byte_order_mark_is_skipped(parser):
    assert parse_yaml(b"\xef\xbb\xbfa: 1\n") == {"a": 1}


def test_merge_key_in_quotes_is_a_key(parser):
    assert parse_yaml(b'"<<": 1\n') == {"<<": 1}


def test_alias_of_a_scalar_may_be_a_key(parser):
    assert parse_yaml(b"a: &x name\n*x : 1\n") == {"a": "name", "name": 1}


def test_alias_of_a_list_may_not_be_a_key(parser):
    with pytest.raises(ConfigError, match="a key must be text or a number"):
        parse_yaml(b"a: &x [1]\n*x : 1\n")


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"!!str 5", "5"),
        (b"! 5", "5"),
        (b"!!int 5", 5),
        (b"!!float 5", 5),
        (b"!!bool true", True),
        (b"!!null ''", None),
        (b"!!map {}", {}),
        (b"!!seq []", []),
    ],
)
def test_tags_of_the_json_types_are_known(data, value, parser):
    assert parse_yaml(data) == value


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"!!bool 5", "x.yml:1: this is not what its tag !!bool says"),
        (b"!!set {a}", "x.yml:1: the tag !!set is not supported; leave it out"),
        (b"!mine []", "x.yml:1: the tag !mine is not supported; leave it out"),
        (b"a: !!binary aGk=", "x.yml:1: a: the tag !!binary is not supported; leave it out"),
    ],
)
def test_other_tags_are_refused(data, message, parser):
    with pytest.raises(ConfigError) as refused:
        parse_yaml(data, file="x.yml")
    assert str(refused.value) == message


def test_repeated_key_tells_both_lines(cases, monkeypatch, parser):
    monkeypatch.chdir(cases / "yaml")
    with pytest.raises(ConfigError) as refused:
        load_yaml(Path("duplicate_key.bad.yml"))
    assert [(p.line, p.key_path) for p in refused.value.problems] == [
        (5, "auths.public.version"),
        (7, "auths"),
    ]
    assert refused.value.problems[0].hint == "it is on line 3 already; keep one of them"


@pytest.mark.parametrize("case", ["alias_bomb", "alias_of_itself", "too_deep", "two_documents"])
def test_what_never_ends_is_refused_by_both_parsers(case, cases, parser, monkeypatch):
    monkeypatch.chdir(cases / "yaml")
    with pytest.raises(ConfigError) as refused:
        load_yaml(Path(f"{case}.bad.yml"))
    assert f"{refused.value}\n" == Path(f"{case}.bad.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("data", "line"), [(b"a: 1\nb: ]\n", 2), (b"a: 1\n\tb: 2\n", 2), (b"a:\n - '\x07'\n", 2)]
)
def test_syntax_error_tells_the_line(data, line, parser):
    with pytest.raises(ConfigError) as refused:
        parse_yaml(data, file="x.yml")
    (problem,) = refused.value.problems
    assert (problem.file, problem.line) == ("x.yml", line)
    assert problem.problem.startswith("is not YAML: ")


def test_syntax_error_does_not_carry_the_line_with_its_secret(parser):
    with pytest.raises(ConfigError) as refused:
        parse_yaml(b"community: hunter2: x\n")
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__
    assert "hunter2" not in str(refused.value)


def test_missing_file_is_one_problem(tmp_path):
    with pytest.raises(ConfigError) as refused:
        load_yaml(tmp_path / "none.yml")
    assert str(refused.value) == f"{tmp_path}/none.yml: cannot be read: no such file or directory"


def test_directory_is_one_problem(tmp_path):
    with pytest.raises(ConfigError) as refused:
        load_yaml(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path}: is a directory; name a file, or a pattern such as {tmp_path}/*.yml"
    )


LINES = b"""\
auths:
  public:
    version: 2
base: &base
  walk:
    - 1.3.6
modules:
  a:
    <<: *base
    enum_values:
      1: up
      "2": down
  b: {get: [1.3, 1.4]}
"""


@pytest.mark.parametrize(
    ("key_path", "line"),
    [
        (("auths",), 1),
        (("auths", "public", "version"), 3),
        (("auths", "public", "community"), 2),
        (("auths", "public", "version", "deeper"), 3),
        (("modules", "a", "walk", 0), 6),
        (("modules", "a", "enum_values", 1), 11),
        (("modules", "a", "enum_values", "2"), 12),
        (("modules", "b", "get", 1), 13),
        (("modules", "b", "get", 7), 13),
        (("nothing",), None),
        ((), None),
    ],
    ids=str,
)
def test_line_of_a_key_is_its_own_or_the_nearest_above(key_path, line, write, parser):
    assert line_of(write("x.yml", LINES), key_path) == line


@pytest.mark.parametrize("data", [b"", b"]", b"- a\n"])
def test_line_in_what_is_no_mapping_is_not_known(data):
    assert SourceLines(data).line(("a",)) is None


def test_line_in_a_file_that_is_gone_is_not_known(tmp_path):
    assert line_of(tmp_path / "gone.yml", ("a",)) is None
