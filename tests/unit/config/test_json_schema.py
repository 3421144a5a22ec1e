from __future__ import annotations

import json

import pytest

from exporters.config.check import KINDS
from exporters.config.json_schema import json_schema


@pytest.fixture(params=KINDS)
def schema(request):
    return json_schema(KINDS[request.param])


def objects(schema):
    return [schema, *schema.get("$defs", {}).values()]


def test_schema_is_json_and_names_its_dialect(schema):
    assert json.loads(json.dumps(schema)) == schema
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_schema_refuses_unknown_keys(schema):
    assert all(part["additionalProperties"] is False for part in objects(schema))


def test_schema_describes_every_key(schema):
    for part in objects(schema):
        assert part["description"]
        for name, field in part["properties"].items():
            assert field.get("description"), name


def test_schema_shows_no_secret_and_no_python(schema):
    text = json.dumps(schema)
    for word in ("<secret>", "``", "None", '"ge"', "mappingproxy"):
        assert word not in text


def test_schema_of_snmp_knows_types_bounds_and_defaults():
    definitions = json_schema(KINDS["snmp"])["$defs"]
    module = definitions["Module"]["properties"]
    assert module["timeout"]["default"] == "5s"
    assert module["retries"] == {
        "default": 3,
        "description": "Further attempts after the first.",
        "minimum": 0,
        "type": "integer",
    }
    assert "gauge" in definitions["Metric"]["properties"]["type"]["enum"]
    assert definitions["Metric"]["required"] == ["name", "oid"]
    assert definitions["Auth"]["properties"]["version"]["enum"] == [1, 2, 3]
