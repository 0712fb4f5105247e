"""The grammar of rules as components of the OpenAPI document."""

from collections.abc import Collection
from typing import Any

import msgspec

from mock_server.control.references import PREFIX
from mock_server.domain import rule_grammar as grammar
from mock_server.domain.latency import DrawnLatency
from mock_server.domain.outcome import WrittenOutcome

Json = dict[str, Any]


def rule_schemas(fail_codes: Collection[str]) -> Json:
    """Return the schema of each type of the grammar by its name."""
    _, schemas = msgspec.json.schema_components(
        [grammar.Rule, grammar.NextMatch], ref_template=PREFIX + "{name}"
    )
    for kind in (
        grammar.Apply, grammar.CallbackWithValue, grammar.Refuse, DrawnLatency, WrittenOutcome,
    ):  # fmt: skip
        schemas[kind.__name__] |= kind.json_schema
    return schemas | {"FailCode": {"enum": sorted(fail_codes)}}
