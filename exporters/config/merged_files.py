"""The configuration of a receiver of events, which may be in several files: they are merged."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from exporters.config.config_files import matching_files
from exporters.config.context import LoadContext
from exporters.config.source_lines import line_of
from exporters.config.validation import validate
from exporters.config.yaml_file import load_yaml
from exporters.errors import ConfigError, Problem

_Model = TypeVar("_Model", bound=Any)


def load_merged(
    model: type[_Model],
    patterns: Iterable[str | Path],
    *,
    lists: Collection[str],
    environment: Mapping[str, str],
) -> _Model:
    """Give the configuration of all files that *patterns* match.

    Of *lists*, what the files have adds up; any other key may stand in one of them. Relative paths
    of ``rule_files`` begin where their file is.

    Raises:
        ConfigError: Something is wrong in the files.
    """
    paths, problems = matching_files(patterns)
    merged: dict[str, Any] = {}
    given: dict[str, Path] = {}
    for path in paths:
        try:
            content = load_yaml(path)
            context = LoadContext(environment, path.parent)
            config = validate(model, {} if content is None else content, path=path, context=context)
        except ConfigError as error:
            problems += error.problems
            continue
        config = replace(
            config, rule_files=tuple(str(path.parent / name) for name in config.rule_files)
        )
        for key in content or {}:
            value = getattr(config, key)
            if key in lists:
                merged[key] = (*merged.get(key, ()), *value)
            elif key in given:
                hint = f"it is in {given[key]}:{line_of(given[key], (key,))} already; keep one"
                problems.append(
                    Problem("is given twice", hint, str(path), line_of(path, (key,)), key)
                )
            else:
                merged[key] = value
            given.setdefault(key, path)
    if problems:
        raise ConfigError(problems)
    merged_config: _Model = model(**merged)
    return merged_config
