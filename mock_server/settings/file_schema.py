"""The JSON Schema of the configuration file."""

import json
from collections.abc import Mapping
from typing import Any

from mock_server.domain.setting import Declaration, declarations
from mock_server.settings.server import Settings

Json = dict[str, Any]


_OPENAPI, _HERE = "#/components/schemas/", "#/$defs/"


def file_schema(grammar: Mapping[str, Json]) -> Json:
    """Return the schema (draft 2020-12) of the TOML file that `--config` names.

    `grammar` has the schemas of rules by name, as in the OpenAPI document of the control plane.
    """
    declared = declarations(Settings)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration file of mock-server",
        "type": "object",
        "properties": {each.name: _property(each) for each in declared},
        "patternProperties": {
            f"^{each.name.replace('_', '[-_]')}$": {"$ref": f"#/properties/{each.name}"}
            for each in declared
            if "_" in each.name
        },
        "additionalProperties": False,
        "$defs": _definitions(grammar),
    }


def _property(declaration: Declaration) -> Json:
    schema: Json = {**declaration.schema, "description": declaration.about}
    if declaration.name == "rules":
        schema["items"] = {"$ref": f"{_HERE}Rule"}
    if declaration.default is not None and not declaration.is_repeated:
        schema["default"] = declaration.show(declaration.default)
    return schema


def _definitions(grammar: Mapping[str, Json]) -> Json:
    """Return the schemas that a rule refers to, with references into this document."""
    text = json.dumps(grammar).replace(_OPENAPI, _HERE)
    used = ("Rule", *(name for name in grammar if f'"{_HERE}{name}"' in text))
    schemas: Json = json.loads(text)
    return {name: schemas[name] for name in dict.fromkeys(used)}
