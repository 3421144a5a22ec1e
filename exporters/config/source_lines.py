"""Where a key stands in a YAML file: asked only when there is an error to report.

Loading keeps no lines (``exporters.config.yaml_file``); an error parses the file once more, with
PyYAML's node graph, which is slow and large, and follows the key path through it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from exporters.config.rejection import KeyPath
from exporters.config.scalars import resolve

LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MERGE_KEY = "<<"


def line_of(path: Path, key_path: KeyPath) -> int | None:
    """Give the line where *key_path* stands in a file, as ``SourceLines.line`` does."""
    return SourceLines(path).line(key_path)


class SourceLines:
    """Where the keys of one YAML file stand. Parsing waits for the first question."""

    def __init__(self, source: Path | bytes) -> None:
        self._source = source
        self._root: yaml.Node | None = None
        self._is_parsed = False

    def line(self, key_path: KeyPath) -> int | None:
        """Give the line, from 1, of a key or list item, or of the nearest one above that exists.

        ``None``: the file is no YAML (any more), or nothing of the path is in it.
        """
        found: yaml.Node | None = None
        node = self._node()
        for part in key_path:
            step = _step_into(node, part)
            if step is None:
                break
            found, node = step
        return None if found is None else found.start_mark.line + 1

    def _node(self) -> yaml.Node | None:
        if not self._is_parsed:
            self._is_parsed = True
            try:
                source = self._source
                data = source.read_bytes() if isinstance(source, Path) else source
                self._root = yaml.compose(data, LOADER)
            except (OSError, yaml.YAMLError):
                self._root = None  # the line is a courtesy; the problem itself is told elsewhere
        return self._root


def _step_into(node: yaml.Node | None, part: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """Give the node that stands for *part* (its key, if it has one) and the value below it."""
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
        items: list[yaml.Node] = node.value
        return (items[part], items[part]) if part < len(items) else None
    if isinstance(node, yaml.MappingNode):
        for key, value in _pairs(node):
            if key.value == str(part) or (_is_plain(key) and resolve(key.value) == part):
                return key, value
    return None


def _pairs(node: yaml.MappingNode) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    merged: list[yaml.Node] = []
    for key, value in node.value:
        if key.value == MERGE_KEY and _is_plain(key):
            merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
        elif isinstance(key, yaml.ScalarNode):
            yield key, value
    for mapping in merged:
        if isinstance(mapping, yaml.MappingNode):
            yield from _pairs(mapping)


def _is_plain(key: yaml.ScalarNode) -> bool:
    return not key.style  # None from the Python parser, empty from libyaml's
