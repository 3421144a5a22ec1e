"""Secrets in configuration: a type that does not show itself, and the ways to give one.

A secret field FIELD takes text, with ``${NAME}`` replaced from the environment; or the file holds
FIELD_file instead, the path of a file that has the secret (relative to the configuration file;
newlines at its end are dropped).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import (
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationInfo,
)
from pydantic_core import CoreSchema, core_schema

from exporters.config.context import context_of
from exporters.config.environment import expand_variables
from exporters.config.rejection import Fault, Rejected, describe
from exporters.config.scalars import text_of

MASK: Final = "<secret>"


class Secret:
    """Text that prints as ``<secret>`` wherever it goes; ``reveal`` is the one way to it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself; for the wire, never for a log or a page."""
        return self._text

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return MASK

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            _secret, serialization=core_schema.to_string_ser_schema()
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "format": "password", "writeOnly": True}


def _secret(value: object, info: ValidationInfo) -> Secret:
    if isinstance(value, Secret):
        return value
    return Secret(_expanded(value, info, bare=False))


def _secret_as_peer(value: object, info: ValidationInfo) -> Secret:
    if isinstance(value, Secret):
        return value
    return Secret(_expanded(value, info, bare=context_of(info).expand_environment_variables))


def _text_as_peer(value: object, info: ValidationInfo) -> str:
    return _expanded(value, info, bare=context_of(info).expand_environment_variables)


PeerSecret = Annotated[Secret, BeforeValidator(_secret_as_peer)]
"""A secret in which ``$NAME`` counts too, when the command line asks for that."""

PeerUsername = Annotated[str, BeforeValidator(_text_as_peer)]
"""A user name, not secret, with the same variables as ``PeerSecret``."""


def read_secret_files(raw: Any, fields: Iterable[str], info: ValidationInfo) -> Any:
    """Give the raw mapping with FIELD read from FIELD_file, for a model's "before" validator.

    Raises:
        Rejected: A file cannot be read, or a secret is given both ways; says so for each.
    """
    if not isinstance(raw, dict):
        return raw
    faults: list[Fault] = []
    read: dict[str, Secret] = {}
    for field in fields:
        file_field = f"{field}_file"
        if raw.get(file_field) is None:
            continue
        if field in raw:
            problem = f"{field} is given as well"
            faults.append(Fault(problem, "keep one of the two", at=(file_field,)))
            continue
        try:
            read[field] = Secret(_read(raw[file_field], info))
        except Rejected as error:
            faults += (Fault(f.problem, f.hint, at=(file_field,)) for f in error.faults)
    if faults:
        raise Rejected(faults)
    return {**raw, **read}


def _read(value: object, info: ValidationInfo) -> str:
    name = text_of(value)
    if name is None:
        raise Rejected(f"expected the path of a file, found {describe(value)}")
    if not name:
        raise Rejected("is empty", "write the path of a file, or leave the key out")
    path = context_of(info).directory / Path(name)
    try:
        return path.read_bytes().decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise Rejected(f"{path} is not UTF-8 text") from error
    except OSError as error:
        raise Rejected(
            f"{path} cannot be read: {(error.strerror or str(error)).lower()}"
        ) from error


def _expanded(value: object, info: ValidationInfo, *, bare: bool) -> str:
    text = text_of(value)
    if text is None:
        raise Rejected(f"expected text, found {describe(value)}")
    if text == MASK:
        raise Rejected(f"{MASK} is what /config shows in place of the secret", "write the secret")
    return expand_variables(text, context_of(info).environment, bare=bare)
