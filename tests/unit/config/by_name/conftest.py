"""Modules by name, resolved over the made-up MIB modules."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from exporters.config.by_name.resolving import Resolution, resolve
from exporters.config.context import LoadContext
from exporters.config.rejection import Rejected, format_key_path
from exporters.config.snmp_config import SnmpFile
from exporters.config.validation import validate
from exporters.config.yaml_file import parse_yaml
from exporters.smi.dictionary import Dictionary

Resolve = Callable[..., Resolution]
Refuse = Callable[[str], list[str]]


@pytest.fixture(name="resolve")
def resolve_fixture(examples: Dictionary, tmp_path) -> Resolve:
    """Resolve the text of a module."""

    def resolve_text(text: str, dictionary: Dictionary = examples) -> Resolution:
        content = {"modules": {"a": parse_yaml(text.encode())}}
        path = tmp_path / "generator.yml"
        file = validate(SnmpFile, content, path=path, context=LoadContext())
        return resolve(file.modules["a"], dictionary, LoadContext())

    return resolve_text


@pytest.fixture
def refuse(resolve: Resolve) -> Refuse:
    """Give what is wrong with the text of a module: ``key.path: problem; hint``."""

    def refuse_text(text: str) -> list[str]:
        with pytest.raises(Rejected) as refused:
            resolve(text)
        return [
            f"{format_key_path(fault.at)}: {fault.problem}; {fault.hint}".strip("; ")
            for fault in refused.value.faults
        ]

    return refuse_text
