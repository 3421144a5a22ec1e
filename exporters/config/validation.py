"""From YAML values to frozen models, and from pydantic's errors to problems that people can act on.

Every problem of a file is reported at once, each with its line and key path, in words that name
neither Python nor pydantic. Validators of ours raise ``Rejected`` and have worded it themselves;
the table ``_WORDING`` words what pydantic finds on its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from exporters.config.context import LoadContext
from exporters.config.json_schema import json_schema
from exporters.config.rejection import (
    Fault,
    KeyPath,
    Rejected,
    describe,
    format_key_path,
    quote,
    suggest,
)
from exporters.config.scalars import text_of
from exporters.config.source_lines import SourceLines
from exporters.config.yaml_file import load_yaml
from exporters.errors import ConfigError, Problem

T = TypeVar("T")
Schema = dict[str, Any]

_MARK = re.compile(r"\[(\w+)\]\Z")
"""What pydantic puts into the place of an error beside keys: ``[key]``, ``[NameOfAModel]``."""


def load_model(
    model: type[T],
    path: Path,
    *,
    environment: Mapping[str, str],
    expand_environment_variables: bool = False,
) -> T:
    """Give the model that a YAML file holds.

    Raises:
        ConfigError: The file cannot be read, or is not what *model* asks for; has every problem.
    """
    context = LoadContext(environment, path.parent, expand_environment_variables)
    return validate(model, load_yaml(path), path=path, context=context)


def validate(model: type[T], content: Any, *, path: Path, context: LoadContext) -> T:
    """Give the model of values that ``load_yaml`` has read from *path*; an empty file is ``{}``.

    Raises:
        ConfigError: The values are not what *model* asks for; has every problem.
    """
    try:
        return TypeAdapter(model).validate_python(
            {} if content is None else content, context=context
        )
    except ValidationError as error:
        # From None: the text of pydantic's error shows values, which may be secrets.
        raise ConfigError(locate(faults_of(error, model), path)) from None


def faults_of(error: ValidationError, model: type[Any]) -> Iterator[Fault]:
    """Give what a validation has found, in our words, each with its place in the values."""
    schema = json_schema(model)
    for details in error.errors(include_url=False):
        loc = details["loc"]
        at = tuple(part for part in loc if not _mark(part))
        for fault in _faults(details, schema, loc):
            yield replace(fault, at=(*at, *fault.at))


def _mark(part: str | int) -> str:
    """The name in a mark; empty for a key."""
    match = _MARK.match(part) if isinstance(part, str) else None
    return match[1] if match else ""


def locate(faults: Iterable[Fault], path: Path, at: KeyPath = ()) -> list[Problem]:
    """Find the lines of faults in a file; *at* is the place that those of the faults start from."""
    lines = SourceLines(path)
    found = []
    for fault in faults:
        where = (*at, *fault.at)
        problem = fault.problem
        if fault.clashes_with is not None:
            problem = f"{problem} on line {lines.line(fault.clashes_with)}"
        found.append(
            Problem(problem, fault.hint, str(path), lines.line(where), format_key_path(where))
        )
    return sorted(found, key=lambda problem: problem.line or 0)


def _faults(details: ErrorDetails, schema: Schema, at: KeyPath) -> Sequence[Fault]:
    cause = details.get("ctx", {}).get("error")
    if isinstance(cause, Rejected):
        return cause.faults
    word = _WORDING.get(details["type"], _fallback)
    return (word(details, schema, at),)


def _missing(details: ErrorDetails, schema: Schema, at: KeyPath) -> Fault:
    return Fault("is missing", "this key is required")


def _unknown_key(details: ErrorDetails, schema: Schema, at: KeyPath) -> Fault:
    known = list(_schema_at(schema, at[:-1]).get("properties", ()))
    return Fault("unknown key", suggest(str(at[-1]), known, "known keys"))


def _unknown_value(details: ErrorDetails, schema: Schema, at: KeyPath) -> Fault:
    found = _schema_at(schema, at)
    known = [str(value) for value in found.get("enum", [found.get("const", "")])]
    value = text_of(details["input"])
    if value is None:
        return Fault(f"expected text, found {describe(details['input'])}")
    return Fault(f"unknown value {quote(value)}", suggest(value, known, "known values"))


def _expected(what: str) -> Callable[[ErrorDetails, Schema, KeyPath], Fault]:
    def word(details: ErrorDetails, schema: Schema, at: KeyPath) -> Fault:
        found = details["input"]
        is_structure = what in ("a mapping", "a list")
        shown = describe(found) if is_structure else quote(found)
        return Fault(f"expected {what}, found {shown}")

    return word


def _bound(text: str, key: str) -> Callable[[ErrorDetails, Schema, KeyPath], Fault]:
    def word(details: ErrorDetails, schema: Schema, at: KeyPath) -> Fault:
        limit = str(details.get("ctx", {}).get(key)).removesuffix(".0")  # of a number's type
        return Fault(f"must be {text} {limit}, found {quote(details['input'])}")

    return word


def _size(text: str, key: str) -> Callable[[ErrorDetails, Schema, KeyPath], Fault]:
    def word(details: ErrorDetails, schema: Schema, at: KeyPath) -> Fault:
        limit = details.get("ctx", {}).get(key)
        return Fault(f"must have {text} {limit} {'entry' if limit == 1 else 'entries'}")

    return word


def _fallback(details: ErrorDetails, schema: Schema, at: KeyPath) -> Fault:
    message = details["msg"]
    for jargon, word in _JARGON:
        message = re.sub(jargon, word, message)
    return Fault(message[:1].lower() + message[1:])


def _schema_at(schema: Schema, at: KeyPath) -> Schema:
    """Follow a key path through a JSON Schema; ``{}`` where it ends before the path does."""
    definitions = schema.get("$defs", {})
    node = _resolved(schema, definitions)
    for part in at:
        if mark := _mark(part):
            below = next(
                (option for option in node.get("oneOf", ()) if option["$ref"].endswith(f"/{mark}")),
                node,
            )
        elif isinstance(part, int) and "items" in node:
            below = node["items"]
        else:
            properties = node.get("properties", {})
            below = properties.get(part, node.get("additionalProperties"))
        node = _resolved(below, definitions) if isinstance(below, dict) else {}
    return node


def _resolved(node: Schema, definitions: Schema) -> Schema:
    while True:
        if "$ref" in node:
            node = definitions[node["$ref"].rpartition("/")[2]]
        elif "anyOf" in node:
            node = next(option for option in node["anyOf"] if option.get("type") != "null")
        else:
            return node


_JARGON = (
    (r"^(Value error|Assertion failed), ", ""),
    (r"^Input should", "must"),
    (r"\bshould\b", "must"),
    (r" following the rules at \S+|, unable to .*", ""),
    (r" (python|object|sentinel)\b", ""),
)
_WORDING: dict[str, Callable[[ErrorDetails, Schema, KeyPath], Fault]] = {
    **dict.fromkeys(("missing", "missing_argument", "missing_keyword_only_argument"), _missing),
    "extra_forbidden": _unknown_key,
    "unexpected_keyword_argument": _unknown_key,
    "literal_error": _unknown_value,
    "enum": _unknown_value,
    **dict.fromkeys(
        ("dict_type", "mapping_type", "model_type", "model_attributes_type", "dataclass_type"),
        _expected("a mapping"),
    ),
    **dict.fromkeys(
        ("list_type", "tuple_type", "set_type", "frozen_set_type", "iterable_type"),
        _expected("a list"),
    ),
    **dict.fromkeys(("string_type", "string_sub_type", "string_unicode"), _expected("text")),
    **dict.fromkeys(
        ("int_type", "int_parsing", "int_from_float", "int_parsing_size"),
        _expected("a whole number"),
    ),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), _expected("a number")),
    **dict.fromkeys(("bool_type", "bool_parsing"), _expected("true or false")),
    "greater_than": _bound("more than", "gt"),
    "greater_than_equal": _bound("at least", "ge"),
    "less_than": _bound("less than", "lt"),
    "less_than_equal": _bound("at most", "le"),
    "too_short": _size("at least", "min_length"),
    "too_long": _size("at most", "max_length"),
}
