"""JSON Schemas of the configuration files, for editors (``netexporters check --schema``)."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import CoreSchema, WithDefaultSchema

from exporters.config.fields import DURATION_FORMAT
from exporters.config.go_duration import format_duration


class _Generator(GenerateJsonSchema):
    """Shows the defaults that YAML can write, and no titles."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        default = schema.get("default")
        generated = self.generate_inner(schema["schema"])
        if generated.get("format") == DURATION_FORMAT and isinstance(default, float):
            generated["default"] = format_duration(default)
        elif isinstance(default, str | int | float | tuple):
            generated = super().default_schema(schema)
        return generated

    def generate(self, schema: CoreSchema, mode: Any = "validation") -> JsonSchemaValue:
        return {"$schema": self.schema_dialect, **super().generate(schema, mode)}


def json_schema(model: type[Any]) -> dict[str, Any]:
    """Give the JSON Schema of a configuration model: strict, and every key described."""
    return TypeAdapter(model).json_schema(schema_generator=_Generator)
