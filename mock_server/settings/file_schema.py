"""The JSON Schema of the configuration file."""

from typing import Any

from mock_server.domain.setting import Declaration, declarations
from mock_server.settings.server import Settings

Json = dict[str, Any]


def file_schema() -> Json:
    """Return the schema (draft 2020-12) of the TOML file that `--config` names."""
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
    }


def _property(declaration: Declaration) -> Json:
    schema: Json = {"description": declaration.about, **declaration.schema}
    if declaration.default is not None and not declaration.is_repeated:
        schema["default"] = declaration.show(declaration.default)
    return schema
